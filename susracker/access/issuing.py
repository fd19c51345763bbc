"""Makes, finds and replaces keys."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, ConfigDict, ValidationError

from susracker.access.keys import KeyText, new_key
from susracker.enrolment.fields import Moment, Text
from susracker.errors import InputError, NotFoundError
from susracker.oversight import Key, Role
from susracker.stores.access import Access

ALL_CAMERAS = "*"


class _Fields(BaseModel):
    model_config = ConfigDict(str_strip_whitespace=True)

    name: Text
    cameras: Text
    expires: Moment


def issue(
    store: Access, role: Role, name: str, cameras: str | None, expires: str | None, now: datetime
) -> tuple[Key, KeyText]:
    """Make a key and store it.

    Args:
        cameras: pattern of the ids of cameras; None stands for all. Only for a camera's key.
        expires: ISO 8601: a time with its offset, or a date, which stands for the end of that day
            in UTC.

    Returns:
        what is stored, and the key itself, which cannot be found out later.

    Raises:
        InputError: one of these is wrong.
        ConflictError: a key that is not revoked has that name.
    """
    if cameras is not None and role != "camera":
        raise InputError(f"a key with the role {role} is not for cameras: leave --cameras out")
    fields = _check(name, ALL_CAMERAS if cameras is None else cameras, expires)
    if fields.expires and fields.expires <= now:
        raise InputError(f"expires: {expires} is in the past")
    text = new_key()
    key = Key(
        id=text.id,
        name=fields.name,
        role=role,
        digest=text.digest,
        created_at=now,
        cameras=fields.cameras,
        expires_at=fields.expires,
    )
    store.add_key(key)
    return key, text


def rotate(store: Access, key: Key) -> KeyText:
    """Give a key another secret. The one before is refused from now on.

    Raises:
        ConflictError: the key was revoked.
    """
    text = new_key(key.id)
    store.replace_key_digest(key.id, text.digest)
    return text


def find_key(store: Access, id_or_name: str) -> Key:
    """The key with an id, or else the one with a name that is not revoked, or was revoked last.

    Raises:
        NotFoundError: there is none.
    """
    everyone = store.keys()
    found = [key for key in everyone if id_or_name in (key.id, key.name)]
    if not found:
        raise NotFoundError(
            f"no key has the id or the name {id_or_name!r}: list them with susracker keys list"
        )
    return max(
        found,
        key=lambda key: (
            key.id == id_or_name,
            key.revoked_at is None,
            key.revoked_at or key.created_at,
        ),
    )


def has_valid_admin(store: Access, now: datetime) -> bool:
    """Whether someone can manage the server with a key."""
    everyone = store.keys()
    return any(key.role == "admin" and key.is_valid(now) for key in everyone)


def _check(name: str, cameras: str, expires: str | None) -> _Fields:
    try:
        return _Fields.model_validate({"name": name, "cameras": cameras, "expires": expires})
    except ValidationError as error:
        problem = error.errors()[0]
        message = problem["msg"].removeprefix("Value error, ")
        raise InputError(f"{problem['loc'][0]}: {message}") from error
