from __future__ import annotations

import contextlib

import numpy as np
import pytest
from PIL import Image

from susracker.errors import PictureError
from susracker.faces.boxes import Box
from susracker.faces.images import (
    copies,
    crop,
    decode,
    encode_jpeg,
    media_type,
    resized,
    thumbnail,
)
from tests.pictures import HOPPER, bomb, encoded, portrait

RED = (255, 0, 0)


def red_corner(mode: str = "RGB") -> Image.Image:
    """20 wide, 10 high, white with a red upper left corner."""
    picture = np.full((10, 20, 3), 255, np.uint8)
    picture[:4, :4] = RED
    return Image.fromarray(picture).convert(mode)


@pytest.mark.parametrize("form", ["PNG", "BMP", "WEBP"])
def test_colours_come_as_red_green_blue(form):
    picture = decode(encoded(red_corner(), form, lossless=True))
    assert picture.shape == (10, 20, 3)
    assert picture.dtype == np.uint8
    assert tuple(picture[0, 0]) == RED
    assert tuple(picture[9, 19]) == (255, 255, 255)


def test_jpeg_decodes_to_about_what_went_in():
    picture = decode(encoded(red_corner().resize((200, 100), Image.Resampling.NEAREST)))
    assert np.abs(picture[20, 20].astype(int) - RED).max() < 12


@pytest.mark.parametrize(
    ("orientation", "corner"),
    [
        (1, (0, 0)),
        (2, (0, -1)),
        (3, (-1, -1)),
        (4, (-1, 0)),
        (5, (0, 0)),
        (6, (0, -1)),
        (7, (-1, -1)),
        (8, (-1, 0)),
    ],
)
def test_exif_orientation_is_honoured(orientation, corner):
    exif = Image.Exif()
    exif[0x0112] = orientation
    large = red_corner().resize((400, 200), Image.Resampling.NEAREST)
    picture = decode(encoded(large, exif=exif, quality=95))
    assert picture.shape == ((400, 200, 3) if orientation > 4 else (200, 400, 3))
    assert picture[corner][0] > 200
    assert picture[corner][1] < 60


@pytest.mark.filterwarnings("ignore::UserWarning")  # Pillow warns of the damage
@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("length", [0, 1, 4, 6, 8, 9])
def test_a_picture_whose_exif_data_is_cut_off_is_decoded_as_it_is(form, length):
    exif = Image.Exif()
    exif[0x0112] = 6
    data = encoded(red_corner(), form, exif=exif.tobytes()[: 6 + length])
    assert decode(data).shape == decode(encoded(red_corner(), form)).shape


@pytest.mark.filterwarnings("ignore::UserWarning")  # Pillow warns of the damage
def test_damaged_exif_is_no_other_error_than_a_picture_error():
    exif = Image.Exif()
    exif[0x0112], exif[0x010E], exif[0x8769] = 6, "camera", {0x9003: "2020:01:01 00:00:00"}
    data = encoded(red_corner(), exif=exif)
    start = data.index(b"Exif")
    for position in range(start, start + len(exif.tobytes())):
        for value in (*range(13), 127, 128, 255):
            changed = bytearray(data)
            changed[position] = value
            with contextlib.suppress(PictureError):
                assert decode(bytes(changed)).size == 10 * 20 * 3


@pytest.mark.parametrize("mode", ["RGBA", "PA"])
def test_what_is_transparent_is_black_whatever_is_hidden_there(mode):
    hidden = np.full((10, 20, 4), (255, 0, 0, 255), np.uint8)
    hidden[:, :10, 3] = 0
    image = Image.fromarray(hidden)
    data = encoded(image if mode == "RGBA" else image.quantize(), "PNG")
    assert tuple(decode(data)[0, 0]) == (0, 0, 0)
    assert tuple(decode(data)[0, 19]) == RED


@pytest.mark.parametrize("mode", ["L", "P", "RGBA", "CMYK", "1", "LA"])
def test_other_kinds_of_pixels_become_rgb(mode):
    form = "JPEG" if mode == "CMYK" else "PNG"
    picture = decode(encoded(red_corner(mode), form))
    assert picture.shape == (10, 20, 3)
    assert picture[9, 19].min() > 240


