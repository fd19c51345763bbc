"""Turns enrolment photos into stored photos and templates."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import takewhile

import numpy as np

from susracker.enrolment.fields import new_id
from susracker.enrolment.likeness import find_unlike
from susracker.enrolment.report import Refusal
from susracker.errors import FaceRefusedError, NotFoundError, PictureError
from susracker.faces.boxes import Box
from susracker.faces.detector import Detector
from susracker.faces.encoder import Encoder
from susracker.faces.images import MAX_PIXELS
from susracker.faces.photos import photo_media_type
from susracker.models import Criminal, Photo, Quality, Template, Vectors
from susracker.plugins import open_detector
from susracker.runtime.parallel import map_in_order
from susracker.stores.base import Gallery
from susracker.watchlist.scoring import load_scoring


@dataclass(frozen=True, slots=True, eq=False)
class PreparedPhoto:
    """A photo that can be enrolled, and its template.

    Attributes:
        digest: SHA-256 of `content`, in hexadecimal.
        vector: unit length, shape (dimension,).
        box: the face that was taken, in pixels of the upright picture.
    """

    digest: str
    media_type: str
    content: bytes = field(repr=False)
    vector: Vectors = field(repr=False)
    quality: Quality
    box: Box


class Enroller:
    """Prepares photos and stores them. Safe to use from several threads at once.

    Closing the store is up to the caller.

    Args:
        detector: the default one if it is None.
        max_pixels: pixels of the largest picture that is decoded.
    """

    def __init__(
        self,
        store: Gallery,
        encoder: Encoder,
        detector: Detector | None = None,
        max_pixels: int = MAX_PIXELS,
    ) -> None:
        self.store = store
        self.encoder = encoder
        self._detector = detector or open_detector()
        self._max_pixels = max_pixels

    def prepare(self, content: bytes) -> PreparedPhoto:
        """Find the subject's face in an encoded photo and compute its template. Stores nothing.

        Raises:
            PictureError: the picture cannot be read, or is too large.
            FaceRefusedError: the face cannot be enrolled; see `Detector.enrolment_face`.
            EncoderError: the network cannot be built.
        """
        face = self._detector.enrolment_face_in_bytes(content, self._max_pixels)
        return PreparedPhoto(
            digest=photo_digest(content),
            media_type=photo_media_type(content),
            content=content,
            vector=self.encoder.encode(self.encoder.align(face)[None])[0],
            quality=face.quality,
            box=face.box,
        )

    def unlike(
        self, criminal_id: str, prepared: Sequence[PreparedPhoto]
    ) -> dict[int, FaceRefusedError]:
        """Find the photos that show another face than the person's others; see `find_unlike`.

        Args:
            criminal_id: whose photos they are; need not be enrolled yet.

        Returns:
            why not to enrol a photo, by its place in `prepared`.

        Raises:
            ConfigError: there is no cohort for the encoder.
        """
        enrolled = self.store.template_rows(self.encoder.id, [criminal_id]).vectors
        if not prepared or len(prepared) + len(enrolled) < 2:
            return {}
        photos = np.stack([one.vector for one in prepared])
        enrolled = enrolled.reshape(-1, self.encoder.dimension)
        return find_unlike(load_scoring(self.encoder.id), photos, enrolled)

    def enroll(self, criminal: Criminal, prepared: Sequence[PreparedPhoto]) -> None:
        """Store a new or edited criminal with photos and their templates, in one write.

        Use `add` or `edit` if others may edit or remove the same person.

        Raises:
            DuplicateError: one of the photos is stored already, for this person or another.
        """
        self.store.put_criminal(criminal, *self._records(criminal.id, prepared))

    def add(
        self, criminal: Criminal, prepared: Sequence[PreparedPhoto], *, name_is_new: bool = False
    ) -> None:
        """Store a new person; see `Gallery.add_criminal`."""
        records = self._records(criminal.id, prepared)
        self.store.add_criminal(criminal, *records, name_is_new=name_is_new)

    def edit(
        self,
        criminal_id: str,
        edit: Mapping[str, object],
        prepared: Sequence[PreparedPhoto],
        *,
        revision: int | None = None,
    ) -> None:
        """Change a person's fields, and add photos; see `Gallery.edit_criminal`."""
        records = self._records(criminal_id, prepared)
        self.store.edit_criminal(criminal_id, edit, *records, revision=revision)

    def encode_missing(
        self,
        on_photo: Callable[[str, Refusal | None], None] = lambda photo_id, refusal: None,
        *,
        workers: int = 1,
        stopped: Callable[[], bool] = lambda: False,
    ) -> int:
        """Make the templates that are missing after a change of encoder, from the stored photos.

        Each template is stored at once, so the next call resumes an interrupted one.

        Args:
            on_photo: called after each photo with its id and, if it got no template, the reason.
                Such a photo stays stored; the next call tries it again.
            workers: how many photos to encode at the same time.
            stopped: asked before each photo; once it returns true, no further photo is begun.

        Returns:
            how many templates were made.
        """
        made = 0
        missing = self.store.photos_without_template(self.encoder.id)
        going_on = takewhile(lambda _: not stopped(), missing)
        with ThreadPoolExecutor(workers) as pool:
            results = map_in_order(pool, self._encode_stored, going_on, workers + 1)
            for photo_id, (is_made, refusal) in results:
                made += is_made
                on_photo(photo_id, refusal)
        return made

    def _encode_stored(self, photo_id: str) -> tuple[bool, Refusal | None]:
        """Return whether a template was made, and the reason if the photo is refused."""
        try:
            photo = self.store.photo(photo_id)
            prepared = self.prepare(photo.content)
            self.store.add_template(self._template(photo.id, photo.criminal_id, prepared))
        except (PictureError, FaceRefusedError) as refusal:
            return False, refusal
        except NotFoundError:
            # The person was removed meanwhile, and the photo with them: nothing is missing.
            return False, None
        return True, None

    def _records(
        self, criminal_id: str, prepared: Sequence[PreparedPhoto]
    ) -> tuple[list[Photo], list[Template]]:
        photos = [
            Photo(new_id(), criminal_id, photo.digest, photo.media_type, photo.content)
            for photo in prepared
        ]
        templates = [
            self._template(photo.id, criminal_id, ready)
            for photo, ready in zip(photos, prepared, strict=True)
        ]
        return photos, templates

    def _template(self, photo_id: str, criminal_id: str, prepared: PreparedPhoto) -> Template:
        return Template(photo_id, criminal_id, self.encoder.id, prepared.vector, prepared.quality)


def photo_digest(content: bytes) -> str:
    """Return what identifies a photo: the SHA-256 of its bytes, in hexadecimal."""
    return hashlib.sha256(content).hexdigest()
