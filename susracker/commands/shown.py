"""How commands show tables, times and JSON."""

from __future__ import annotations

import json
from datetime import datetime

import click
from rich.console import Console
from rich.table import Table

UNLIMITED_WIDTH = 10_000

SMALLEST_FPIR = 1e-6
"""Below this, the tables behind a rate are extrapolated, so no smaller number is shown."""


def moment_text(moment: datetime | None) -> str:
    """A time to the minute, in UTC; nothing for None."""
    return f"{moment:%Y-%m-%d %H:%M} UTC" if moment else ""


def fpir_text(fpir: float) -> str:
    """A rate of false positives, to one digit."""
    return f"<{SMALLEST_FPIR:.0e}" if fpir < SMALLEST_FPIR else f"{fpir:.1g}"


def print_json(value: object) -> None:
    """Print a value as JSON, and times as ISO 8601."""
    click.echo(json.dumps(value, indent=2, default=datetime.isoformat))


def plain_table(*headings: str) -> Table:
    """A table without lines."""
    return Table(*headings, box=None, pad_edge=False)


def print_table(table: Table) -> None:
    """As wide as the terminal, or, without a terminal, as wide as the table needs. Cells wrap where
    they do not fit, so that nothing is cut off."""
    for column in table.columns:
        column.overflow = "fold"
    console = Console(markup=False, emoji=False, highlight=False)
    if not console.is_terminal:
        console.width = UNLIMITED_WIDTH
    console.print(table)
