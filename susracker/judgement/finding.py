"""Finds alerts by what they are about."""

from __future__ import annotations

from collections.abc import Iterator

from susracker.errors import InputError, NotFoundError
from susracker.models import Alert
from susracker.stores.base import Journal
from susracker.stores.journal import EVERY_ALERT, AlertFilter
from susracker.stores.refusals import no_alert

PAGE = 1000

SHOWN = 5
"""How many ids an error lists."""


def find_alerts(
    journal: Journal, wanted: AlertFilter = EVERY_ALERT, *, with_faces: bool = False
) -> Iterator[Alert]:
    """The alerts that are wanted, in order of `seq`."""
    for page in alert_pages(journal, wanted, with_faces=with_faces):
        yield from page


def alert_pages(
    journal: Journal, wanted: AlertFilter = EVERY_ALERT, *, with_faces: bool = False
) -> Iterator[list[Alert]]:
    """The same, a few at a time; without their faces more at a time."""
    after, limit = 0, PAGE // 10 if with_faces else PAGE
    while page := journal.alerts(after, limit, with_faces=with_faces, wanted=wanted):
        yield page
        after = page[-1].seq


def find_alert(journal: Journal, id_or_prefix: str) -> Alert:
    """The alert with this id, or the only one whose id begins with it.

    Raises:
        NotFoundError: there is no such alert.
        InputError: several ids begin with it.
    """
    try:
        return journal.alert(id_or_prefix)
    except NotFoundError:
        everything = find_alerts(journal)
        found = [one.id for one in everything if one.id.startswith(id_or_prefix)]
    if not found or not id_or_prefix:
        raise no_alert(id_or_prefix)
    if len(found) > 1:
        some = ", ".join(found[:SHOWN])
        raise InputError(f"{len(found)} ids begin with {id_or_prefix!r}, such as {some}")
    return journal.alert(found[0])
