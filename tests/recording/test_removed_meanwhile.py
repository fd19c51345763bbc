"""A server removes the oldest segments of a recording while someone else reads it."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from susracker.models import Detection
from susracker.recording import reader
from susracker.recording.format import Recorded
from susracker.recording.reader import Recording, count_lines, pictures_near, segments, size_of
from susracker.recording.writer import RecordingWriter

NOON = datetime(2026, 1, 1, 12, tzinfo=timezone.utc)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A recording of three segments, each of one detection."""
    with RecordingWriter(tmp_path / "night", segment_bytes=1) as opened:
        for number in range(3):
            moment = NOON + timedelta(seconds=number)
            detection = Detection("gate", "Gate", "violence", moment, None, f"e{number}")
            opened.write(Recorded(detection, moment))
    return tmp_path / "night"


@pytest.mark.parametrize("read", [Recording.__iter__, Recording.by_time])
def test_who_reads_goes_on_with_the_next_segment(
    folder: Path, read: Callable[[Recording], Iterator[Recorded]]
) -> None:
    recording = Recording(folder)
    found = read(recording)
    ids = [next(found).detection.event_id]
    shutil.rmtree(segments(folder)[1])
    ids += [one.detection.event_id for one in found]
    assert ids == ["e0", "e2"]
    assert recording.left_out == 0


def test_a_segment_that_is_gone_has_no_lines_and_no_size(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = segments(folder)[0]
    shutil.rmtree(gone)
    assert (count_lines(gone), size_of(gone)) == (0, 0)
    monkeypatch.setattr(reader, "segments", lambda folder: [gone])
    assert pictures_near(folder, [NOON], 2) == []
