"""Where cameras post what they saw."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any

from flask import Blueprint, jsonify, request
from flask.typing import ResponseReturnValue

from susracker.access.roles import Permission
from susracker.errors import InputError, PictureError, StoreUnavailableError
from susracker.models import Alert, Detection, Outcome
from susracker.runtime.clock import utc_now
from susracker.server.access import access
from susracker.server.audited import unaudited
from susracker.server.body import MULTIPART, form, from_json, off_the_loop
from susracker.server.contract.declaring import contract
from susracker.server.contract.others import Detected, Upload
from susracker.server.fair_pool import FairPool
from susracker.server.idempotency import idempotency_key
from susracker.server.identity import identity
from susracker.server.measures import BROADCASTING, HANDLING
from susracker.server.parameters import tolerant
from susracker.server.post_log import Post, post
from susracker.server.service import Service, service
from susracker.server.thumbnails import Pictured
from susracker.server.wire import (
    ActivityFields,
    CameraFields,
    DetectionFields,
    Fields,
    UploadFields,
    details_of,
    left_out,
    new_alert_event,
    parse,
)
from susracker.tracking.tracker import FACE

log = logging.getLogger(__name__)

blueprint = Blueprint("detections", __name__)

MESSAGES = {
    "alert": "Match found",
    "cooldown": "Match found but in cooldown",
    "no match": "No match found",
    "no face": "No face detected",
}


@blueprint.post("/face_upload")
@access(Permission.SEND)
@unaudited("a camera sends: nobody looks or changes anything")
@tolerant
@contract(
    Detected,
    form=Upload,
)
def face_upload() -> ResponseReturnValue:
    """A face crop, or a frame, as multipart `file`."""
    # Only a form of this kind can hold a file; no other is read.
    sent = form() if request.mimetype == MULTIPART else None
    if sent is None or not sent.files.get("file"):
        raise InputError("No file provided")
    posted = sent.first_fields()
    post().read(posted)
    fields = parse(UploadFields, posted)
    found = _detection(fields, FACE, utc_now(), sent.files["file"][0])
    return _answer(replace(found, track_id=fields.track_id))


@blueprint.post("/activity_alert")
@access(Permission.SEND)
@unaudited("a camera sends: nobody looks or changes anything")
@tolerant
@contract(Detected, json=ActivityFields, idempotent=True)
def activity_alert() -> ResponseReturnValue:
    """An activity, such as violence, as JSON."""
    fields = from_json(partial(_parsed, ActivityFields, post()))
    if fields.event_type == FACE:
        raise InputError("event_type: post faces to /face_upload or /api/detections")
    details = details_of(fields)
    detection = _detection(fields, fields.event_type, utc_now(), details=details)
    return _answer(detection, left_out(fields, details))


@blueprint.post("/api/detections")
@access(Permission.SEND)
@unaudited("a camera sends: nobody looks or changes anything")
@contract(Detected, json=DetectionFields, idempotent=True)
def detections() -> ResponseReturnValue:
    """A face or an activity, as JSON; the face's picture as base64."""
    fields = from_json(partial(_parsed, DetectionFields, post()))
    is_face = fields.event_type == FACE
    if is_face and fields.image is None:
        raise InputError("image is missing: a face needs one, as base64")
    # The picture of an activity shows people who are not wanted, so it is not kept.
    picture = fields.image if is_face else None
    details = None if is_face else details_of(fields)
    detection = _detection(
        fields, fields.event_type, fields.timestamp, picture, fields.event_id, details
    )
    detection = replace(detection, track_id=fields.track_id)
    return _answer(detection, left_out(fields, details) if details is not None else ())


def _parsed(model: type[Fields], posted: Post, body: Any) -> Fields:
    posted.read(body)
    if body is None:
        raise InputError("the body must be JSON, with Content-Type: application/json")
    return parse(model, body)


def _detection(
    fields: CameraFields,
    event_type: str,
    occurred_at: datetime,
    picture: bytes | None = None,
    event_id: str | None = None,
    details: Mapping[str, Any] | None = None,
) -> Detection:
    return Detection(
        camera_id=fields.camera_id,
        camera_location=fields.camera_location,
        event_type=event_type,
        occurred_at=occurred_at,
        picture=picture,
        event_id=event_id or idempotency_key(),
        details=details or None,
    )


def _answer(detection: Detection, left_out: Sequence[str] = ()) -> ResponseReturnValue:
    """Handle a detection, and answer once its alerts are stored and emitted.

    Args:
        left_out: the fields that were not kept, for whoever connects a camera.
    """
    identity().demand_camera(detection.camera_id)
    try:
        outcome, pictured = _pool(detection).call(
            detection.camera_id, _handle, service(), detection, time.perf_counter()
        )
    except PictureError as error:
        return jsonify(error="Invalid image", detail=str(error)), 400
    post().alerts = outcome.alerts
    with service().measures.stage(BROADCASTING):
        for alert in outcome.alerts:
            service().live.broadcast_up_to(alert.seq)
    more = {"left_out": left_out} if left_out else {}
    return jsonify(_body(detection, outcome, pictured) | more)


def _pool(detection: Detection) -> FairPool:
    """Threads for a detection; whatever is wrong by the picture's header waits for none."""
    tracker, work, slow = service().tracker, service().work, service().slow
    is_large = off_the_loop(detection.picture or b"", lambda: tracker.is_large(detection))
    return slow if is_large else work


def _handle(parts: Service, detection: Detection, since: float) -> tuple[Outcome, list[Pictured]]:
    """Handle a detection that has waited for a thread since a time of `perf_counter`."""
    parts.measures.waited(time.perf_counter() - since)
    received_at = utc_now()
    with parts.measures.stage(HANDLING):
        outcome = parts.tracker.handle(detection)
    parts.measures.detection(outcome, received_at)
    if parts.recorder:
        parts.recorder.record(detection, received_at)
    # Here, and not on the threads for look-ups: a camera must not wait behind those.
    return outcome, _pictured(parts, outcome.alerts) if outcome.alerts else []


def _body(detection: Detection, outcome: Outcome, pictured: Sequence[Pictured]) -> dict[str, Any]:
    if detection.event_type != FACE:
        sent = outcome.kind == "alert"
        return {"message": "Alert sent" if sent else "Alert in cooldown"}
    body: dict[str, Any] = {"message": MESSAGES[outcome.kind]}
    if outcome.passage is not None and (request.is_json or detection.track_id is not None):
        # Cameras of old, which send a form, are answered as ever.
        body["passage"] = outcome.passage
    if outcome.alerts:
        matches = [new_alert_event(alert, thumbnail) for alert, thumbnail in pictured]
        body |= {"match": matches[0], "matches": matches}
    return body


def _pictured(parts: Service, alerts: Sequence[Alert]) -> list[Pictured]:
    """Alerts with their thumbnails, or without them if they cannot be had at present: the alerts
    are stored, and must not be answered as if they were not."""
    try:
        return parts.thumbnails.beside(alerts)
    except StoreUnavailableError as error:
        log.warning("a camera is answered without the photos of who was matched: %s", error)
        return [(alert, None) for alert in alerts]
