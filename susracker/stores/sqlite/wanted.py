"""The condition for alerts that are wanted, so that SQLite walks through few of them."""

from __future__ import annotations

from susracker.runtime.clock import to_microseconds
from susracker.stores.journal import AlertFilter

MOST_TELLING = ("criminal_id", "camera_id", "status", "kind")
"""Columns that have an index with `seq`, that which leaves the fewest alerts first."""

EARLIEST, LATEST = -(2**63), 2**63 - 1


def condition(wanted: AlertFilter) -> tuple[str, list[object]]:
    """An expression for WHERE that selects the alerts which are wanted, and its values."""
    given = [name for name in MOST_TELLING if getattr(wanted, name) is not None]
    # A plus sign keeps SQLite, which guesses, from the other indexes.
    parts = [f"{'+' if place else ''}{name} = ?" for place, name in enumerate(given)]
    values: list[object] = [getattr(wanted, name) for name in given]
    if wanted.since or wanted.until:
        # Only the index on times is read for this; a bare condition would sort, or read the rows.
        parts.append("seq IN (SELECT seq FROM alerts WHERE occurred_at BETWEEN ? AND ?)")
        values.append(to_microseconds(wanted.since) if wanted.since else EARLIEST)
        values.append(to_microseconds(wanted.until) if wanted.until else LATEST)
    return " AND ".join(parts) or "TRUE", values
