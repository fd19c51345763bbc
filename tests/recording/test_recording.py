"""What is recorded can be read, whatever happened to the machine."""

from __future__ import annotations

import errno
import json
import logging
import os
import shutil
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from functools import partial
from unittest.mock import Mock

import numpy as np
import pytest

from susracker.errors import RecordingError
from susracker.models import Detection
from susracker.plugins import open_detector, open_encoder
from susracker.recording import writer
from susracker.recording.edit import anonymise, cut, merge, write_new
from susracker.recording.format import Embeddings, Recorded, from_line, to_line
from susracker.recording.reader import Recording, segments, size_of, span
from susracker.recording.writer import Recorder, RecordingWriter
from susracker.runtime.files import draft
from tests.disks import full_disk
from tests.pictures import HOPPER, encoded, portrait
from tests.waiting import wait_until

NOON = datetime(2026, 1, 1, 12, tzinfo=timezone.utc)
PICTURE = encoded(np.full((40, 30, 3), 90, np.uint8))
NONE = frozenset()


def seen(number: int, camera: str = "gate", picture: bytes | None = PICTURE) -> Recorded:
    moment = NOON + timedelta(seconds=number)
    kind = "violence" if picture is None else "face"
    detection = Detection(camera, "Gäte", kind, moment, picture, f"e{number}")
    return Recorded(detection, moment + timedelta(milliseconds=5))


def same(one: Recorded, other: Recorded) -> bool:
    return (one.detection, one.received_at) == (other.detection, other.received_at)


@pytest.fixture
def night(tmp_path):
    folder = tmp_path / "night"
    with RecordingWriter(folder) as opened:
        for number in range(10):
            picture = PICTURE if number % 3 else None
            opened.write(seen(number, f"camera-{number % 2}", picture))
    return folder


def test_what_is_written_is_read(night):
    recording = Recording(night)
    found = list(recording)
    assert len(recording) == len(found) == 10
    assert recording.left_out == 0
    for number, one in enumerate(found):
        picture = PICTURE if number % 3 else None
        assert same(one, seen(number, f"camera-{number % 2}", picture))
    assert span(recording) == (found[0].received_at, found[-1].received_at)


def test_a_line_is_one_line_and_names_its_picture(night):
    (segment,) = segments(night)
    lines = (segment / "detections.jsonl").read_text(encoding="utf-8").splitlines()
    fields = json.loads(lines[1])
    assert (fields["camera_id"], fields["bytes"]) == ("camera-1", len(PICTURE))
    assert (segment / fields["picture"]).read_bytes() == PICTURE


def test_a_recording_goes_on_in_a_new_segment(night):
    with RecordingWriter(night) as opened:
        opened.write(seen(10))
    assert len(segments(night)) == 2
    assert [one.detection.event_id for one in Recording(night)] == [f"e{n}" for n in range(11)]


def test_segments_end_after_so_many_detections_or_bytes(tmp_path, monkeypatch):
    monkeypatch.setattr(writer, "SEGMENT_DETECTIONS", 4)
    with RecordingWriter(tmp_path / "many") as opened:
        for number in range(9):
            opened.write(seen(number))
    assert len(segments(tmp_path / "many")) == 3
    with RecordingWriter(tmp_path / "large", segment_bytes=1) as opened:
        for number in range(3):
            opened.write(seen(number))
    assert len(segments(tmp_path / "large")) == 3
    assert len(list(Recording(tmp_path / "large"))) == 3


def test_a_last_line_that_was_cut_off_is_left_out(night, caplog):
    (segment,) = segments(night)
    lines = segment / "detections.jsonl"
    os.truncate(lines, lines.stat().st_size - 20)
    recording = Recording(night)
    with caplog.at_level(logging.WARNING):
        assert [one.detection.event_id for one in recording] == [f"e{n}" for n in range(9)]
    assert recording.left_out == 1
    assert "line 10 is left out" in caplog.text
    with RecordingWriter(night) as opened:
        opened.write(seen(10))
    assert [one.detection.event_id for one in recording][-2:] == ["e8", "e10"]


@pytest.mark.parametrize("damage", ["missing", "short"])
def test_a_detection_without_its_picture_is_left_out(night, damage):
    (segment,) = segments(night)
    picture = min(segment.glob("*.jpg"), default=None) or min(segment.glob("*.png"))
    if damage == "missing":
        picture.unlink()
    else:
        os.truncate(picture, 10)
    recording = Recording(night)
    assert len(list(recording)) == 9
    assert recording.left_out == 1


