"""How long the server keeps what, for those who answer for it."""

from __future__ import annotations

from flask import Blueprint, jsonify
from flask.typing import ResponseReturnValue

from susracker.access.roles import Permission
from susracker.config import Settings
from susracker.server.access import access
from susracker.server.audited import unaudited
from susracker.server.contract.declaring import contract
from susracker.server.contract.sites import Retention
from susracker.server.service import service

blueprint = Blueprint("retention", __name__)

PREFIX = "keep_"


@blueprint.get("/api/retention")
@access(Permission.AUDIT)
@unaudited("shows no person")
@contract(Retention)
def retention() -> ResponseReturnValue:
    """The days for which each kind of record is kept; 0 is no limit."""
    settings = service().tracker.settings
    names = [name for name in Settings.model_fields if name.startswith(PREFIX)]
    return jsonify(
        days={name: getattr(settings, name) for name in names},
        records_detections=service().recorder is not None,
        encrypted=bool(settings.data_key),
    )
