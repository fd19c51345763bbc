"""Writes a recording, of detections that a server accepts or from another recording."""

from __future__ import annotations

import logging
import os
import shutil
import threading
import time
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import IO

from susracker.errors import PictureError, RecordingError
from susracker.faces.images import media_type
from susracker.models import Detection
from susracker.recording.format import (
    LINES_FILE,
    Recorded,
    check_header,
    is_empty,
    is_recording,
    to_line,
    write_header,
)
from susracker.recording.reader import segments, size_of
from susracker.runtime.closing import Closing
from susracker.runtime.files import FOLDER_MODE, make_private_folder, open_private
from susracker.runtime.periodic import Periodic

log = logging.getLogger(__name__)

SEGMENT_DETECTIONS = 1000
SEGMENT_SECONDS = 3600.0
"""A segment ends after this much: the limits of a recording remove whole segments."""

SEGMENTS_OF_LIMIT = 10
"""How many segments a size limit has room for, at least."""

PRUNE_SECONDS = 60.0

DAY_SECONDS = 86_400


class RecordingWriter(Closing):
    """Appends detections to a recording. For one thread.

    The picture is written before the line that names it, and the line whole: after a crash the
    recording can be read up to its last whole line. Nothing is flushed to disk, so a power cut may
    lose the last seconds.

    Args:
        folder: a recording, or a folder that is empty or missing.
        segment_bytes: a segment ends after this many.

    Raises:
        RecordingError: the folder holds something else, or cannot be written.
    """

    def __init__(self, folder: Path, segment_bytes: float = float("inf")) -> None:
        self._folder = folder
        self._segment_bytes = segment_bytes
        self._lines: IO[bytes] | None = None
        self._segment: Path | None = None
        # Of the segment: detections that were begun, bytes, and bytes of whole lines among them.
        self._written = self._bytes = self._whole_lines = 0
        self._began = 0.0
        try:
            make_private_folder(folder)
            if is_recording(folder):
                check_header(folder)
            elif not is_empty(folder):
                raise RecordingError(f"{folder} holds other files: name an empty or new folder")
            else:
                write_header(folder)
        except OSError as error:
            raise RecordingError(f"cannot record to {folder}: {error.strerror}") from error

    def write(self, recorded: Recorded) -> None:
        """Append a detection.

        Raises:
            RecordingError: it cannot be written; what was written of it is removed.
        """
        try:
            self._append(*self._segment_with_room(), recorded)
        except OSError as error:
            self._take_back()
            raise RecordingError(f"cannot record to {self._folder}: {error.strerror}") from error

    def end_segment_in(self, folder: Path) -> None:
        """Stop writing to a segment that is about to be removed."""
        if folder == self._segment:
            self._end_segment()

    def close(self) -> None:
        """End the last segment."""
        self._end_segment()

    def _append(self, segment: Path, lines: IO[bytes], recorded: Recorded) -> None:
        self._written += 1
        picture = recorded.detection.picture
        name = None
        if picture is not None:
            name = f"{self._written:07}.{_suffix(picture)}"
            with open_private(segment / name, "xb") as file:
                file.write(picture)
        line = (to_line(recorded, name) + "\n").encode()
        _write_whole(lines, line)
        self._whole_lines += len(line)
        self._bytes += len(line) + len(picture or b"")

    def _segment_with_room(self) -> tuple[Path, IO[bytes]]:
        full = (
            self._written >= SEGMENT_DETECTIONS
            or self._bytes >= self._segment_bytes
            or time.monotonic() - self._began >= SEGMENT_SECONDS
        )
        if full or not self._segment or not self._lines:
            self._end_segment()
            return self._new_segment()
        return self._segment, self._lines

    def _new_segment(self) -> tuple[Path, IO[bytes]]:
        segment = self._next_segment()
        segment.mkdir(mode=FOLDER_MODE)
        self._segment, self._began = segment, time.monotonic()
        self._written = self._bytes = self._whole_lines = 0
        # Without a buffer: what a full disk refuses must not be tried again when it is closed.
        self._lines = open_private(segment / LINES_FILE, "xb", buffering=0)
        return segment, self._lines

    def _next_segment(self) -> Path:
        names = (entry.name for entry in self._folder.iterdir() if entry.name.isdecimal())
        return self._folder / f"{max(map(int, names), default=0) + 1:08}"

    def _take_back(self) -> None:
        """Remove what was written of a detection, and end its segment."""
        segment = self._segment
        # What cannot be removed either, the reader leaves out.
        with suppress(OSError):
            self._end_segment()
            if segment and self._whole_lines:
                os.truncate(segment / LINES_FILE, self._whole_lines)
                for picture in segment.glob(f"{self._written:07}.*"):
                    picture.unlink()
            elif segment:
                _remove_segment(segment)

    def _end_segment(self) -> None:
        lines, self._lines, self._segment = self._lines, None, None
        if lines:
            lines.close()


