"""Pictures of every format that is decoded, and of two that are refused, and damage done to them.

Each mutant is known by a number: the same seed and number give the same bytes, on any machine with
the same Pillow.
"""

from __future__ import annotations

import random
import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, partial
from itertools import pairwise

from PIL import Image

from tests.pictures import HOPPER, chunk, encoded, portrait

SIDE = 40
"""Pixels of most of the seeds: small ones are decoded in 0.1 ms."""

LARGE_ONE_IN = 4000
"""How rarely a seed is one that is decoded reduced, which takes 100 ms."""

EXTREMES = (0, 1, 2, 7, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFF_FFFF, 0xFFFF_FFFF)

PNG = b"\x89PNG\r\n\x1a\n"

Chance = random.Random
Parts = list[bytes]


@dataclass(frozen=True, slots=True)
class Seed:
    """A picture that is fine.

    Attributes:
        kind: Pillow's name of the format.
        is_face: whether it is large enough for the face in it to be found.
    """

    name: str
    kind: str
    data: bytes
    is_face: bool = False


@lru_cache(maxsize=1)
def seeds() -> list[Seed]:
    """Small pictures of every kind, and larger ones of a face."""
    face = Image.fromarray(portrait(HOPPER))
    face = face.crop((120, 20, 400, 360)).resize((144, 176))
    small = face.resize((SIDE, SIDE + 8))
    made = [_seed(name, kind, picture, **options) for name, kind, picture, options in _kinds(small)]
    faces = [
        Seed(f"face {kind}", kind, encoded(face, kind, **options), is_face=True)
        for kind, options in (("JPEG", {"quality": 60}), ("PNG", {}), ("WEBP", {}), ("BMP", {}))
    ]
    return made + faces


@lru_cache(maxsize=1)
def large_seeds() -> list[Seed]:
    """Pictures that are decoded reduced."""
    large = Image.fromarray(portrait(HOPPER)).resize((3600, 2700))
    return [
        Seed("large JPEG", "JPEG", encoded(large, quality=40)),
        Seed("large WebP", "WEBP", encoded(large, "WEBP", quality=10, method=0)),
    ]


def _seed(name: str, kind: str, picture: Image.Image, **options: object) -> Seed:
    return Seed(name, kind, encoded(picture, kind, **options))


def _kinds(small: Image.Image) -> list[tuple[str, str, Image.Image, dict[str, object]]]:
    grey, alpha, palette = small.convert("L"), small.convert("RGBA"), small.quantize(16)
    alpha.putalpha(grey)
    frames = {"save_all": True, "append_images": [small.rotate(90), small.rotate(180)]}
    exif = Image.Exif()
    exif[274], exif[271] = 6, "susracker"  # orientation, and a maker
    return [
        ("JPEG", "JPEG", small, {}),
        ("JPEG, progressive", "JPEG", small, {"progressive": True}),
        ("JPEG, 4:4:4, turned", "JPEG", small, {"subsampling": 0, "exif": exif}),
        (
            "JPEG, restarts, ICC",
            "JPEG",
            small,
            {"restart_marker_rows": 1, "icc_profile": b"a" * 99},
        ),
        ("JPEG, grey", "JPEG", grey, {}),
        ("JPEG, CMYK", "JPEG", small.convert("CMYK"), {}),
        ("MPO", "MPO", small, {"save_all": True, "append_images": [small.rotate(90)]}),
        ("PNG 1", "PNG", small.convert("1"), {}),
        ("PNG L", "PNG", grey, {"transparency": 7}),
        ("PNG LA", "PNG", alpha.convert("LA"), {}),
        ("PNG P", "PNG", palette, {"transparency": 3}),
        ("PNG P, alphas", "PNG", palette, {"transparency": bytes(range(16))}),
        ("PNG RGB", "PNG", small, {"transparency": (1, 2, 3), "dpi": (72, 72), "exif": exif}),
        ("PNG RGBA", "PNG", alpha, {"icc_profile": b"a" * 99}),
        ("PNG I;16", "PNG", grey.convert("I").convert("I;16"), {}),
        ("PNG, animated", "PNG", small, frames),
        ("WebP", "WEBP", small, {"exif": exif}),
        ("WebP, alpha", "WEBP", alpha, {}),
        ("WebP, lossless", "WEBP", alpha, {"lossless": True}),
        ("WebP, animated", "WEBP", small, {**frames, "icc_profile": b"a" * 99}),
        ("BMP 1", "BMP", small.convert("1"), {}),
        ("BMP L", "BMP", grey, {}),
        ("BMP P", "BMP", palette, {}),
        ("BMP RGB", "BMP", small, {}),
        ("BMP RGBA", "BMP", alpha, {}),
        ("GIF, animated", "GIF", palette, frames),
        ("TIFF", "TIFF", small, {"compression": "tiff_lzw"}),
    ]


