"""What commands note in the audit log."""

from __future__ import annotations

from collections.abc import Mapping

from susracker.access.audit import Act, AuditLog
from susracker.config import Settings
from susracker.runtime.account import actor
from susracker.stores.access import Access


def acting() -> dict[str, str]:
    """Who types a command: the account of this machine."""
    return {"actor": actor(), "role": "local", "address": ""}


def audit_log(settings: Settings, store: Access) -> AuditLog:
    """The audit log of a store."""
    return AuditLog.open(store, settings.audit_key)


def note(
    settings: Settings,
    store: Access,
    action: str,
    subject: str = "",
    reason: str = "",
    detail: Mapping[str, object] | None = None,
) -> None:
    """Note what a command does.

    Raises:
        ConfigError: the log is signed by another key, or the key cannot be read.
        StoreUnavailableError: nothing was noted.
    """
    act = Act(**acting(), action=action, subject=subject, reason=reason, detail=detail)
    audit_log(settings, store).note(act)
