"""What commands note in the audit log: declared beside each one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import click

from susracker.access.audit import Act, AuditLog
from susracker.config import Settings
from susracker.runtime.account import actor
from susracker.stores.access import Access

Function = TypeVar("Function", bound=Callable[..., Any])

reason_option = click.option("--reason", default="", help="Why; noted in the audit log.")

_DECLARED = "declared_audit"


def audited(*actions: str) -> Callable[[Function], Function]:
    """Say what a command notes, as `AuditEntry.action`: the command itself calls `note`."""

    def declare(function: Function) -> Function:
        setattr(function, _DECLARED, actions)
        return function

    return declare


def unaudited(why: str) -> Callable[[Function], Function]:
    """Say why a command notes nothing."""

    def declare(function: Function) -> Function:
        setattr(function, _DECLARED, f"unaudited: {why}")
        return function

    return declare


def declared_audit(command: click.Command) -> tuple[str, ...] | str | None:
    """The actions that a command notes, or why none; None where nothing was declared."""
    found: tuple[str, ...] | str | None = getattr(command.callback, _DECLARED, None)
    return found


def acting() -> dict[str, str]:
    """Who types a command: the account of this machine."""
    return {"actor": actor(), "role": "local", "address": ""}


def audit_log(settings: Settings, store: Access) -> AuditLog:
    """The audit log of a store."""
    return AuditLog.open(store, settings.audit_key)


class Noting:
    """Notes what a command does. A change is noted before it is made, so that none is missing from
    the log; where its id is not known before, this is made before the change, to find out whether
    the log can be signed.

    Raises:
        ConfigError: the log is signed by another key, or the key cannot be read.
    """

    def __init__(self, settings: Settings, store: Access) -> None:
        self._log = audit_log(settings, store)

    def __call__(
        self,
        action: str,
        subject: str = "",
        reason: str = "",
        detail: Mapping[str, object] | None = None,
    ) -> None:
        """Add an entry.

        Raises:
            ConfigError: the log is signed by another key.
            StoreUnavailableError: nothing was noted.
        """
        act = Act(**acting(), action=action, subject=subject, reason=reason, detail=detail)
        self._log.note(act)


def note(
    settings: Settings,
    store: Access,
    action: str,
    subject: str = "",
    reason: str = "",
    detail: Mapping[str, object] | None = None,
) -> None:
    """Add one entry.

    Raises:
        ConfigError: the log is signed by another key, or the key cannot be read.
        StoreUnavailableError: nothing was noted.
    """
    Noting(settings, store)(action, subject, reason, detail)