def test_a_damaged_line_is_left_out(night):
    (segment,) = segments(night)
    lines = segment / "detections.jsonl"
    content = lines.read_bytes().splitlines(keepends=True)
    lines.write_bytes(b"".join([content[0], b'{"camera_id": 3}\n', b"\xff\xfe\n", *content[3:]]))
    recording = Recording(night)
    assert len(list(recording)) == 8
    assert recording.left_out == 2


def test_a_picture_is_only_looked_for_beside_its_line(tmp_path):
    (tmp_path / "secret.jpg").write_bytes(PICTURE)
    (tmp_path / "segment").mkdir()
    line = to_line(seen(1), "../secret.jpg")
    with pytest.raises(RecordingError, match="missing"):
        from_line(line, tmp_path / "segment")


def test_a_newer_version_and_other_folders_are_refused(night, tmp_path):
    (night / "recording.json").write_text('{"format": "susracker recording", "version": 2}')
    with pytest.raises(RecordingError, match="upgrade"):
        Recording(night)
    with pytest.raises(RecordingError, match="upgrade"):
        RecordingWriter(night)
    with pytest.raises(RecordingError, match="not a susracker recording"):
        Recording(tmp_path)
    (tmp_path / "recording.json").write_text('{"format": "other", "version": 1}')
    with pytest.raises(RecordingError, match="not a susracker recording"):
        Recording(tmp_path)


def test_a_folder_of_other_things_is_not_recorded_to(tmp_path):
    (tmp_path / "thesis.txt").write_text("")
    with pytest.raises(RecordingError, match="holds other files"):
        RecordingWriter(tmp_path)
    with pytest.raises(RecordingError, match="cannot record"):
        RecordingWriter(tmp_path / "thesis.txt" / "night")


def test_faces_are_for_nobody_else(night):
    assert night.stat().st_mode & 0o077 == 0
    assert segments(night)[0].stat().st_mode & 0o077 == 0


def test_the_oldest_segments_make_room(tmp_path):
    folder = tmp_path / "night"
    recorder = Recorder(folder, max_mb=20 * len(PICTURE) / 1e6, max_days=1)
    for number in range(40):
        recorder.record(seen(number).detection, NOON)
    recorder.prune()
    kept = [int(one.detection.event_id[1:]) for one in Recording(folder)]
    assert sum(map(size_of, segments(folder))) <= 20 * len(PICTURE)
    assert kept == list(range(kept[0], 40))
    assert 0 < len(kept) < 20
    recorder.close()


def test_what_is_too_old_is_removed(night):
    (segment,) = segments(night)
    two_days_ago = (segment / "detections.jsonl").stat().st_mtime - 2 * 86400
    os.utime(segment / "detections.jsonl", (two_days_ago, two_days_ago))
    recorder = Recorder(night, max_mb=100, max_days=1)
    recorder.record(seen(10).detection, NOON)
    recorder.close()
    assert [one.detection.event_id for one in Recording(night)] == ["e10"]


@pytest.mark.parametrize("done", range(8))
def test_a_removal_that_was_interrupted_is_finished_by_the_next(night, monkeypatch, done):
    """Pictures are of strangers, too: none may stay where nobody looks for them."""
    (segment,) = segments(night)
    os.utime(segment / "detections.jsonl", (0, 0))
    unlink, left = os.unlink, iter(range(done))

    def fail(*args, **kwargs):
        if next(left, None) is None:
            raise OSError(errno.EIO, "I/O error")
        unlink(*args, **kwargs)

    with monkeypatch.context() as patched:
        patched.setattr(os, "unlink", fail)
        with suppress(RecordingError):
            Recorder(night, max_mb=100, max_days=1).close()
    Recorder(night, max_mb=100, max_days=1).close()
    assert not segment.exists()


def test_a_recorder_goes_on_after_a_disk_that_failed(tmp_path, caplog):
    folder = tmp_path / "night"
    recorder = Recorder(folder, max_mb=100, max_days=1)
    recorder.record(seen(0).detection, NOON)
    shutil.rmtree(folder)
    with caplog.at_level(logging.ERROR):
        recorder.record(seen(1).detection, NOON)
        recorder.record(seen(2).detection, NOON)
    assert len([one for one in caplog.records if one.levelno == logging.ERROR]) == 1
    RecordingWriter(folder).close()
    with caplog.at_level(logging.ERROR):
        recorder.record(seen(3).detection, NOON)
    assert "2 detections were not recorded" in caplog.text
    assert [one.detection.event_id for one in Recording(folder)] == ["e3"]
    recorder.close()


def files(folder) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


