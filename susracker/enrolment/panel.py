"""Enrols photos that someone else put into the database."""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor

from susracker.enrolment.enroller import Enroller, PreparedPhoto
from susracker.enrolment.fields import new_id
from susracker.errors import DuplicateError, FaceRefusedError, NotFoundError, PictureError
from susracker.models import ForeignPhoto, Photo, Template
from susracker.runtime.data_uri import decode_base64
from susracker.runtime.parallel import map_in_order

log = logging.getLogger(__name__)


def take_over_foreign(enroller: Enroller, workers: int = 1) -> int:
    """Follow what others wrote to the store, and enrol the photos they added.

    A photo that cannot be enrolled is logged once.

    Returns:
        how many photos were enrolled.

    Raises:
        StoreUnavailableError: the store cannot be read or written.
    """
    waiting = enroller.store.foreign_photos()

    def prepare(foreign: ForeignPhoto) -> PreparedPhoto | str:
        try:
            return enroller.prepare(decode_base64(foreign.text))
        except (PictureError, FaceRefusedError, ValueError) as error:
            return str(error)

    adopted = 0
    with ThreadPoolExecutor(workers) as pool:
        for foreign, prepared in map_in_order(pool, prepare, waiting, workers + 1):
            problem = prepared if isinstance(prepared, str) else _adopt(enroller, foreign, prepared)
            if problem:
                log.warning("a photo of %s cannot be enrolled: %s", foreign.criminal_id, problem)
                enroller.store.refuse_photo(foreign)
            adopted += not problem
    return adopted


def _adopt(enroller: Enroller, foreign: ForeignPhoto, prepared: PreparedPhoto) -> str:
    """Enrol a photo; why it cannot be, or nothing."""
    photo = Photo(
        new_id(), foreign.criminal_id, prepared.digest, prepared.media_type, prepared.content
    )
    template = Template(
        photo.id, foreign.criminal_id, enroller.encoder.id, prepared.vector, prepared.quality
    )
    try:
        enroller.store.adopt_photo(foreign, photo, template)
    except (DuplicateError, NotFoundError) as error:
        return str(error)
    return ""
