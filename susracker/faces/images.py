"""From bytes to a picture and back."""

from __future__ import annotations

import io
import warnings

import numpy as np
from PIL import ExifTags, Image, UnidentifiedImageError

from susracker.errors import PictureError
from susracker.faces.boxes import Box
from susracker.models import Picture

MAX_PIXELS = 50_000_000
"""Largest picture that is decoded, unless told otherwise: more than any camera delivers."""

FORMATS = ("JPEG", "PNG", "WEBP", "BMP")
"""What is read. Others are not, which keeps rarely used decoders away from what strangers send."""

MEDIA_TYPES = {
    "JPEG": "image/jpeg",
    "MPO": "image/jpeg",  # several pictures in one JPEG, as many phones write it
    "PNG": "image/png",
    "WEBP": "image/webp",
    "BMP": "image/bmp",
}
"""By what Pillow calls the format of a picture that it read."""

TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""What makes a picture upright, by its EXIF orientation (Exif 2.3, tag 274)."""


def decode(data: bytes, max_pixels: int = MAX_PIXELS) -> Picture:
    """Decode a JPEG, PNG, WebP or BMP file, upright as its EXIF orientation says.

    Returns:
        shape (height, width, 3), R, G, B; what is transparent is black.

    Raises:
        PictureError: empty, of no known format, truncated, damaged, or of more than `max_pixels`.
    """
    image = _open(data)
    width, height = image.size
    if width * height > max_pixels:
        raise PictureError(
            f"the picture has {width} x {height} pixels; at most {max_pixels} are decoded"
        )
    try:
        return np.asarray(_opaque(_eight_bits(_upright(image))).convert("RGB"))
    except (OSError, ValueError, SyntaxError, EOFError, Image.DecompressionBombError) as error:
        raise PictureError(f"the picture is truncated or damaged: {error}") from error


def media_type(data: bytes) -> str:
    """The media type of an encoded picture, such as "image/jpeg".

    Raises:
        PictureError: empty, or of no known format.
    """
    return MEDIA_TYPES[_open(data).format or ""]


def encode_jpeg(picture: Picture, quality: int = 90) -> bytes:
    """Encode a picture as JPEG, of quality 1 to 95."""
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()


def scaled_to(picture: Picture, shorter_side: int) -> Picture:
    """Scale a picture until its shorter side has so many pixels."""
    height, width = picture.shape[:2]
    scale = shorter_side / min(height, width)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return np.asarray(Image.fromarray(picture).resize(size, Image.Resampling.LANCZOS))


def crop(picture: Picture, box: Box, margin: float) -> Picture:
    """Cut out a box and `margin` of its size on every side, as far as the picture reaches."""
    height, width = picture.shape[:2]
    wide, high = margin * box.width, margin * box.height
    left, right = np.clip([box.left - wide, box.right + wide], 0, width).round().astype(int)
    top, bottom = np.clip([box.top - high, box.bottom + high], 0, height).round().astype(int)
    return picture[top:bottom, left:right]


def _open(data: bytes) -> Image.Image:
    """Read a picture's header, and none of its pixels."""
    if not data:
        raise PictureError("the picture is empty: 0 bytes")
    try:
        with warnings.catch_warnings():
            # Pillow warns of large pictures; how large they may be is decided here.
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            return Image.open(io.BytesIO(data), formats=FORMATS)
    except UnidentifiedImageError as error:
        raise PictureError("not a JPEG, PNG, WebP or BMP picture") from error
    except Image.DecompressionBombError as error:
        raise PictureError("the picture has hundreds of millions of pixels") from error
    except (OSError, ValueError, SyntaxError, EOFError) as error:
        raise PictureError(f"the picture is truncated or damaged: {error}") from error


def _upright(image: Image.Image) -> Image.Image:
    """Pillow's own `exif_transpose` also writes the EXIF data again, and fails in many ways where
    that is damaged, which says nothing about the picture."""
    turn = TURNS.get(image.getexif().get(ExifTags.Base.Orientation, 1))
    return image if turn is None else image.transpose(turn)


def _opaque(image: Image.Image) -> Image.Image:
    """Pillow drops the alpha channel, and so shows whatever colour is hidden under it."""
    if not image.has_transparency_data:
        return image
    black = Image.new("RGBA", image.size, "black")
    return Image.alpha_composite(black, image.convert("RGBA"))


def _eight_bits(image: Image.Image) -> Image.Image:
    """Pillow clips 16-bit greys when it makes them 8-bit; they are scaled here instead."""
    if not image.mode.startswith("I"):
        return image
    return Image.fromarray((np.asarray(image) / 257).astype(np.uint8))