def _suffix(picture: bytes) -> str:
    """The suffix of a picture's file. A repeated event is accepted whatever its picture is."""
    try:
        return media_type(picture).partition("/")[2].replace("jpeg", "jpg")
    except PictureError:
        return "bin"


def _write_whole(file: IO[bytes], content: bytes) -> None:
    """A file without a buffer may take only a part at a time."""
    rest = memoryview(content)
    while rest:
        rest = rest[file.write(rest) :]


def _remove_segment(segment: Path) -> None:
    """Remove a segment; one whose removal is interrupted is still known as one."""
    for file in segment.iterdir():
        if file.name != LINES_FILE:
            file.unlink()
    shutil.rmtree(segment)


class Recorder:
    """Keeps what a server accepts, within limits: the oldest segments make room.

    `record` may be called from any thread. A detection that cannot be kept is logged, and
    `problem` says why: its alert is stored already, and is not to be lost for that. Recording goes
    on by itself when it can.

    Raises:
        RecordingError: the folder holds something else, or cannot be written.
    """

    def __init__(self, folder: Path, max_mb: float, max_days: float) -> None:
        self._folder = folder
        self._max_bytes = max_mb * 1e6
        self._max_seconds = max_days * DAY_SECONDS
        self._writer = RecordingWriter(folder, self._max_bytes / SEGMENTS_OF_LIMIT)
        self._lock = threading.Lock()
        self._failed = 0
        self._problem: str | None = None
        self.prune()
        self._pruning = Periodic("limiting the recording", PRUNE_SECONDS, self.prune)

    @property
    def problem(self) -> str | None:
        """Why the last detection was not recorded or old ones are not removed, or None."""
        return self._problem or self._pruning.problem

    def record(self, detection: Detection, received_at: datetime) -> None:
        """Keep an accepted detection."""
        with self._lock:
            try:
                self._writer.write(Recorded(detection, received_at))
            except RecordingError as error:
                self._failed += 1
                self._problem = f"{error}; detections are not recorded"
                if self._failed == 1:
                    log.error("%s", self._problem)
                return
            if self._failed:
                log.error("recording again; %d detections were not recorded", self._failed)
            self._failed, self._problem = 0, None

    def prune(self) -> None:
        """Remove the oldest segments beyond the limits of size and age.

        Raises:
            RecordingError: they cannot be removed.
        """
        try:
            self._prune()
        except OSError as error:
            raise RecordingError(
                f"cannot limit the recording {self._folder}: {error.strerror}"
            ) from error

    def _prune(self) -> None:
        found = segments(self._folder)
        sizes = [size_of(segment) for segment in found]
        total, now = sum(sizes), time.time()
        for segment, size in zip(found, sizes, strict=True):
            age = now - (segment / LINES_FILE).stat().st_mtime
            if total <= self._max_bytes and age <= self._max_seconds:
                break
            with self._lock:
                self._writer.end_segment_in(segment)
            _remove_segment(segment)
            total -= size
            log.info(
                "recording: removed the segment %s, which exceeded the age or size limit", segment
            )

    def close(self) -> None:
        """End the recording."""
        self._pruning.close()
        with self._lock:
            self._writer.close()
