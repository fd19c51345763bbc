"""Decodes and encodes pictures."""

from __future__ import annotations

import io
import struct
import sys
import threading
import warnings
from collections.abc import Iterator, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image, UnidentifiedImageError

from susracker.errors import PictureError
from susracker.faces.boxes import Box
from susracker.faces.headers import check_pixels, check_size, declared_size
from susracker.models import Picture
from susracker.runtime.memory import memory_given_back

MAX_PIXELS = 50_000_000
"""Default limit for a decoded picture: more pixels than any camera delivers."""

FORMATS = ("JPEG", "PNG", "WEBP", "BMP")
"""Formats that are decoded. All others are refused, to keep untrusted data away from rarely used
decoders."""

DAMAGE = (OSError, ValueError, SyntaxError, EOFError, IndexError, struct.error)
"""What Pillow raises for a damaged picture, and for damage behind its pixels."""

MEDIA_TYPES = {
    "JPEG": "image/jpeg",
    "MPO": "image/jpeg",  # several pictures in one JPEG file, as many phones write
    "PNG": "image/png",
    "WEBP": "image/webp",
    "BMP": "image/bmp",
}
"""Media types by Pillow's name for the format."""

THUMBNAIL_SIDE, THUMBNAIL_QUALITY = 320, 80
"""Pixels of a thumbnail's longer side at most, and its quality as JPEG: a face is recognised at a
glance, and most photos take less than 20 KB."""

LARGE_PIXELS = 8_500_000
"""Pictures with more pixels than this, that is 4K, are decoded one at a time, and the memory for
them is given back at once: one of 50 million takes 350 MB while it is decoded."""

LEAST_LINEAR = 0.55
"""Scale from which a copy that is made from the one before needs no averaging of areas, which takes
ten times as long."""

ENOUGH = 3840
"""Pixels of a large picture's longer side at least, however much it is reduced. Faces are searched
for at half of that."""

TURNS: dict[object, Image.Transpose] = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""The operation that turns a picture upright, by its EXIF orientation (Exif 2.3, tag 274)."""

_one_large_at_a_time = threading.Lock()


TRANSPARENCIES: dict[str, tuple[type, ...]] = {
    "1": (int,),
    "L": (int,),
    "RGB": (tuple,),
    "P": (int, bytes),
}
"""What a picture's transparent colour is, by the kinds of pictures that have one in Pillow."""


def ignore_warnings() -> None:
    """Do not print what Pillow warns of: damage in a picture, such as in its EXIF data. Clients
    could otherwise fill the log."""
    warnings.filterwarnings("ignore", module="PIL")


def decode(data: bytes, max_pixels: int = MAX_PIXELS) -> Picture:
    """Decode a JPEG, PNG, WebP or BMP file, and turn it upright by its EXIF orientation.

    Returns:
        shape (height, width, 3), R, G, B; transparent parts are black.

    Raises:
        PictureTooLargeError: it has more than `max_pixels` pixels.
        PictureError: the data is empty, has an unknown format, is truncated or damaged, or is built
            so that it takes a decoder long.
    """
    return read_pixels(_open(data, pixels_of(data, max_pixels)))


def read_pixels(image: Image.Image) -> Picture:
    """Read the pixels of an opened picture as `decode` does.

    Raises:
        PictureError: it is truncated or damaged.
    """
    if image.width * image.height <= LARGE_PIXELS:
        return np.asarray(_pixels(image))
    with _one_large_at_a_time, memory_given_back():
        return _reduced(image)


def pixels_of(data: bytes, max_pixels: int = sys.maxsize) -> int:
    """How many pixels a picture has by its header, before anything is allocated for it.

    Returns:
        0 if the header is damaged.

    Raises:
        PictureError: empty, of no known format, too large, or built so that it takes long.
    """
    if not data:
        raise PictureError("the picture is empty: 0 bytes")
    width, height = declared_size(data)
    check_pixels(width, height, max_pixels)
    check_size(data, width, height)
    return width * height