def mutant(seed: str, number: int) -> tuple[Seed, bytes]:
    """The picture of that number, and what it was made of."""
    chance = Chance(f"{seed}/{number}")
    picked = chance.choice(large_seeds() if chance.randrange(LARGE_ONE_IN) == 0 else seeds())
    data = picked.data
    for _ in range(chance.choice((1, 1, 1, 2, 4))):
        data = chance.choice(_HOWS[_container(data)])(data, chance)
    return picked, data


def _container(data: bytes) -> str:
    beginnings = {PNG: "PNG", b"\xff\xd8": "JPEG", b"RIFF": "RIFF", b"BM": "BMP"}
    return next((one for start, one in beginnings.items() if data.startswith(start)), "")


def flip_bits(data: bytes, chance: Chance) -> bytes:
    """Some bits are the other way round, more often near the beginning."""
    changed = bytearray(data)
    for _ in range(chance.choice((1, 2, 8, 64))):
        if changed:
            changed[_place(changed, chance)] ^= 1 << chance.randrange(8)
    return bytes(changed)


def overwrite(data: bytes, chance: Chance) -> bytes:
    """A stretch is noise, or all of one value."""
    at, count = _place(data, chance), chance.choice((1, 2, 4, 30, 300))
    value = bytes([chance.choice(EXTREMES) & 0xFF])
    filling = chance.choice((value * count, chance.randbytes(count)))
    return data[:at] + filling + data[at + count :]


def truncate(data: bytes, chance: Chance) -> bytes:
    """The end is missing."""
    return data[: _place(data, chance)]


def remove(data: bytes, chance: Chance) -> bytes:
    """A stretch is missing."""
    at = _place(data, chance)
    return data[:at] + data[at + chance.randrange(1, 60) :]


def repeat(data: bytes, chance: Chance) -> bytes:
    """A stretch is there several times."""
    at = _place(data, chance)
    end = at + chance.randrange(1, 200)
    return data[:end] + data[at:end] * chance.choice((1, 2, 50)) + data[end:]


def set_number(data: bytes, chance: Chance) -> bytes:
    """Two or four bytes, anywhere, are an extreme number: lengths and sizes among them."""
    return _put_number(data, _place(data, chance), chance)


def splice(data: bytes, chance: Chance) -> bytes:
    """The beginning of one picture, the end of another."""
    other = chance.choice(seeds()).data
    return data[: _place(data, chance)] + other[chance.randrange(len(other)) :]


def set_jpeg_size(data: bytes, chance: Chance) -> bytes:
    """The height, width or number of components of a JPEG's frame header."""
    frames = [
        at for at in range(len(data) - 9) if data[at] == 0xFF and data[at + 1] in (0xC0, 0xC2)
    ]
    if not frames:
        return data
    return _put_number(data, chance.choice(frames) + chance.choice((5, 7, 9)), chance, ">H")


def set_png_header(data: bytes, chance: Chance) -> bytes:
    """Width, height, depth, colour type or interlacing, with a checksum that is right."""
    parts = _png_parts(data)
    if not parts or len(parts[0]) < 25:
        return data
    header = bytearray(parts[0][8:-4])
    if chance.randrange(2):
        struct.pack_into(">I", header, chance.choice((0, 4)), chance.choice((*EXTREMES, SIDE)))
    else:
        header[chance.randrange(8, 13)] = chance.choice((0, 1, 2, 3, 4, 6, 8, 16, 255))
    return PNG + b"".join([chunk(parts[0][4:8], bytes(header)), *parts[1:]])


