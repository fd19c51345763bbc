"""Who may use which route: declared beside each one, and denied where nothing is declared."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, Literal, TypeVar

from flask import Flask, request

from susracker.access.roles import Permission
from susracker.errors import NotAllowedError
from susracker.server.admission import Admission
from susracker.server.credentials import credentials
from susracker.server.identity import Identity, identify

log = logging.getLogger(__name__)

Handler = TypeVar("Handler", bound=Callable[..., Any])
Declared = Permission | Literal["public", "signed"]

_DECLARED, _HOLDER = "declared_access", "declared_holder"


def access(permission: Permission) -> Callable[[Handler], Handler]:
    """Let in those who have a permission, to a route or a Socket.IO event."""

    def declare(handler: Handler) -> Handler:
        setattr(handler, _DECLARED, permission)
        return handler

    return declare


def public(handler: Handler) -> Handler:
    """Let everyone in, without a key."""
    setattr(handler, _DECLARED, "public")
    return handler


def signed(holder: Callable[[], Identity]) -> Callable[[Handler], Handler]:
    """Let in those whose link is signed, without a key.

    Args:
        holder: says who was given the link of the current request, or refuses it.
    """

    def declare(handler: Handler) -> Handler:
        setattr(handler, _DECLARED, "signed")
        setattr(handler, _HOLDER, holder)
        return handler

    return declare


def declared(handler: Callable[..., Any]) -> Declared | None:
    """What a route or an event asks for; None where nothing was declared."""
    found: Declared | None = getattr(handler, _DECLARED, None)
    return found


def guard(app: Flask, admission: Admission) -> None:
    """Ask each request for what its route declares, before anything else is done with it."""

    @app.before_request
    def check() -> None:
        view = app.view_functions.get(request.endpoint or "")
        asked = declared(view) if view else None
        if asked == "public":
            return
        if asked == "signed":
            identify(getattr(view, _HOLDER)())
            return
        who = admission.admit(credentials())
        identify(who)
        if view is None:
            _check_unknown(who)
        elif asked is None:
            log.error("nobody may use %s: it declares no access", request.url_rule)
            raise NotAllowedError("nobody may use this route")
        else:
            who.demand(asked)


def _check_unknown(who: Identity) -> None:
    """Tell people, but not cameras, that there is no such route or method."""
    if who.role == "camera":
        raise NotAllowedError("a camera's key may only post detections")
