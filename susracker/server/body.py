"""What a request carries."""

from __future__ import annotations

from io import BytesIO
from typing import IO, Any

from flask import Request, request

from susracker.errors import InputError


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
        InputError: it is nested too deeply to be read.
    """
    try:
        return request.get_json(silent=True)
    except RecursionError as error:
        raise InputError("the JSON is nested too deeply") from error
