"""Options that choose alerts."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, time, timezone
from functools import wraps
from typing import Any, TypeVar, get_args

import click

from susracker.enrolment.lookup import find_named
from susracker.judgement.rules import STATUSES
from susracker.models import AlertKind
from susracker.stores.base import Store
from susracker.stores.journal import AlertFilter

Function = TypeVar("Function", bound=Callable[..., Any])
KINDS = get_args(AlertKind)
FILTERS = ("status", "kind", "camera_id", "since", "until")
"""Options that are fields of the filter as they are."""

FilterOf = Callable[[Store], AlertFilter]


def _moment(at: time) -> Any:
    """Reads a time in ISO 8601; one without an offset is local time.

    Args:
        at: the time of day that a date alone stands for.
    """

    def read(ctx: click.Context, param: click.Parameter, value: str | None) -> datetime | None:
        if value is None:
            return None
        try:
            # Python 3.10 reads no Z.
            moment = datetime.fromisoformat(value.replace("Z", "+00:00"))
            if len(value) == len("2026-12-31"):
                moment = datetime.combine(moment, at)
            return moment.astimezone(timezone.utc)
        except (ValueError, OverflowError, OSError) as error:
            raise click.BadParameter(
                f"{value!r} is no time such as 2026-12-31 or 2026-12-31T18:00:00Z"
            ) from error

    return read


def filter_options(function: Function) -> Function:
    """Add options that choose alerts, and pass what makes the filter from a store as `filter_of`:
    a person may be given by a name or the beginning of an id."""

    @wraps(function)
    def wrapper(**values: Any) -> Any:
        chosen = {name: values.pop(name) for name in FILTERS}
        criminal = values.pop("criminal")

        def filter_of(store: Store) -> AlertFilter:
            known = find_named(store, criminal).id if criminal else None
            return AlertFilter(criminal_id=known, **chosen)

        return function(filter_of=filter_of, **values)

    command: Any = wrapper
    for option in (
        click.option(
            "--until",
            metavar="TIME",
            callback=_moment(time.max),
            help="Only alerts that occurred at this time or before it; a date includes that day.",
        ),
        click.option(
            "--since",
            metavar="TIME",
            callback=_moment(time.min),
            help="Only alerts that occurred at this time or later, such as 2026-12-31 or "
            "2026-12-31T18:00:00Z; local time unless it has an offset.",
        ),
        click.option(
            "--criminal",
            metavar="ID_OR_NAME",
            help="Only alerts about this person; a part of the name is enough.",
        ),
        click.option("--camera", "camera_id", metavar="ID", help="Only alerts of this camera."),
        click.option("--kind", type=click.Choice(KINDS), help="Only alerts of this kind."),
        click.option("--status", type=click.Choice(STATUSES), help="Only alerts of this status."),
    ):
        command = option(command)
    return command  # type: ignore[no-any-return]
