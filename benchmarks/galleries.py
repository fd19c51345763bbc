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

import cv2
import numpy as np

from susracker.faces.detector import Detector
from susracker.faces.encoder import DlibEncoder
from susracker.faces.face import Face
from susracker.faces.images import encode_jpeg
from susracker.models import Criminal, Photo, Picture, Quality, Template
from susracker.plugins import open_detector, open_store
from susracker.stores.data_key import sealer_of
from susracker.stores.sqlite.gallery import insert_person
from susracker.watchlist.fitting import virtual_people
from susracker.watchlist.scoring import load_scoring

FACES = Path(__file__).parents[2] / "shared" / "data" / "lfw-dev"

NOT_ENROLLED = 190
"""Real people who are posted but not enrolled."""

MATED = 0.05
"""Share of posted faces that are of enrolled people."""

MARGINS = {"tight": 0.0, "margin": 0.2}
"""How much is left around a face that is cut out, as a share of its box's size."""

FRAME_WIDTH, FRAME_HEIGHT = 640, 480

PICTURES = (*MARGINS, "frame")
"""What cameras post: tight crops, crops with a fifth of margin, and whole frames."""

QUALITY = Quality(eye_distance=60, sharpness=100, brightness=120, detector_score=1)


@dataclass(frozen=True)
class RealFace:
    """A face in a photo.

    Attributes:
        pictures: as JPEG, by their names in `PICTURES`.
        template: unit length, shape (128,).
        view: dlib's own descriptor, as the plain server compares them.
    """

    name: str
    pictures: dict[str, bytes]
    template: np.ndarray
    view: np.ndarray

    @property
    def crop(self) -> bytes:
        """The tight crop, as JPEG."""
        return self.pictures["tight"]


def real_faces(folder: Path, mated: float = MATED) -> tuple[list[RealFace], list[RealFace]]:
    """Faces to enrol, and faces to post, of the same people and of others.

    Args:
        mated: share of the faces to post that are of enrolled people.
    """
    detector, encoder = open_detector(), DlibEncoder()
    enrolled, posted, others = [], [], []
    people = mated_people(mated)
    for person in sorted(one for one in folder.iterdir() if one.is_dir()):
        photos = sorted(person.iterdir())
        if len(photos) > 1 and len(enrolled) < people:
            first, second = (_face(detector, encoder, photo) for photo in photos[:2])
            if first and second:
                enrolled.append(first)
                posted.append(second)
        elif len(photos) == 1 and len(others) < NOT_ENROLLED:
            others += filter(None, [_face(detector, encoder, photos[0])])
    return enrolled, mixed(posted + others)


def mated_people(share: float) -> int:
    """How many enrolled people are posted, so that they make up a share of all who are."""
    return round(NOT_ENROLLED * share / (1 - share))


def with_mated(
    enrolled: Sequence[RealFace], posted: Sequence[RealFace], share: float
) -> list[RealFace]:
    """Leave out enrolled people until they make up no more than a share of the faces to post."""
    names = {face.name for face in enrolled}
    mated = [face for face in posted if face.name in names]
    strangers = [face for face in posted if face.name not in names]
    return mixed(mated[: mated_people(share)] + strangers)


def mixed(faces: Sequence[RealFace]) -> list[RealFace]:
    """The same faces in a random order, which is the same in every run."""
    order = np.random.default_rng(0).permutation(len(faces))
    return [faces[index] for index in order]


def _face(detector: Detector, encoder: DlibEncoder, photo: Path) -> RealFace | None:
    faces = detector.find_in_bytes(photo.read_bytes())
    if len(faces) != 1:
        return None
    chip = faces[0].chip[None]
    template, view = encoder.encode(chip)[0], encoder.embed(chip)[0]
    return RealFace(photo.parent.name, _pictures(faces[0]), template, view)


def _pictures(face: Face) -> dict[str, bytes]:
    crops = {name: face.jpeg(margin) for name, margin in MARGINS.items()}
    return crops | {"frame": encode_jpeg(_frame(face.picture))}


def _frame(photo: Picture) -> Picture:
    """The photo in the middle of a frame, the rest of which repeats the photo's edge."""
    height, width = photo.shape[:2]
    aside, above = FRAME_WIDTH - width, FRAME_HEIGHT - height
    sides = above // 2, above - above // 2, aside // 2, aside - aside // 2
    return np.asarray(cv2.copyMakeBorder(photo, *sides, cv2.BORDER_REPLICATE), np.uint8)


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
    file = work / f"{_name(count, enrolled)}{'-sealed' if data_key else ''}.db"
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


def _name(count: int, enrolled: Sequence[RealFace]) -> str:
    return f"people-{count}-{len(enrolled)}-real"


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
    file = work / f"{_name(count, enrolled)}.npy"
    if not file.exists():
        length = float(np.mean([np.linalg.norm(face.view) for face in enrolled]))
        views = [face.view for face in enrolled]
        np.save(file, np.float64(np.concatenate([views, length * synthetic(count)])[:count]))
    return file
