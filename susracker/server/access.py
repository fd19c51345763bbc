"""Who may use which route: declared beside each one, and denied where nothing is declared."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, TypeVar

from susracker.access.roles import Permission

Handler = TypeVar("Handler", bound=Callable[..., Any])
Declared = Permission | Literal["public"]

_DECLARED = "declared_access"


def access(permission: Permission) -> Callable[[Handler], Handler]:
    """Let those in who have a permission, to a route or a Socket.IO event."""

    def declare(handler: Handler) -> Handler:
        setattr(handler, _DECLARED, permission)
        return handler

    return declare


def public(handler: Handler) -> Handler:
    """Let everyone in, without a key."""
    setattr(handler, _DECLARED, "public")
    return handler


def declared(handler: Callable[..., Any]) -> Declared | None:
    """What a route or an event asks for; None where nothing was declared."""
    found: Declared | None = getattr(handler, _DECLARED, None)
    return found
