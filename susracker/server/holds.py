"""Alerts that are kept beyond their time."""

from __future__ import annotations

from datetime import datetime, timezone
from functools import partial
from typing import Any

from flask import Blueprint, jsonify
from flask.typing import ResponseReturnValue
from pydantic import BaseModel

from susracker.access.roles import Permission
from susracker.oversight import Hold
from susracker.retention.holds import check_reason
from susracker.server.access import access
from susracker.server.audited import audited, describe
from susracker.server.body import from_json
from susracker.server.contract.alerts import HoldAnswer
from susracker.server.contract.declaring import contract
from susracker.server.identity import identity
from susracker.server.service import service
from susracker.server.wire import parse
from susracker.stores.base import Store

blueprint = Blueprint("holds", __name__)


class HoldFields(BaseModel):
    """Why an alert is held."""

    reason: str


@blueprint.put("/api/alerts/<alert_id>/hold")
@access(Permission.MANAGE)
@audited("alert.hold", "alert_id")
@contract(HoldAnswer, json=HoldFields)
def hold(alert_id: str) -> ResponseReturnValue:
    """Keep an alert beyond its time, or change the reason for it."""
    reason = check_reason(from_json(partial(parse, HoldFields)).reason)
    made = Hold(alert_id, reason, identity().actor, datetime.now(timezone.utc))
    service().reads.call(service().tracker.store.hold_alert, made)
    describe(reason=reason)
    return jsonify(held=hold_fields(made))


@blueprint.delete("/api/alerts/<alert_id>/hold")
@access(Permission.MANAGE)
@audited("alert.release", "alert_id")
@contract(status=204)
def release(alert_id: str) -> ResponseReturnValue:
    """End the hold of an alert."""
    service().reads.call(service().tracker.store.release_alert, alert_id)
    return "", 204


def holds_shown(store: Store) -> dict[str, dict[str, Any]]:
    """All holds by alert, as the API shows them."""
    return {one.alert_id: hold_fields(one) for one in store.holds()}


def hold_fields(made: Hold) -> dict[str, Any]:
    """A hold, as the API shows it."""
    return {"reason": made.reason, "by": made.made_by, "at": made.made_at.isoformat()}
