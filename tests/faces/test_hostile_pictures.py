"""Pictures made to keep a decoder busy, to fill the memory, or to crash it."""

from __future__ import annotations

import random
import struct
import time
import zlib

import numpy as np
import pytest
from PIL import Image

from susracker.errors import PictureError
from susracker.faces import images
from susracker.faces.headers import MAX_CHUNKS, MAX_SCANS, MAX_SEGMENTS
from susracker.faces.images import decode
from tests.pictures import HOPPER, bomb, chunk, encoded, portrait

PHOTO = Image.fromarray(portrait(HOPPER)).resize((160, 190))
PROGRESSIVE = encoded(PHOTO, progressive=True)
SIGNATURE, END = b"\x89PNG\r\n\x1a\n", chunk(b"IEND", b"")
HEADER = chunk(b"IHDR", struct.pack(">IIBBBBB", 8, 8, 8, 3, 0, 0, 0))
PIXELS = chunk(b"IDAT", zlib.compress(bytes(9 * 8)))

EMPTY_SCAN = b"\xff\xda\x00\x08\x01\x01\x00\x01\x3f\x00"


def with_scans(count: int) -> bytes:
    """A progressive JPEG with so many scans, all but a few of them empty."""
    own = PROGRESSIVE.count(b"\xff\xda")
    return PROGRESSIVE[:-2] + EMPTY_SCAN * (count - own) + PROGRESSIVE[-2:]


def rle_bmp(size: int) -> bytes:
    sizes = struct.pack("<IHHIIiiHHIIiiII", 0, 0, 0, 54, 40, size, size, 1, 8, 1, 0, 0, 0, 0, 0)
    return b"BM" + sizes + bytes(1024) + b"\x01\x00" * 500_000


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (with_scans(MAX_SCANS + 1), "scans"),
        (b"\xff\xd8" + b"\xff" * 5_000_000, "segments"),
        (b"\xff\xd8" + b"\xff\xe0\x00\x02" * (MAX_SEGMENTS + 1), "segments"),
        (SIGNATURE + HEADER + chunk(b"tEXt", b"") * 500_000 + PIXELS + END, "chunks"),
        (SIGNATURE + HEADER + chunk(b"IDAT", b"") * (MAX_CHUNKS + 1) + END, "chunks"),
        (SIGNATURE + HEADER + chunk(b"iCCP", b"a\0\0" + zlib.compress(bytes(10**6))) * 101, "chu"),
        (rle_bmp(5000), "compressed"),
        (bomb(7_070, 7_070), "nothing in it"),
        (encoded(Image.new("RGB", (6000, 5000)), "WEBP", lossless=True), "nothing in it"),
        (SIGNATURE + HEADER + PIXELS + END, "palette"),
    ],
    ids=["scans", "padding", "segments", "chunks", "IDAT", "iCCP", "RLE", "PNG", "WebP", "P"],
)
def test_a_hostile_picture_is_refused_at_once(data, said):
    started = time.process_time()
    with pytest.raises(PictureError, match=said):
        decode(data)
    assert time.process_time() - started < 0.5


def test_scans_count_more_in_a_large_picture():
    large = encoded(PHOTO.resize((4000, 5000)), progressive=True)
    assert decode(large).shape[:2] == (5000, 4000)
    with pytest.raises(PictureError, match="scans"):
        decode(large[:-2] + EMPTY_SCAN * 30 + large[-2:])


def test_what_cameras_and_phones_send_is_decoded():
    extra = SIGNATURE + HEADER + chunk(b"PLTE", bytes(768)) + chunk(b"tEXt", b"a\0b") * 50
    assert decode(extra + PIXELS + END).shape == (8, 8, 3)
    assert decode(with_scans(MAX_SCANS)).shape == (190, 160, 3)
    assert decode(encoded(Image.new("RGB", (3840, 2160)))).max() == 0  # a covered lens


