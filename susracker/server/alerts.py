"""What operators look up: alerts, and the cameras they came from."""

from __future__ import annotations

import json
from dataclasses import fields
from datetime import date
from typing import Any

from flask import Blueprint, Response, jsonify, request
from flask.typing import ResponseReturnValue
from pydantic import BaseModel, Field

from susracker.access.roles import Permission
from susracker.judgement.stats import alert_stats, stats_record
from susracker.models import AlertKind, AlertStatus, CameraDay
from susracker.server.access import access
from susracker.server.audited import audited, describe, unaudited
from susracker.server.contract.alerts import AlertPage, FullAlert, Stats
from susracker.server.contract.declaring import contract
from susracker.server.contract.people import Cameras
from susracker.server.contract.sites import CameraDays
from susracker.server.holds import holds_shown
from susracker.server.paging import ListPage, paged
from susracker.server.parameters import takes
from susracker.server.service import Service, service
from susracker.server.wire import (
    LogPage,
    Moment,
    Name,
    alert_summary,
    camera_day_fields,
    camera_fields,
    judgement_lists,
    new_alert_event,
    parse,
)
from susracker.stores.base import Store
from susracker.stores.journal import AlertFilter

blueprint = Blueprint("alerts", __name__)


class Page(LogPage):
    """Which alerts a client asks for.

    Attributes:
        before: only alerts with a smaller `seq`, the newest first.
        since: earliest time at which they occurred.
        until: latest time at which they occurred.
    """

    before: int | None = Field(None, ge=0, lt=2**63)
    status: AlertStatus | None = None
    kind: AlertKind | None = None
    camera_id: Name | None = None
    criminal_id: Name | None = None
    since: Moment | None = None
    until: Moment | None = None

    def wanted(self) -> AlertFilter:
        """What the alerts have to be like."""
        return AlertFilter(**{one.name: getattr(self, one.name) for one in fields(AlertFilter)})


@blueprint.get("/api/alerts")
@access(Permission.VIEW)
@audited("alert.list")
@takes(Page)
@contract(AlertPage)
def alerts() -> ResponseReturnValue:
    """Alerts after a `seq`, oldest first, or before one, newest first; without their pictures."""
    page = parse(Page, request.args)
    shown, body = service().pages.call(_page, service().tracker.store, page)
    asked = page.model_dump(mode="json", exclude_none=True, exclude={"limit"})
    describe(**asked, shown=shown)
    return Response(body, mimetype="application/json")


def _page(store: Store, page: Page) -> tuple[int, bytes]:
    """How many alerts a page shows, and the page as JSON: 1,000 alerts would hold up the loop."""
    found = store.alerts(
        page.after,
        page.limit,
        before=page.before,
        newest_first=page.before is not None,
        wanted=page.wanted(),
        with_faces=False,
    )
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
@takes(Days)
@contract(Stats)
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
@contract(FullAlert)
def alert(alert_id: str) -> ResponseReturnValue:
    """One alert, with its pictures and with everything that people said about it."""
    return jsonify(service().reads.call(_described, service(), alert_id))


class CameraPage(ListPage):
    """Which cameras are asked for.

    Attributes:
        since: only cameras that were heard from at this time or later.
    """

    since: Moment | None = None


@blueprint.get("/api/cameras")
@access(Permission.VIEW)
@unaudited("shows no person")
@takes(CameraPage)
@contract(Cameras, errors=(404,))
def cameras() -> ResponseReturnValue:
    """Every camera: when it was last heard from, and its numbers of detections and alerts."""
    page = parse(CameraPage, request.args)
    found = service().reads.call(service().tracker.cameras)
    wanted = [one for one in found if page.since is None or one.last_heard_at >= page.since]
    return jsonify(paged("cameras", wanted, page, lambda one: one.id, camera_fields))


class CameraDaysAsked(Days):
    """The days that a client asks for, in UTC, and the camera; by default all."""

    camera_id: Name | None = None

    def wants(self, day: CameraDay) -> bool:
        """Whether a day of a camera is one of those."""
        return self.camera_id in (None, day.camera_id) and (self.since or date.min) <= day.day <= (
            self.until or date.max
        )


@blueprint.get("/api/cameras/days")
@access(Permission.VIEW)
@unaudited("shows no person")
@takes(CameraDaysAsked)
@contract(CameraDays)
def camera_days() -> ResponseReturnValue:
    """What each camera sent on each day."""
    asked = parse(CameraDaysAsked, request.args)
    found = service().reads.call(service().tracker.camera_days)
    return jsonify(days=[camera_day_fields(one) for one in found if asked.wants(one)])


def _described(parts: Service, alert_id: str) -> dict[str, Any]:
    judged = parts.judging.judged(alert_id)
    (pictured,) = parts.thumbnails.beside([judged.alert])
    held = holds_shown(parts.tracker.store).get(alert_id)
    return new_alert_event(*pictured) | judgement_lists(judged) | {"held": held}
