"""Looks for parts of a picture, or of what is computed from it, in files."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from susracker.plugins import open_detector, open_encoder

PART = 48
"""Bytes that are searched for at once: too many to be anywhere by chance."""


def files_holding(folder: Path, parts: Iterable[bytes]) -> set[Path]:
    """The files anywhere in a folder that hold one of these parts."""
    wanted = list(parts)
    return {path for path in folder.rglob("*") if path.is_file() and _holds(path, wanted)}


def parts_of(content: bytes) -> list[bytes]:
    """Some parts of a JPEG, as bytes and in base64, whatever precedes it there."""
    scan = content.rfind(b"\xff\xda") + 1  # before it, all JPEGs have the same tables
    starts = range(scan + PART, len(content) - 2 * PART, 256)
    plain = [content[start : start + 2 * PART] for start in starts]
    plain = [one for one in plain if len(set(one[:PART])) > PART // 2]  # not of a plain background
    assert plain
    coded = [base64.b64encode(one[skip:])[:PART] for one in plain for skip in range(3)]
    return [one[:PART] for one in plain] + coded


def embedding_parts(picture: bytes) -> list[bytes]:
    """Parts of the embeddings of a picture's faces, as they would be stored."""
    faces = open_detector().find_in_bytes(picture, 10**8)
    encoder = open_encoder("dlib")
    chips = np.stack([face.chip for face in faces])
    made = [*encoder.encode(chips), *encoder.embed_fast(chips)]
    return [np.ascontiguousarray(one, "<f4").tobytes()[:PART] for one in made]


def crop_parts(picture: bytes) -> list[bytes]:
    """Parts of the crop that an alert of these faces would have."""
    faces = open_detector().find_in_bytes(picture, 10**8)
    return [part for face in faces for part in parts_of(face.jpeg(0.2))]


def stranger_parts(picture: bytes) -> list[bytes]:
    """Everything that must be nowhere once a stranger's picture was posted."""
    return parts_of(picture) + embedding_parts(picture) + crop_parts(picture)


def _holds(path: Path, parts: list[bytes]) -> bool:
    content = path.read_bytes()
    return any(part in content for part in parts)
