"""Tells by a picture's header whether it may take a decoder long, before any decoder sees it.

Decoders have no limit of time, and Pillow reads the headers of most formats in Python. So a small
file can keep a thread busy for minutes: a progressive JPEG with thousands of empty scans, a PNG of
a million empty chunks, a BMP of run lengths. No camera sends any of them.
"""

from __future__ import annotations

import struct

from susracker.errors import PictureError

JPEG, PNG, BMP = b"\xff\xd8", b"\x89PNG\r\n\x1a\n", b"BM"

START_OF_SCAN = b"\xff\xda"

STANDALONE = frozenset((0x01, *range(0xD0, 0xD9)))
"""Markers without a length (ITU-T T.81, B.1.1.3)."""

MAX_SCANS = 100
"""Scans of a JPEG at most, previews in it included: progressive ones have about 10."""

MAX_SCANNED = 500_000_000
"""Pixels of a JPEG, times its scans, at most: each scan visits all of them, even an empty one."""

MAX_SEGMENTS = 2000
"""Segments before the first scan of a JPEG, and bytes of padding between them. Metadata of 100 MB
take as many."""

MAX_CHUNKS, MAX_EXTRA_CHUNKS = 10_000, 100
"""Chunks of a PNG at most, and chunks of it that hold no pixels: each of these may unpack to 1 MB,
and be 1,000 times smaller."""

PLAIN_BMP = (0, 3)
"""Kinds of BMP that are not compressed (BI_RGB, BI_BITFIELDS)."""

SPARSE_PIXELS, PIXELS_PER_BYTE = 2_000_000, 250
"""A picture of more pixels is refused if it has more of them per byte. A JPEG that is all black
has 64 to 170; the pictures that were made to fill the memory have 560 to 2,600."""


def check_structure(data: bytes) -> None:
    """Check a file of any format in a time that does not depend on what is in it.

    Raises:
        PictureError: decoding its header may take long.
    """
    if data.startswith(JPEG):
        _check_jpeg(data)
    elif data.startswith(PNG):
        _check_png(data)
    elif data.startswith(BMP):
        _check_bmp(data)


def check_size(data: bytes, width: int, height: int) -> None:
    """Check whether a picture's pixels may take long, by its size.

    Raises:
        PictureError: it has far more pixels than its bytes can fill, or too many scans for them.
    """
    pixels = width * height
    if pixels > SPARSE_PIXELS and pixels > PIXELS_PER_BYTE * len(data):
        raise PictureError(
            f"the picture has {width} x {height} pixels in {len(data)} bytes: there can be "
            "nothing in it"
        )
    if data.startswith(JPEG) and pixels * data.count(START_OF_SCAN) > MAX_SCANNED:
        raise PictureError(f"the JPEG has too many scans for {width} x {height} pixels")


def _check_jpeg(data: bytes) -> None:
    scans = data.count(START_OF_SCAN)
    if scans > MAX_SCANS:
        raise PictureError(f"the JPEG has {scans} scans; at most {MAX_SCANS} are decoded")
    position = len(JPEG)
    for _ in range(MAX_SEGMENTS):
        marker = data[position : position + 4]
        if len(marker) < 4 or marker[:2] == START_OF_SCAN:
            return
        if marker[0] != 0xFF or marker[1] in (0x00, 0xFF) or marker[1] in STANDALONE:
            position += 1
        else:
            position += 2 + max(2, int.from_bytes(marker[2:], "big"))
    raise PictureError(f"the JPEG has more than {MAX_SEGMENTS} segments before its first scan")


def _check_png(data: bytes) -> None:
    position, extra = len(PNG), 0
    for _ in range(MAX_CHUNKS):
        header = data[position : position + 8]
        if len(header) < 8:
            return
        length, kind = struct.unpack(">I4s", header)
        position += 12 + length
        extra += kind != b"IDAT"
        if extra > MAX_EXTRA_CHUNKS:
            raise PictureError(f"the PNG has more than {MAX_EXTRA_CHUNKS} chunks without pixels")
    raise PictureError(f"the PNG has more than {MAX_CHUNKS} chunks")


def _check_bmp(data: bytes) -> None:
    # Headers of 12 bytes, those of OS/2, have no field for it.
    header = int.from_bytes(data[14:18], "little")
    if header >= 40 and int.from_bytes(data[30:34], "little") not in PLAIN_BMP:
        raise PictureError("the BMP is compressed; only plain ones are decoded")
