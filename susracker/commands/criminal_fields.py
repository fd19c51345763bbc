"""Options for what is known of a person besides photos."""

from __future__ import annotations

import typing
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timezone
from typing import Any, TypeVar

import click

from susracker.enrolment.fields import edit_from_fields, past_expiry
from susracker.errors import InputError
from susracker.models import Status, Threat

Function = TypeVar("Function", bound=Callable[..., Any])

OPTIONS = {"crimes": "crime", "case_reference": "case", "expires_at": "expires"}
"""Options whose fields have another name."""

force_option = click.option(
    "--force",
    is_flag=True,
    help="Accept an expiry date in the past: the people are not looked for.",
)


def field_options(function: Function) -> Function:
    """Add the options that `given_fields` reads, apart from --name."""
    decorators = [
        click.option("--age", type=int, help="Age in years."),
        click.option("--crime", "crimes", multiple=True, help="A crime. Can be repeated."),
        click.option(
            "--threat",
            type=click.Choice(typing.get_args(Threat)),
            help="How dangerous they are; medium for new people.",
        ),
        click.option(
            "--status",
            type=click.Choice(typing.get_args(Status)),
            help="Only wanted people are looked for; new people are wanted.",
        ),
        click.option("--case", "case_reference", help="Your own reference for the case."),
        click.option(
            "--expires",
            "expires_at",
            help="When to stop looking: 2026-12-31 (the end of that day, in UTC) or "
            "2026-12-31T18:00:00+01:00.",
        ),
    ]
    decorated: Any = function
    for decorator in reversed(decorators):
        decorated = decorator(decorated)
    return typing.cast(Function, decorated)


def given_fields(given: Mapping[str, Any]) -> dict[str, object]:
    """The fields that were given, as `CriminalFields` has them.

    Raises:
        InputError: one is wrong. The message names its option.
    """
    fields = {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in given.items()
        if value not in (None, ())
    }
    try:
        edit_from_fields(fields)
    except InputError as error:
        place, colon, problem = str(error).partition(":")
        name = place.partition(".")[0]
        raise InputError(f"--{OPTIONS.get(name, name)}{colon}{problem}") from error
    return fields


def refuse_past(people: Iterable[Mapping[str, object]]) -> None:
    """Refuse dates of expiry that are past.

    Args:
        people: fields of each.

    Raises:
        InputError: there is one.
    """
    now = datetime.now(timezone.utc)
    for fields in people:
        if problem := past_expiry(fields, now):
            raise InputError(f"{problem}: give a later date, or --force")
