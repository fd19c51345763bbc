"""Lets atheris look for damage that reaches new lines of our own decoding code.

    pip install atheris  # no part of the development environment: it has no wheels for all systems
    python -m tests.torture.guided -runs=1000000 [CORPUS_FOLDER]

Options are those of libFuzzer. A crash, or an error that is not documented, ends it, and the bytes
are saved in the working directory.
"""

from __future__ import annotations

import logging
import sys
import warnings
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["susracker"]):
    from susracker.access.export import read_export
    from susracker.access.keys import parse_key
    from susracker.errors import InputError, PictureError, RecordingError
    from susracker.faces.images import decode
    from susracker.recording.format import arrival, from_line
    from susracker.runtime.data_uri import decode_base64

MOST_PIXELS = 2_000_000

TARGETS: list[tuple[Callable[[bytes], object], type[Exception]]] = [
    (lambda data: decode(data, MOST_PIXELS), PictureError),
    (lambda data: decode_base64(data.decode("latin-1")), ValueError),
    (lambda data: from_line(data.decode(errors="replace"), Path("/nonexistent")), RecordingError),
    (lambda data: arrival(data.decode(errors="replace")), RecordingError),
    (lambda data: list(read_export([data])), InputError),
    (lambda data: parse_key(data.decode("latin-1")), InputError),
]
"""What is called, and what it may raise. The last byte says which; half of them are pictures."""


def one_input(data: bytes) -> None:
    """Call a target."""
    if data:
        call, allowed = TARGETS[data[-1] // 2 % len(TARGETS) if data[-1] % 2 else 0]
        with suppress(allowed):
            call(data[:-1])


def main() -> None:
    """Run until libFuzzer ends it."""
    warnings.simplefilter("ignore")
    logging.disable()
    atheris.Setup(sys.argv, one_input)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
