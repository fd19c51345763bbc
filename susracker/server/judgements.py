"""What operators say about alerts: reviews, and the outcomes of encounters."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from flask import Blueprint, jsonify
from flask.typing import ResponseReturnValue
from pydantic import BaseModel, ConfigDict

from susracker.access.roles import Permission
from susracker.errors import JudgedError
from susracker.judgement.judging import Judged
from susracker.server.access import access
from susracker.server.audited import audited, describe, note_look
from susracker.server.body import from_json
from susracker.server.identity import identity
from susracker.server.service import service
from susracker.server.wire import alert_summary, judgement_lists, parse

blueprint = Blueprint("judgements", __name__)


class Said(BaseModel):
    """What reviews and outcomes have in common; other fields are refused."""

    model_config = ConfigDict(extra="forbid", strict=True)

    note: str = ""
    replaces: str | None = None


class Review(Said):
    """`POST /api/alerts/<id>/review`."""

    verdict: str
    reason: str


class EncounterOutcome(Said):
    """`POST /api/alerts/<id>/outcome`."""

    outcome: str


@blueprint.post("/api/alerts/<alert_id>/review")
@access(Permission.REVIEW)
@audited("alert.review", "alert_id")
def review(alert_id: str) -> ResponseReturnValue:
    """Confirm or dismiss an alert, or say that one cannot tell."""
    said = from_json(partial(parse, Review)).model_dump() | {"made_by": identity().actor}
    describe(reason=said["reason"], verdict=said["verdict"])
    return _answer(partial(service().judging.review, alert_id, **said))


@blueprint.post("/api/alerts/<alert_id>/outcome")
@access(Permission.REVIEW)
@audited("alert.outcome", "alert_id")
def outcome(alert_id: str) -> ResponseReturnValue:
    """Say what became of the encounter."""
    said = from_json(partial(parse, EncounterOutcome)).model_dump() | {"made_by": identity().actor}
    describe(outcome=said["outcome"])
    return _answer(partial(service().judging.record_outcome, alert_id, **said))


def _answer(judge: Callable[[], Judged]) -> ResponseReturnValue:
    try:
        judged = service().reads.call(judge)
    except JudgedError as error:
        return _judged_already(error)
    service().live.look_now()
    return jsonify(_fields(judged))


def _judged_already(error: JudgedError) -> ResponseReturnValue:
    """Answer with what is there, so that the operator sees by whom; that is a look."""
    judged = service().reads.call(service().judging.judged, error.alert_id)
    note_look("alert.show", error.alert_id)
    return jsonify(error=str(error), alert=_fields(judged)), 409


def _fields(judged: Judged) -> dict[str, Any]:
    return alert_summary(judged.alert) | judgement_lists(judged)
