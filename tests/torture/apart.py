"""Work on an event loop in a process of its own, so that it does not share the interpreter's lock
with what measures it."""

from __future__ import annotations

import asyncio
import multiprocessing
import threading
from collections.abc import Awaitable, Callable
from contextlib import suppress
from multiprocessing.connection import Connection
from types import TracebackType
from typing import Generic, TypeVar

from typing_extensions import Self

Result = TypeVar("Result")

Emit = Callable[[Result], None]
Work = Callable[[Emit[Result], asyncio.Event], Awaitable[None]]
"""Emits results, and ends soon after the event is set."""

END_SECONDS = 60


class Apart(Generic[Result]):
    """Runs a coroutine function in a new process while the context is open.

    Args:
        work: must be picklable, such as a `functools.partial` of a module's function.

    Attributes:
        results: what was emitted so far, in order. Moments of `time.monotonic` are the same in all
            processes of a machine.
    """

    def __init__(self, work: Work[Result]) -> None:
        self.results: list[Result] = []
        context = multiprocessing.get_context("spawn")
        self._pipe, self._theirs = context.Pipe()
        self._process = context.Process(target=_run, args=(work, self._theirs), daemon=True)
        self._reader = threading.Thread(target=self._read, daemon=True)

    @property
    def pid(self) -> int:
        """Of the process, while it runs."""
        assert self._process.pid is not None
        return self._process.pid

    def has_results(self) -> bool:
        """Whether anything was emitted."""
        return bool(self.results)

    def start(self) -> None:
        """Start the process, and return when its work begins."""
        self._process.start()
        self._theirs.close()
        self._pipe.recv()
        self._reader.start()

    def stop(self) -> None:
        """Have the work end, and wait until it has.

        Raises:
            AssertionError: it failed, or did not end in time.
        """
        with suppress(BrokenPipeError):  # it has just ended by itself
            self._pipe.send(None)
        self.wait()

    def wait(self) -> None:
        """Wait until the work has ended by itself.

        Raises:
            AssertionError: it failed, or did not end in time.
        """
        self._process.join(END_SECONDS)
        self._reader.join(END_SECONDS)
        assert self._process.exitcode == 0, f"a process ended with {self._process.exitcode}"

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._process.is_alive() and error is None:
            self.stop()
        self._process.kill()

    def _read(self) -> None:
        while True:
            try:
                self.results.append(self._pipe.recv())
            except EOFError:
                return


def _run(work: Work[Result], pipe: Connection) -> None:
    asyncio.run(_main(work, pipe))
    pipe.close()


async def _main(work: Work[Result], pipe: Connection) -> None:
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()

    def stop() -> None:
        pipe.recv()
        loop.remove_reader(pipe.fileno())
        stopping.set()

    loop.add_reader(pipe.fileno(), stop)
    pipe.send("ready")
    await work(pipe.send, stopping)
