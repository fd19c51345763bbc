"""Ending early, but in order."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from types import FrameType, TracebackType

    from typing_extensions import Self

SIGNALS = (signal.SIGINT, signal.SIGTERM)

INTERRUPTED = 128 + signal.SIGINT
"""Exit status after Ctrl-C, as shells have it."""


def leave_at_once() -> None:
    """Until `interrupt_again`, let Ctrl-C end the program without a word: while it is imported, it
    leaves nothing behind, and importlib loses a KeyboardInterrupt within one of its callbacks. A
    Ctrl-C that is ignored stays so. For the main thread."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _leave)


def interrupt_again() -> None:
    """Have Ctrl-C raise KeyboardInterrupt again, after `leave_at_once`."""
    if signal.getsignal(signal.SIGINT) is _leave:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def exit_as_told() -> None:
    """Have the exit status be what the program says.

    CPython sends itself the signal at the end if a KeyboardInterrupt ever left code that was given
    to `exec` as text, as dataclasses do, whoever caught it then. It forgets that when it runs other
    such code (`run_eval_code_obj` in its pythonrun.c).
    """
    exec("")  # nosec B102


def _leave(number: int, frame: FrameType | None) -> None:
    os._exit(INTERRUPTED)


class Interruption:
    """While entered, the first Ctrl-C or SIGTERM only sets `signal`; the second does what it
    would do anyway. For the main thread.

    Attributes:
        signal: number of the signal that came, or None.
    """

    def __init__(self) -> None:
        self.signal: int | None = None
        self._before: dict[int, Any] = {}

    def __bool__(self) -> bool:
        return self.signal is not None

    @property
    def exit_status(self) -> int:
        """What a shell expects of a program that a signal ended."""
        return 128 + (self.signal or 0)

    def __enter__(self) -> Self:
        self._before = {number: signal.signal(number, self._take) for number in SIGNALS}
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._restore()

    def _take(self, number: int, frame: FrameType | None) -> None:
        self.signal = number
        self._restore()

    def _restore(self) -> None:
        for number, before in self._before.items():
            signal.signal(number, before)