def test_16_bit_greys_are_scaled_not_clipped():
    grey = np.linspace(0, 65535, 256, dtype=np.uint16).reshape(16, 16)
    picture = decode(encoded(Image.fromarray(grey), "PNG"))
    assert np.array_equal(picture[:, :, 0].ravel(), np.arange(256))


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "empty"),
        (b"a text file that is named .jpg", "not a JPEG"),
        (b"GIF89a" + bytes(100), "not a JPEG"),
        (encoded(portrait(HOPPER))[:9000], "truncated"),
        (encoded(portrait(HOPPER))[:30], "not a JPEG|truncated"),
        (encoded(red_corner(), "PNG")[:60], "truncated"),
        (bomb(30_000, 30_000), "30000 x 30000"),
        (bomb(7_100, 7_100), "7100 x 7100"),
    ],
)
def test_what_is_no_picture_is_refused_in_one_line(data, said):
    with pytest.raises(PictureError, match=said) as caught:
        decode(data)
    assert "\n" not in str(caught.value)


def test_the_largest_picture_is_a_choice():
    data = encoded(red_corner(), "PNG")
    assert decode(data, max_pixels=200).shape == (10, 20, 3)
    with pytest.raises(PictureError, match="199"):
        decode(data, max_pixels=199)


def test_media_types():
    assert media_type(HOPPER.read_bytes()) == "image/jpeg"
    assert media_type(encoded(red_corner(), "WEBP")) == "image/webp"
    with pytest.raises(PictureError):
        media_type(b"nothing")


def test_a_phones_jpeg_of_several_pictures_is_its_first():
    first = red_corner().resize((200, 100), Image.Resampling.NEAREST)
    data = encoded(first, "MPO", save_all=True, append_images=[Image.new("RGB", (200, 100))])
    assert media_type(data) == "image/jpeg"
    assert decode(data)[20, 20][0] > 200


def test_crop_adds_a_margin_and_stays_inside():
    picture = np.arange(100 * 100 * 3, dtype=np.uint32).astype(np.uint8).reshape(100, 100, 3)
    assert crop(picture, Box(40, 40, 60, 60), 0.25).shape == (30, 30, 3)
    assert np.array_equal(crop(picture, Box(-10, -10, 20, 30), 0), picture[:30, :20])


def test_encoding_is_reversible_enough():
    picture = portrait(HOPPER)
    again = decode(encode_jpeg(picture))
    assert np.abs(again.astype(int) - picture).mean() < 3


NOISE = np.random.default_rng(0).integers(0, 256, (1500, 1000, 3), np.uint8)


@pytest.mark.parametrize(
    "photo",
    [
        encoded(NOISE, quality=95),
        encoded(NOISE, "PNG"),
        encoded(np.zeros((2, 2), np.uint8), "PNG"),
        encoded(NOISE[:1], "PNG"),
        encoded(NOISE[:, :1], "PNG"),
        encoded(Image.fromarray(NOISE).convert("CMYK")),
        encoded(Image.fromarray(NOISE).convert("RGBA"), "PNG"),
        encoded(NOISE[..., 0].astype(np.uint16) * 257, "PNG"),
    ],
    ids=["jpeg", "png", "tiny", "wide", "high", "cmyk", "alpha", "16 bits"],
)
@pytest.mark.parametrize("max_bytes", [20_000, 1000])
def test_a_thumbnail_is_a_small_jpeg_of_the_same_shape(photo, max_bytes):
    small = thumbnail(photo, max_bytes)
    assert len(small) <= max_bytes
    assert media_type(small) == "image/jpeg"
    height, width = decode(photo).shape[:2]
    made = decode(small).shape[:2]
    scale = max(made) / max(height, width)
    assert scale <= 1
    assert made[0] == pytest.approx(max(1, height * scale), abs=1)
    assert made[1] == pytest.approx(max(1, width * scale), abs=1)


def test_a_thumbnail_shows_a_face_as_large_as_it_may():
    made = decode(thumbnail(HOPPER.read_bytes(), 20_000))
    assert 200 <= max(made.shape) <= 400


def test_a_thumbnail_is_upright():
    exif = Image.Exif()
    exif[0x0112] = 6
    turned = red_corner().resize((400, 200), Image.Resampling.NEAREST)
    made = decode(thumbnail(encoded(turned, exif=exif, quality=95), 20_000))
    height, width = made.shape[:2]
    assert height == 2 * width
    assert tuple(made[5, -5] > 128) == (True, False, False)


def test_there_is_no_thumbnail_of_what_is_no_picture():
    with pytest.raises(PictureError):
        thumbnail(b"text", 20_000)
    with pytest.raises(PictureError):
        thumbnail(encoded(NOISE)[:1000], 20_000)


def test_copies_are_as_large_and_nearly_as_sharp_as_those_made_from_the_picture():
    picture = portrait(HOPPER)
    scales = (2.2, 1.53, 1.0, 0.7, 0.48, 0.2)
    made = list(copies(picture, scales))
    for copy, scale in zip(made, scales, strict=True):
        alone = resized(picture, scale)
        assert copy.shape == alone.shape
        assert np.abs(copy.astype(int) - alone).mean() < 4
    assert made[2] is picture
