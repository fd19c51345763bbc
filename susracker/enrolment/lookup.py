"""Finding a criminal by what a person types."""

from __future__ import annotations

from susracker.errors import InputError, NotFoundError
from susracker.models import Criminal
from susracker.stores.base import Store

SHOWN = 5
"""How many ids an error lists."""


def find_criminal(store: Store, id_or_prefix: str) -> Criminal:
    """The criminal with that id, or the one whose id begins so.

    Raises:
        NotFoundError: there is none.
        InputError: there are several.
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
