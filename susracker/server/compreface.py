"""A part of CompreFace's recognition API, for programs that ask CompreFace today.

To recognise is to search, as `POST /api/find` does: nothing of the picture is kept, and no alert is
raised. Routes, parameters and answers are those of CompreFace 1.2, docs/Rest-API-description.md.
"""

from __future__ import annotations

import math
from typing import Annotated, Any

from flask import Blueprint, Response, jsonify, request
from flask.blueprints import BlueprintSetupState
from flask.typing import ResponseReturnValue
from pydantic import BaseModel, Field
from werkzeug.routing import BaseConverter

from susracker.access.roles import Permission
from susracker.enrolment.fields import criminal_from_fields, edit_from_fields
from susracker.errors import (
    FaceRefusedError,
)
from susracker.faces.boxes import Box
from susracker.models import Candidate, Photo
from susracker.server import subjects
from susracker.server.access import access
from susracker.server.audited import audited, describe, once_changed
from susracker.server.body import from_json
from susracker.server.contract.compreface import (
    Deleted,
    Example,
    Examples,
    Recognised,
    SentBase64,
    SubjectName,
    Subjects,
    SubjectShown,
    Updated,
)
from susracker.server.contract.declaring import contract
from susracker.server.contract.sites import SentFile
from susracker.server.criminals import ENROLMENT, SHOWN
from susracker.server.find import search_photo, sent_photo
from susracker.server.parameters import takes
from susracker.server.problems import COMPREFACE, refusal
from susracker.server.service import service
from susracker.server.wire import parse
from susracker.tracking.recogniser import Search
from susracker.tracking.tracker import Tracker

blueprint = Blueprint("compreface", __name__, url_prefix=COMPREFACE)

NO_FACE = 28
"""CompreFace's code for a picture without a face; Double Take looks for it."""

LOWEST_MATCH, UNKNOWN = 0.99, 0.4
"""Similarities: at least the first is a match by our threshold, below the second is none. Between
them is nobody, so a program decides as we do wherever its own limit lies between them: 0.6 in
Double Take, whose faces below 0.4 are unknown, or 0.5, which CompreFace recommends."""

PHOTO = "file"
"""The field of a picture in JSON."""

Subject = Annotated[str, Field(min_length=1, max_length=200)]
Probability = Annotated[float, Field(ge=0, le=1)]


class NameInPath(BaseConverter):
    """A name at the end of a path. Its slashes, which clients send as %2F, are in the path as it
    is decoded (PEP 3333)."""

    regex = ".+"
    part_isolating = False


@blueprint.record_once
def _know_names(state: BlueprintSetupState) -> None:
    state.app.url_map.converters["name"] = NameInPath


class Detecting(BaseModel):
    """How CompreFace is to look for faces: accepted, and without effect."""

    det_prob_threshold: Probability | None = None


class Recognising(Detecting):
    """What is asked about the faces in a picture.

    Attributes:
        limit: how many faces, the largest first; 0: all.
        prediction_count: how many people for each face.
        face_plugins: what else to say of a face: accepted, and without effect.
        status: accepted, and without effect, as `detect_faces`.
    """

    limit: int = Field(0, ge=0)
    prediction_count: int = Field(1, ge=1)
    face_plugins: str | None = None
    status: bool = False
    detect_faces: bool = True


class Adding(Detecting):
    """Whose photo is added."""

    subject: Subject


class Removing(BaseModel):
    """Whose photos are removed."""

    subject: Subject


class Listing(BaseModel):
    """Which photos are listed.

    Attributes:
        page: from 0.
        subject: only photos of this person.
    """

    page: int = Field(0, ge=0)
    size: int = Field(20, ge=1, le=1000)
    subject: Subject | None = None


@blueprint.errorhandler(FaceRefusedError)
def _refused(error: FaceRefusedError) -> ResponseReturnValue:
    code = {"code": NO_FACE} if error.reason == "no face" else {}
    body, media = refusal(request.path, 400, str(error), **code)
    return Response(body, 400, content_type=media)


@blueprint.post("/recognize")
@access(Permission.FIND)
@audited("criminal.find", is_look=True)
@takes(Recognising)
@contract(Recognised, json=SentBase64, form=SentFile)
def recognize() -> ResponseReturnValue:
    """Whom the faces in a picture resemble."""
    asked = parse(Recognising, request.args)
    found = service().slow.call(ENROLMENT, _search, service().tracker, sent_photo(PHOTO))
    found = found[: asked.limit or None]
    near = [one.candidates[: asked.prediction_count] for one in found]
    shown = {one.criminal_id for candidates in near for one in candidates}
    describe(faces=len(found), shown=sorted(shown))
    threshold = service().tracker.watchlist.threshold
    return jsonify(result=[_face(one, asked.prediction_count, threshold) for one in found])


@blueprint.get("/subjects", strict_slashes=False)
@access(Permission.VIEW)
@audited("criminal.list")
@contract(Subjects)
def list_subjects() -> ResponseReturnValue:
    """The names of everyone who is enrolled."""
    people = service().reads.call(service().tracker.store.criminals)
    describe(searched=False, shown=len(people), first=[one.id for one in people[:SHOWN]])
    return jsonify(subjects=list(dict.fromkeys(one.name for one in people)))