def thumbnail(data: bytes, max_bytes: int, side: int = THUMBNAIL_SIDE) -> bytes:
    """A small copy of an encoded picture: JPEG, upright, of the same shape, never enlarged.

    Its size in pixels is not limited beforehand: hand in only what `decode` once accepted.

    Args:
        max_bytes: how large the copy may be at most; 1000 is enough for any picture.
        side: pixels of its longer side at most.

    Raises:
        PictureError: empty, of no known format, truncated or damaged.
    """
    image = _open_any(data)
    image.draft("RGB", (side, side))  # a large JPEG is decoded small
    return _small_copy(_pixels(image), max_bytes, side)


def thumbnail_of(picture: Picture, max_bytes: int, side: int = THUMBNAIL_SIDE) -> bytes:
    """A small copy of a decoded picture; see `thumbnail`."""
    return _small_copy(Image.fromarray(picture), max_bytes, side)


def grey_square(data: bytes, side: int, max_pixels: int) -> tuple[NDArray[np.uint8], float]:
    """A small copy of an encoded picture in grey, squeezed into a square; a JPEG is decoded small.

    Returns:
        shape (side, side); and the upright picture's width by its height.

    Raises:
        PictureError: as `decode`.
    """
    image = _open(data, pixels_of(data, max_pixels))
    image.draft("L", (side, side))
    upright = _pixels(image)
    grey = cv2.cvtColor(np.asarray(upright), cv2.COLOR_RGB2GRAY)
    small = cv2.resize(grey, (side, side), interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.uint8), upright.width / upright.height


def media_type(data: bytes) -> str:
    """Return the media type of an encoded picture, such as "image/jpeg".

    Raises:
        PictureError: the data is empty or has an unknown format.
    """
    return MEDIA_TYPES[_open_any(data).format or ""]


def encode_jpeg(picture: Picture, quality: int = 90) -> bytes:
    """Encode a picture as JPEG, with a quality of 1 to 95."""
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()


def _small_copy(image: Image.Image, max_bytes: int, side: int) -> bytes:
    side = min(side, max(image.size))
    while len(small := _encoded_within(image, side)) > max_bytes:
        side = side * 3 // 4
    return small


def _encoded_within(image: Image.Image, side: int) -> bytes:
    """A copy as JPEG whose longer side has so many pixels."""
    small = image.copy()
    small.thumbnail((side, side), Image.Resampling.LANCZOS)
    return encode_jpeg(np.asarray(small), THUMBNAIL_QUALITY)


def scaled_to(picture: Picture, shorter_side: int) -> Picture:
    """Scale a picture so that its shorter side has this many pixels."""
    height, width = picture.shape[:2]
    scale = shorter_side / min(height, width)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return np.asarray(Image.fromarray(picture).resize(size, Image.Resampling.LANCZOS))


def resized(picture: Picture, scale: float, averaged_below: float = 1.0) -> Picture:
    """A scaled copy of a picture; the picture itself if the scale is 1.

    Args:
        averaged_below: scales below it average areas, and others interpolate.
    """
    # Averaging areas avoids moiré, which a detector would take for edges.
    how = cv2.INTER_AREA if scale < averaged_below else cv2.INTER_LINEAR
    return _resized(picture, scaled_size(picture, scale), how)


def copies(picture: Picture, scales: Sequence[float]) -> Iterator[Picture]:
    """Scaled copies of a picture, in the order of the scales, which fall.

    Each is made from the one before if that is no larger than the picture, so that all of them
    together read the picture once.
    """
    source, made = picture, 1.0
    for scale in scales:
        how = cv2.INTER_AREA if scale < LEAST_LINEAR * made else cv2.INTER_LINEAR
        copy = _resized(source, scaled_size(picture, scale), how)
        yield copy
        if scale < 1:
            source, made = copy, scale


def scaled_size(picture: Picture, scale: float) -> tuple[int, int]:
    """Width and height of a scaled copy."""
    height, width = picture.shape[:2]
    return max(1, round(width * scale)), max(1, round(height * scale))


