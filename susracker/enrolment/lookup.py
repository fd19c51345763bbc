"""Finds a criminal or a photo by what someone typed."""

from __future__ import annotations

from collections.abc import Sequence

from susracker.errors import InputError, NotFoundError
from susracker.models import Criminal
from susracker.runtime.text import counted
from susracker.stores.base import Store

SHOWN = 5
"""How many people or ids an error lists."""

LISTED = ": susracker criminals list shows everyone"


def find_criminal(store: Store, typed: str) -> Criminal:
    """The person of whom someone typed the name, the id, or the beginning of the id.

    A whole id counts before all else; upper and lower case of a name do not matter. A part of a
    name is not enough, for what follows may change the person: those it fits are named.

    Raises:
        NotFoundError: there is no such person.
        InputError: several people may be meant.
    """
    found = _found(store, typed)
    absent = f"nobody is enrolled with the name or id {typed!r}"
    if found:
        absent += f": did you mean {_some(found)}?"
    else:
        absent += LISTED
    return _only_person(_meant(found, typed), typed, absent)


def find_named(store: Store, typed: str) -> Criminal:
    """As `find_criminal`, or the only person whose name has a part that someone typed.

    Raises:
        NotFoundError: there is no such person.
        InputError: several people may be meant.
    """
    found = _found(store, typed)
    absent = f"nobody is enrolled whose name or id is like {typed!r}{LISTED}"
    return _only_person(_meant(found, typed) or found, typed, absent)


def _found(store: Store, typed: str) -> list[Criminal]:
    """Those whose name has that part, or whose id begins with it."""
    found = store.find_criminals(typed) if typed else []
    # The store searches in case references, too.
    part = typed.casefold()
    return [one for one in found if part in one.name.casefold() or one.id.startswith(typed)]


def _meant(found: Sequence[Criminal], typed: str) -> list[Criminal]:
    """Those with that whole name, or whose id begins with it; only one if it is a whole id."""
    name = typed.casefold()
    whole = [one for one in found if one.id == typed]
    return whole or [
        one for one in found if one.name.casefold() == name or one.id.startswith(typed)
    ]


def _only_person(found: Sequence[Criminal], typed: str, absent: str) -> Criminal:
    if not found:
        raise NotFoundError(absent)
    if len(found) > 1:
        people = counted(len(found), "person", "people")
        raise InputError(f"{typed!r} may be {people}, such as {_some(found)}: type an id")
    return found[0]


def _some(found: Sequence[Criminal]) -> str:
    return ", ".join(f"{one.id} ({one.name})" for one in found[:SHOWN])


def find_photo(store: Store, criminal: Criminal, typed: str) -> str:
    """Return the id of a person's photo with this id, or of the only one whose id begins with it.

    Raises:
        NotFoundError: the person has no such photo.
        InputError: several ids begin with it.
    """
    ids = store.photo_ids(criminal.id)
    if typed in ids:
        return typed
    found = sorted(one for one in ids if one.startswith(typed))
    if not found or not typed:
        raise NotFoundError(
            f"{criminal.name} has no photo with the id {typed!r}: see "
            f"susracker criminals show {criminal.id}"
        )
    if len(found) > 1:
        some = ", ".join(found[:SHOWN])
        raise InputError(f"{len(found)} ids begin with {typed!r}, such as {some}")
    return found[0]


def find_criminals(store: Store, typed: Sequence[str]) -> list[Criminal]:
    """Find several people as `find_criminal` does, each of them once.

    Raises:
        NotFoundError: one is not enrolled.
        InputError: several people may be meant by one.
    """
    return list({one.id: one for one in (find_criminal(store, text) for text in typed)}.values())
