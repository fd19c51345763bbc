"""Decodes one picture in a process of its own: `python -m susracker.faces.apart FORMAT PIXELS`.

The decoders of GIF, TIFF, AVIF and HEIC are large, rarely used and hard to bound by a header. Here
one may crash, or use up its time and memory, and only its own picture is lost. The picture comes on
standard input; the answer on standard output is a line of JSON, and then the pixels, R, G, B.
"""

from __future__ import annotations

import io
import json
import sys
from typing import Any

from PIL import AvifImagePlugin, Image, UnidentifiedImageError

from susracker.errors import PictureError, PictureTooLargeError
from susracker.faces.headers import check_pixels, check_size
from susracker.faces.images import read_pixels
from susracker.models import Picture

CPU_SECONDS = 30
"""Processor time at most: a picture of 50 million pixels takes 1 to 2 seconds."""

MEMORY_BYTES = 2_000_000_000
"""Address space at most, libraries included: a picture of 50 million pixels takes 0.6 to 0.75 GB,
with transparency more."""

MODES = frozenset({"1", "L", "LA", "P", "PA", "RGB", "RGBA", "RGBX", "CMYK", "YCbCr"})
"""Kinds of pixels, by Pillow's names for them; those of scientific TIFF files are missing."""

SIXTEEN_BITS = frozenset({"I;16", "I;16B", "I;16L"})


def decode_here(data: bytes, form: str, max_pixels: int) -> Picture:
    """Decode the first picture of a file, upright.

    Args:
        form: Pillow's name for the format.

    Raises:
        PictureError: it is damaged, too large, or of an unusual kind.
    """
    if form == "HEIF":
        _add_heif()
    AvifImagePlugin.DEFAULT_MAX_THREADS = 1  # each thread reserves address space
    try:
        image = Image.open(io.BytesIO(data), formats=[form])
    except UnidentifiedImageError as error:
        raise PictureError(f"the {form} picture is damaged, or of an unknown kind") from error
    check_pixels(image.width, image.height, max_pixels)
    check_size(data, image.width, image.height)
    if image.mode not in MODES | SIXTEEN_BITS:
        raise PictureError(f"pixels of the kind {image.mode} are not decoded: save it as JPEG")
    return read_pixels(image)


def _add_heif() -> None:
    import pi_heif

    pi_heif.options.DECODE_THREADS = 1
    pi_heif.register_heif_opener(thumbnails=False)


def _limit() -> None:
    """Bound the time and the memory of this process, and leave no picture in a core dump."""
    if sys.platform == "win32":
        return
    import resource

    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    if sys.platform == "linux":  # elsewhere address space cannot be limited
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))


def main(form: str, max_pixels: str) -> None:
    """Answer with the pixels, or with why there are none."""
    _limit()
    answer: dict[str, Any]
    pixels = b""
    try:
        picture = decode_here(sys.stdin.buffer.read(), form, int(max_pixels))
        answer, pixels = {"shape": picture.shape}, picture.tobytes()
    except PictureError as error:
        answer = {"problem": str(error), "too_large": isinstance(error, PictureTooLargeError)}
    except MemoryError:
        answer = {"problem": "the picture takes too much memory to decode", "too_large": False}
    sys.stdout.buffer.write(json.dumps(answer).encode() + b"\n" + pixels)


if __name__ == "__main__":
    main(*sys.argv[1:])