def _resized(picture: Picture, size: tuple[int, int], how: int) -> Picture:
    if size == picture.shape[1::-1]:
        return picture
    return np.asarray(cv2.resize(picture, size, interpolation=how), np.uint8)


def crop(picture: Picture, box: Box, margin: float) -> Picture:
    """Cut out a box with a margin on each side, given as a share of the box's size.

    Returns:
        a view of the picture; it ends where the picture ends.
    """
    height, width = picture.shape[:2]
    wide, high = margin * box.width, margin * box.height
    left, right = np.clip([box.left - wide, box.right + wide], 0, width).round().astype(int)
    top, bottom = np.clip([box.top - high, box.bottom + high], 0, height).round().astype(int)
    return picture[top:bottom, left:right]


def _pixels(image: Image.Image) -> Image.Image:
    """Read a picture's pixels: upright, opaque, R, G, B of 8 bits."""
    try:
        image.load()
        if image.mode in ("P", "PA") and image.palette is None:
            raise PictureError("the picture is damaged: it has no palette")
        opaque = _opaque(_eight_bits(_upright(image)))
        # Pillow would copy what is R, G, B already, 100 MB of a large picture.
        return opaque if opaque.mode == "RGB" else opaque.convert("RGB")
    except (*DAMAGE, Image.DecompressionBombError) as error:
        raise PictureError(f"the picture is truncated or damaged: {error}") from error


def _reduced(image: Image.Image) -> Picture:
    """Read a large picture's pixels, reduced by a whole number while `ENOUGH` are left.

    A JPEG is decoded small in the first place, by 2, 4 or 8.
    """
    scale = ENOUGH / max(image.size)
    image.draft("RGB", (round(image.width * scale), round(image.height * scale)))
    pixels = _pixels(image)
    factor = max(pixels.size) // ENOUGH
    return np.asarray(pixels.reduce(factor) if factor > 1 else pixels)


def _open_any(data: bytes) -> Image.Image:
    return _open(data, pixels_of(data))


def _open(data: bytes, pixels: int) -> Image.Image:
    """Read a picture's header, but none of its pixels.

    Args:
        pixels: how many its header was found to declare.
    """
    try:
        image = Image.open(io.BytesIO(data), formats=FORMATS)
    except UnidentifiedImageError as error:
        raise PictureError("not a JPEG, PNG, WebP or BMP picture") from error
    except Image.DecompressionBombError as error:
        raise PictureError("the picture has hundreds of millions of pixels") from error
    except DAMAGE as error:
        raise PictureError(f"the picture is truncated or damaged: {error}") from error
    if image.width * image.height > pixels:
        raise PictureError("the picture is damaged: it has two sizes")
    return image


def _upright(image: Image.Image) -> Image.Image:
    """Turn a picture upright.

    Pillow's own `exif_transpose` also rewrites the EXIF data. If that is damaged, it fails in many
    ways, although the picture itself is fine.
    """
    turn = TURNS.get(_orientation(image))
    return image if turn is None else image.transpose(turn)


def _orientation(image: Image.Image) -> object:
    """The orientation in the EXIF data; None if there is none, or the data is damaged."""
    try:
        return image.getexif().get(ExifTags.Base.Orientation)
    except (OSError, ValueError, SyntaxError, struct.error):
        return None


def _opaque(image: Image.Image) -> Image.Image:
    """Put a picture on black. Pillow alone drops the alpha channel, and so shows hidden colours."""
    if not image.has_transparency_data:
        return image
    transparency, kinds = image.info.get("transparency"), TRANSPARENCIES.get(image.mode)
    if kinds and not isinstance(transparency, kinds):
        raise PictureError("the picture is damaged: its transparent colour is of another kind")
    black = Image.new("RGBA", image.size, "black")
    return Image.alpha_composite(black, image.convert("RGBA"))


def _eight_bits(image: Image.Image) -> Image.Image:
    """Scale 16-bit greys to 8 bits. Pillow alone clips them."""
    if not image.mode.startswith("I"):
        return image
    return Image.fromarray((np.asarray(image) / 257).astype(np.uint8))
