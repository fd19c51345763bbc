"""Detections run again give what they gave, on the recorded clock, and change nothing."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from susracker.config import Settings
from susracker.enrolment.enroller import Enroller
from susracker.enrolment.fields import criminal_from_fields
from susracker.errors import InputError, UnknownBackendError
from susracker.faces.images import crop, decode
from susracker.faces.photos import decode_photo
from susracker.loading import make_settings
from susracker.models import Detection
from susracker.plugins import open_detector, open_encoder, open_store
from susracker.recording.edit import anonymise, write_new
from susracker.recording.format import Recorded
from susracker.recording.reader import Recording
from susracker.replay.compare import compare
from susracker.replay.faces import save_faces
from susracker.replay.results import (
    Result,
    add_step,
    is_results,
    read_results,
    settings_of,
    write_results,
)
from susracker.replay.run import Pace, open_replay_tracker, run
from susracker.replay.sources import Scenery, open_source
from susracker.replay.summary import outcome_counts, seen
from susracker.stores.transfer import contents
from susracker.tracking.tracker import Tracker
from tests.edge.test_video import write_video
from tests.pictures import COLLINS, HOPPER, encoded, portrait

NIGHT = datetime(2026, 1, 1, 3, tzinfo=timezone.utc)
SOON = Pace(math.inf)


def portrait_of(data: bytes) -> np.ndarray:
    return decode_photo(data, 10**8)


def face_of(path) -> bytes:
    picture = portrait(path)
    return encoded(np.ascontiguousarray(crop(picture, open_detector().find(picture)[0].box, 0.2)))


HOPPERS, COLLINSES = face_of(HOPPER), face_of(COLLINS)
WALL = encoded(np.full((90, 90, 3), 120, np.uint8))


@pytest.fixture(scope="module")
def settings(tmp_path_factory):
    """A watch-list with one person, who stays as they are."""
    return watch_for(HOPPER.read_bytes(), tmp_path_factory.mktemp("site"))


def watch_for(photo: bytes, folder: Path) -> Settings:
    """Enrol one person in a new store."""
    url = f"sqlite:///{folder / 'site.db'}"
    with open_store(url) as store:
        enroller = Enroller(store, open_encoder("dlib"))
        criminal = criminal_from_fields({"name": "Grace Hopper"})
        enroller.enroll(criminal, [enroller.prepare(photo)])
    return make_settings({"store": url, "workers": 2})


def at(seconds: float, picture: bytes | None, camera: str = "gate", **changes) -> Recorded:
    moment = NIGHT + timedelta(seconds=seconds)
    kind = "face" if picture else "violence"
    detection = Detection(camera, "Main gate", kind, moment, picture)
    return Recorded(replace(detection, **changes), moment)


NIGHT_SHIFT = [
    at(0, HOPPERS),
    at(1, HOPPERS),
    at(1, HOPPERS, "hall"),
    at(2, COLLINSES),
    at(3, WALL),
    at(4, None),
    at(5, None),
    at(6, HOPPERS),
]
KINDS = ["alert", "cooldown", "alert", "no match", "no face", "alert", "cooldown", "alert"]


@pytest.fixture(scope="module")
def night(tmp_path_factory):
    folder = tmp_path_factory.mktemp("recordings") / "night"
    write_new(folder, NIGHT_SHIFT, lambda: None)
    return folder


def results(settings, source, **changes) -> list[Result]:
    changed = make_settings(settings.model_dump() | changes)
    with open_replay_tracker(changed, NIGHT) as tracker:
        found: list[Result] = []
        for step in run(tracker, source, changed.workers, SOON):
            add_step(found, step)
        return found


def test_a_night_is_told_as_it_was(settings, night):
    found = results(settings, open_source(str(night), Scenery()))
    assert [one.outcome for one in found] == KINDS
    assert [one.number for one in found] == list(range(1, 9))
    assert found[0].matches[0].name == "Grace Hopper"
    assert [one.suppressed for result in found for one in result.matches] == [
        False,
        True,
        False,
        False,
    ]


def test_it_is_what_the_tracker_itself_does(settings, night, tmp_path):
    """The same detections through the tracker of a server, on a clock that is set."""
    replayed = results(settings, Recording(night))
    with open_store(settings.store) as original:
        criminal = original.criminals()[0]
        photo = original.photo(original.photo_ids(criminal.id)[0])
    live = make_settings(settings.model_dump() | {"store": f"sqlite:///{tmp_path / 'live.db'}"})
    tracker = Tracker.from_settings(live)
    enroller = Enroller(tracker.store, tracker.encoder)
    enroller.enroll(criminal, [enroller.prepare(photo.content)])
    with tracker:
        outcomes = [tracker.handle(one.detection) for one in NIGHT_SHIFT]
    assert [one.kind for one in outcomes] == [one.outcome for one in replayed]
    scores = [sighting.score for one in outcomes for sighting in one.sightings]
    again = [one.score for result in replayed for one in result.matches]
    assert scores == pytest.approx(again, abs=1e-5)


def test_the_same_twice_gives_the_same_file(settings, night, tmp_path):
    for name in ("a", "b"):
        with open_replay_tracker(settings, NIGHT) as tracker:
            used = settings_of(tracker)
        write_results(tmp_path / name, used, results(settings, Recording(night)))
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    assert is_results(tmp_path / "a")
    assert [one.outcome for one in read_results(tmp_path / "a")] == KINDS


@pytest.mark.parametrize("then", [[], [at(2, WALL, "hall"), at(4.5, WALL), at(9, HOPPERS)]])
def test_the_last_look_at_a_passage_is_told_where_its_face_is(settings, tmp_path, then):
    blurred = encoded(cv2.GaussianBlur(portrait_of(HOPPERS), (0, 0), 7))
    night = [at(0, blurred), at(0.1, blurred), at(0.2, WALL), *then]
    with open_replay_tracker(settings, NIGHT) as tracker:
        (search,) = tracker.recogniser.search_picture(portrait_of(blurred), NIGHT)
    target = 1.5 * search.candidates[0].fpir
    for name in ("a", "b"):
        write_results(tmp_path / name, {}, results(settings, night, target_fpir=target))
    found = read_results(tmp_path / "a")
    assert [one.number for one in found] == list(range(1, len(night) + 1))
    assert [one.outcome for one in found[:3]] == ["alert", "no match", "no face"]
    assert [one.fpir <= target for one in found[0].matches] == [True]
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_nothing_is_written_to_the_store(settings, night):
    with open_store(settings.store) as store:
        before = store.revision(), store.last_seq(), store.criminals()
    results(settings, Recording(night))
    with open_store(settings.store) as store:
        assert (store.revision(), store.last_seq(), store.criminals()) == before
        assert store.sightings(store.criminals()[0].id) == []
        assert store.cameras() == []


def test_a_replay_writes_nothing_to_the_store(settings):
    def held():
        with open_store(settings.store) as store:
            return contents(store, lambda step, done, total: None)

    before = held()
    found = results(settings, [at(0, HOPPERS, event_id="e1")])
    assert [one.outcome for one in found] == ["alert"]
    assert held() == before


def test_a_clock_that_jumps_back_an_hour_silences_nobody(settings):
    jump = [at(3600, HOPPERS), at(0, HOPPERS), at(1, HOPPERS)]
    found = results(settings, jump)
    assert [one.outcome for one in found] == ["alert", "alert", "cooldown"]


def test_a_camera_ahead_of_the_server_is_set_right(settings):
    ahead = at(0, HOPPERS, occurred_at=NIGHT + timedelta(hours=2))
    found = results(settings, [ahead, at(1, HOPPERS)])
    assert [one.outcome for one in found] == ["alert", "cooldown"]


def test_a_repeated_event_is_told_as_one(settings):
    twice = [at(0, HOPPERS, event_id="e1"), at(9, HOPPERS, event_id="e1")]
    assert [one.outcome for one in results(settings, twice)] == ["alert", "repeat"]


def test_a_picture_that_is_none_stops_nothing(settings):
    found = results(settings, [at(0, b"not a picture"), at(1, HOPPERS)])
    assert [one.outcome for one in found] == ["unreadable", "alert"]


def test_someone_whose_time_ran_out_since_was_wanted_then(settings, tmp_path):
    url = f"sqlite:///{tmp_path / 'past.db'}"
    with open_store(url) as store:
        enroller = Enroller(store, open_encoder("dlib"))
        criminal = replace(
            criminal_from_fields({"name": "Grace Hopper"}), expires_at=NIGHT + timedelta(seconds=5)
        )
        enroller.enroll(criminal, [enroller.prepare(HOPPER.read_bytes())])
    found = results(settings, [at(0, HOPPERS), at(6, HOPPERS)], store=url)
    assert [one.outcome for one in found] == ["alert", "no match"]


def test_an_empty_watch_list_is_an_error(settings, tmp_path):
    url = f"sqlite:///{tmp_path / 'empty.db'}"
    open_store(url).close()
    with pytest.raises(InputError, match="nobody on the watch-list"):
        results(settings, NIGHT_SHIFT, store=url)


def test_anonymised_detections_are_recognised(settings, night, tmp_path):
    found = anonymise(Recording(night), open_detector(), open_encoder("dlib"), workers=2)
    write_new(tmp_path / "none", found, lambda: None)
    again = results(settings, Recording(tmp_path / "none"))
    with_pictures = results(settings, Recording(night))
    assert [one.outcome for one in again] == KINDS
    for one, other in zip(again, with_pictures, strict=True):
        scores = [match.score for match in one.matches]
        assert scores == pytest.approx([match.score for match in other.matches], abs=1e-4)


def test_embeddings_of_another_encoder_are_refused(settings, night, tmp_path):
    write_new(
        tmp_path / "none",
        anonymise(Recording(night), open_detector(), open_encoder("dlib"), 1),
        lambda: None,
    )
    lines = next((tmp_path / "none").glob("*/detections.jsonl"))
    lines.write_text(lines.read_text().replace('"encoder": "', '"encoder": "other-'))
    with pytest.raises(InputError, match="other-"):
        results(settings, Recording(tmp_path / "none"))


def test_other_settings_are_compared(settings):
    before = results(settings, NIGHT_SHIFT)
    assert compare(before, results(settings, NIGHT_SHIFT)) == []
    longer = compare(before, results(settings, NIGHT_SHIFT, cooldown_seconds=60))
    assert [(one.kind, one.number, one.name) for one in longer] == [
        ("now held back", 8, "Grace Hopper")
    ]
    none = compare(before, results(settings, NIGHT_SHIFT, cooldown_seconds=0))
    assert [(one.kind, one.number) for one in none] == [("now alerts", 2), ("now alerts", 7)]
    strict = results(settings, NIGHT_SHIFT, threshold_shift=5, target_fpir=1e-9)
    lost = compare(before, strict)
    assert {(one.kind, one.number) for one in lost} >= {("disappears", 1)}
    back = compare(strict, before)
    assert ("appears", 1) in {(one.kind, one.number) for one in back}


def test_a_change_of_rank_is_told(settings):
    before = results(settings, NIGHT_SHIFT[:1])
    match = replace(before[0].matches[0], candidates=("someone", before[0].matches[0].criminal_id))
    (change,) = compare(before, [replace(before[0], matches=(match,))])
    assert change.kind == "changes rank"


def test_results_of_other_detections_are_not_compared(settings):
    found = results(settings, NIGHT_SHIFT[:3])
    for other in (found[:2], [*found[:2], replace(found[2], camera_id="yard")]):
        with pytest.raises(InputError, match="not of the same detections"):
            compare(found, other)


def test_results_that_are_damaged_or_newer_are_refused(tmp_path):
    file = tmp_path / "r.jsonl"
    contents = [
        "",
        "nonsense\n",
        "[" * 100_000,
        '{"format": "susracker replay", "version": 1e999}\n',
    ]
    for content in [*contents, '{"format": "susracker replay", "version": 1}\n{"a": 1}\n']:
        file.write_text(content)
        with pytest.raises(InputError, match="damaged"):
            read_results(file)
    file.write_text('{"format": "susracker replay", "version": 99}\n')
    with pytest.raises(InputError, match="version 99"):
        read_results(file)


def test_who_was_seen_where(settings):
    rows = seen(results(settings, NIGHT_SHIFT))
    told = [(one.name, one.camera_id, one.sightings, one.alerts, one.suppressed) for one in rows]
    assert told == [
        ("Grace Hopper", "gate", 3, 2, 1),
        ("Grace Hopper", "hall", 1, 1, 0),
        ("violence", "gate", 2, 1, 1),
    ]
    assert (rows[0].first, rows[0].last) == (
        NIGHT.isoformat(),
        (NIGHT + timedelta(seconds=6)).isoformat(),
    )
    assert outcome_counts(results(settings, NIGHT_SHIFT))["alert"] == 4


def test_matched_faces_are_saved_beside_the_photo(settings, tmp_path):
    with open_replay_tracker(settings, NIGHT) as tracker:
        for step in run(tracker, NIGHT_SHIFT, 1, SOON):
            save_faces(tmp_path / "faces", step, tracker.store)
    files = sorted((tmp_path / "faces").iterdir())
    assert [file.name[:6] for file in files] == ["000001", "000002", "000003", "000008"]
    sheet = decode(files[0].read_bytes())
    assert sheet[100, 100].std() > 0 or sheet[:250, :250].std() > 20


@pytest.mark.filterwarnings("ignore::UserWarning")  # Pillow warns of the damage
def test_a_photo_with_damaged_exif_is_shown_upright(tmp_path):
    exif = Image.Exif()
    exif[0x0112], exif[0x010E] = 6, "camera"
    turned = encoded(np.rot90(portrait(HOPPER)).copy(), exif=exif)
    description, width_as_text = b"\x01\x0e\x00\x02", b"\x01\x00\x00\x02"
    damaged = turned.replace(description, width_as_text, 1)
    assert damaged != turned
    with open_replay_tracker(watch_for(damaged, tmp_path), NIGHT) as tracker:
        (step,) = run(tracker, NIGHT_SHIFT[:1], 1, SOON)
        (file,) = save_faces(tmp_path / "faces", step, tracker.store)
    assert len(open_detector().find_in_bytes(file.read_bytes())) == 2


def test_pictures_of_a_folder_come_by_name(settings, tmp_path):
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "1.jpg").write_bytes(COLLINSES)
    (tmp_path / "a.png").write_bytes(HOPPERS)
    (tmp_path / "notes.txt").write_text("")
    source = open_source(str(tmp_path), Scenery(camera_id="gate", begin=NIGHT))
    found = results(settings, source)
    assert [one.outcome for one in found] == ["alert", "no match"]
    assert [one.occurred_at for one in found] == [
        (NIGHT + timedelta(seconds=second)).isoformat() for second in (0, 1)
    ]


def test_what_cannot_be_replayed_is_said(tmp_path):
    with pytest.raises(InputError, match="no pictures"):
        open_source(str(tmp_path), Scenery())
    with pytest.raises(InputError, match="there is no recording, folder or video"):
        open_source(str(tmp_path / "missing"), Scenery())
    (tmp_path / "clip.mp4").write_bytes(b"not a video")
    with pytest.raises(InputError, match="cannot be opened"):
        open_source(str(tmp_path / "clip.mp4"), Scenery())
    write_new(tmp_path / "night", [], lambda: None)
    with pytest.raises(InputError, match="is empty"):
        open_source(str(tmp_path / "night"), Scenery())


def test_faces_are_cut_out_of_a_video_by_the_detector_that_is_asked_for(tmp_path):
    face = portrait(HOPPER)
    clip = write_video(tmp_path / "clip.mp4", [face[: face.shape[0] // 2 * 2]] * 2, fps=6)
    assert list(open_source(str(clip), Scenery(detector="hog")))
    with pytest.raises(UnknownBackendError, match="cnn, hog"):
        list(open_source(str(clip), Scenery(detector="none")))


class Clock:
    """Stands in for the module `time`."""

    def __init__(self) -> None:
        self.now, self.slept = 0.0, []

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


def test_the_pace_is_that_of_the_night_and_no_slower_than_asked(monkeypatch):
    clock = Clock()
    monkeypatch.setattr("susracker.replay.run.time", clock)
    pace = Pace(speed=10)
    for seconds in (0, 1, -3600, -3599, -3598):
        pace.wait(NIGHT + timedelta(seconds=seconds))
        clock.now += 0.04  # which the replay takes for a detection
    # What it takes is made up for.
    assert clock.slept == pytest.approx([0.06, 0, 0.02, 0.06])
