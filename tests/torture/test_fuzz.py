"""The short form of `fuzz`, and that it sees what breaks."""

from __future__ import annotations

import os
import signal

from susracker.errors import SusrackerError
from tests.torture.figures import Figures
from tests.torture.fuzz import fuzz_pictures, fuzz_texts
from tests.torture.mutants import Counts, run
from tests.torture.mutations import Seed, mutant
from tests.torture.parsers import FILES_AND_TEXTS, REQUESTS
from tests.torture.processes import needs_proc
from tests.torture.readers import plain
from tests.torture.texts import Parser, damaged_text, try_parser

pytestmark = needs_proc


def test_damaged_pictures_raise_nothing_but_what_is_documented(tmp_path):
    figures = Figures("short")
    counts = fuzz_pictures(figures, 500, "short", tmp_path)
    assert not figures.broken
    assert counts["current"] == 500
    assert 80 < counts["decoded"] < 300
    assert counts["with_faces"] > 2


def test_damaged_texts_raise_nothing_but_what_is_documented():
    figures = Figures("short")
    # Bodies, headers and queries are in tests/server/test_any_body.py.
    fuzz_texts(figures, 15, 1, [*FILES_AND_TEXTS, REQUESTS[-1]])
    assert not figures.broken


def broken_three_times(counts: Counts, seed: Seed, data: bytes, number: int) -> None:
    """One picture raises, one ends the process, and one is never done."""
    assert number != 3, "a mistake"
    if number == 4:
        os.kill(os.getpid(), signal.SIGSEGV)
    if number == 5:
        signal.setitimer(signal.ITIMER_PROF, 0.05)
        while counts["current"] == number:
            pass
    counts["decoded"] += 1


def test_what_breaks_is_saved_and_the_next_is_tried(tmp_path):
    check = "tests.torture.test_fuzz:broken_three_times"
    counts = run(7, "a", tmp_path, check_name=check)
    assert (counts["current"], counts["broken"], counts["decoded"]) == (7, 3, 4)
    for number, word in ((3, "a mistake"), (4, "SIGSEGV"), (5, "CPU time")):
        assert (tmp_path / f"{number}.bin").read_bytes() == mutant("a", number)[1]
        assert word in (tmp_path / f"{number}.txt").read_text()


def test_a_parser_that_breaks_is_told_with_its_text():
    def parse(text: str) -> None:
        if not text.isascii():
            raise SusrackerError
        assert "x" not in text, "a mistake"

    parser = Parser("texts", damaged_text("xyz" * 5), plain(parse), (SusrackerError,))
    finding = try_parser(parser, 100, seed=1)
    assert finding.is_broken
    assert "a mistake" in str(finding)
    assert "xyz" in str(finding)
