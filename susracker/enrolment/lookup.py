"""Finds a criminal or a photo by an id that someone typed."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from susracker.errors import InputError, NotFoundError
from susracker.models import Criminal
from susracker.stores.base import Store

SHOWN = 5
"""How many ids an error lists."""


def find_criminal(store: Store, id_or_prefix: str) -> Criminal:
    """Return the criminal with this id, or the only one whose id begins with it.

    Raises:
        NotFoundError: there is no such criminal.
        InputError: several ids begin with it.
    """
    try:
        return store.criminal(id_or_prefix)
    except NotFoundError:
        known = {one.id: one for one in store.criminals()}
    absent = (
        f"nobody is enrolled with the id {id_or_prefix!r}: susracker criminals list shows the ids"
    )
    return known[_only_one(known, id_or_prefix, absent)]


def find_photo(store: Store, criminal: Criminal, id_or_prefix: str) -> str:
    """Return the id of a person's photo with this id, or of the only one whose id begins with it.

    Raises:
        NotFoundError: the person has no such photo.
        InputError: several ids begin with it.
    """
    absent = (
        f"{criminal.name} has no photo with the id {id_or_prefix!r}: see "
        f"susracker criminals show {criminal.id}"
    )
    return _only_one(store.photo_ids(criminal.id), id_or_prefix, absent)


def _only_one(ids: Collection[str], typed: str, absent: str) -> str:
    if typed in ids:
        return typed
    found = sorted(one for one in ids if one.startswith(typed))
    if not found or not typed:
        raise NotFoundError(absent)
    if len(found) > 1:
        some = ", ".join(found[:SHOWN])
        raise InputError(f"{len(found)} ids begin with {typed!r}, such as {some}")
    return found[0]


def find_named(store: Store, typed: str) -> Criminal:
    """The person of whom someone typed the name, a part of it, or the beginning of the id.

    A whole name counts before a part of one; upper and lower case do not matter.

    Raises:
        NotFoundError: there is no such person.
        InputError: several people may be meant.
    """
    found = store.find_criminals(typed) if typed else []
    named = [one for one in found if one.name.casefold() == typed.casefold()] or found
    if not named:
        raise NotFoundError(f"nobody is enrolled whose name or id is like {typed!r}")
    if len(named) > 1:
        some = ", ".join(f"{one.id} ({one.name})" for one in named[:SHOWN])
        raise InputError(f"{typed!r} may be {len(named)} people, such as {some}: type an id")
    return named[0]


def find_criminals(store: Store, typed: Sequence[str]) -> list[Criminal]:
    """Find several people as `find_criminal` does, each of them once.

    Raises:
        NotFoundError: one is not enrolled.
        InputError: several ids begin with one.
    """
    return list({one.id: one for one in (find_criminal(store, text) for text in typed)}.values())
