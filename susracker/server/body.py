"""The JSON that a request carries."""

from __future__ import annotations

from typing import Any

from flask import request

from susracker.errors import InputError


def json_body() -> Any:
    """The JSON of the current request; None if it carries none.

    Raises:
        InputError: it is nested too deeply to be read.
    """
    try:
        return request.get_json(silent=True)
    except RecursionError as error:
        raise InputError("the JSON is nested too deeply") from error
