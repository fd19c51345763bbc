"""Folders of photos, one folder a person, as templates."""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from susracker.errors import PictureError
from susracker.faces.detector import Detector, Face
from susracker.faces.encoder import Encoder
from susracker.faces.images import decode
from susracker.models import Vectors

log = logging.getLogger(__name__)


def embed_people(
    folder: Path,
    encoder: Encoder,
    workers: int,
    on_photo: Callable[[], None] = lambda: None,
) -> dict[str, Vectors]:
    """Templates of each person by name, shape (photos, dimension), in the order of file names.

    Of a photo with several faces the one nearest to the middle is taken, for that is whom such
    collections mean, but none less than half as wide as the largest. Photos without a face, files
    that are no picture, and people of whom nothing is left, are left out and logged.
    """
    detector = Detector()

    def embed(photo: Path) -> Vectors | None:
        on_photo()
        try:
            picture = decode(photo.read_bytes())
        except PictureError as error:
            log.warning("%s: %s", photo, error)
            return None
        faces = detector.find(picture)
        if not faces:
            log.warning("%s: no face", photo)
            return None
        return encoder.encode(_meant(faces, picture.shape).chip[None])

    people = {
        person.name: sorted(file for file in person.iterdir() if file.is_file())
        for person in sorted(folder.iterdir())
        if person.is_dir()
    }
    with ThreadPoolExecutor(workers) as pool:
        found = {name: pool.map(embed, photos) for name, photos in people.items()}
        templates = {name: [one for one in rows if one is not None] for name, rows in found.items()}
    return {name: np.concatenate(rows) for name, rows in templates.items() if rows}


def _meant(faces: list[Face], shape: tuple[int, ...]) -> Face:
    """The face that a photo of this shape is of; `faces` has the largest first."""
    middle = np.array([shape[1], shape[0]]) / 2

    def distance(face: Face) -> float:
        return float(np.linalg.norm(face.landmarks.mean(axis=0) - middle))

    large = [face for face in faces if face.box.width >= faces[0].box.width / 2]
    return min(large, key=distance)
