"""Whether the server lives, and whether it does its work."""

from __future__ import annotations

from flask import Blueprint, jsonify
from flask.typing import ResponseReturnValue

from susracker.server.service import service

blueprint = Blueprint("health", __name__)


@blueprint.get("/healthz")
def healthz() -> ResponseReturnValue:
    """The process answers."""
    return jsonify(status="ok")


@blueprint.get("/readyz")
def readyz() -> ResponseReturnValue:
    """Detections are handled, enrolments followed and alerts broadcast."""
    problem = service().tracker.problem or service().live.problem
    return jsonify(
        status="problem" if problem else "ready",
        problem=problem,
        watchlist=len(service().tracker.watchlist),
        in_flight=service().work.in_flight,
    ), (503 if problem else 200)
