"""Who is enrolled: list, show, enrol, edit, remove; and where they were seen."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, jsonify, request, url_for
from flask.typing import ResponseReturnValue

from susracker.enrolment.enroller import Enroller, PreparedPhoto
from susracker.enrolment.fields import criminal_from_fields
from susracker.errors import FaceRefusedError, InputError, PictureError
from susracker.runtime.data_uri import decode_base64
from susracker.server.service import Service, service
from susracker.server.wire import criminal_fields, sighting_fields
from susracker.tracking.tracker import Tracker

blueprint = Blueprint("criminals", __name__)


@blueprint.get("/api/criminals")
def list_criminals() -> ResponseReturnValue:
    """Everyone, by name."""
    return jsonify(criminals=service().reads.call(_describe_all, service().tracker))


@blueprint.get("/api/criminals/<criminal_id>")
def show_criminal(criminal_id: str) -> ResponseReturnValue:
    """One person."""
    return jsonify(service().reads.call(_describe, service().tracker, criminal_id))


@blueprint.get("/api/criminals/<criminal_id>/track")
def track(criminal_id: str) -> ResponseReturnValue:
    """A person's sightings across cameras, in the order in which they occurred."""
    store = service().tracker.store
    name, sightings = service().reads.call(
        lambda: (store.criminal(criminal_id).name, store.sightings(criminal_id))
    )
    return jsonify(
        criminal_id=criminal_id,
        name=name,
        sightings=[sighting_fields(sighting) for sighting in sightings],
    )


@blueprint.post("/api/criminals")
def enroll() -> ResponseReturnValue:
    """Enrol a person, as JSON with `images` in base64, or as a form with files."""
    fields, images = _body()
    body = service().work.call(_enroll, service(), fields, None, images)
    where = url_for(".show_criminal", criminal_id=body["id"])
    return jsonify(body), 201, {"Location": where}


@blueprint.put("/api/criminals/<criminal_id>")
def edit(criminal_id: str) -> ResponseReturnValue:
    """Change the fields that are given, and add the photos that are given."""
    fields, images = _body()
    return jsonify(service().work.call(_enroll, service(), fields, criminal_id, images))


@blueprint.delete("/api/criminals/<criminal_id>")
def remove(criminal_id: str) -> ResponseReturnValue:
    """Forget a person, with all photos, templates and sightings."""
    service().reads.call(_remove, service().tracker, criminal_id)
    return "", 204


def _body() -> tuple[dict[str, object], list[bytes]]:
    """The fields and the photos of a request."""
    if request.files or request.form:
        fields: dict[str, object] = dict(request.form.items())
        if "crimes" in fields:
            fields["crimes"] = request.form.getlist("crimes")
        return fields, [file.read() for _, file in request.files.items(multi=True)]
    body = request.get_json(silent=True)
    if not isinstance(body, dict):
        raise InputError("the body must be a JSON object or a form")
    images = list(body.pop("images", None) or [])
    if "image" in body:
        images.insert(0, body.pop("image"))
    return body, [_image(number, value) for number, value in enumerate(images, 1)]


def _image(number: int, value: object) -> bytes:
    try:
        return decode_base64(value)
    except ValueError as error:
        raise InputError(f"image {number}: {error}") from error


def _enroll(
    parts: Service, fields: Mapping[str, object], criminal_id: str | None, images: list[bytes]
) -> dict[str, Any]:
    """Store a person with all of the photos, or nothing where one is refused."""
    base = parts.tracker.store.criminal(criminal_id) if criminal_id else None
    criminal = criminal_from_fields(fields, base)
    prepared = [_prepare(parts.enroller, n, image) for n, image in enumerate(images, 1)]
    parts.enroller.enroll(criminal, prepared)
    parts.tracker.refresh()
    return _describe(parts.tracker, criminal.id)


def _prepare(enroller: Enroller, number: int, image: bytes) -> PreparedPhoto:
    try:
        return enroller.prepare(image)
    except (PictureError, FaceRefusedError) as error:
        raise InputError(f"image {number}: {error}") from error


def _remove(tracker: Tracker, criminal_id: str) -> None:
    tracker.store.remove_criminal(criminal_id)
    tracker.refresh()


def _describe(tracker: Tracker, criminal_id: str) -> dict[str, Any]:
    store = tracker.store
    criminal = store.criminal(criminal_id)
    templates = len(store.template_rows(tracker.encoder.id, [criminal_id]).criminal_ids)
    return criminal_fields(criminal, store.photo_ids(criminal_id), templates)


def _describe_all(tracker: Tracker) -> list[dict[str, Any]]:
    store = tracker.store
    templates = store.template_counts(tracker.encoder.id)
    return [
        criminal_fields(criminal, store.photo_ids(criminal.id), templates.get(criminal.id, 0))
        for criminal in store.criminals()
    ]
