"""Reads a recording, up to the point where a crash cut it off."""

from __future__ import annotations

import logging
from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TypeVar

import numpy as np

from susracker.errors import RecordingError
from susracker.recording.format import (
    LINES_FILE,
    Recorded,
    arrival,
    check_header,
    from_line,
    received_at,
)

log = logging.getLogger(__name__)


Parsed = TypeVar("Parsed")


@dataclass(frozen=True, slots=True)
class _Line:
    """A line of a segment.

    Attributes:
        number: from 1.
        offset: where it begins in the file, in bytes.
    """

    segment: Path
    number: int
    offset: int
    content: bytes


class Recording:
    """The detections of a recording, in the order in which they were recorded.

    Detections that cannot be read are left out, logged and counted: a last line that a crash cut
    off, or a picture that is missing.

    Attributes:
        left_out: how many could not be read in the last pass.

    Raises:
        RecordingError: not a recording, or one of a newer version.
    """

    def __init__(self, folder: Path) -> None:
        check_header(folder)
        self.folder = folder
        self.left_out = 0

    def __len__(self) -> int:
        return sum(count_lines(segment) for segment in segments(self.folder))

    def __iter__(self) -> Iterator[Recorded]:
        self.left_out = 0
        for segment in segments(self.folder):
            for line in _lines(segment):
                yield from self.parse(line, from_line)

    def by_time(self) -> Iterator[Recorded]:
        """The detections by when they were received; those of one moment as they were recorded.

        A server handles several detections at once and records each when it is done, so a quick
        one may come before one that was received earlier. How much earlier is bounded by nothing
        but the slowest request, so all lines are sorted: in memory, 32 bytes are kept for each.
        """
        self.left_out = 0
        folders = segments(self.folder)
        times, places = array("d"), array("q")
        for folder_number, folder in enumerate(folders):
            for line in _lines(folder):
                for moment in self.parse(line, lambda text, _: received_at(text)):
                    times.append(moment.timestamp())
                    places.extend((folder_number, line.number, line.offset))
        for place in np.argsort(times, kind="stable").tolist():
            folder_number, number, offset = places[3 * place : 3 * place + 3]
            for line in _line_at(folders[folder_number], number, offset):
                yield from self.parse(line, from_line)

    def parse(self, line: _Line, parse: Callable[[str, Path], Parsed]) -> Iterator[Parsed]:
        """What a line says; nothing if it is damaged."""
        try:
            if not line.content.endswith(b"\n"):
                raise RecordingError("the last line is cut off")
            yield parse(line.content.decode(errors="replace"), line.segment)
        except RecordingError as error:
            self.left_out += 1
            log.warning("%s, line %d is left out: %s", line.segment, line.number, error)


def _lines(segment: Path) -> Iterator[_Line]:
    # A server removes segments for their age while others read.
    with suppress(FileNotFoundError), (segment / LINES_FILE).open("rb") as lines:
        offset = 0
        # A line at a time by its end: text that a crash cut off has none.
        for number, content in enumerate(lines, 1):
            yield _Line(segment, number, offset, content)
            offset += len(content)


def _line_at(segment: Path, number: int, offset: int) -> Iterator[_Line]:
    with suppress(FileNotFoundError), (segment / LINES_FILE).open("rb") as lines:
        lines.seek(offset)
        yield _Line(segment, number, offset, lines.readline())


def pictures_near(folder: Path, moments: Sequence[datetime], seconds: float) -> list[Path]:
    """Pictures of detections that were received within `seconds` of one of some moments.

    Args:
        moments: in order.

    Raises:
        RecordingError: not a recording, or one of a newer version.
    """
    recording = Recording(folder)
    times = [one.timestamp() for one in moments]

    def is_near(moment: float) -> bool:
        place = bisect_left(times, moment - seconds)
        return place < len(times) and times[place] <= moment + seconds

    return [
        segment / picture
        for segment in segments(folder)
        for line in _lines(segment)
        for received, picture in recording.parse(line, lambda text, _: arrival(text))
        if picture and is_near(received.timestamp())
    ]


def segments(folder: Path) -> list[Path]:
    """The segments of a recording, oldest first."""
    return sorted(lines.parent for lines in folder.glob(f"*/{LINES_FILE}"))


def count_lines(segment: Path) -> int:
    """How many whole lines a segment has; none if it was removed meanwhile."""
    return sum(line.content.endswith(b"\n") for line in _lines(segment))


def size_of(segment: Path) -> int:
    """The size of a segment's files, in bytes; of what is left if it is being removed."""
    size = 0
    with suppress(FileNotFoundError):
        for file in segment.iterdir():
            size += file.stat().st_size
    return size


def span(recording: Recording) -> tuple[datetime, datetime] | None:
    """When the first and the last detection were received; None if there are none."""
    moments = [one.received_at for one in recording]
    return (min(moments), max(moments)) if moments else None
