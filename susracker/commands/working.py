"""Shows that a command is at work where it is not known how much there is to do."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def working(on_what: str) -> Iterator[None]:
    """A line with the seconds so far, if standard error is a terminal; otherwise nothing."""
    if not sys.stderr.isatty():
        yield
        return
    # A server without a terminal starts without them.
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn()
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        progress.add_task(on_what, total=None)
        yield


@contextmanager
def counting(what: str, total: int) -> Iterator[Callable[[], None]]:
    """A bar, if standard error is a terminal, that moves each time the result is called."""
    if not sys.stderr.isatty():
        yield lambda: None
        return
    from susracker.commands.progress import progress_bar

    with progress_bar() as progress:
        task = progress.add_task(what, total=total)
        yield lambda: progress.advance(task)
