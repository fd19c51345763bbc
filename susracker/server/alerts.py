"""What operators look up: alerts, and the cameras they came from."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

from flask import Blueprint, Response, jsonify, request
from flask.typing import ResponseReturnValue
from pydantic import BaseModel

from susracker.access.roles import Permission
from susracker.judgement.stats import alert_stats, stats_record
from susracker.models import AlertStatus
from susracker.server.access import access
from susracker.server.audited import audited, describe, unaudited
from susracker.server.holds import holds_shown
from susracker.server.service import Service, service
from susracker.server.wire import (
    LogPage,
    alert_summary,
    camera_fields,
    judgement_lists,
    new_alert_event,
    parse,
)
from susracker.stores.base import Store

blueprint = Blueprint("alerts", __name__)


class Page(LogPage):
    """Which alerts a client asks for."""

    status: AlertStatus | None = None


@blueprint.get("/api/alerts")
@access(Permission.VIEW)
@audited("alert.list")
def alerts() -> ResponseReturnValue:
    """Alerts after a `seq`, oldest first, without their pictures."""
    page = parse(Page, request.args)
    shown, body = service().pages.call(_page, service().tracker.store, page)
    describe(after=page.after, shown=shown)
    return Response(body, mimetype="application/json")


def _page(store: Store, page: Page) -> tuple[int, bytes]:
    """How many alerts a page shows, and the page as JSON: 1,000 alerts would hold up the loop."""
    found = store.alerts(page.after, page.limit, with_faces=False, status=page.status)
    held = holds_shown(store)
    shown = [alert_summary(alert) | {"held": held.get(alert.id)} for alert in found]
    body = json.dumps({"alerts": shown, "last_seq": store.last_seq()}, sort_keys=True)
    return len(found), body.encode()


class Days(BaseModel):
    """The days that a client asks for, in UTC; by default all."""

    since: date | None = None
    until: date | None = None


@blueprint.get("/api/alerts/stats")
@access(Permission.VIEW)
@audited("alert.stats")
def stats() -> ResponseReturnValue:
    """What became of alerts, beside the false alert rate that was promised."""
    days, tracker = parse(Days, request.args), service().tracker
    found = service().reads.call(
        alert_stats, tracker.store, tracker.settings.target_fpir, days.since, days.until
    )
    return jsonify(stats_record(found))


@blueprint.get("/api/alerts/<alert_id>")
@access(Permission.VIEW)
@audited("alert.show", "alert_id")
def alert(alert_id: str) -> ResponseReturnValue:
    """One alert, with its pictures and with everything that people said about it."""
    return jsonify(service().reads.call(_described, service(), alert_id))


@blueprint.get("/api/cameras")
@access(Permission.VIEW)
@unaudited("shows no person")
def cameras() -> ResponseReturnValue:
    """Every camera: when it was last heard from, and its numbers of detections and alerts."""
    found = service().reads.call(service().tracker.cameras)
    return jsonify(cameras=[camera_fields(camera) for camera in found])


def _described(parts: Service, alert_id: str) -> dict[str, Any]:
    judged = parts.judging.judged(alert_id)
    (pictured,) = parts.thumbnails.beside([judged.alert])
    held = holds_shown(parts.tracker.store).get(alert_id)
    return new_alert_event(*pictured) | judgement_lists(judged) | {"held": held}
