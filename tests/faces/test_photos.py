"""Enrolment photos come in more formats than cameras' pictures."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pillow_heif
import pytest
from PIL import Image

from susracker.errors import PictureError, PictureTooLargeError
from susracker.faces import photos
from susracker.faces.images import decode, media_type
from susracker.faces.photos import decode_photo, photo_media_type, photo_thumbnail
from susracker.plugins import open_detector
from tests.pictures import HOPPER, encoded, portrait

PHOTO = Image.fromarray(portrait(HOPPER)).resize((320, 380))
ELSE = Image.new("RGB", PHOTO.size)
TURNED = Image.Exif()
TURNED[0x0112] = 6


pillow_heif.register_heif_opener()  # only here: it writes HEIC


FOREIGN = {
    "GIF": encoded(PHOTO, "GIF", save_all=True, append_images=[ELSE]),
    "TIFF": encoded(PHOTO, "TIFF", save_all=True, append_images=[ELSE]),
    "TIFF of a scanner": encoded(PHOTO, "TIFF", compression="tiff_lzw"),
    "AVIF": encoded(PHOTO, "AVIF"),
    "HEIC": encoded(PHOTO, "HEIF"),
}


def typical_difference(one: np.ndarray, other: np.ndarray) -> float:
    assert one.shape == other.shape
    return float(np.abs(one.astype(int) - other).mean())


@pytest.mark.parametrize("name", FOREIGN)
def test_the_first_picture_of_a_photo_is_decoded(name):
    assert typical_difference(decode_photo(FOREIGN[name]), np.asarray(PHOTO)) < 6
    assert photo_media_type(FOREIGN[name]) == f"image/{name.split()[0].lower()}"
    small = photo_thumbnail(FOREIGN[name], 20_000, 100)
    assert media_type(small) == "image/jpeg"
    assert max(decode(small).shape) == 100


@pytest.mark.parametrize("name", FOREIGN)
def test_cameras_still_send_four_formats(name):
    with pytest.raises(PictureError, match="not a JPEG, PNG, WebP or BMP"):
        decode(FOREIGN[name])


@pytest.mark.parametrize("form", ["TIFF", "AVIF", "HEIF"])
def test_photos_are_upright(form):
    data = encoded(PHOTO.transpose(Image.Transpose.ROTATE_90), form, exif=TURNED.tobytes())
    assert typical_difference(decode_photo(data), np.asarray(PHOTO)) < 6


def test_what_is_transparent_is_black():
    clear = Image.new("RGBA", (64, 64), (255, 0, 0, 0))
    for data in (encoded(clear, "TIFF"), encoded(clear, "AVIF"), encoded(clear, "GIF")):
        assert decode_photo(data).max() == 0


def test_16_bit_greys_are_scaled():
    grey = np.linspace(0, 65535, 256, dtype=np.uint16).reshape(16, 16)
    picture = decode_photo(encoded(Image.fromarray(grey), "TIFF"))
    assert np.array_equal(picture[:, :, 0].ravel(), np.arange(256))


def test_the_same_face_is_found_in_a_heic_photo():
    whole = Image.fromarray(portrait(HOPPER))
    found = open_detector().enrolment_face_in_bytes(encoded(whole, "HEIF"))
    plain = open_detector().enrolment_face_in_bytes(HOPPER.read_bytes())
    assert found.quality.eye_distance == pytest.approx(plain.quality.eye_distance, rel=0.03)


def test_photos_in_cameras_formats_need_no_process(monkeypatch):
    monkeypatch.setattr(subprocess, "run", None)
    assert decode_photo(HOPPER.read_bytes()).shape == portrait(HOPPER).shape
    assert photo_media_type(HOPPER.read_bytes()) == "image/jpeg"


# -- what is refused -------------------------------------------------------------------------------


@pytest.mark.parametrize("name", FOREIGN)
def test_the_largest_photo_is_a_choice(name):
    with pytest.raises(PictureTooLargeError, match="320 x 380 pixels; at most 100,000"):
        decode_photo(FOREIGN[name], max_pixels=100_000)


@pytest.mark.parametrize("name", FOREIGN)
def test_a_photo_that_is_cut_off_is_refused(name):
    with pytest.raises(PictureError, match="damaged"):
        decode_photo(FOREIGN[name][: len(FOREIGN[name]) // 3])


@pytest.mark.parametrize("data", [b"", b"a text", b"\0\0\0\x18ftypmp42" + bytes(50)])
def test_what_is_no_picture_is_refused(data):
    with pytest.raises(PictureError, match=r"empty|or HEIC picture$"):
        decode_photo(data)


@pytest.mark.parametrize(
    "bomb",
    [
        encoded(Image.new("1", (6900, 6900)), "GIF"),
        encoded(Image.new("1", (6900, 6900)), "TIFF", compression="group4"),
        encoded(Image.new("L", (6900, 6900)), "TIFF", compression="tiff_adobe_deflate"),
    ],
    ids=["GIF", "fax", "deflate"],
)
def test_a_photo_with_far_more_pixels_than_bytes_is_refused(bomb):
    with pytest.raises(PictureError, match="nothing in it"):
        decode_photo(bomb)


def lying_avif(side: int) -> bytes:
    """Its container says 64 x 64, and its content is larger."""
    data = bytearray(encoded(Image.new("RGB", (side, side)), "AVIF", speed=10))
    at = data.index(b"ispe") + 8
    data[at : at + 8] = (64).to_bytes(4, "big") * 2
    return bytes(data)


def test_a_photo_that_lies_about_its_size_is_no_larger_than_it_says():
    """Its decoder scales it; the limits of the process hold for what it is before that."""
    assert decode_photo(lying_avif(3000), max_pixels=5000).shape == (64, 64, 3)


def limited(monkeypatch, **limits: object) -> None:
    """Let the process have other limits."""
    program = "; ".join(
        [
            "import sys",
            "from susracker.faces import apart",
            *(f"apart.{name} = {value}" for name, value in limits.items()),
            "apart.main(*sys.argv[1:])",
        ]
    )
    run = subprocess.run

    def run_limited(command, **options):
        return run([sys.executable, "-c", program, *command[3:]], **options)

    monkeypatch.setattr(subprocess, "run", run_limited)


@pytest.mark.skipif(sys.platform != "linux", reason="address space is limited on Linux only")
def test_a_photo_that_takes_too_much_memory_is_refused(monkeypatch):
    noise = np.random.default_rng(0).integers(0, 256, (4000, 4000, 3), np.uint8)
    large = encoded(noise, "TIFF")
    assert decode_photo(large).shape[2] == 3
    limited(monkeypatch, MEMORY_BYTES=150_000_000)
    with pytest.raises(PictureError, match="memory"):
        decode_photo(large)


@pytest.mark.skipif(sys.platform == "win32", reason="processor time is not limited on Windows")
def test_a_photo_that_takes_too_long_is_refused(monkeypatch):
    limited(monkeypatch, CPU_SECONDS=0)
    with pytest.raises(PictureError, match="too long"):
        decode_photo(FOREIGN["HEIC"])


def test_a_photo_that_crashes_its_decoder_is_refused(monkeypatch):
    limited(monkeypatch, read_pixels="lambda image: __import__('os').abort()")
    with pytest.raises(PictureError, match="damaged"):
        decode_photo(FOREIGN["TIFF"])


def test_a_photo_whose_process_hangs_is_refused(monkeypatch):
    monkeypatch.setattr(photos, "WALL_SECONDS", 0.01)
    with pytest.raises(PictureError, match="too long"):
        decode_photo(FOREIGN["GIF"])


def test_without_the_extra_heic_says_what_to_install(monkeypatch):
    monkeypatch.setattr(photos, "find_spec", lambda name: None)
    with pytest.raises(PictureError, match=r"pip install 'susracker\[heic\]'"):
        decode_photo(FOREIGN["HEIC"])
    assert decode_photo(FOREIGN["AVIF"]).shape == (380, 320, 3)


def test_the_process_imports_nothing_from_where_the_user_is(tmp_path, monkeypatch):
    (tmp_path / "PIL.py").write_text("raise SystemExit(3)")
    monkeypatch.chdir(tmp_path)
    assert decode_photo(FOREIGN["GIF"]).shape == (380, 320, 3)


def test_the_process_knows_no_secret(monkeypatch):
    monkeypatch.setenv("SUSRACKER_DATA_KEY", "secret.key")
    assert not any(name.startswith("SUSRACKER_") for name in photos._environment())
