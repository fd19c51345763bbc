"""Enrols the photos that a web panel put into the database."""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor

from susracker.enrolment.enroller import Enroller, PreparedPhoto
from susracker.enrolment.fields import new_id
from susracker.errors import DuplicateError, FaceRefusedError, NotFoundError, PictureError
from susracker.models import PanelPhoto, Photo, Template
from susracker.runtime.data_uri import decode_base64
from susracker.runtime.parallel import map_in_order
from susracker.runtime.text import on_one_line
from susracker.stores.base import Gallery

log = logging.getLogger(__name__)


def enroll_panel_photos(enroller: Enroller, workers: int = 1) -> int:
    """Enrol the photos that a web panel added to the store.

    A photo that cannot be enrolled is logged once, and not tried again.

    Args:
        workers: how many photos to prepare at the same time.

    Returns:
        how many photos were enrolled.

    Raises:
        StoreUnavailableError: the store cannot be read or written.
    """
    waiting = enroller.store.panel_photos()

    def prepare(found: PanelPhoto) -> PreparedPhoto | str:
        try:
            return enroller.prepare(decode_base64(found.text))
        except (PictureError, FaceRefusedError, ValueError) as error:
            return str(error)

    adopted = 0
    with ThreadPoolExecutor(workers) as pool:
        for found, prepared in map_in_order(pool, prepare, waiting, workers + 1):
            problem = prepared if isinstance(prepared, str) else _enroll(enroller, found, prepared)
            if problem:
                log.warning("cannot enrol a photo of %s: %s", _who(enroller.store, found), problem)
                enroller.store.refuse_photo(found)
            adopted += problem == ""
    return adopted


def _who(store: Gallery, found: PanelPhoto) -> str:
    """The name and the id of whose photo it is; the id alone of who was removed meanwhile."""
    names = [on_one_line(one.name) for one in store.criminals([found.criminal_id])]
    return f"{names[0]} ({found.criminal_id})" if names else found.criminal_id


def _enroll(enroller: Enroller, found: PanelPhoto, prepared: PreparedPhoto) -> str | None:
    """Enrol a photo unless it shows another face than the person's others; see `_adopt`."""
    unlike = enroller.unlike(found.criminal_id, [prepared])
    return str(unlike[0]) if unlike else _adopt(enroller, found, prepared)


def _adopt(enroller: Enroller, found: PanelPhoto, prepared: PreparedPhoto) -> str | None:
    """Enrol a photo. Returns why that is impossible, an empty text if it is done, or None if the
    photo is to be tried again: it is stored, but nobody's yet."""
    photo = Photo(
        new_id(), found.criminal_id, prepared.digest, prepared.media_type, prepared.content
    )
    template = Template(
        photo.id, found.criminal_id, enroller.encoder.id, prepared.vector, prepared.quality
    )
    try:
        enroller.store.adopt_photo(found, photo, template)
    except DuplicateError as error:
        return str(error) if enroller.store.photo_owner(photo.digest) else None
    except NotFoundError as error:
        return str(error)
    return ""
