"""What a request carries: JSON, or a form."""

from __future__ import annotations

import re
from io import BytesIO
from typing import IO, Any

from flask import Flask, Request, request
from werkzeug.exceptions import RequestEntityTooLarge

from susracker.errors import InputError

MAX_DEPTH = 32
"""Lists and objects within each other."""

MAX_SIGNS = 20_000
"""Brackets, commas and quotation marks in all. A person with 100 crimes and photos has less than
1,000; millions would hold up the event loop for seconds."""

MAX_FORM_PARTS = 200
"""Fields and files of a form: a person may have 100 crimes."""

_TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*"|[\[{]|[\]}]', re.DOTALL)


def limit_forms(app: Flask) -> None:
    """Limit the fields and files of a form; call this after the check of keys."""
    # Fields may hold pictures as base64, so only the limit on the whole body counts.
    app.config["MAX_FORM_MEMORY_SIZE"] = app.config["MAX_CONTENT_LENGTH"]
    app.config["MAX_FORM_PARTS"] = MAX_FORM_PARTS

    @app.before_request
    def check() -> None:
        # Werkzeug counts the parts of multipart forms only.
        is_form = request.mimetype == "application/x-www-form-urlencoded"
        if is_form and request.get_data().count(b"&") >= MAX_FORM_PARTS:
            raise RequestEntityTooLarge(f"the form has more than {MAX_FORM_PARTS} fields")


class RequestInMemory(Request):
    """A request whose files stay in memory, however large: they show people who are not wanted, and
    a temporary file would leave them on a disk. The limit on the whole body bounds them."""

    def _get_file_stream(
        self,
        total_content_length: int | None,
        content_type: str | None,
        filename: str | None = None,
        content_length: int | None = None,
    ) -> IO[bytes]:
        return BytesIO()


def json_body() -> Any:
    """The JSON of the current request; None if it carries none.

    Raises:
        InputError: it is nested too deeply, or has too many values.
    """
    if request.is_json:
        _check(request.get_data())
    return request.get_json(silent=True)


def _check(body: bytes) -> None:
    """Look at single characters alone: the parser is not to see what is too much for it."""
    signs = {sign: body.count(sign) for sign in (b"[", b"{", b",", b'"')}
    if sum(signs.values()) > MAX_SIGNS:
        raise InputError("the JSON has too many values")
    # A detection has few brackets, and its picture in base64 has none.
    if signs[b"["] + signs[b"{"] > MAX_DEPTH and _is_too_deep(body):
        raise InputError(f"the JSON is nested too deeply: at most {MAX_DEPTH} levels")


def _is_too_deep(body: bytes) -> bool:
    depth = 0
    for token in _TOKEN.finditer(body):
        first = token[0][0]
        depth += (first in b"[{") - (first in b"]}")
        if depth > MAX_DEPTH:
            return True
    return False
