"""The photos of a person: listed with their quality, shown, removed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from flask import Blueprint, Response, jsonify, request
from flask.typing import ResponseReturnValue
from pydantic import BaseModel, Field

from susracker.access.roles import Permission
from susracker.faces.photos import photo_thumbnail
from susracker.models import Photo
from susracker.server.access import access
from susracker.server.audited import audited, describe, once_changed
from susracker.server.conditional import precondition, revision_seen
from susracker.server.contract.declaring import contract
from susracker.server.contract.people import Photos
from susracker.server.criminals import follow_store
from susracker.server.paging import ListPage, paged
from susracker.server.parameters import takes
from susracker.server.service import service
from susracker.server.wire import parse
from susracker.stores.base import Store
from susracker.stores.refusals import no_photo_of
from susracker.tracking.tracker import Tracker

blueprint = Blueprint("photos", __name__)

MAX_SIDE = 2000
"""Pixels of a thumbnail's longer side at most."""

MAX_THUMBNAIL_BYTES = 2_000_000


class Look(BaseModel):
    """How a photo is to be shown.

    Attributes:
        size: pixels of a thumbnail's longer side at most; None for the photo as it was handed in.
    """

    size: int | None = Field(None, ge=16, le=MAX_SIDE)


class Basis(BaseModel):
    """The revision of the person that a removal is based on, if it names one."""

    revision: int | None = Field(None, ge=0, lt=2**63)


@blueprint.get("/api/criminals/<criminal_id>/photos")
@access(Permission.VIEW)
@audited("criminal.show", "criminal_id")
@takes(ListPage)
@contract(Photos)
def list_photos(criminal_id: str) -> ResponseReturnValue:
    """A person's photos in the order of enrolment, with their quality."""
    page = parse(ListPage, request.args)
    photos = service().reads.call(_described, service().tracker, criminal_id)
    shown = paged("photos", photos, page, lambda one: one["id"], dict)
    return jsonify({"criminal_id": criminal_id} | shown)


@blueprint.get("/api/criminals/<criminal_id>/photos/<photo>")
@access(Permission.VIEW)
@audited("criminal.photo", "criminal_id")
@takes(Look)
@contract(media=("image/*",))
def show_photo(criminal_id: str, photo: str) -> ResponseReturnValue:
    """A photo exactly as it was handed in, or, with a size, a thumbnail."""
    size = parse(Look, request.args).size
    describe(photo=photo)
    found = service().reads.call(_photo_of, service().tracker.store, criminal_id, photo)
    tag = found.digest if size is None else f"{found.digest}-{size}"
    if request.if_none_match.contains(tag):
        return _tagged(Response(status=304), tag)
    if size is None:
        return _tagged(Response(found.content, mimetype=found.media_type), tag)
    small = service().pages.call(photo_thumbnail, found.content, MAX_THUMBNAIL_BYTES, size)
    return _tagged(Response(small, mimetype="image/jpeg"), tag)


@blueprint.delete("/api/criminals/<criminal_id>/photos/<photo>")
@access(Permission.MANAGE)
@audited("criminal.remove_photo", "criminal_id")
@takes(Basis)
@contract(status=204, if_match=True)
def remove_photo(criminal_id: str, photo: str) -> ResponseReturnValue:
    """Forget one photo with its templates; not while a held alert shows it."""
    revision = revision_seen(parse(Basis, request.args).revision)
    describe(photo=photo)
    tracker = service().tracker
    with precondition():
        service().reads.call(_remove, tracker, criminal_id, photo, revision, once_changed())
    return "", 204


def _tagged(answer: Response, tag: str) -> Response:
    answer.set_etag(tag)
    return answer


def _photo_of(store: Store, criminal_id: str, photo_id: str) -> Photo:
    if photo_id not in store.photo_ids(criminal_id):
        raise no_photo_of(criminal_id, photo_id)
    return store.photo(photo_id)


def _described(tracker: Tracker, criminal_id: str) -> list[dict[str, Any]]:
    tracker.store.criminal(criminal_id)  # who is unknown has no photos either, but is an error
    quality = {
        one.photo_id: asdict(one.quality)
        for one in tracker.store.templates(criminal_id)
        if one.encoder_id == tracker.encoder.id
    }
    ids = tracker.store.photo_ids(criminal_id)
    return [{"id": photo_id, "quality": quality.get(photo_id)} for photo_id in ids]


def _remove(
    tracker: Tracker,
    criminal_id: str,
    photo_id: str,
    revision: int | None,
    changed: Callable[[str], None],
) -> None:
    tracker.store.remove_photo(criminal_id, photo_id, revision=revision)
    changed(criminal_id)
    follow_store(tracker)
