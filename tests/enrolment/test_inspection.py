"""An enrolled photo, looked at again."""

from __future__ import annotations

import pytest

from susracker.enrolment.inspection import photo_fields
from susracker.models import Photo
from susracker.plugins import open_detector
from tests.enrolment import samples

PIXELS = 512 * 600


def fields_of(content: bytes, max_pixels: int = PIXELS) -> dict:
    photo = Photo("1", "someone", "digest", "image/jpeg", content)
    return photo_fields(photo, max_pixels, open_detector())


def test_a_good_photo_has_its_quality():
    fields = fields_of(samples.hopper())
    assert fields["refused"] is None
    assert 60 < fields["quality"]["eye_distance"] < 110
    assert fields["bytes"] == len(samples.hopper())


@pytest.mark.parametrize(
    ("content", "max_pixels", "reason"),
    [
        (samples.no_face(), PIXELS, "no face"),
        (samples.too_blurred(), PIXELS, "too blurred"),
        (b"no picture", PIXELS, "not a JPEG"),
        (samples.hopper(), PIXELS - 1, f"at most {PIXELS - 1:,}"),
    ],
)
def test_a_photo_that_would_be_refused_now_says_why(content, max_pixels, reason):
    fields = fields_of(content, max_pixels)
    assert fields["quality"] is None
    assert reason in fields["refused"]
