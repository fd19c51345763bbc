"""Whether the server is alive, and whether it does its work."""

from __future__ import annotations

import math
from collections.abc import Iterator

from flask import Blueprint, jsonify
from flask.typing import ResponseReturnValue

from susracker.access.roles import Permission
from susracker.server.access import access, public
from susracker.server.audited import unaudited
from susracker.server.contract.declaring import contract
from susracker.server.contract.others import Alive, Ready
from susracker.server.service import Service, service
from susracker.tracking.tracker import Tracker
from susracker.watchlist.operating import OperatingPoint, extrapolation

blueprint = Blueprint("health", __name__)


@blueprint.get("/healthz")
@public
@unaudited("shows no person")
@contract(Alive)
def healthz() -> ResponseReturnValue:
    """The process answers."""
    return jsonify(status="ok")


@blueprint.get("/readyz")
@access(Permission.MEASURE)
@unaudited("shows no person")
@contract(Ready, problems={503: Ready})
def readyz() -> ResponseReturnValue:
    """Whether detections are handled, enrolments followed and alerts broadcast."""
    watchlist = service().tracker.watchlist
    threshold = watchlist.threshold
    parts = service()
    problem = parts.tracker.problem or parts.live.problem or parts.admission.problem
    return jsonify(
        status="problem" if problem else "ready",
        problem=problem,
        # Alerts go out without these parts, too: no reason to send cameras elsewhere.
        warning="; ".join(_warnings(service())) or None,
        watchlist=len(watchlist),
        target_fpir=service().tracker.settings.target_fpir,
        # JSON knows no infinity, which is the threshold while nobody is enrolled.
        threshold=threshold if math.isfinite(threshold) else None,
        operating_points=[point.fields() for point in _points(parts.tracker)],
        extrapolation=extrapolation(len(watchlist)),
        in_flight=parts.work.in_flight + parts.slow.in_flight,
    ), (503 if problem else 200)


def _points(tracker: Tracker) -> tuple[OperatingPoint, ...]:
    return tracker.watchlist.operating_points(has_passages=tracker.has_passages)


def _warnings(parts: Service) -> Iterator[str]:
    if parts.tracker.warning:
        yield parts.tracker.warning
    for name, part in parts.optional.items():
        if problem := part.problem:
            yield f"{name}: {problem}"
