"""What checks yield, and how it is shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Literal

import click

from susracker.commands.shown import plain_table, print_json, print_table

State = Literal["ok", "warning", "problem"]


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check found.

    Attributes:
        what: the part that was checked.
        text: how it is, and what to do if it is not as it should be.
    """

    what: str
    state: State
    text: str


def show_findings(found: Sequence[Finding], *, as_json: bool) -> None:
    """Print what was found; if there is a problem, end the command with status 1."""
    if as_json:
        print_json([asdict(one) for one in found])
    else:
        table = plain_table("part", "state", "")
        for one in found:
            table.add_row(one.what, one.state, one.text)
        print_table(table)
    if any(one.state == "problem" for one in found):
        raise click.exceptions.Exit(1)
