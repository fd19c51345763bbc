"""What a route notes in the audit log: declared beside each one."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, TypeVar

from flask import Response, g, make_response, request

from susracker.access.audit import Act
from susracker.errors import OverloadedError
from susracker.server.identity import identity
from susracker.server.service import service

log = logging.getLogger(__name__)

View = TypeVar("View", bound=Callable[..., Any])

SAFE = frozenset({"GET", "HEAD"})
REASON_HEADER = "X-Reason"

_DECLARED = "declared_audit"


def audited(action: str, subject: str = "", *, is_look: bool = False) -> Callable[[View], View]:
    """Note each answer of a route that is not an error, and each change, whatever is answered.

    Args:
        action: as `AuditEntry.action`.
        subject: the part of the URL that is the id of whom or what it is about.
        is_look: that the route changes nothing, although its method may.
    """

    def declare(view: View) -> View:
        @wraps(view)
        def wrapper(**parts: Any) -> Response:
            g.audit = {}
            is_to_be_noted = False
            try:
                answer = make_response(view(**parts))
                is_to_be_noted = answer.status_code < 400
            finally:
                if is_to_be_noted or g.audit.get("changed"):
                    _note(_act(action, str(parts.get(subject, "")), g.audit), is_look=is_look)
            return answer

        setattr(wrapper, _DECLARED, action)
        return wrapper  # type: ignore[return-value]

    return declare


def unaudited(why: str) -> Callable[[View], View]:
    """Say why a route notes nothing."""

    def declare(view: View) -> View:
        setattr(view, _DECLARED, f"unaudited: {why}")
        return view

    return declare


def declared_audit(view: Callable[..., Any]) -> str | None:
    """What a route notes, or why not; None where nothing was declared."""
    found: str | None = getattr(view, _DECLARED, None)
    return found


def describe(
    subject: str | None = None,
    reason: str | None = None,
    action: str | None = None,
    **detail: object,
) -> None:
    """Say more about what the current request does: no names, pictures or keys.

    Args:
        action: another one than the route declares.
    """
    found: dict[str, Any] = g.audit
    found.setdefault("detail", {}).update(detail)
    known = {"subject": subject, "reason": reason, "action": action}
    found.update({name: value for name, value in known.items() if value is not None})


def once_changed() -> Callable[[str], None]:
    """What to call with the id of whom or what the current request has changed, from any thread, if
    something else may fail after that: then the change is noted, even if the answer is an error."""
    found: dict[str, Any] = g.audit
    return lambda subject: found.update(subject=subject, changed=True)


def note_look(action: str, subject: str) -> None:
    """Note what a refusal shows."""
    service().reads.call(service().audit.note_look, _act(action, subject, {}))


def _note(act: Act, *, is_look: bool) -> None:
    if request.method in SAFE:
        service().reads.call(service().audit.note_look_once, act)
        return
    if is_look:
        service().reads.call(service().audit.note_look, act)
        return
    service().audit.add_change(act)
    try:
        service().reads.call(service().audit.note_changes)
    except OverloadedError:
        log.warning("a change will be in the audit log when there is time: %s", act)


def _act(action: str, subject: str, described: Mapping[str, Any]) -> Act:
    who = identity()
    return Act(
        actor=who.actor,
        role=who.role,
        address=who.address,
        action=described.get("action", action),
        subject=described.get("subject", subject),
        reason=described.get("reason") or _reason(),
        detail=described.get("detail"),
    )


def _reason() -> str:
    return request.headers.get(REASON_HEADER) or request.args.get("reason", "")
