"""Writes a recording, as a server accepts detections or from another recording."""

from __future__ import annotations

import logging
import shutil
import threading
import time
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import IO

from typing_extensions import Self

from susracker.errors import RecordingError
from susracker.faces.images import media_type
from susracker.models import Detection
from susracker.recording.format import (
    LINES_FILE,
    Recorded,
    check_header,
    is_recording,
    to_line,
    write_header,
)
from susracker.recording.reader import segments, size_of
from susracker.runtime.files import make_private_folder, open_private
from susracker.runtime.periodic import Periodic

log = logging.getLogger(__name__)

SEGMENT_DETECTIONS = 1000
SEGMENT_SECONDS = 3600.0
"""A segment is ended after so much, as whole segments are what limits remove."""

SEGMENTS_OF_LIMIT = 10
"""How many segments a size limit has room for at least."""

PRUNE_SECONDS = 60.0

DAY_SECONDS = 86_400


class RecordingWriter:
    """Appends detections to a recording. For one thread.

    The picture is written before the line that names it, and the line whole: after a crash the
    recording can be read up to its last whole line. What is written is left to the operating
    system; a power cut may lose the last seconds.

    Args:
        folder: a recording, or a folder that is empty or missing.
        segment_bytes: a segment is ended after so many.

    Raises:
        RecordingError: the folder holds something else, or cannot be written.
    """

    def __init__(self, folder: Path, segment_bytes: float = float("inf")) -> None:
        self._folder = folder
        self._segment_bytes = segment_bytes
        self._lines: IO[str] | None = None
        self._segment = folder
        self._written = self._bytes = 0
        self._began = 0.0
        try:
            make_private_folder(folder)
            if is_recording(folder):
                check_header(folder)
            elif any(folder.iterdir()):
                raise RecordingError(f"{folder} holds other files: name an empty or a new folder")
            else:
                write_header(folder)
        except OSError as error:
            raise RecordingError(f"cannot record to {folder}: {error.strerror}") from error

    def write(self, recorded: Recorded) -> None:
        """Append a detection.

        Raises:
            RecordingError: it cannot be written.
        """
        try:
            lines = self._lines_with_room()
            self._written += 1
            picture = recorded.detection.picture
            name = self._keep_picture(picture) if picture is not None else None
            line = to_line(recorded, name) + "\n"
            lines.write(line)
            lines.flush()
        except OSError as error:
            self._end_segment()
            raise RecordingError(f"cannot record to {self._folder}: {error.strerror}") from error
        self._bytes += len(line) + len(picture or b"")

    def end_segment_in(self, folder: Path) -> None:
        """Let go of a segment that is to be removed."""
        if folder == self._segment:
            self._end_segment()

    def close(self) -> None:
        """End the last segment."""
        self._end_segment()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _lines_with_room(self) -> IO[str]:
        full = (
            self._written >= SEGMENT_DETECTIONS
            or self._bytes >= self._segment_bytes
            or time.monotonic() - self._began >= SEGMENT_SECONDS
        )
        if self._lines is None or full:
            self._end_segment()
            self._segment = self._next_segment()
            make_private_folder(self._segment)
            self._lines = open_private(
                self._segment / LINES_FILE, "x", encoding="utf-8", newline="\n"
            )
            self._written, self._bytes, self._began = 0, 0, time.monotonic()
        return self._lines

    def _next_segment(self) -> Path:
        names = (entry.name for entry in self._folder.iterdir() if entry.name.isdecimal())
        return self._folder / f"{max(map(int, names), default=0) + 1:08}"

    def _keep_picture(self, picture: bytes) -> str:
        suffix = media_type(picture).partition("/")[2].replace("jpeg", "jpg")
        name = f"{self._written:07}.{suffix}"
        with open_private(self._segment / name, "xb") as file:
            file.write(picture)
        return name

    def _end_segment(self) -> None:
        if self._lines:
            self._lines.close()
        self._lines = None


class Recorder:
    """Keeps what a server accepts, within limits: the oldest segments make room.

    `record` may be called from any thread. A detection that cannot be kept is logged: its alert is
    stored already, and is not to be lost for that.

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
        self.prune()
        self._pruning = Periodic("limiting the recording", PRUNE_SECONDS, self.prune)

    def record(self, detection: Detection, received_at: datetime) -> None:
        """Keep an accepted detection."""
        with self._lock:
            try:
                self._writer.write(Recorded(detection, received_at))
            except RecordingError as error:
                self._failed += 1
                if self._failed == 1:
                    log.error("%s; detections are not recorded", error)
                return
            if self._failed:
                log.error("%d detections were not recorded; recording again", self._failed)
            self._failed = 0

    def prune(self) -> None:
        """Remove the oldest segments beyond the limits of size and age."""
        found = segments(self._folder)
        sizes = [size_of(segment) for segment in found]
        total, now = sum(sizes), time.time()
        for segment, size in zip(found, sizes, strict=True):
            age = now - (segment / LINES_FILE).stat().st_mtime
            if total <= self._max_bytes and age <= self._max_seconds:
                break
            with self._lock:
                self._writer.end_segment_in(segment)
            shutil.rmtree(segment)
            total -= size
            log.info("recording: the segment %s was removed by its age or the size limit", segment)

    def close(self) -> None:
        """End the recording."""
        self._pruning.close()
        with self._lock:
            self._writer.close()
