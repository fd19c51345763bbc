"""Reads a recording, up to where a crash cut it off."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from susracker.errors import RecordingError
from susracker.recording.format import LINES_FILE, Recorded, check_header, from_line

log = logging.getLogger(__name__)


class Recording:
    """The detections of a recording, in the order in which they were accepted.

    What cannot be read is left out, logged and counted: a last line that a crash cut off, and
    detections whose picture is missing.

    Attributes:
        left_out: how many could not be read, in the last pass.

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
            yield from self._read(segment)

    def _read(self, segment: Path) -> Iterator[Recorded]:
        # A line at a time by its end: text that a crash cut off has none.
        with (segment / LINES_FILE).open("rb") as lines:
            for number, line in enumerate(lines, 1):
                try:
                    if not line.endswith(b"\n"):
                        raise RecordingError("the last line is cut off")
                    yield from_line(line.decode(errors="replace"), segment)
                except RecordingError as error:
                    self.left_out += 1
                    log.warning("%s, line %d is left out: %s", segment, number, error)


def segments(folder: Path) -> list[Path]:
    """The segments of a recording, oldest first."""
    return sorted(lines.parent for lines in folder.glob(f"*/{LINES_FILE}"))


def count_lines(segment: Path) -> int:
    """How many whole lines a segment has."""
    return (segment / LINES_FILE).read_bytes().count(b"\n")


def size_of(segment: Path) -> int:
    """How many bytes a segment's files have."""
    return sum(file.stat().st_size for file in segment.iterdir())


def span(recording: Recording) -> tuple[datetime, datetime] | None:
    """When its first and its last detection were received; None where there is none."""
    moments = [one.received_at for one in recording]
    return (min(moments), max(moments)) if moments else None
