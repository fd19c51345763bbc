"""Sessions: a browser trades a key for a cookie that its pages cannot read."""

from __future__ import annotations

import secrets
import time
from dataclasses import asdict
from datetime import timedelta
from typing import Any

from flask import Blueprint, Flask, jsonify, request, session
from flask.sessions import SecureCookieSessionInterface
from flask.typing import ResponseReturnValue

from susracker.access.audit import AuditLog
from susracker.access.roles import Permission
from susracker.errors import KeyRequiredError
from susracker.oversight import Key
from susracker.server.access import access, public
from susracker.server.admission import seal
from susracker.server.audited import audited, unaudited
from susracker.server.body import from_json
from susracker.server.contract.declaring import contract
from susracker.server.contract.others import SessionKey, SessionShown
from susracker.server.credentials import credentials
from susracker.server.identity import Identity, Session, identify, identity
from susracker.server.service import service
from susracker.stores.access import Access

blueprint = Blueprint("sessions", __name__)

COOKIE = "susracker_session"
LENGTH = timedelta(hours=12)
SECRET = "sessions"  # nosec B105


class _Cookies(SecureCookieSessionInterface):
    """Flask's signed cookies, which are sent over https only if they were set over https."""

    def get_cookie_secure(self, app: Flask) -> bool:
        return request.is_secure


def configure_sessions(app: Flask, store: Access, audit_log: AuditLog) -> None:
    """Let an application sign its cookies, with what all servers of a store share: a secret in the
    store, and the key of the audit log, so that who only reads the store cannot make a session.

    Raises:
        StoreUnavailableError: the secret cannot be read.
    """
    app.session_interface = _Cookies()
    app.config.update(
        SECRET_KEY=audit_log.derive(store.secret(SECRET)),
        SESSION_COOKIE_NAME=COOKIE,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Strict",
        SESSION_REFRESH_EACH_REQUEST=False,
        PERMANENT_SESSION_LIFETIME=LENGTH,
    )


@blueprint.post("/api/session")
@public
@audited("session.open")
@contract(SessionShown, status=201, json=SessionKey, errors=(401, 403))
def open_session() -> ResponseReturnValue:
    """Trade a key, in the body or in a header, for a cookie."""
    shown = credentials(from_json(lambda body: body))
    if shown.key is None:
        raise KeyRequiredError('a key is needed: send {"key": "…"} as JSON')
    who = service().admission.admit(shown)
    who.demand(Permission.SIGN_IN)
    if who.key is None:
        raise KeyRequiredError("no key exists yet, so none is asked for")
    identify(who)
    session.permanent = True
    session["session"] = asdict(_session(who.key))
    return jsonify(_fields(who)), 201


@blueprint.get("/api/session")
@access(Permission.SIGN_IN)
@unaudited("shows who one is oneself")
@contract(SessionShown)
def show_session() -> ResponseReturnValue:
    """Who the client is, by cookie or by key."""
    return jsonify(_fields(identity()))


@blueprint.delete("/api/session")
@access(Permission.SIGN_IN)
@audited("session.close")
@contract(status=204)
def end_session() -> ResponseReturnValue:
    """End the session of the cookie, and the Socket.IO connections that were opened with it."""
    ended = identity().session
    if ended:
        service().admission.end_session(ended)
        service().connections.drop_invalid()
    session.clear()
    return "", 204


def _session(key: Key) -> Session:
    until = time.time() + LENGTH.total_seconds()
    return Session(secrets.token_hex(8), key.id, seal(key), until)


def _fields(who: Identity) -> dict[str, Any]:
    key = who.key
    return {
        "id": key.id if key else None,
        "name": key.name if key else None,
        "role": who.role,
        "by_cookie": who.by_cookie,
    }
