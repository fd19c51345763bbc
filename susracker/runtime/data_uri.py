"""Pictures as text: base64, with or without a data-URI prefix."""

from __future__ import annotations

import base64
import binascii
import re

PREFIX = re.compile(r"\s*data:[^,]{0,100};base64,")


def decode_base64(value: object) -> bytes:
    """Bytes from base64, with or without a data-URI prefix.

    Raises:
        ValueError: it is not base64.
    """
    if not isinstance(value, str):
        raise ValueError("must be a base64 string")
    try:
        return base64.b64decode("".join(PREFIX.sub("", value, count=1).split()), validate=True)
    except (binascii.Error, ValueError) as error:
        raise ValueError("is not base64") from error
