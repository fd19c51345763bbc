"""Texts for parsers: good ones that were damaged, values of every kind, and nasty ones."""

from __future__ import annotations

import json
import random
import tempfile
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import hypothesis
from hypothesis import HealthCheck, Phase, given
from hypothesis import strategies as st

from tests.server.test_any_body import WHOLE_BODIES, WRONG_VALUES
from tests.torture.mutations import any_change

MOST_SECONDS = 1.0
"""CPU time that a text may take."""

NASTY = [
    "",
    "\0",
    "\ud800",
    "\x1b[2J",
    "..",
    "../../etc/passwd",
    "\u202e",
    "9" * 5000,
    " " * 100_000,
    "a" * 100_000,
    "é" * 300,
    "0001-01-01T00:00:00",
    "0000-00-00",
    "9999-12-31T23:59:59-14:00",
    "2026-01-01",
    "2026-01-01T12:00:00",
    "2026-01-01T12:00:00+99:99",
    "data:image/png;base64," + " " * 100_000,
    "data:" * 20_000,
]

NASTY_JSON = [*WRONG_VALUES, *map(json.dumps, NASTY), "[" * 100_000 + "]" * 100_000]

Parse = Callable[[Any], object]


@dataclass(frozen=True, slots=True)
class Parser:
    """Something that reads what others wrote.

    Attributes:
        opened: called with an empty folder of its own; yields what parses one text, and returns or
            raises one of `refusals`.
        share: of the texts that it is given, where each takes long.
    """

    name: str
    texts: st.SearchStrategy[Any]
    opened: Callable[[Path], AbstractContextManager[Parse]]
    refusals: tuple[type[Exception], ...]
    share: float = 1.0


@dataclass(slots=True)
class Finding:
    """What came of a parser.

    Attributes:
        slowest: CPU seconds, and the beginning of the text that took them.
        error: what it raised that it must not.
    """

    tried: int = 0
    refused: int = 0
    slowest: float = 0.0
    slowest_text: str = ""
    error: str | None = None

    @property
    def is_broken(self) -> bool:
        """Whether a promise was broken."""
        return self.error is not None or self.slowest >= MOST_SECONDS

    def __str__(self) -> str:
        said = f"{self.refused:,} of {self.tried:,} refused, {self.slowest:.2f} s at most"
        return f"{said}: {self.error or self.slowest_text}" if self.is_broken else said


def try_parser(parser: Parser, count: int, seed: int) -> Finding:
    """Hand a parser so many texts."""
    finding = Finding()
    with (
        tempfile.TemporaryDirectory(prefix="susracker-texts-") as folder,
        parser.opened(Path(folder)) as parse,
    ):

        def once(text: Any) -> None:
            finding.tried += 1
            began = time.process_time()
            try:
                parse(text)
            except parser.refusals:
                finding.refused += 1
            except Exception as error:
                finding.error = _told(error, text)
                raise
            took = time.process_time() - began
            if took > finding.slowest:
                finding.slowest, finding.slowest_text = took, f"{text!r:.200}"

        # What is raised is kept in `finding`, the shortest text that raises it last.
        with suppress(Exception):
            _examples(parser.texts, max(1, int(count * parser.share)), seed)(once)()
    return finding


def _told(error: Exception, text: Any) -> str:
    frame = traceback.extract_tb(error.__traceback__)[-1]
    where = f"{frame.filename}:{frame.lineno}"
    return f"{type(error).__name__}: {error!s:.200} in {where}, for {text!r:.200}"


def _examples(texts: st.SearchStrategy[Any], count: int, seed: int) -> Callable[[Any], Any]:
    bounds = hypothesis.settings(
        max_examples=count,
        deadline=None,
        database=None,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
        print_blob=False,
    )
    return lambda once: hypothesis.seed(seed)(bounds(given(texts)(once)))


def damaged(*good: bytes) -> st.SearchStrategy[bytes]:
    """One of these, with a few changes."""

    def change(one: bytes, seed: int) -> bytes:
        chance = random.Random(seed)
        for _ in range(chance.choice((0, 1, 1, 2, 5))):
            one = any_change(one, chance)
        return one

    return st.builds(change, st.sampled_from(good), st.integers(0, 2**64))


def damaged_text(good: str) -> st.SearchStrategy[str]:
    """A text with a few changes."""
    return damaged(good.encode()).map(lambda one: one.decode("latin-1"))


def any_text() -> st.SearchStrategy[str]:
    """A text, of any characters."""
    return st.sampled_from(NASTY) | st.text(max_size=50)


def any_value(names: Sequence[str] = ()) -> st.SearchStrategy[Any]:
    """What JSON can hold, with objects that have some of these names."""
    keys = st.sampled_from([*names, "a"]) | st.text(max_size=5)
    return st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | any_text(),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=4),
        max_leaves=8,
    )


def json_texts(*good: Mapping[str, Any]) -> st.SearchStrategy[bytes]:
    """JSON of an object of which some fields are wrong, or that is damaged as a whole."""
    names = sorted({name for one in good for name in one})
    values = st.sampled_from(NASTY_JSON) | any_value(names).map(json.dumps)

    def replaced(one: Mapping[str, Any], wrong: Mapping[str, str]) -> bytes:
        fields = {name: json.dumps(value) for name, value in one.items()} | dict(wrong)
        inside = ", ".join(f"{json.dumps(name)}: {value}" for name, value in fields.items())
        return f"{{{inside}}}".encode("utf-8", "surrogatepass")

    wrong = st.dictionaries(st.sampled_from([*names, "a"]), values, max_size=3)
    return st.one_of(
        st.builds(replaced, st.sampled_from(good), wrong),
        st.builds(replaced, st.sampled_from(good), wrong),
        damaged(*(json.dumps(one).encode() for one in good)),
        st.sampled_from(WHOLE_BODIES),
        values.map(lambda value: value.encode("utf-8", "surrogatepass")),
    )
