"""Pictures as text: base64, with or without a data-URI prefix."""

from __future__ import annotations

import base64
import binascii
import re
import string

PREFIX = re.compile(r"data:[^,]{0,100};base64,")

WHITESPACE = string.whitespace.encode()


def decode_base64(value: object) -> bytes:
    """Bytes from base64, with or without a data-URI prefix.

    Takes time in proportion to the length of the text, whatever it is.

    Raises:
        ValueError: it is not base64.
    """
    if not isinstance(value, str):
        raise ValueError("must be a base64 string")
    text = value.lstrip()
    # `match` tries the pattern at the beginning only: `search` would take quadratic time.
    prefix = PREFIX.match(text)
    try:
        encoded = text[prefix.end() if prefix else 0 :].encode("ascii")
        return base64.b64decode(encoded.translate(None, WHITESPACE), validate=True)
    except (binascii.Error, ValueError) as error:
        raise ValueError("is not base64") from error
