"""What `susracker replay` shows while it runs, and at the end."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from datetime import datetime
from types import TracebackType

from rich.console import Console, Group
from rich.live import Live
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from typing_extensions import Self

from susracker.replay.compare import Change
from susracker.replay.results import Result
from susracker.replay.sources import Source
from susracker.replay.summary import Seen, told
from susracker.runtime.interruption import Interruption

NEWEST = 12
"""Rows of the live table."""

STYLES = {"alert": "bold red", "held back": "dim"}


class Watch:
    """A bar and the newest sightings on standard error if that is a terminal; otherwise nothing.

    The first Ctrl-C ends the run, not the program.
    """

    def __init__(self, source: Source) -> None:
        self._source = source
        self._rows: deque[tuple[str, ...]] = deque(maxlen=NEWEST)
        self._progress = Progress(
            TextColumn("{task.completed:,} of"),
            TextColumn("{task.total:,}" if source.steps() else "a stream"),
            BarColumn(),
            TimeRemainingColumn(),
        )
        self._task = self._progress.add_task("", total=source.steps())
        console = Console(stderr=True, markup=False)  # names and cameras are shown as they are
        self._live = Live(console=console, transient=True, refresh_per_second=4)
        self._is_shown = console.is_terminal
        self._interruption = Interruption()

    @property
    def is_interrupted(self) -> bool:
        """Whether someone asked for the run to end."""
        return bool(self._interruption)

    def show(self, result: Result) -> bool:
        """Show a result. Returns whether to end the run."""
        for _, name, suppressed in told(result):
            kind = "held back" if suppressed else "alert"
            self._rows.append((_short(result.occurred_at), result.camera_id, name, kind))
        if self._is_shown:
            self._progress.update(self._task, completed=self._source.step())
            self._live.update(Group(self._table(), self._progress))
        return self.is_interrupted

    def __enter__(self) -> Self:
        self._interruption.__enter__()
        if self._is_shown:
            self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._is_shown:
            self._live.stop()
        self._interruption.__exit__(kind, error, trace)

    def _table(self) -> Table:
        table = Table("time", "camera", "who", "")
        for row in self._rows:
            table.add_row(*row, style=STYLES[row[-1]])
        return table


def seen_table(rows: Sequence[Seen]) -> Table:
    """A row for each criminal or activity on each camera."""
    table = Table("who", "camera", "sightings", "alerts", "held back", "first", "last")
    for row in rows:
        counts = (f"{count:,}" for count in (row.sightings, row.alerts, row.suppressed))
        table.add_row(row.name, row.camera_id, *counts, _short(row.first), _short(row.last))
    return table


def changes_table(changes: Sequence[Change]) -> Table:
    """What differs between two runs."""
    table = Table("change", "detection", "time", "camera", "who", "")
    for one in changes:
        number = str(one.number)
        time = _short(one.occurred_at)
        table.add_row(one.kind, number, time, one.camera_id, one.name, one.detail)
    return table


def _short(moment: str) -> str:
    """A time that fits into a table."""
    return datetime.fromisoformat(moment).strftime("%Y-%m-%d %H:%M:%S")
