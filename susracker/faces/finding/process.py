"""A process that finds faces for a server: `python -m susracker.faces.finding.process …`.

Pictures come on standard input, and answers go out on standard output: see `messages`. The first
answer says that the networks are loaded. It ends when its input does, as it does with the server.
"""

from __future__ import annotations

import os
import signal
import sys
from contextlib import suppress
from pathlib import Path
from typing import IO

from susracker.errors import EncoderError, PictureError
from susracker.faces.finding.finder import LocalFinder
from susracker.faces.finding.messages import Found, receive, send_found, send_problem
from susracker.faces.images import ignore_warnings
from susracker.faces.timed import TimedEncoder
from susracker.plugins import open_detector, open_encoder
from susracker.runtime.memory import hold_little_memory
from susracker.runtime.threads import one_core_a_thread

NICE = 10
"""How far below the server's own threads the system puts the process where there are too few cores:
in an overload, refusals of requests then take 7 ms in place of 101."""

PREFERENCE = 500
"""Added to what says whom Linux kills when memory runs out: as if this process took half of it."""


def answer_all(
    questions: IO[bytes], answers: IO[bytes], finder: LocalFinder, timed: TimedEncoder
) -> None:
    """Answer until nobody asks any more.

    Raises:
        EOFError: nobody asks any more.
        OSError: nobody reads the answers any more.
    """
    send_found(answers, Found([], 0, 0.0))
    while True:
        data = bytes(receive(questions))
        calls, seconds = timed.calls, timed.seconds
        try:
            faces = finder.find(data)
        except (EncoderError, PictureError) as error:
            send_problem(answers, error)
        except MemoryError:
            # As the system would, for the picture is not to blame.
            os.kill(os.getpid(), signal.SIGKILL)
        else:
            send_found(answers, Found(faces, timed.calls - calls, timed.seconds - seconds))


def main(folder: str, detector: str, encoder: str, max_pixels: str) -> None:
    """Answer the server that started this process.

    Args:
        folder: the server's, in which it looks for files.
        detector: the setting of that name.
        encoder: the setting of that name.
        max_pixels: the largest picture that is decoded.
    """
    # Terminals and service managers may send them to all processes; the server ends this one when
    # it is done.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    if hasattr(os, "nice"):
        os.nice(NICE)
    os.chdir(folder)
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # what a library prints is no answer
    _die_before_the_server()
    ignore_warnings()
    hold_little_memory()
    one_core_a_thread()
    timed = TimedEncoder(open_encoder(encoder))
    finder = LocalFinder(open_detector(detector), timed, int(max_pixels))
    with suppress(EOFError, BrokenPipeError):
        try:
            finder.load()
        except EncoderError as error:
            send_problem(answers, error)
        else:
            answer_all(sys.stdin.buffer, answers, finder, timed)


def _die_before_the_server() -> None:
    """Let Linux kill this process, and not the larger server, if memory runs out."""
    score = Path("/proc/self/oom_score_adj")
    with suppress(OSError):
        score.write_text(str(min(int(score.read_text()) + PREFERENCE, 1000)))


if __name__ == "__main__":
    main(*sys.argv[1:])
