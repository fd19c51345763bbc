"""Tells by a picture's header whether it may take a decoder long, before any decoder sees it.

Decoders have no limit of time, and Pillow reads the headers of most formats in Python. So a small
file can keep a thread busy for minutes: a progressive JPEG with thousands of empty scans, a PNG of
a million empty chunks, a BMP of run lengths. No camera sends any of them.
"""

from __future__ import annotations

import struct

from susracker.errors import PictureError, PictureTooLargeError

MAGIC = (
    (b"\xff\xd8", "JPEG"),
    (b"\x89PNG\r\n\x1a\n", "PNG"),
    (b"BM", "BMP"),
    (b"GIF87a", "GIF"),
    (b"GIF89a", "GIF"),
    (b"II*\0", "TIFF"),
    (b"MM\0*", "TIFF"),
)
"""How files begin, and Pillow's name for their format."""

MAX_BRANDS_BYTES = 256

BRANDS = ((b"avif", "AVIF"), (b"avis", "AVIF"), (b"heic", "HEIF"), (b"heix", "HEIF"))
"""Names in the first box of a file of ISO/IEC 23008-12 or AV1, and Pillow's name for the format."""

JPEG, PNG, BMP, RIFF = b"\xff\xd8", b"\x89PNG\r\n\x1a\n", b"BM", b"RIFF"

START_OF_SCAN = b"\xff\xda"

WITHOUT_LENGTH = frozenset((0x00, 0x01, *range(0xD0, 0xD9), 0xFF))
"""Markers without a length (ITU-T T.81, B.1.1.3), padding, and what is no marker."""

STARTS_OF_FRAME = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
"""Markers of the segments that hold a JPEG's size."""

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


def format_of(data: bytes) -> str:
    """Pillow's name for a file's format by how it begins; empty if that is unknown."""
    for start, name in MAGIC:
        if data.startswith(start):
            return name
    if data.startswith(RIFF) and data[8:12] == b"WEBP":
        return "WEBP"
    if data[4:8] == b"ftyp":
        (length,) = _numbers(">I", data, 0)
        brands = data[8 : min(length, MAX_BRANDS_BYTES)]
        for brand, name in BRANDS:
            if brand in brands:
                return name
    return ""


def declared_size(data: bytes) -> tuple[int, int]:
    """Width and height by a file's header, read in a time that does not depend on what is in it.

    Returns:
        (0, 0) if the header is damaged, which a decoder will tell.

    Raises:
        PictureError: not a JPEG, PNG, WebP or BMP picture, or its header may take a decoder long.
    """
    if data.startswith(JPEG):
        return _jpeg_size(data)
    if data.startswith(PNG):
        return _png_size(data)
    if data.startswith(BMP):
        return _bmp_size(data)
    if data.startswith(RIFF) and data[8:12] == b"WEBP":
        return _webp_size(data)
    raise PictureError("not a JPEG, PNG, WebP or BMP picture")


def check_pixels(width: int, height: int, max_pixels: int) -> None:
    """Check a picture's size.

    Raises:
        PictureTooLargeError: it has more than `max_pixels` pixels.
    """
    if width * height > max_pixels:
        raise PictureTooLargeError(
            f"the picture has {width} x {height} pixels; at most {max_pixels:,} are decoded"
        )


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


def _jpeg_size(data: bytes) -> tuple[int, int]:
    scans = data.count(START_OF_SCAN)
    if scans > MAX_SCANS:
        raise PictureError(f"the JPEG has {scans} scans; at most {MAX_SCANS} are decoded")
    position, size = len(JPEG), (0, 0)
    for _ in range(MAX_SEGMENTS):
        marker = data[position : position + 4]
        if len(marker) < 4:
            return size
        first, kind, high, low = marker
        if first != 0xFF or kind in WITHOUT_LENGTH:
            position += 1
            continue
        if kind == START_OF_SCAN[1]:
            return size
        if kind in STARTS_OF_FRAME:
            height, width = _numbers(">HH", data, position + 5)
            size = width, height
        position += 2 + max(2, high << 8 | low)
    raise PictureError(f"the JPEG has more than {MAX_SEGMENTS} segments before its first scan")


def _png_size(data: bytes) -> tuple[int, int]:
    position, extra = len(PNG), 0
    for _ in range(MAX_CHUNKS):
        header = data[position : position + 8]
        if len(header) < 8 or header[4:] == b"IEND":
            width, height = _numbers(">II", data, len(PNG) + 8)
            return width, height
        length, kind = struct.unpack(">I4s", header)
        position += 12 + length
        extra += kind != b"IDAT"
        if extra > MAX_EXTRA_CHUNKS:
            raise PictureError(f"the PNG has more than {MAX_EXTRA_CHUNKS} chunks without pixels")
    raise PictureError(f"the PNG has more than {MAX_CHUNKS} chunks")


def _bmp_size(data: bytes) -> tuple[int, int]:
    (header,) = _numbers("<I", data, 14)
    if header < 40:  # of OS/2, without a field for compression
        width, height = _numbers("<HH", data, 18)
        return width, height
    width, height, _, kind = _numbers("<iiII", data, 18)
    if kind not in PLAIN_BMP:
        raise PictureError("the BMP is compressed; only plain ones are decoded")
    return width, abs(height)  # negative if the rows run from the top


def _webp_size(data: bytes) -> tuple[int, int]:
    """The size of the canvas (RFC 9649, 2.7), or of the only frame (2.5, 3.4)."""
    kind = data[12:16]
    if kind == b"VP8X":
        low_width, high_width, low_height, high_height = _numbers("<HBHB", data, 24)
        return (high_width << 16 | low_width) + 1, (high_height << 16 | low_height) + 1
    if kind == b"VP8L":
        (bits,) = _numbers("<I", data, 21)
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    width, height = _numbers("<HH", data, 26)
    return width & 0x3FFF, height & 0x3FFF


def _numbers(layout: str, data: bytes, position: int) -> tuple[int, ...]:
    """Read numbers; zeros where the data ends before."""
    size = struct.calcsize(layout)
    return struct.unpack(layout, data[position : position + size].ljust(size, b"\0"))
