from __future__ import annotations

import base64
import time
from contextlib import suppress

import pytest

from susracker.runtime.data_uri import decode_base64

TEXT = base64.b64encode(b"a picture").decode()


@pytest.mark.parametrize(
    "text",
    [
        TEXT,
        f"data:image/jpeg;base64,{TEXT}",
        f" \n data:image/jpeg;charset=x;base64,{TEXT}\n",
        "\r\n ".join(TEXT),
    ],
)
def test_base64_with_and_without_a_prefix(text):
    assert decode_base64(text) == b"a picture"


@pytest.mark.parametrize("value", [5, None, "é", "A", "%%%%", "data:image/png," + TEXT])
def test_anything_else_is_refused(value):
    with pytest.raises(ValueError, match="base64"):
        decode_base64(value)


@pytest.mark.parametrize(
    "text",
    [" " * 5_000_000, "data:" * 1_000_000, " data:" * 1_000_000, "a " * 2_500_000, "," * 5_000_000],
)
def test_no_text_takes_long(text):
    started = time.process_time()
    with suppress(ValueError):
        decode_base64(text)
    assert time.process_time() - started < 1
