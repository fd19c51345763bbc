"""The operators' page and the page of the API: one HTML file, and the styles and scripts of each.

The files are read once, and served from memory. The address of each but the page itself holds a
digest of them all, so a browser keeps it for ever and still has the new one after an upgrade;
modules that import each other by relative paths stay among files of the same version.
"""

from __future__ import annotations

import gzip
import hashlib
import posixpath
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from flask import Blueprint, Response, abort, request
from flask.typing import ResponseReturnValue

from susracker.server.access import public
from susracker.server.audited import unaudited
from susracker.server.headers import CONTENT_SECURITY_POLICY

FOLDER = Path(__file__).parent / "static"
TEMPLATE = "page.html"
"""Both pages, but for what a `Document` says."""

VERSION, TITLE, NEEDS = "VERSION", "TITLE", "<!-- styles and modules -->"
"""What stands in the template for the digest, and for what a `Document` says."""

IMPORT = re.compile(r'^import [^;]*?from "(\.[^"]+)";', re.MULTILINE)

MEDIA_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}

DIGITS = 16

PAGE_HEADERS = {
    # Nothing can make markup of a text, even by mistake.
    "Content-Security-Policy": f"{CONTENT_SECURITY_POLICY}; "
    "require-trusted-types-for 'script'; trusted-types 'none'",
    # Photos for the watch-list may be taken with a webcam.
    "Permissions-Policy": "camera=(self), geolocation=(), microphone=(), payment=(), usb=()",
    "Cache-Control": "no-cache",
}

blueprint = Blueprint("page", __name__)


@dataclass(frozen=True, slots=True)
class Document:
    """What one page has of its own.

    Attributes:
        styles: the names of its styles, in order.
        modules: of what most people see first; the first one starts the page. What they import is
            named in the page, so that a browser asks for all of it at once.
    """

    title: str
    styles: tuple[str, ...]
    modules: tuple[str, ...]


INDEX, DOCS = "index.html", "docs.html"
DOCUMENTS = {
    INDEX: Document(
        "susracker",
        ("tokens", "base", "frame", "alerts", "people", "tables"),
        ("js/main.js", "js/views/alerts.js"),
    ),
    DOCS: Document("API · susracker", ("tokens", "base", "docs"), ("js/docs/main.js",)),
}


@dataclass(frozen=True, slots=True)
class Page:
    """The files of the pages.

    Attributes:
        version: a digest of all files, part of the address of each.
        files: contents by path below `FOLDER`.
        packed: the same, compressed by gzip.
    """

    version: str
    files: Mapping[str, bytes]
    packed: Mapping[str, bytes]


@cache
def load_page() -> Page:
    """Read all files of the pages."""
    files = {
        path.relative_to(FOLDER).as_posix(): path.read_bytes()
        for path in sorted(FOLDER.rglob("*"))
        if path.suffix in MEDIA_TYPES
    }
    digest = hashlib.sha256()
    for name, content in files.items():
        digest.update(f"{name}\0{len(content)}\0".encode() + content)
    version = digest.hexdigest()[:DIGITS]
    template = files.pop(TEMPLATE).decode()
    for name, document in DOCUMENTS.items():
        page = template.replace(NEEDS, _needs(files, document)).replace(TITLE, document.title)
        files[name] = page.replace(VERSION, version).encode()
    packed = {name: gzip.compress(content, mtime=0) for name, content in files.items()}
    return Page(version, files, packed)


def _needs(files: Mapping[str, bytes], document: Document) -> str:
    """The tags for the styles and the modules of a page."""
    modules = [name for first in document.modules for name in _imported(files, first)]
    return "".join(
        [
            *(_link("stylesheet", f"style/{name}.css") for name in document.styles),
            *(_link("modulepreload", name) for name in dict.fromkeys(modules)),
            f'<script type="module" src="/static/{VERSION}/{document.modules[0]}"></script>',
        ]
    )


def _link(relation: str, name: str) -> str:
    return f'<link rel="{relation}" href="/static/{VERSION}/{name}">'


def _imported(files: Mapping[str, bytes], name: str) -> list[str]:
    """A module, and all that it imports, directly or not."""
    found, waiting = [], [name]
    while waiting:
        one = waiting.pop()
        if one not in found:
            found.append(one)
            for path in IMPORT.findall(files[one].decode()):
                waiting.append(posixpath.normpath(posixpath.join(posixpath.dirname(one), path)))
    return found


@blueprint.get("/")
@public
@unaudited("holds no data: the page asks for them by the other routes")
def index() -> ResponseReturnValue:
    """The operators' page; a browser asks each time whether there is a new one."""
    return _page(INDEX)


@blueprint.get("/docs")
@public
@unaudited("holds no data: what is tried on it is noted by its route")
def docs() -> ResponseReturnValue:
    """The page of the API, to read it and to try it."""
    return _page(DOCS)


def _page(name: str) -> ResponseReturnValue:
    page = load_page()
    answer = _file(page, name)
    answer.headers.update(PAGE_HEADERS)
    answer.set_etag(page.version)
    return answer.make_conditional(request)


@blueprint.get("/static/<version>/<path:name>")
@public
@unaudited("holds no data")
def file(version: str, name: str) -> ResponseReturnValue:
    """A file of the page, which never changes under its address."""
    page = load_page()
    if version != page.version or name not in page.files:
        abort(404)
    answer = _file(page, name)
    answer.vary.add("Accept-Encoding")
    if request.accept_encodings["gzip"]:
        answer.set_data(page.packed[name])
        answer.content_encoding = "gzip"
    answer.cache_control.public = True
    answer.cache_control.max_age = 31_536_000
    answer.cache_control.immutable = True
    return answer


def _file(page: Page, name: str) -> Response:
    return Response(page.files[name], content_type=MEDIA_TYPES[Path(name).suffix])
