"""A person erased everywhere, as `susracker criminals erase` does it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from flask import Blueprint, jsonify
from flask.typing import ResponseReturnValue
from pydantic import BaseModel, ConfigDict

from susracker.access.roles import Permission
from susracker.config import Settings
from susracker.errors import StoreUnavailableError
from susracker.recording.reach import out_of_reach, recorded
from susracker.retention.erasure import Erased, Traces, erase, traces_of
from susracker.retention.holds import check_reason, refuse_if_held
from susracker.runtime.text import counted
from susracker.server.access import access
from susracker.server.audited import audited, describe, once_changed
from susracker.server.body import from_json
from susracker.server.contract.declaring import contract
from susracker.server.contract.people import Erasure
from susracker.server.criminals import follow_store
from susracker.server.service import Service, service
from susracker.server.wire import parse

blueprint = Blueprint("erasure", __name__)


class ErasureFields(BaseModel):
    """Why a person is erased; the reason goes into the audit log, so it must not name them."""

    model_config = ConfigDict(extra="forbid")

    reason: str
    despite_holds: bool = False
    """End the holds of alerts that name them."""


@blueprint.post("/api/criminals/<criminal_id>/erasure")
@access(Permission.MANAGE)
@audited("criminal.erase", "criminal_id")
@contract(Erasure, json=ErasureFields, errors=(409,))
def erase_person(criminal_id: str) -> ResponseReturnValue:
    """Erase a person everywhere, and say what is out of reach. This cannot be undone.

    As a removal, and beyond that notes and reasons that people wrote about them are emptied. 409
    while an alert that names the person is held.
    """
    sent = from_json(partial(parse, ErasureFields))
    describe(reason=check_reason(sent.reason))
    erase_now = partial(_erase, service(), criminal_id, once_changed())
    return jsonify(service().reads.call(erase_now, sent.despite_holds))


def _erase(
    parts: Service, criminal_id: str, changed: Callable[[str], None], despite_holds: bool
) -> dict[str, Any]:
    store, settings = parts.tracker.store, parts.tracker.settings
    criminal = store.criminal(criminal_id)
    if not despite_holds:
        refuse_if_held(store, criminal_id, "release them first, or send despite_holds")
    # Before the erasure: a recording that cannot be read is then an error that changed nothing.
    kept = list(_recorded(settings, traces_of(store, criminal_id)))
    erased = erase(store, criminal, despite_holds=despite_holds)
    changed(criminal_id)
    follow_store(parts.tracker)
    left = [*_left_in_log(parts, criminal_id), *out_of_reach(settings), *kept]
    return _counts(erased) | {"not_reached": left}


def _left_in_log(parts: Service, criminal_id: str) -> Iterator[str]:
    try:
        parts.tracker.store.scrub()
    except StoreUnavailableError as error:
        yield f"{error}: type susracker criminals erase {criminal_id}"


def _recorded(settings: Settings, traces: Traces) -> Iterator[str]:
    if settings.record:
        told, pictures = recorded(settings, traces)
        yield f"{told}: {counted(len(pictures), 'picture')}" if pictures else told


def _counts(erased: Erased) -> dict[str, int]:
    traces = erased.traces
    return {
        "photos": traces.photos,
        "templates": traces.templates,
        "sightings": traces.sightings,
        "alerts": len(traces.alerts),
        "judgements": erased.judgements,
        "holds": erased.holds,
    }
