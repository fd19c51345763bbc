"""The audit log, for those who may read it."""

from __future__ import annotations

from flask import Blueprint, jsonify, request
from flask.typing import ResponseReturnValue

from susracker.access.chain import to_fields
from susracker.access.roles import Permission
from susracker.server.access import access
from susracker.server.audited import audited, describe
from susracker.server.parameters import takes
from susracker.server.service import service
from susracker.server.wire import LogPage, parse

blueprint = Blueprint("audit", __name__)


@blueprint.get("/api/audit")
@access(Permission.AUDIT)
@audited("audit.list")
@takes(LogPage)
def entries() -> ResponseReturnValue:
    """Entries after a `seq`, oldest first, and the signed head of the log."""
    page = parse(LogPage, request.args)
    store = service().tracker.store
    found, head = service().reads.call(
        lambda: (store.audit(page.after, page.limit), store.audit_head())
    )
    describe(after=page.after, shown=len(found))
    return jsonify(
        entries=[to_fields(entry) for entry in found], head=to_fields(head) if head else None
    )