@pytest.mark.parametrize(
    ("room", "picture"), [(0, PICTURE), (10, PICTURE), (250, PICTURE), (0, None), (10, None)]
)
def test_a_full_disk_leaves_a_whole_recording_and_no_litter(tmp_path, room, picture):
    folder = tmp_path / "night"
    with RecordingWriter(folder) as opened:
        opened.write(seen(0))
        before = files(folder)
        with full_disk(room):
            for number in range(1, 4):
                with pytest.raises(RecordingError, match="cannot record"):
                    opened.write(seen(number, picture=picture))
        assert files(folder) == before
        opened.write(seen(4))
    recording = Recording(folder)
    assert [one.detection.event_id for one in recording] == ["e0", "e4"]
    assert recording.left_out == 0


def test_a_line_that_did_not_fit_is_taken_back(tmp_path):
    folder = tmp_path / "night"
    with RecordingWriter(folder) as opened:
        opened.write(seen(0, picture=None))
        (segment,) = segments(folder)
        written = (segment / "detections.jsonl").read_bytes()
        with full_disk(len(written) + 20), pytest.raises(RecordingError):
            opened.write(seen(1, picture=None))
        assert (segment / "detections.jsonl").read_bytes() == written


def test_a_header_that_did_not_fit_is_no_recording_and_not_in_the_way(tmp_path):
    folder = tmp_path / "night"
    with full_disk(10), pytest.raises(RecordingError, match="cannot record"):
        RecordingWriter(folder)
    assert files(folder) == set()


@pytest.mark.parametrize(
    "begin", [RecordingWriter, partial(write_new, detections=(), on_detection=int)]
)
def test_a_header_that_a_crash_left_half_written_is_not_in_the_way(tmp_path, begin):
    folder = tmp_path / "night"
    folder.mkdir()
    with draft(folder / "recording.json", b'{"format": ') as half:
        begin(folder)
        assert half.exists()
    assert len(Recording(folder)) == 0


def test_a_full_disk_at_the_first_detection_leaves_no_segment(tmp_path):
    folder = tmp_path / "night"
    with RecordingWriter(folder) as opened:
        with full_disk(10), pytest.raises(RecordingError):
            opened.write(seen(0))
        assert files(folder) == {"recording.json"}
        opened.write(seen(1))
    assert [one.detection.event_id for one in Recording(folder)] == ["e1"]


def test_a_recorder_tells_of_a_full_disk_until_there_is_room(tmp_path):
    recorder = Recorder(tmp_path / "night", max_mb=100, max_days=1)
    assert recorder.problem is None
    with full_disk(10):
        recorder.record(seen(0).detection, NOON)
        assert "cannot record to" in recorder.problem
    recorder.record(seen(1).detection, NOON)
    assert recorder.problem is None
    recorder.close()


def test_a_recorder_tells_that_it_cannot_make_room(tmp_path, monkeypatch):
    monkeypatch.setattr(writer, "PRUNE_SECONDS", 0.01)
    folder = tmp_path / "night"
    recorder = Recorder(folder, max_mb=100, max_days=1)
    recorder.record(seen(0).detection, NOON)
    with monkeypatch.context() as broken:
        broken.setattr(shutil, "rmtree", Mock(side_effect=PermissionError(13, "Permission denied")))
        broken.setattr(recorder, "_max_bytes", 0)
        assert wait_until(lambda: recorder.problem is not None)
        assert "Permission denied" in recorder.problem
    assert wait_until(lambda: recorder.problem is None)
    recorder.close()


def test_a_repeat_whose_picture_is_none_is_recorded_as_it_came(tmp_path):
    with RecordingWriter(tmp_path / "night") as opened:
        opened.write(seen(0, picture=b"no picture"))
    (one,) = Recording(tmp_path / "night")
    assert one.detection.picture == b"no picture"


def test_cut_takes_times_and_cameras(night):
    source = Recording(night)
    begin, end = NOON + timedelta(seconds=2), NOON + timedelta(seconds=7)
    assert [one.detection.event_id for one in cut(source, begin, end, NONE)] == [
        f"e{number}" for number in range(2, 7)
    ]
    found = cut(source, None, end, frozenset({"camera-1"}))
    assert [one.detection.event_id for one in found] == ["e1", "e3", "e5"]


def test_merge_goes_by_time(tmp_path):
    for name, numbers in (("a", (0, 2, 4)), ("b", (1, 3))):
        write_new(tmp_path / name, map(seen, numbers), lambda: None)
    sources = [Recording(tmp_path / name) for name in ("a", "b")]
    count = write_new(tmp_path / "both", merge(sources), lambda: None)
    assert count == 5
    ids = [one.detection.event_id for one in Recording(tmp_path / "both")]
    assert ids == [f"e{number}" for number in range(5)]


