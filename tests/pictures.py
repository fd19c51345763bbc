"""Pictures for tests: real faces, and files that are no good."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from susracker.demo.portraits import sample_people

SHARED_DATA = Path(__file__).parents[2] / "shared" / "data"

HOPPER, COLLINS = (person.portrait for person in sample_people())


def shared(folder: str) -> Path:
    """A folder of real photos beside the checkout; the test is skipped where it is absent."""
    path = SHARED_DATA / folder
    if not path.is_dir():
        pytest.skip(f"no real photos here: {path} is absent")
    return path


def portrait(path: Path) -> np.ndarray:
    return np.asarray(Image.open(path).convert("RGB"))


def encoded(picture, form: str = "JPEG", **options) -> bytes:
    buffer = io.BytesIO()
    image = picture if isinstance(picture, Image.Image) else Image.fromarray(picture)
    image.save(buffer, form, **options)
    return buffer.getvalue()


def chunk(kind: bytes, data: bytes) -> bytes:
    """A chunk of a PNG."""
    body = kind + data
    return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))


def bomb(width: int, height: int) -> bytes:
    """A PNG of that size in few bytes: one row of zeros, again and again."""
    packer = zlib.compressobj(9)
    row = bytes(1 + width // 8)
    rows = b"".join(packer.compress(row) for _ in range(height)) + packer.flush()
    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")
    )
