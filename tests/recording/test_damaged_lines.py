"""Lines and headers that nobody wrote: left out or refused, and nothing else."""

from __future__ import annotations

import json
from datetime import datetime, timezone

import pytest

from susracker.errors import RecordingError
from susracker.models import Detection
from susracker.recording.format import Recorded, to_line
from susracker.recording.reader import Recording, span
from susracker.recording.writer import RecordingWriter

NOON = datetime(2026, 1, 1, 12, tzinfo=timezone.utc)
GOOD = json.loads(to_line(Recorded(Detection("gate", "Gate", "violence", NOON), NOON), None))


@pytest.fixture
def lines(tmp_path):
    with RecordingWriter(tmp_path / "night"):
        pass
    (tmp_path / "night" / "00000001").mkdir(exist_ok=True)
    return tmp_path / "night" / "00000001" / "detections.jsonl"


@pytest.mark.parametrize(
    "wrong",
    [
        {"camera_id": 5},
        {"camera_location": None},
        {"event_type": ["violence"]},
        {"event_id": 7},
        {"occurred_at": "2026-01-01T12:00:00"},
        {"received_at": "2026-01-01T12:00:00"},
        {"received_at": 5},
        {"picture": "a\0.jpg", "bytes": 1},
        {"picture": "\ud800.jpg", "bytes": 1},
        {"encoder": "dlib", "embeddings": 5},
        {"encoder": "dlib", "embeddings": ["AAAA"]},
    ],
    ids=str,
)
def test_a_line_with_a_wrong_field_is_left_out(lines, wrong):
    lines.write_text("".join(json.dumps(one) + "\n" for one in (GOOD, GOOD | wrong)))
    recording = Recording(lines.parent.parent)
    for read in (recording, recording.by_time()):
        assert [one.detection.camera_id for one in read] == ["gate"]
        assert recording.left_out == 1
    assert span(recording) == (NOON, NOON)


@pytest.mark.parametrize("line", ["[" * 100_000, "5", "null", '"' + "9" * 5000 + '"', "9" * 5000])
def test_a_line_that_is_no_object_is_left_out(lines, line):
    lines.write_text(line + "\n")
    recording = Recording(lines.parent.parent)
    assert list(recording) == list(recording.by_time()) == []
    assert recording.left_out == 1


@pytest.mark.parametrize("version", ["1e999", "[]", "9" * 5000, "[" * 100_000, "NaN"])
def test_a_header_without_a_version_is_refused(lines, version):
    folder = lines.parent.parent
    header = f'{{"format": "susracker recording", "version": {version}}}'
    (folder / "recording.json").write_text(header)
    with pytest.raises(RecordingError, match="not a susracker recording"):
        Recording(folder)
