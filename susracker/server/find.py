"""Whom a photo resembles, and whether it could be enrolled. Nothing of it is kept."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from flask import Blueprint, jsonify
from flask.typing import ResponseReturnValue

from susracker.access.roles import Permission
from susracker.enrolment.enroller import photo_digest
from susracker.errors import FaceRefusedError, InputError, PictureError
from susracker.faces.photos import decode_photo
from susracker.models import Candidate, Picture
from susracker.runtime.clock import utc_now
from susracker.runtime.data_uri import decode_base64
from susracker.server.access import access
from susracker.server.audited import audited, describe
from susracker.server.body import form, from_json
from susracker.server.contract.declaring import contract
from susracker.server.contract.sites import Found, SentFile, SentPhoto
from susracker.server.criminals import ENROLMENT
from susracker.server.service import service
from susracker.stores.base import Store
from susracker.tracking.recogniser import Search
from susracker.tracking.tracker import Tracker

blueprint = Blueprint("find", __name__)

NO_PHOTO = "a photo is needed: as the file of a form, or as {} in JSON, in base64"


@blueprint.post("/api/find")
@access(Permission.FIND)
@audited("criminal.find", is_look=True)
@contract(Found, json=SentPhoto, form=SentFile)
def find() -> ResponseReturnValue:
    """Whom the faces in a photo resemble, and whether the photo could be enrolled."""
    found = service().slow.call(ENROLMENT, _find, service().tracker, sent_photo())
    shown = {one["criminal_id"] for face in found["faces"] for one in face["candidates"]}
    if owner := found["enrolment"]["enrolled_as"]:
        shown.add(owner["id"])
    describe(faces=len(found["faces"]), shown=sorted(shown))
    return jsonify(found)


def sent_photo(field: str = "image") -> bytes:
    """The one photo of a request: the file of a form, or a field of JSON, in base64.

    Raises:
        InputError: there is none, or there are several.
    """
    sent = form()
    if sent is None:
        return from_json(lambda body: _from_json(body, field))
    files = [content for several in sent.files.values() for content in several]
    if len(files) != 1:
        raise InputError(NO_PHOTO.format(field))
    return files[0]


def search_photo(tracker: Tracker, content: bytes) -> tuple[Picture, list[Search]]:
    """A photo as pixels, and whom the faces in it resemble, the largest first.

    Raises:
        InputError: it cannot be read, or is too large.
    """
    try:
        picture = decode_photo(content, tracker.max_pixels)
    except PictureError as error:
        raise InputError(str(error)) from error
    return picture, tracker.recogniser.search_picture(picture, utc_now())


def _from_json(body: Any, field: str) -> bytes:
    if not isinstance(body, dict) or field not in body:
        raise InputError(NO_PHOTO.format(field))
    try:
        return decode_base64(body[field])
    except ValueError as error:
        raise InputError(f"{field}: {error}") from error


def _find(tracker: Tracker, content: bytes) -> dict[str, Any]:
    picture, found = search_photo(tracker, content)
    ids = {one.criminal_id for face in found for one in face.candidates}
    photos = tracker.store.photo_ids_of(ids)
    height, width = picture.shape[:2]
    return {
        "width": width,
        "height": height,
        "faces": [_face(one, photos) for one in found],
        "enrolment": _enrolment(tracker, content, picture),
    }


def _face(found: Search, photos: dict[str, list[str]]) -> dict[str, Any]:
    return {
        "box": asdict(found.box),
        "is_match": found.is_match,
        "candidates": [_candidate(one, photos[one.criminal_id]) for one in found.candidates],
    }


def _candidate(found: Candidate, photo_ids: list[str]) -> dict[str, Any]:
    return asdict(found) | {"photo": photo_ids[0] if photo_ids else None}


def _enrolment(tracker: Tracker, content: bytes, picture: Picture) -> dict[str, Any]:
    """What would become of the photo if it were enrolled."""
    answer = {"enrolled_as": _owner(tracker.store, photo_digest(content))}
    try:
        face = tracker.detector.enrolment_face(picture)
    except FaceRefusedError as refusal:
        return answer | {"refused": str(refusal), "box": None, "quality": None}
    return answer | {"refused": None, "box": asdict(face.box), "quality": asdict(face.quality)}


def _owner(store: Store, digest: str) -> dict[str, str] | None:
    """The person whose photo has a digest."""
    owner = store.photo_owner(digest)
    people = store.criminals([owner]) if owner else []
    return {"id": people[0].id, "name": people[0].name} if people else None