def test_a_detection_that_is_in_several_recordings_is_merged_once(tmp_path):
    twice = [seen(2), seen(2)]
    other = replace(seen(2), detection=replace(seen(2).detection, camera_id="hall"))
    for name, content in (
        ("a", [seen(1), *twice, seen(3)]),
        ("b", [*twice, other, seen(3), seen(4)]),
        ("c", [seen(2), seen(3, picture=None)]),
    ):
        write_new(tmp_path / name, content, lambda: None)
    merged = list(merge(Recording(tmp_path / name) for name in ("a", "b", "c")))
    expected = [seen(1), *twice, other, seen(3), seen(3, picture=None), seen(4)]
    assert len(merged) == len(expected)
    assert all(same(*pair) for pair in zip(merged, expected, strict=True))


def test_details_are_recorded(tmp_path):
    one = seen(1, picture=None)
    detailed = replace(one, detection=replace(one.detection, details={"zone": [1, "ä"]}))
    write_new(tmp_path / "a", [detailed], lambda: None)
    (read,) = Recording(tmp_path / "a")
    assert same(read, detailed)


def test_merge_sorts_what_was_recorded_out_of_order(tmp_path, monkeypatch):
    monkeypatch.setattr(writer, "SEGMENT_DETECTIONS", 3)
    numbers = np.random.default_rng(0).permutation(40)
    for name, part in (("a", numbers[:25]), ("b", numbers[25:])):
        write_new(tmp_path / name, (seen(int(number)) for number in part), lambda: None)
    sources = [Recording(tmp_path / name) for name in ("a", "b")]
    merged = list(merge(sources))
    assert [one.detection.event_id for one in merged] == [f"e{number}" for number in range(40)]
    assert all(same(one, seen(number)) for number, one in enumerate(merged))


def test_what_was_received_at_once_stays_in_order(tmp_path):
    moments = [replace(seen(number), received_at=NOON) for number in range(6)]
    write_new(tmp_path / "a", moments[:3], lambda: None)
    write_new(tmp_path / "b", moments[3:], lambda: None)
    sources = [Recording(tmp_path / name) for name in ("a", "b")]
    found = [one.detection.event_id for one in merge(sources)]
    assert found == ["e0", "e1", "e2", "e3", "e4", "e5"]


def test_what_cannot_be_read_by_time_is_left_out_once(night):
    (segment,) = segments(night)
    min(segment.glob("*.jpg"), default=min(segment.glob("*.png"), default=None)).unlink()
    lines = segment / "detections.jsonl"
    content = lines.read_bytes().splitlines(keepends=True)
    content[5] = b'{"received_at": "yesterday"}\n'
    content[6] = b"\xff\xfe\n"
    content[7] = b'{"received_at": 5}\n'
    content[8] = content[8].replace(b'"camera_id"', b'"camera"')
    lines.write_bytes(b"".join(content)[:-3])
    recording = Recording(night)
    for _ in range(2):
        assert [one.detection.event_id for one in recording.by_time()] == ["e0", "e2", "e3", "e4"]
        assert recording.left_out == 6


def test_nothing_is_written_over(night, tmp_path):
    with pytest.raises(RecordingError, match="not empty"):
        write_new(night, [seen(0)], lambda: None)
    assert len(Recording(night)) == 10


def test_anonymised_recordings_have_embeddings_and_no_pictures(tmp_path):
    encoder = open_encoder("dlib")
    face = encoded(portrait(HOPPER))
    originals = [seen(0, picture=face), seen(1), seen(2, picture=None)]
    write_new(tmp_path / "faces", originals, lambda: None)
    found = anonymise(Recording(tmp_path / "faces"), open_detector(), encoder, workers=2)
    write_new(tmp_path / "none", found, lambda: None)
    kept = list(Recording(tmp_path / "none"))
    assert [one.detection for one in kept] == [
        replace(one.detection, picture=None) for one in originals
    ]
    assert [len(one.embeddings.vectors) if one.embeddings else None for one in kept] == [1, 0, None]
    assert kept[0].embeddings.encoder_id == encoder.id
    assert np.linalg.norm(kept[0].embeddings.vectors[0]) == pytest.approx(1, abs=1e-5)
    assert not [file for file in (tmp_path / "none").rglob("*") if file.suffix in (".jpg", ".png")]


def test_embeddings_are_kept_to_the_bit(tmp_path):
    vectors = np.random.default_rng(0).normal(size=(2, 128)).astype(np.float32)
    kept = from_line(
        to_line(replace(seen(0, picture=None), embeddings=Embeddings("x", vectors)), None), tmp_path
    )
    assert np.array_equal(kept.embeddings.vectors, vectors)