@blueprint.post("/subjects", strict_slashes=False)
@access(Permission.MANAGE)
@audited("criminal.add")
@contract(SubjectShown, status=201, json=SubjectName, errors=(409,))
def add_subject() -> ResponseReturnValue:
    """Enrol a person without a photo."""
    person = criminal_from_fields({"name": _subject()})
    service().reads.call(subjects.add, service(), person, [], once_changed())
    describe(subject=person.id, photos=0)
    return jsonify(subject=person.name), 201


@blueprint.put("/subjects/<name:subject>")
@access(Permission.MANAGE)
@audited("criminal.edit")
@contract(Updated, json=SubjectName, errors=(409,))
def rename_subject(subject: str) -> ResponseReturnValue:
    """Rename a person; not to the name of another, for two people are never merged."""
    edit = edit_from_fields({"name": _subject()})
    describe(fields=["name"], photos=0)
    service().reads.call(subjects.rename, service().tracker, subject, edit, once_changed())
    return jsonify(updated=True)


@blueprint.delete("/subjects/<name:subject>")
@access(Permission.MANAGE)
@audited("criminal.remove")
@contract(SubjectShown, errors=(409,))
def remove_subject(subject: str) -> ResponseReturnValue:
    """Forget a person, with all photos, templates and sightings."""
    service().reads.call(subjects.remove, service().tracker, subject, once_changed())
    return jsonify(subject=subject)


@blueprint.post("/faces")
@access(Permission.MANAGE)
@audited("criminal.edit")
@takes(Adding)
@contract(Example, status=201, json=SentBase64, form=SentFile, errors=(409,))
def add_face() -> ResponseReturnValue:
    """Add a photo of a person, who is enrolled with it if nobody has that name."""
    subject = parse(Adding, request.args).subject
    describe(photos=1)
    found, is_new = service().slow.call(
        ENROLMENT, subjects.add_photo, service(), subject, sent_photo(PHOTO), once_changed()
    )
    if is_new:
        describe(action="criminal.add")
    return jsonify(found), 201


@blueprint.get("/faces")
@access(Permission.VIEW)
@audited("criminal.list")
@takes(Listing)
@contract(Examples, errors=(404, 409))
def list_faces() -> ResponseReturnValue:
    """Photos by the names of whom they show, a page of them."""
    asked = parse(Listing, request.args)
    found = service().reads.call(subjects.examples, service().tracker.store, asked.subject)
    first = asked.page * asked.size
    shown = found[first : first + asked.size]
    people = list(dict.fromkeys(person_id for person_id, _ in shown))
    describe(searched=asked.subject is not None, shown=len(people), first=people[:SHOWN])
    return jsonify(
        faces=[face for _, face in shown],
        page_number=asked.page,
        page_size=asked.size,
        total_pages=math.ceil(len(found) / asked.size),
        total_elements=len(found),
    )


@blueprint.delete("/faces")
@access(Permission.MANAGE)
@audited("criminal.remove_photo")
@takes(Removing)
@contract(Deleted, errors=(404, 409))
def remove_faces() -> ResponseReturnValue:
    """Forget all photos of a person, who stays enrolled, and is recognised no more."""
    subject = parse(Removing, request.args).subject
    count = service().reads.call(subjects.remove_photos, service().tracker, subject, once_changed())
    describe(photos=count)
    return jsonify(deleted=count)


@blueprint.delete("/faces/<image_id>")
@access(Permission.MANAGE)
@audited("criminal.remove_photo")
@contract(Example, errors=(409,))
def remove_face(image_id: str) -> ResponseReturnValue:
    """Forget one photo."""
    describe(photo=image_id)
    return jsonify(
        service().reads.call(subjects.remove_photo, service().tracker, image_id, once_changed())
    )


@blueprint.get("/faces/<image_id>/img")
@access(Permission.VIEW)
@audited("criminal.photo")
@contract(media=("image/*",))
def show_face(image_id: str) -> ResponseReturnValue:
    """A photo exactly as it was handed in."""
    photo: Photo = service().reads.call(service().tracker.store.photo, image_id)
    describe(subject=photo.criminal_id, photo=image_id)
    return Response(photo.content, mimetype=photo.media_type)


def similarity(candidate: Candidate, *, is_match: bool) -> float:
    """How alike a face and a person are, 0 to 1, on the scale of `LOWEST_MATCH` and `UNKNOWN`.

    Within a match, and within what is none, it falls with the share of strangers who would score as
    high.
    """
    rarity = 1 - candidate.fpir
    told = LOWEST_MATCH + (1 - LOWEST_MATCH) * rarity if is_match else UNKNOWN * rarity
    return round(told, 5) if is_match else math.floor(told * 1e5) / 1e5


def _search(tracker: Tracker, content: bytes) -> list[Search]:
    _, found = search_photo(tracker, content)
    if not found:
        raise FaceRefusedError("no face", "no face was found in the photo")
    return found


def _face(found: Search, count: int, threshold: float) -> dict[str, Any]:
    return {
        "box": _whole_pixels(found.box),
        "subjects": [
            {
                "subject": one.name,
                "similarity": similarity(one, is_match=found.is_match and one.score >= threshold),
            }
            for one in found.candidates[:count]
        ],
    }


def _whole_pixels(box: Box) -> dict[str, int]:
    """A box of whole pixels inside the picture: a detector's may begin before it."""
    return {
        "x_min": max(0, round(box.left)),
        "y_min": max(0, round(box.top)),
        "x_max": round(box.right),
        "y_max": round(box.bottom),
    }


def _subject() -> str:
    """The name in the body of a request."""
    body = from_json(lambda body: body if isinstance(body, dict) else {})
    return parse(SubjectName, body).subject
