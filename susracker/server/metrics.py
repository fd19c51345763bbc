"""Measures for Prometheus, and for whatever else reads its format."""

from __future__ import annotations

from flask import Blueprint, Response
from flask.typing import ResponseReturnValue
from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4

from susracker.access.roles import Permission
from susracker.server.access import access
from susracker.server.audited import unaudited
from susracker.server.contract.declaring import contract
from susracker.server.service import service

blueprint = Blueprint("metrics", __name__)


@blueprint.get("/metrics")
@access(Permission.MEASURE)
@unaudited("shows no person")
@contract(media=("text/plain",))
def metrics() -> ResponseReturnValue:
    """Counts, times and the present state, in Prometheus' text format."""
    return Response(service().measures.text(service()), content_type=CONTENT_TYPE_PLAIN_0_0_4)
