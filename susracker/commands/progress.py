"""Progress bars."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text


def progress_bar() -> Progress:
    """A bar on standard error if that is a terminal; otherwise nothing."""
    console = Console(stderr=True)
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=console,
        disable=not console.is_terminal,
        transient=True,
    )


class _Line(ProgressColumn):
    """A line that is asked for whenever the screen is refreshed."""

    def __init__(self, line: Callable[[], str]) -> None:
        super().__init__()
        self._line = line

    def render(self, task: Task) -> Text:
        return Text(self._line(), no_wrap=True, overflow="ellipsis")


@contextmanager
def live_line(line: Callable[[], str]) -> Iterator[None]:
    """A line at the bottom of a terminal that is always of this moment; otherwise nothing."""
    console = Console(stderr=True)
    disabled = not console.is_terminal
    with Progress(_Line(line), console=console, disable=disabled, transient=True) as progress:
        progress.add_task("")
        yield


@contextmanager
def steps() -> Iterator[Callable[[str, int, int], None]]:
    """Bars, one for each step; call it with the step's name, how much is done, and the total."""
    with progress_bar() as progress:
        tasks: dict[str, TaskID] = {}

        def on_step(step: str, done: int, total: int) -> None:
            if step not in tasks:
                tasks[step] = progress.add_task(step)
            progress.update(tasks[step], completed=done, total=total)

        yield on_step
