"""What a request carries: JSON, or a form with files.

A body is read on the event loop, up to `max_body_mb`. Then its shape is bounded before it is
parsed, and a large one is parsed on a native thread: anyone may send one, and nothing that they
send may hold up the loop.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from typing import IO, Any, TypeVar

from flask import json, request
from werkzeug.datastructures import FileStorage, MultiDict
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.formparser import FormDataParser

from susracker.errors import InputError
from susracker.server.service import service

Result = TypeVar("Result")

MAX_VALUES = 10_000
"""Values in JSON at most. They are counted by brackets and commas, those in texts included."""

MAX_DEPTH = 32
"""Lists and objects inside each other at most."""

MAX_PARTS = 1000
"""Fields and files in a form at most, files of one person's photos included."""

MAX_URLENCODED = 100_000
"""Bytes of a form without files at most: it holds a person's fields, never a picture."""

LARGE = 256_000
"""Bytes from which a body is parsed on a thread. A smaller one takes less than the 1 ms that the
change of threads costs a busy server."""

URLENCODED, MULTIPART = "application/x-www-form-urlencoded", "multipart/form-data"


@dataclass(frozen=True, slots=True)
class Form:
    """A form.

    Attributes:
        fields: the texts of each field, in order.
        files: the contents of each file field, in order, without those that have no file name:
            browsers send one for each file input that is empty.
    """

    fields: dict[str, list[str]]
    files: dict[str, list[bytes]]

    def first_fields(self) -> dict[str, str]:
        """The first text of each field."""
        return {name: values[0] for name, values in self.fields.items()}


def from_json(convert: Callable[[Any], Result]) -> Result:
    """The JSON of the current request, converted.

    Args:
        convert: called with the JSON, or None if the request carries none; it must not use the
            request, since it may run on another thread.

    Raises:
        InputError: it has too many values or is nested too deeply.
        RequestEntityTooLarge: it is larger than `max_body_mb`.
    """
    data = _whole() if request.is_json else b""
    return off_the_loop(data, lambda: convert(_json(data)))


def form() -> Form | None:
    """The form of the current request; None if it carries none.

    Raises:
        RequestEntityTooLarge: it is larger than `max_body_mb`, has too many parts, or is too large
            for a form without files.
    """
    kind, options = request.mimetype, request.mimetype_params
    if kind not in (URLENCODED, MULTIPART):
        return None
    data = _whole()
    return off_the_loop(data, lambda: _form(data, kind, options))


def off_the_loop(data: bytes, work: Callable[[], Result]) -> Result:
    """Do some work with data of a request: on a thread if the data is large."""
    return work() if len(data) < LARGE else service().parsing.call(work)


def _whole() -> bytes:
    try:
        return request.get_data(cache=False)
    except RequestEntityTooLarge as error:
        limit = service().tracker.settings.max_body_mb
        raise RequestEntityTooLarge(
            f"the body is too large: the limit is {limit:g} MB; it is the setting max_body_mb"
        ) from error


def _json(data: bytes) -> Any:
    if data.count(b",") + data.count(b"[") + data.count(b"{") > MAX_VALUES:
        raise InputError(f"the JSON has more than {MAX_VALUES:,} values")
    try:
        value = json.loads(data)
    except ValueError:
        return None
    except RecursionError as error:
        raise InputError("the JSON is nested too deeply") from error
    _check_depth(value)
    return value


def _check_depth(value: Any) -> None:
    level = [value]
    for _ in range(MAX_DEPTH):
        level = [inner for outer in level for inner in _inside(outer)]
        if not level:
            return
    raise InputError(f"the JSON is nested too deeply: {MAX_DEPTH} levels are read")


def _inside(value: Any) -> list[Any]:
    """The lists and objects directly inside a value."""
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [one for one in inner if isinstance(one, (dict, list))]


def _in_memory(*_: object, **__: object) -> IO[bytes]:
    return io.BytesIO()


def _form(data: bytes, kind: str, options: dict[str, str]) -> Form:
    if kind == URLENCODED and (len(data) > MAX_URLENCODED or data.count(b"&") >= MAX_PARTS):
        raise RequestEntityTooLarge("a form without files is at most 100 kB, with 1,000 fields")
    if kind == MULTIPART and not data.lstrip(b"\r\n").startswith(b"--"):
        # Text before the first part is allowed, sent by nobody, and takes long to search.
        return Form({}, {})
    fields, files = _parts(data, kind, options)
    contents = {
        name: [file.read() for file in several if file.filename] for name, several in files.lists()
    }
    return Form(dict(fields.lists()), contents)


def _parts(
    data: bytes, kind: str, options: dict[str, str]
) -> tuple[MultiDict[str, str], MultiDict[str, FileStorage]]:
    parser = FormDataParser(
        # The default writes large files to the disk, strangers' faces included.
        stream_factory=_in_memory,
        max_form_memory_size=len(data),
        max_form_parts=MAX_PARTS,
    )
    try:
        _, fields, files = parser.parse(io.BytesIO(data), kind, len(data), options)
    except RequestEntityTooLarge as error:
        said = f"a form has at most {MAX_PARTS:,} fields and files"
        raise RequestEntityTooLarge(said) from error
    return fields, files
