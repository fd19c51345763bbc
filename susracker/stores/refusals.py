"""The errors that every store raises, each with one message."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta

from susracker.errors import (
    ConflictError,
    DuplicateError,
    HeldError,
    InputError,
    NotFoundError,
    RecentAlertError,
)
from susracker.models import EDITABLE, Alert, Event
from susracker.oversight import AuditEntry, Hold, Judgement, Key


def check_edit(edit: Mapping[str, object]) -> None:
    """Refuse an edit of what is not to be edited.

    Raises:
        InputError: a name is not in `EDITABLE`.
    """
    for name in edit.keys() - set(EDITABLE):
        raise InputError(f"{name} cannot be edited; these can: {', '.join(EDITABLE)}")


def no_criminal(criminal_id: str) -> NotFoundError:
    """The error for a person who is not enrolled."""
    return NotFoundError(f"no criminal has the id {criminal_id!r}")


def no_photo(photo_id: str) -> NotFoundError:
    """The error for a photo that is not stored."""
    return NotFoundError(f"no photo has the id {photo_id!r}")


def no_photo_of(criminal_id: str, photo_id: str) -> NotFoundError:
    """The error for a photo that is not one of a person's."""
    return NotFoundError(f"{criminal_id!r} has no photo with the id {photo_id!r}")


def no_alert(alert_id: str) -> NotFoundError:
    """The error for an alert that is not stored."""
    return NotFoundError(f"no alert has the id {alert_id!r}")


def judged_meanwhile(alert_id: str) -> ConflictError:
    """The error for a judgement by someone who has not seen the newest one."""
    return ConflictError(
        f"someone else judged the alert {alert_id!r} meanwhile: look at it again, then decide"
    )


def judgement_is_stored(judgement: Judgement) -> DuplicateError:
    """The error for a copied judgement whose place is taken."""
    return DuplicateError(f"there is already a judgement with the seq {judgement.seq}")


def not_held(alert_id: str) -> NotFoundError:
    """The error for the end of a hold that there is not."""
    return NotFoundError(f"no alert with the id {alert_id!r} is held")


def named_while_held(
    criminal_id: str, holds: Sequence[Hold], instead: str = "release them first"
) -> HeldError:
    """The error for the removal of someone whom held alerts name: these would lose the face and
    the name.

    Args:
        instead: what to do about it.
    """
    held = ", ".join(f"{one.alert_id} ({one.reason})" for one in holds)
    return HeldError(f"{criminal_id!r} is in alerts that are held: {held}; {instead}")


def held_again(criminal_id: str, ended: int) -> HeldError:
    """The error for an erasure that ends holds, and is refused all the same."""
    return HeldError(
        f"{criminal_id!r} was not removed: {ended} holds were ended, but an alert that names them "
        "was held again, or the database has not confirmed a hold yet; erase them again in a "
        "minute, or ask who holds it"
    )


def shown_while_held(hold: Hold) -> HeldError:
    """The error for the removal of an enrolment photo that a held alert shows beside the face."""
    return HeldError(
        f"the photo is in the alert {hold.alert_id}, which is held ({hold.reason}); release it "
        "first"
    )


def edited_meanwhile(criminal_id: str) -> ConflictError:
    """The error for an edit that is based on an older revision."""
    return ConflictError(
        f"{criminal_id!r} was edited since that revision: read the person again, then decide "
        "whether to repeat the edit"
    )


def id_is_taken(criminal_id: str) -> ConflictError:
    """The error for a new person with the id of another."""
    return ConflictError(f"someone is already enrolled with the id {criminal_id!r}")


def name_is_taken(name: str) -> ConflictError:
    """The error for a new person, or a new name, with the name of another."""
    return ConflictError(f"someone is already enrolled with the name {name!r}")


def named_meanwhile(name: str) -> ConflictError:
    """The error for a new name that another process may have given to someone."""
    return ConflictError(
        f"{name!r} took so long to store that others may have stored the same name: look who is "
        "there, then try again"
    )


def photo_is_taken(digest: str) -> DuplicateError:
    """The error for a photo that is stored already."""
    return DuplicateError(f"the photo with the digest {digest} is stored already")


def event_was_handled(event: Event) -> DuplicateError:
    """The error for an event that is recorded twice."""
    return DuplicateError(
        f"the event {event.event_id!r} of camera {event.camera_id!r} was handled before"
    )


def refuse_recent(
    alerts: Sequence[Alert], cooldown: timedelta, newest_like: Callable[[Alert], Alert | None]
) -> None:
    """Refuse alerts that come too soon after what is stored; see `Journal.record`.

    Args:
        newest_like: finds the stored alert with the highest `seq` that has the cooldown key of
            another. Without a cooldown it is not asked.

    Raises:
        RecentAlertError: at least one of them does.
    """
    found = {one.id: newest_like(one) for one in alerts} if cooldown else {}
    recent = {
        alert.id: stored
        for alert in alerts
        if (stored := found.get(alert.id))
        and abs(alert.occurred_at - stored.occurred_at) < cooldown
    }
    if recent:
        raise RecentAlertError(
            f"nothing was stored: {len(recent)} of {len(alerts)} alerts come less than "
            f"{cooldown.total_seconds():g} s after or before one of the same person or activity on "
            "the same camera; store the others without them",
            recent,
        )


def no_key(key_id: str) -> NotFoundError:
    """The error for a key that is not stored."""
    return NotFoundError(f"no key has the id {key_id!r}: list them with susracker keys list")


def key_is_taken(key: Key) -> ConflictError:
    """The error for a new key with the name of a valid one."""
    return ConflictError(
        f"there is already a key with the name {key.name!r}: choose another name, or revoke that "
        "key first"
    )


def key_was_revoked(key: Key) -> ConflictError:
    """The error for a change of a revoked key."""
    return ConflictError(f"the key {key.name!r} was revoked: create another one")


def refuse_last_admin(keys: Sequence[Key], key_id: str, at: datetime) -> None:
    """Refuse to revoke the key without which nobody could manage the server.

    Args:
        keys: all of them.

    Raises:
        ConflictError: it is that key.
    """
    admins = [one for one in keys if one.role == "admin"]
    is_admin = any(one.id == key_id for one in admins)
    if is_admin and not any(one.is_valid(at) for one in admins if one.id != key_id):
        raise ConflictError(
            "this is the last admin's key: make another one first, or revoke it on the server's "
            "machine with susracker keys revoke"
        )


def audit_has_grown() -> ConflictError:
    """The error for a cut of the audit log while entries are added."""
    return ConflictError("an entry was added to the audit log meanwhile: try again")


def no_channel(name: str) -> NotFoundError:
    """The error for a channel of deliveries that is not stored."""
    return NotFoundError(
        f"no server has delivered to a channel {name!r} yet: list them with susracker deliveries "
        "list"
    )


def channel_changed(name: str) -> ConflictError:
    """The error for a change of a channel that is based on what it no longer is."""
    return ConflictError(f"the channel {name!r} has changed meanwhile: look again, then decide")


def other_audit(entry: AuditEntry) -> ConflictError:
    """The error for entries of a log that is not the one before them."""
    return ConflictError(f"entry {entry.seq} does not follow the end of this audit log")
