"""Photos to enrol: two real people, and everything that can be wrong with a photo."""

from __future__ import annotations

import io
from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image, ImageFilter

from susracker.demo.portraits import sample_people

HOPPER, COLLINS = (person.portrait for person in sample_people())

COLLINS_HEAD = (96, 0, 352, 256)

LFW = Path(__file__).parents[3] / "shared" / "data" / "lfw-dev"


def encoded(picture: Image.Image, quality: int = 92) -> bytes:
    buffer = io.BytesIO()
    picture.convert("RGB").save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()


@cache
def hopper(quality: int = 92) -> bytes:
    """A photo of the first person; each quality gives another file with the same face."""
    return encoded(Image.open(HOPPER), quality)


@cache
def collins(quality: int = 92) -> bytes:
    """A photo of the other person, cut to the head: the badges on the suit look like faces."""
    return encoded(Image.open(COLLINS).crop(COLLINS_HEAD), quality)


@cache
def two_faces() -> bytes:
    """Both people side by side, with faces of the same size."""
    left, right = Image.open(HOPPER), Image.open(COLLINS).crop(COLLINS_HEAD)
    left = left.resize((209, 245))
    both = Image.new("RGB", (left.width + right.width, right.height))
    both.paste(left, (0, 0))
    both.paste(right, (left.width, 0))
    return encoded(both)


@cache
def too_small() -> bytes:
    return encoded(Image.open(HOPPER).resize((76, 90)))


@cache
def too_blurred() -> bytes:
    return encoded(Image.open(HOPPER).convert("RGB").filter(ImageFilter.GaussianBlur(6)))


@cache
def no_face() -> bytes:
    return encoded(Image.fromarray(np.full((300, 300, 3), 130, np.uint8)))


@cache
def group() -> bytes:
    """One large face, and four small ones above it."""
    picture = Image.new("RGB", (700, 700), (130, 130, 130))
    picture.paste(Image.open(HOPPER).resize((400, 470)), (150, 230))
    for place in range(4):
        one = Image.open(COLLINS).crop(COLLINS_HEAD).resize((170, 170))
        picture.paste(one, (5 + 173 * place, 20))
    return encoded(picture)
