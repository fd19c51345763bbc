"""Watch-lists of any size for the benchmarks: virtual people, and a few real ones among them.

A virtual person is a mixture of two rows of the cohort that comes with susracker, so virtual people
are as alike as real ones are.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

import numpy as np

from susracker.faces.detector import Detector
from susracker.faces.encoder import DlibEncoder
from susracker.models import Criminal, Photo, Quality, Template
from susracker.plugins import open_detector, open_store
from susracker.stores.data_key import sealer_of
from susracker.stores.sqlite.gallery import insert_person
from susracker.watchlist.fitting import virtual_people
from susracker.watchlist.scoring import load_scoring

FACES = Path(__file__).parents[2] / "shared" / "data" / "lfw-dev"

REAL = 10
"""Real people who are enrolled and of whom another photo is posted."""

NOT_ENROLLED = 190
"""Real people who are posted but not enrolled: 19 in 20 faces."""

QUALITY = Quality(eye_distance=60, sharpness=100, brightness=120, detector_score=1)


@dataclass(frozen=True)
class RealFace:
    """A face in a photo.

    Attributes:
        crop: tight, as an edge camera cuts it, as JPEG.
        template: unit length, shape (128,).
        view: dlib's own descriptor, as the plain server compares them.
    """

    name: str
    crop: bytes
    template: np.ndarray
    view: np.ndarray


def real_faces(folder: Path) -> tuple[list[RealFace], list[RealFace]]:
    """Faces to enrol, and faces to post, of the same people and of others."""
    detector, encoder = open_detector(), DlibEncoder()
    enrolled, posted, others = [], [], []
    for person in sorted(one for one in folder.iterdir() if one.is_dir()):
        photos = sorted(person.iterdir())
        if len(photos) > 1 and len(enrolled) < REAL:
            first, second = (_face(detector, encoder, photo) for photo in photos[:2])
            if first and second:
                enrolled.append(first)
                posted.append(second)
        elif len(photos) == 1 and len(others) < NOT_ENROLLED:
            others += filter(None, [_face(detector, encoder, photos[0])])
    mixed = np.random.default_rng(0).permutation(len(posted) + len(others))
    return enrolled, [(posted + others)[index] for index in mixed]


def _face(detector: Detector, encoder: DlibEncoder, photo: Path) -> RealFace | None:
    faces = detector.find_in_bytes(photo.read_bytes())
    if len(faces) != 1:
        return None
    chip = faces[0].chip[None]
    template, view = encoder.encode(chip)[0], encoder.embed(chip)[0]
    return RealFace(photo.parent.name, faces[0].jpeg(0), template, view)


def synthetic(count: int) -> np.ndarray:
    """Templates of virtual people, shape (count, 128)."""
    cohort = load_scoring(DlibEncoder.id).cohort
    return virtual_people(cohort, count, np.random.default_rng(1))


def sqlite_gallery(work: Path, count: int, enrolled: Sequence[RealFace], data_key: str = "") -> str:
    """URL of a store of `count` people, which is made once and kept in `work`.

    Rows are written by the store's own function in one transaction: a million commits take hours.

    Args:
        data_key: file of the key that the store is encrypted with, the same on every call.
    """
    sealer = sealer_of(data_key)
    file = work / f"people-{count}{'-sealed' if data_key else ''}.db"
    url = f"sqlite:///{file}"
    if not file.exists():
        part = file.with_suffix(".part")
        part.unlink(missing_ok=True)
        open_store(f"sqlite:///{part}", data_key).close()
        with closing(sqlite3.connect(part)) as connection, connection:
            for criminal, photo, template in _records(count, enrolled):
                insert_person(connection, criminal, [photo], [template], sealer)
        part.rename(file)
    return url


def _records(
    count: int, enrolled: Sequence[RealFace]
) -> Iterator[tuple[Criminal, Photo, Template]]:
    now = datetime.now(timezone.utc)
    vectors = np.concatenate([[face.template for face in enrolled], synthetic(count)])[:count]
    for number, vector in enumerate(vectors):
        real = enrolled[number] if number < len(enrolled) else None
        person, photo = f"c{number:07}", f"p{number:07}"
        name = real.name if real else f"Person {number}"
        content = real.crop if real else person.encode()
        yield (
            Criminal(id=person, name=name, created_at=now),
            Photo(photo, person, person, "image/jpeg", content),
            Template(photo, person, DlibEncoder.id, vector, QUALITY),
        )


def plain_gallery(work: Path, count: int, enrolled: Sequence[RealFace]) -> Path:
    """The same people as dlib's own descriptors, for the plain server, as an .npy file."""
    file = work / f"people-{count}.npy"
    if not file.exists():
        length = float(np.mean([np.linalg.norm(face.view) for face in enrolled]))
        views = [face.view for face in enrolled]
        np.save(file, np.float64(np.concatenate([views, length * synthetic(count)])[:count]))
    return file
