"""Templates of a dataset's photos, made on all cores and cached for the next run."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Literal

import numpy as np

from susracker import faces
from susracker.benchmark.cache import EmbeddingCache
from susracker.config import DEFAULT_DETECTOR
from susracker.errors import FaceRefusedError, PictureError
from susracker.faces.encoder import Encoder
from susracker.faces.face import Face
from susracker.faces.photos import decode_photo
from susracker.models import Picture, Vectors
from susracker.plugins import open_detector
from susracker.runtime.parallel import map_in_order

Crops = Literal["none", "tight", "margin"]

MARGINS: dict[Crops, float] = {"tight": 0.0, "margin": 0.2}
"""How much an edge camera leaves around a face that it cuts out, as a share of the box."""

VECTORS = ("template", "view", "probe", "probe_view")
"""The fields of `Embedded` that are kept as arrays."""

UNREADABLE, NO_FACE = "not a picture", "no face"


@dataclass(frozen=True, slots=True, eq=False)
class Embedded:
    """The embeddings of a photo.

    Attributes:
        problem: `UNREADABLE` or `NO_FACE`; empty if there is a template.
        refusal: why enrolment would refuse the whole photo, or why it cannot be read; empty if
            neither.
        template: as it is enrolled: unit length, shape (dimension,); zeros if there is none.
        view: the network's own output for that face without its mirror image, shape (dimension,).
        probe: the template of the photo as a camera sends it.
        probe_view: the network's own output for that.
    """

    problem: str
    refusal: str
    template: Vectors
    view: Vectors
    probe: Vectors
    probe_view: Vectors

    @property
    def found(self) -> bool:
        """Whether there is a template."""
        return not self.problem

    def to_bytes(self) -> bytes:
        """Serialise for the cache."""
        buffer = io.BytesIO()
        texts = np.array([self.problem, self.refusal])
        vectors = {name: getattr(self, name) for name in VECTORS}
        np.savez(buffer, texts=texts, **vectors)
        return buffer.getvalue()

    @classmethod
    def from_bytes(cls, data: bytes) -> Embedded:
        """The inverse of `to_bytes`."""
        with np.load(io.BytesIO(data)) as kept:
            problem, refusal = map(str, kept["texts"])
            return cls(problem, refusal, *(kept[name] for name in VECTORS))


class Embedder:
    """Makes templates of photos. Safe to use from any thread.

    Args:
        detector: name of the detector.
        crops: how each face that is searched for is cut out first, as an edge camera does.
        crops_enrolled: cut out those that are enrolled, too.
        kept: cache of embeddings.
    """

    def __init__(
        self,
        encoder: Encoder,
        detector: str = DEFAULT_DETECTOR,
        crops: Crops = "none",
        *,
        crops_enrolled: bool = False,
        kept: EmbeddingCache | None = None,
    ) -> None:
        self.encoder = encoder
        self._crops = crops
        self._crops_enrolled = crops_enrolled
        self._kept = kept
        self._detector_name = detector
        self._detector = open_detector(detector)

    def embed(self, photo: Path) -> Embedded:
        """Embed the face that a photo is meant to show; see `meant_face`."""
        data = photo.read_bytes()
        if self._kept is None:
            return self._make(data)
        key = self._key(data)
        if known := self._kept.get(key):
            return Embedded.from_bytes(known)
        made = self._make(data)
        # A photo that cannot be read may be once an extra is installed.
        if made.problem != UNREADABLE:
            self._kept.put(key, made.to_bytes())
        return made

    def embed_all(
        self, photos: Sequence[Path], workers: int, on_photo: Callable[[], None] = lambda: None
    ) -> dict[Path, Embedded]:
        """Embed all photos on `workers` threads; `on_photo` is called after each."""
        done = {}
        with ThreadPoolExecutor(workers) as pool:
            for photo, embedded in map_in_order(pool, self.embed, photos, window=4 * workers):
                done[photo] = embedded
                on_photo()
        return done

    def _key(self, data: bytes) -> str:
        encoder = type(self.encoder)
        maker = f"{encoder.__module__}.{encoder.__qualname__} {self.encoder.id}"
        content = hashlib.sha256(data).hexdigest()
        how = f"{self._detector_name} {self._crops} {self._crops_enrolled}"
        return f"{maker} {_pipeline()} {how} {content}"

    def _make(self, data: bytes) -> Embedded:
        try:
            picture = decode_photo(data)
        except PictureError as error:
            return self._nothing(UNREADABLE, str(error))
        refusal = self._refusal(picture)
        whole = meant_face(self._detector.find(picture))
        seen = self._cut(whole) if whole else None
        if not whole or not seen:
            return self._nothing(NO_FACE, refusal)
        probe = self._encode(seen)
        enrolled = probe if self._crops_enrolled or seen is whole else self._encode(whole)
        return Embedded("", refusal, *enrolled, *probe)

    def _cut(self, face: Face) -> Face | None:
        """The face as a camera sends it; None if it is not found then."""
        if self._crops == "none":
            return face
        return meant_face(self._detector.find_in_bytes(face.jpeg(MARGINS[self._crops])))

    def _encode(self, face: Face) -> tuple[Vectors, Vectors]:
        """The template, and the network's own output without the mirror image."""
        templates, views = self.encoder.encode_and_embed(self.encoder.align(face)[None])
        return templates[0], views[0]

    def _refusal(self, picture: Picture) -> str:
        try:
            self._detector.enrolment_face(picture)
        except FaceRefusedError as error:
            return error.reason
        return ""

    def _nothing(self, problem: str, refusal: str) -> Embedded:
        zeros = np.zeros(self.encoder.dimension, np.float32)
        return Embedded(problem, refusal, zeros, zeros, zeros, zeros)


def meant_face(found: Sequence[Face]) -> Face | None:
    """The face nearest to the middle of its picture, because a dataset's photos are of that person.
    Faces less than half as wide as the largest do not count; None if there are no faces.

    Args:
        found: the faces of one picture, largest first.
    """

    def distance(face: Face) -> float:
        height, width = face.picture.shape[:2]
        return float(np.linalg.norm(face.landmarks.mean(axis=0) - (width / 2, height / 2)))

    large = [face for face in found if face.box.width >= found[0].box.width / 2]
    return min(large, key=distance, default=None)


@cache
def _pipeline() -> str:
    """A digest of the code that finds, aligns and encodes faces, so that embeddings made by another
    version are not taken from the cache."""
    digest = hashlib.sha256()
    for source in _sources():
        digest.update(source)
    return digest.hexdigest()[:16]


def _sources() -> Iterator[bytes]:
    for resource in sorted(files(faces).iterdir(), key=lambda one: one.name):
        if resource.name.endswith(".py"):
            yield resource.read_bytes()
    yield Path(__file__).read_bytes()