@pytest.mark.parametrize("form", ["JPEG", "PNG"])
def test_a_large_picture_is_decoded_reduced(form):
    large = PHOTO.resize((7800, 1200))
    picture = decode(encoded(large, form))
    assert picture.shape == (600, 3900, 3)
    small = np.asarray(large.resize((3900, 600))).astype(int)
    assert np.abs(picture - small).mean() < 3


def test_pictures_up_to_4k_keep_every_pixel():
    assert decode(encoded(PHOTO.resize((3840, 2160)))).shape == (2160, 3840, 3)


def test_a_transparent_colour_of_another_kind_of_picture_is_damage():
    """As of a PNG that says twice what it is: a grey one with a palette's transparency."""
    grey, palette = (struct.pack(">IIBBBBB", 2, 2, 8, kind, 0, 0, 0) for kind in (0, 3))
    pixels = zlib.compress(b"\0\1\2" * 2)
    chunks = [(b"IHDR", grey), (b"IDAT", pixels), (b"IHDR", palette), (b"tRNS", b"\0\7")]
    data = b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*one) for one in [*chunks, (b"IEND", b"")])
    with pytest.raises(PictureError, match="of another kind"):
        decode(data)


@pytest.mark.parametrize("profile", [b"name\0", b""])
def test_a_colour_profile_that_is_cut_short_behind_the_pixels_is_damage(profile):
    header = struct.pack(">IIBBBBB", 8, 8, 8, 0, 0, 0, 0)
    late = chunk(b"iCCP", profile)
    with pytest.raises(PictureError, match="damaged"):
        decode(SIGNATURE + chunk(b"IHDR", header) + PIXELS + late + END)


def mutated(data: bytes, chance: random.Random) -> bytes:
    changed = bytearray(data)
    for _ in range(chance.choice((1, 1, 2, 5, 20))):
        at = chance.randrange(min(len(changed), chance.choice((40, 700, len(changed)))))
        how = chance.randrange(4)
        if how == 0:
            changed[at] = chance.choice((0, 1, 127, 128, 255, chance.randrange(256)))
        elif how == 1:
            changed[at] ^= 1 << chance.randrange(8)
        elif how == 2:
            del changed[at : at + chance.randrange(1, 50)]
        else:
            changed[at:at] = changed[at : at + chance.randrange(1, 50)]
        if len(changed) < 50:
            break
    return bytes(changed)


def seeds() -> list[bytes]:
    small = PHOTO.resize((64, 76))
    return [
        encoded(small),
        encoded(small, progressive=True),
        encoded(small.convert("CMYK")),
        encoded(small, "PNG"),
        encoded(small.quantize(16), "PNG", transparency=3),
        encoded(small.convert("RGBA"), "PNG"),
        encoded(small, "WEBP"),
        encoded(small.convert("RGBA"), "WEBP", lossless=True),
        encoded(small, "BMP"),
        encoded(small.quantize(16), "BMP"),
        encoded(small, "MPO", save_all=True, append_images=[small]),
    ]


def fuzz(count: int, seed: int) -> int:
    """Decode mutated pictures. Returns how many of them were refused."""
    chance, refused, pictures = random.Random(seed), 0, seeds()
    for _ in range(count):
        data = mutated(chance.choice(pictures), chance)
        started = time.process_time()
        try:
            decode(data, max_pixels=4_000_000)
        except PictureError:
            refused += 1
        assert time.process_time() - started < 1, data
    return refused


@pytest.mark.filterwarnings("ignore::UserWarning")  # Pillow warns of the damage
def test_whatever_is_damaged_raises_nothing_but_a_picture_error():
    assert 0 < fuzz(300, seed=1) < 300


def test_one_large_picture_is_decoded_at_a_time(monkeypatch):
    held = []
    pixels = images._pixels
    monkeypatch.setattr(
        images,
        "_pixels",
        lambda image: held.append(images._one_large_at_a_time.locked()) or pixels(image),
    )
    decode(encoded(PHOTO.resize((4000, 3000))))
    decode(encoded(PHOTO))
    assert held == [True, False]