def change_png_chunk(data: bytes, chance: Chance) -> bytes:
    """A chunk's content is changed, with a checksum that is right, in compressed ones within."""
    parts = _png_parts(data)
    if not parts:
        return data
    at = chance.randrange(len(parts))
    kind, content = parts[at][4:8], parts[at][8:-4]
    try:
        changed = zlib.compress(any_change(zlib.decompress(content), chance))
    except zlib.error:
        changed = any_change(content, chance)
    parts[at] = chunk(kind, changed)
    return PNG + b"".join(parts)


def set_riff_size(data: bytes, chance: Chance) -> bytes:
    """The canvas of an extended WebP, or the size in the header of its pixels."""
    marks = {b"VP8X": 12, b"VP8 ": 14, b"VP8L": 9, b"ANMF": 8}
    found = [data.find(mark) + skip for mark, skip in marks.items() if mark in data]
    if not found:
        return data
    return _put_number(data, chance.choice(found) + chance.randrange(4), chance, "<H")


def set_bmp_header(data: bytes, chance: Chance) -> bytes:
    """A field of a BMP's headers."""
    return _put_number(data, chance.choice((10, 14, 18, 22, 26, 28, 30, 34, 46)), chance, "<I")


def move_parts(parts_of: Callable[[bytes], Parts], data: bytes, chance: Chance) -> bytes:
    """Chunks or segments are there twice or 200 times, missing, swapped, or another picture's."""
    parts = parts_of(data)
    if len(parts) < 2:
        return data
    head = data[: len(data) - sum(map(len, parts))]
    one, other = chance.randrange(len(parts)), chance.randrange(len(parts))
    how = chance.randrange(5)
    if how == 0:
        parts[one:one] = [parts[other]] * chance.choice((1, 1, 2, 200))
    elif how == 1:
        del parts[one]
    elif how == 2:
        parts[one], parts[other] = parts[other], parts[one]
    else:
        rest = [seed.data for seed in seeds() if _container(seed.data) == _container(data)]
        parts.insert(one, chance.choice(parts_of(chance.choice(rest))))
    return head + b"".join(parts)


def _png_parts(data: bytes) -> Parts:
    return _cut(data, 8, lambda at: 12 + int.from_bytes(data[at : at + 4], "big"))


def _riff_parts(data: bytes) -> Parts:
    return _cut(
        data, 12, lambda at: 8 + -(-int.from_bytes(data[at + 4 : at + 8], "little") // 2) * 2
    )


def _jpeg_parts(data: bytes) -> Parts:
    places = [at for at in range(2, len(data) - 1) if data[at] == 0xFF and data[at + 1] >= 0xC0]
    return [data[at:end] for at, end in pairwise([*places, len(data)])]


def _cut(data: bytes, at: int, length: Callable[[int], int]) -> Parts:
    parts = []
    while at < len(data):
        end = min(len(data), at + length(at))
        parts.append(data[at:end])
        at = end
    return parts


def _put_number(data: bytes, at: int, chance: Chance, form: str = "") -> bytes:
    form = form or chance.choice((">H", "<H", ">I", "<I"))
    size = struct.calcsize(form)
    near = int.from_bytes(data[at : at + size], "big" if form[0] == ">" else "little")
    value = chance.choice((*EXTREMES, near + 1, near - 1, near * 2, near * 40)) % (1 << 8 * size)
    return data[:at] + struct.pack(form, value) + data[at + size :]


def _place(data: bytes | bytearray, chance: Chance) -> int:
    return chance.randrange(max(1, min(len(data), chance.choice((40, 700, len(data))))))


_ANYWHERE = [flip_bits, overwrite, truncate, remove, repeat, set_number, splice]


def any_change(data: bytes, chance: Chance) -> bytes:
    """One of the changes that any bytes can take."""
    return chance.choice(_ANYWHERE)(data, chance)


_HOWS: dict[str, list[Callable[[bytes, Chance], bytes]]] = {
    "": _ANYWHERE,
    "PNG": [
        *_ANYWHERE,
        set_png_header,
        set_png_header,
        *[change_png_chunk] * 4,
        *[partial(move_parts, _png_parts)] * 3,
    ],
    "JPEG": [*_ANYWHERE, set_jpeg_size, *[partial(move_parts, _jpeg_parts)] * 3],
    "RIFF": [*_ANYWHERE, set_riff_size, *[partial(move_parts, _riff_parts)] * 3],
    "BMP": [*_ANYWHERE, set_bmp_header, set_bmp_header],
}
"""What is done to a picture, by its container; something that is there twice is done twice as
often."""
