"""The plan of the site, and where on it the cameras are."""

from __future__ import annotations

import hashlib
from functools import partial
from typing import Any

from flask import Blueprint, Response, jsonify, request
from flask.typing import ResponseReturnValue
from pydantic import BaseModel, ConfigDict, Field

from susracker.access.roles import Permission
from susracker.errors import InputError, NotFoundError, PictureError
from susracker.faces.images import decode, media_type
from susracker.models import Place, Plan
from susracker.server.access import access
from susracker.server.audited import audited, describe, unaudited
from susracker.server.body import form, from_json
from susracker.server.contract.declaring import contract
from susracker.server.contract.sites import SentFile, SiteShown
from susracker.server.criminals import ENROLMENT
from susracker.server.parameters import takes
from susracker.server.service import service
from susracker.server.wire import Name, parse

blueprint = Blueprint("site", __name__)

MAX_PLAN = 8_000_000
"""Bytes of a plan at most: MongoDB stores 16 MB as one document."""


class PlaceFields(BaseModel):
    """`PUT /api/site/places`: from the left and from the top, as shares of the plan."""

    model_config = ConfigDict(extra="forbid")

    camera_id: Name
    x: float = Field(ge=0, le=1, allow_inf_nan=False)
    y: float = Field(ge=0, le=1, allow_inf_nan=False)


class WhichCamera(BaseModel):
    """`DELETE /api/site/places`."""

    camera_id: Name


@blueprint.get("/api/site")
@access(Permission.VIEW)
@unaudited("shows no person")
@contract(SiteShown)
def show_site() -> ResponseReturnValue:
    """Whether there is a plan, and where cameras are on it."""
    store = service().tracker.store
    plan, places = service().reads.call(lambda: (store.plan(), store.places()))
    return jsonify(
        plan={"digest": plan.digest, "media_type": plan.media_type} if plan else None,
        places=[{"camera_id": one.camera_id, "x": one.x, "y": one.y} for one in places],
    )


@blueprint.get("/api/site/plan")
@access(Permission.VIEW)
@unaudited("shows no person")
@contract(media=("image/*",), errors=(404,))
def show_plan() -> ResponseReturnValue:
    """The picture of the plan."""
    plan = service().reads.call(service().tracker.store.plan)
    if plan is None:
        raise NotFoundError("there is no plan of the site yet")
    return Response(plan.content, content_type=plan.media_type)


@blueprint.put("/api/site/plan")
@access(Permission.MANAGE)
@audited("site.plan")
@contract(status=204, form=SentFile)
def put_plan() -> ResponseReturnValue:
    """Store a plan, the only file of a form, in place of the one before."""
    plan = service().slow.call(ENROLMENT, _plan, _file(), service().tracker.max_pixels)
    service().reads.call(service().tracker.store.put_plan, plan)
    describe(digest=plan.digest)
    return "", 204


@blueprint.delete("/api/site/plan")
@access(Permission.MANAGE)
@audited("site.plan")
@contract(status=204)
def remove_plan() -> ResponseReturnValue:
    """Forget the plan; cameras keep their places."""
    service().reads.call(service().tracker.store.remove_plan)
    return "", 204


@blueprint.put("/api/site/places")
@access(Permission.MANAGE)
@audited("site.place")
@contract(status=204, json=PlaceFields)
def put_place() -> ResponseReturnValue:
    """Say where a camera is."""
    wanted = from_json(partial(parse, PlaceFields))
    place = Place(wanted.camera_id, wanted.x, wanted.y)
    service().reads.call(service().tracker.store.put_place, place)
    describe(camera=place.camera_id)
    return "", 204


@blueprint.delete("/api/site/places")
@access(Permission.MANAGE)
@audited("site.place")
@takes(WhichCamera)
@contract(status=204)
def remove_place() -> ResponseReturnValue:
    """Take a camera off the plan."""
    camera_id = parse(WhichCamera, request.args).camera_id
    service().reads.call(service().tracker.store.remove_place, camera_id)
    describe(camera=camera_id)
    return "", 204


def _file() -> bytes:
    sent = form()
    files: list[Any] = [one for several in sent.files.values() for one in several] if sent else []
    if len(files) != 1:
        raise InputError("a plan is needed: send one picture as the file of a form")
    content: bytes = files[0]
    if len(content) > MAX_PLAN:
        raise InputError(f"the plan has {len(content):,} bytes; at most {MAX_PLAN:,} are stored")
    return content


def _plan(content: bytes, max_pixels: int) -> Plan:
    """A plan that browsers can show."""
    try:
        decode(content, max_pixels)
        return Plan(hashlib.sha256(content).hexdigest(), media_type(content), content)
    except PictureError as error:
        raise InputError(str(error)) from error
