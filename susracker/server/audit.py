"""The audit log, for those who may read it."""

from __future__ import annotations

from flask import Blueprint, jsonify, request
from flask.typing import ResponseReturnValue

from susracker.access.chain import to_fields
from susracker.access.export import all_entries
from susracker.access.roles import Permission
from susracker.access.verification import Verified, verify
from susracker.server.access import access
from susracker.server.audited import audited, describe, unaudited
from susracker.server.contract.declaring import contract
from susracker.server.contract.others import AuditPage, AuditVerification
from susracker.server.parameters import takes
from susracker.server.service import Service, service
from susracker.server.wire import LogPage, parse

blueprint = Blueprint("audit", __name__)


@blueprint.get("/api/audit")
@access(Permission.AUDIT)
@audited("audit.list")
@takes(LogPage)
@contract(AuditPage)
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


@blueprint.get("/api/audit/verification")
@access(Permission.AUDIT)
@unaudited("shows no entry")
@contract(AuditVerification)
def verification() -> ResponseReturnValue:
    """Whether the log is whole."""
    found = service().pages.call(_verified, service())
    return jsonify(
        is_whole=not found.problems,
        problems=found.problems,
        entries=found.entries,
        last_seq=found.last_seq,
        unsigned=found.unsigned,
        key_id=service().audit.public_key.id,
    )


def _verified(parts: Service) -> Verified:
    store = parts.tracker.store
    head = store.audit_head()
    return verify(all_entries(store), head, parts.audit.public_key)
