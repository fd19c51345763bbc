"""What operators say about alerts: reviews, and the outcomes of encounters."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from flask import Blueprint, Response, json, jsonify
from flask.typing import ResponseReturnValue
from pydantic import BaseModel, ConfigDict

from susracker.access.roles import Permission
from susracker.errors import JudgedError
from susracker.judgement.judging import Judged
from susracker.server.access import access
from susracker.server.audited import audited, describe, note_look
from susracker.server.body import from_json
from susracker.server.contract.alerts import JudgedAlert
from susracker.server.contract.declaring import contract
from susracker.server.contract.others import JudgedProblem
from susracker.server.idempotency import Once, once
from susracker.server.identity import identity
from susracker.server.problems import PROBLEM, problem
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
@contract(JudgedAlert, json=Review, idempotent=True, problems={409: JudgedProblem})
def review(alert_id: str) -> ResponseReturnValue:
    """Confirm or dismiss an alert, or say that one cannot tell."""
    said = from_json(partial(parse, Review)).model_dump() | {"made_by": identity().actor}
    repeatable = once(said)
    describe(reason=said["reason"], verdict=said["verdict"])
    judge = partial(service().judging.review, alert_id, id=_id(repeatable), **said)
    count = partial(service().measures.review, said["verdict"])
    return _answer(judge, count, alert_id, repeatable)


@blueprint.post("/api/alerts/<alert_id>/outcome")
@access(Permission.REVIEW)
@audited("alert.outcome", "alert_id")
@contract(JudgedAlert, json=EncounterOutcome, idempotent=True, problems={409: JudgedProblem})
def outcome(alert_id: str) -> ResponseReturnValue:
    """Say what became of the encounter."""
    said = from_json(partial(parse, EncounterOutcome)).model_dump() | {"made_by": identity().actor}
    repeatable = once(said)
    describe(outcome=said["outcome"])
    judge = partial(service().judging.record_outcome, alert_id, id=_id(repeatable), **said)
    count = partial(service().measures.encounter, said["outcome"])
    return _answer(judge, count, alert_id, repeatable)


def _id(repeatable: Once | None) -> str | None:
    return repeatable.id if repeatable else None


def _answer(
    judge: Callable[[], Judged],
    count: Callable[[], None],
    alert_id: str,
    repeatable: Once | None,
) -> ResponseReturnValue:
    if repeatable and (known := _repeated(alert_id, repeatable)):
        return jsonify(_fields(known))
    try:
        judged = service().reads.call(judge)
    except JudgedError as error:
        # It may have come twice at once.
        if repeatable and (known := _repeated(alert_id, repeatable)):
            return jsonify(_fields(known))
        return _judged_already(error)
    count()
    service().live.look_now()
    return jsonify(_fields(judged))


def _repeated(alert_id: str, repeatable: Once) -> Judged | None:
    """The alert, if what the request says was said before with the same key."""
    judged = service().reads.call(service().judging.judged, alert_id)
    made = (one.id for one in (*judged.reviews, *judged.outcomes))
    return judged if repeatable.is_among(made) else None


def _judged_already(error: JudgedError) -> ResponseReturnValue:
    """Answer with what is there, so that the operator sees by whom; that is a look."""
    judged = service().reads.call(service().judging.judged, error.alert_id)
    note_look("alert.show", error.alert_id)
    shown = problem(409, str(error)) | {"alert": _fields(judged)}
    return Response(json.dumps(shown), 409, content_type=PROBLEM)


def _fields(judged: Judged) -> dict[str, Any]:
    return alert_summary(judged.alert) | judgement_lists(judged)
