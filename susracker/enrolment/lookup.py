"""Finds a criminal by an id that someone typed."""

from __future__ import annotations

from collections.abc import Sequence

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
        found = [one for one in store.criminals() if one.id.startswith(id_or_prefix)]
    if not found or not id_or_prefix:
        raise NotFoundError(f"nobody is enrolled with the id {id_or_prefix!r}")
    if len(found) > 1:
        some = ", ".join(one.id for one in found[:SHOWN])
        raise InputError(f"{len(found)} ids begin with {id_or_prefix!r}, such as {some}")
    return found[0]


def find_criminals(store: Store, typed: Sequence[str]) -> list[Criminal]:
    """Find several people as `find_criminal` does, each of them once.

    Raises:
        NotFoundError: one is not enrolled.
        InputError: several ids begin with one.
    """
    return list({one.id: one for one in (find_criminal(store, text) for text in typed)}.values())
