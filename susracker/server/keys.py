"""Who may use the server: keys, listed, made, rotated and revoked by admins."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Any

from flask import Blueprint, jsonify, request, url_for
from flask.typing import ResponseReturnValue
from pydantic import BaseModel, ConfigDict

from susracker.access.issuing import issue, rotate
from susracker.access.keys import key_fields
from susracker.access.roles import Permission
from susracker.errors import ConflictError
from susracker.oversight import Key, KeyState, Role
from susracker.runtime.clock import utc_now
from susracker.server.access import access
from susracker.server.audited import audited, describe, once_changed, unaudited
from susracker.server.body import from_json
from susracker.server.contract.declaring import contract
from susracker.server.contract.sites import Keys, NewKeyShown
from susracker.server.paging import ListPage, paged
from susracker.server.parameters import takes
from susracker.server.service import service
from susracker.server.wire import iso, parse
from susracker.stores.access import Access

blueprint = Blueprint("keys", __name__)

ADMIN_FIRST = "make an admin's key first: from then on the server asks everyone for a key"


class NewKey(BaseModel):
    """`POST /api/keys`."""

    model_config = ConfigDict(extra="forbid", strict=True)

    role: Role
    name: str
    cameras: str | None = None
    expires: str | None = None


class KeyPage(ListPage):
    """Which keys are asked for."""

    role: Role | None = None
    state: KeyState | None = None

    def wants(self, key: Key) -> bool:
        """Whether a key is one of those."""
        return self.role in (None, key.role) and self.state in (None, key.state(utc_now()))


@blueprint.get("/api/keys")
@access(Permission.KEYS)
@unaudited("shows neither a person nor a secret")
@takes(KeyPage)
@contract(Keys, errors=(404,))
def list_keys() -> ResponseReturnValue:
    """All keys, revoked ones too, by the time at which they were made."""
    page = parse(KeyPage, request.args)
    found = service().reads.call(service().tracker.store.keys)
    wanted = [key for key in found if page.wants(key)]
    return jsonify(paged("keys", wanted, page, lambda key: key.id, _fields))


@blueprint.post("/api/keys")
@access(Permission.KEYS)
@audited("key.create")
@contract(NewKeyShown, status=201, json=NewKey, errors=(409,))
def make_key() -> ResponseReturnValue:
    """Make a key; the answer shows it, only once."""
    wanted = from_json(partial(parse, NewKey))
    store, changed = service().tracker.store, once_changed()
    key, text = service().reads.call(_make, store, wanted, changed)
    describe(name=key.name, role=key.role)
    where = {"Location": url_for(".list_keys")}
    return jsonify(_fields(key) | {"key": str(text)}), 201, where


@blueprint.post("/api/keys/<key_id>/rotate")
@access(Permission.KEYS)
@audited("key.rotate", "key_id")
@contract(NewKeyShown, errors=(409,))
def rotate_key(key_id: str) -> ResponseReturnValue:
    """Give a key another secret; the answer shows it, only once."""
    key, text = service().reads.call(_rotate, service().tracker.store, key_id, once_changed())
    return jsonify(_fields(key) | {"key": str(text)})


@blueprint.delete("/api/keys/<key_id>")
@access(Permission.KEYS)
@audited("key.revoke", "key_id")
@contract(status=204, errors=(409,))
def revoke_key(key_id: str) -> ResponseReturnValue:
    """Refuse a key from now on; not the last one of an admin."""
    service().reads.call(_revoke, service().tracker.store, key_id, once_changed())
    return "", 204


def _make(store: Access, wanted: NewKey, changed: Callable[[str], None]) -> Any:
    if wanted.role != "admin" and not store.keys():
        raise ConflictError(ADMIN_FIRST)
    key, text = issue(store, wanted.role, wanted.name, wanted.cameras, wanted.expires, utc_now())
    changed(key.id)
    return key, text


def _rotate(store: Access, key_id: str, changed: Callable[[str], None]) -> Any:
    key = store.key(key_id)
    text = rotate(store, key)
    changed(key_id)
    return key, text


def _revoke(store: Access, key_id: str, changed: Callable[[str], None]) -> None:
    store.revoke_key(key_id, utc_now(), unless_last_admin=True)
    changed(key_id)


def _fields(key: Key) -> dict[str, Any]:
    fields = key_fields(key, utc_now())
    return {name: iso(it) if isinstance(it, datetime) else it for name, it in fields.items()}
