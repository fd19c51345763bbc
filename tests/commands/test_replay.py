"""`susracker replay`, `recordings` and `camera`, as typed."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from itertools import chain, repeat
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from susracker.cli import main
from susracker.demo.process import ServerProcess
from susracker.enrolment.enroller import Enroller
from susracker.enrolment.fields import criminal_from_fields
from susracker.plugins import open_encoder, open_store
from susracker.recording.edit import write_new
from susracker.recording.reader import Recording
from susracker.replay.post import Poster
from susracker.replay.run import Pace
from susracker.replay.sources import Scenery, open_source
from tests.edge.test_video import write_video
from tests.pictures import HOPPER, portrait, shared
from tests.replay.test_replay import COLLINSES, HOPPERS, KINDS, NIGHT_SHIFT, at


def run(*args: object) -> Result:
    return CliRunner().invoke(main, [str(one) for one in args], catch_exceptions=False)


def enroll(url: str, **people: Path) -> None:
    with open_store(url) as store:
        enroller = Enroller(store, open_encoder("dlib"))
        for name, photo in people.items():
            criminal = criminal_from_fields({"name": name})
            enroller.enroll(criminal, [enroller.prepare(photo.read_bytes())])


@pytest.fixture
def site(tmp_path, monkeypatch) -> str:
    """A store with one person, and nothing else in the settings."""
    monkeypatch.chdir(tmp_path)
    url = f"sqlite:///{tmp_path / 'site.db'}"
    monkeypatch.setenv("SUSRACKER_STORE", url)
    enroll(url, Grace=HOPPER)
    return url


@pytest.fixture
def night(site) -> Path:
    write_new(Path("night"), NIGHT_SHIFT, lambda: None)
    return Path("night")


def test_a_night_in_numbers(night):
    result = run("replay", night, "--json", "a.jsonl")
    assert result.exit_code == 0
    assert "8 detections: 4 alert, 2 cooldown, 1 no match, 1 no face" in result.output
    assert "Grace" in result.output
    header, *lines = map(json.loads, Path("a.jsonl").read_text().splitlines())
    assert header["settings"]["watchlist"] == 1
    assert [line["outcome"] for line in lines] == KINDS


@pytest.mark.parametrize("terminal", [{}, {"FORCE_COLOR": "1", "COLUMNS": "80"}])
def test_names_are_shown_as_they_are(night, site, monkeypatch, terminal):
    monkeypatch.setenv("NO_COLOR", "1")
    for name, value in terminal.items():
        monkeypatch.setenv(name, value)
    with open_store(site) as store:
        (person,) = store.criminals()
        store.edit_criminal(person.id, {"name": "Grace [/x] Hopper"})
    shown = run("replay", night, "--compare", "cooldown_seconds=0").stdout
    assert shown.count("[/x]") > 1


def test_compare_with_an_earlier_result(night):
    run("replay", night, "--json", "a.jsonl")
    same = run("replay", night, "--compare", "a.jsonl", "--fail-on-change")
    assert (same.exit_code, "no change" in same.output) == (0, True)
    flags = ("--compare", "a.jsonl", "--cooldown-seconds", "60")
    other = run("replay", night, *flags, "--fail-on-change")
    assert (other.exit_code, "1 now held back" in other.output) == (1, True)
    assert run("replay", night, *flags).exit_code == 0


def test_compare_with_other_settings(night):
    result = run("replay", night, "--compare", "cooldown_seconds=0,target_fpir=0.02")
    assert "2 now alerts" in result.output
    Path("other.toml").write_text("cooldown_seconds = 60\n")
    assert "1 now held back" in run("replay", night, "--compare", "other.toml").output


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["--compare", "nothing"], "neither a file nor settings"),
        (["--compare", "cooldown_seconds=soon"], "should be a valid number"),
        (["--compare", "colour=red"], "no setting is called 'colour'"),
        (["--fail-on-change"], "needs --compare"),
        (["--server", "http://x", "--save-faces", "f"], "--server cannot be combined"),
        (["--speed", "fast"], "is not a speed"),
        (["--speed", "0"], "is not a speed"),
    ],
)
def test_a_usage_error_is_reported_before_the_run(night, args, said):
    result = run("replay", night, *args)
    assert result.exit_code == 2
    assert said in result.output


def test_a_video_is_cut_as_a_camera_does(site, tmp_path):
    face = portrait(HOPPER)
    clip = write_video(tmp_path / "clip.mp4", [face[: face.shape[0] // 2 * 2]] * 12, fps=6)
    flags = ("--camera", "gate", "--fps", "2", "--start", "2026-01-31 22:00:00")
    result = run("replay", clip, *flags, "--save-faces", "faces", "--json", "a.jsonl")
    assert "4 detections: 1 alert, 3 cooldown" in result.output
    assert len(list(Path("faces").iterdir())) == 4
    first = json.loads(Path("a.jsonl").read_text().splitlines()[1])
    assert (first["camera_id"], first["occurred_at"]) == ("gate", "2026-01-31T22:00:00+00:00")


@pytest.mark.parametrize("seconds", [4, 0], ids=["by passage", "each face alone"])
def test_both_people_of_the_clip_are_alerted_once_and_nobody_else(tmp_path, monkeypatch, seconds):
    folder = shared("video")
    url = f"sqlite:///{tmp_path / 'clip.db'}"
    monkeypatch.setenv("SUSRACKER_STORE", url)
    monkeypatch.setenv("SUSRACKER_PASSAGE_SECONDS", str(seconds))
    photos = {photo.stem: photo for photo in (folder / "portraits").iterdir()}
    enroll(url, **photos)
    clip = folder / "short_hamilton_clip.mp4"
    assert run("replay", clip, "--json", tmp_path / "a").exit_code == 0
    lines = [json.loads(line) for line in (tmp_path / "a").read_text().splitlines()[1:]]
    matches = [match for line in lines for match in line["matches"]]
    assert {match["name"] for match in matches} == set(photos)
    alerted = [match["name"] for match in matches if not match["suppressed"]]
    assert sorted(alerted) == sorted(photos)
    assert run("replay", clip, "--json", tmp_path / "b").exit_code == 0
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_recordings_are_listed_shown_cut_merged_and_anonymised(night):
    assert "8" in run("recordings", "list").output
    (facts,) = json.loads(run("recordings", "list", "--json").output)
    assert (facts["folder"], facts["detections"]) == ("night", 8)
    shown = json.loads(run("recordings", "show", night, "--json").output)
    counts = [tuple(one.values()) for one in shown["events"]]
    assert counts == [("gate", "face", 5), ("gate", "violence", 2), ("hall", "face", 1)]
    assert "violence" in run("recordings", "show", night).output
    cut = run("recordings", "cut", night, "hall", "--camera", "hall")
    assert "1 detection in hall" in cut.output
    late = run("recordings", "cut", night, "late", "--from", "2026-01-01 03:00:04")
    assert "3 detections in late" in late.output
    merged = run("recordings", "merge", "hall", "late", "both")
    assert "4 detections in both" in merged.output
    assert "8 detections in none" in run("recordings", "anonymise", night, "none").output
    again = run("replay", "none")
    assert "8 detections: 4 alert, 2 cooldown, 1 no match, 1 no face" in again.output
    refused = run("recordings", "cut", night, "hall")
    assert (refused.exit_code, "not empty" in refused.output) == (2, True)


def test_a_folder_without_recordings(site):
    assert "there are no recordings" in run("recordings", "list").output
    assert run("recordings", "show", ".").exit_code == 2


@pytest.fixture
def server(site) -> Iterator[ServerProcess]:
    with ServerProcess("--record", "kept", "--log-level", "warning") as running:
        yield running


def test_what_a_server_accepts_is_recorded_and_can_be_posted_again(night, server):
    result = run("replay", night, "--server", server.url, "--speed", "max")
    assert "8 detections:" in result.output
    assert "alert" in result.output
    kept = list(Recording(Path("kept")))
    assert len(kept) == 8
    ids = {one.detection.event_id for one in kept}
    assert len(ids) == 8
    # Cameras post in orders of their own; each camera's is kept.
    for camera in ("gate", "hall"):
        posted = [one.detection for one in NIGHT_SHIFT if one.detection.camera_id == camera]
        found = [one.detection for one in kept if one.detection.camera_id == camera]
        assert [one.picture for one in found] == [one.picture for one in posted]
        assert [one.occurred_at for one in found] == [one.occurred_at for one in posted]
    again = run("replay", "kept")
    assert "8 detections: 4 alert, 2 cooldown, 1 no match, 1 no face" in again.output


def test_what_a_server_refuses_is_not_recorded(site, server):
    write_new(Path("bad"), [at(0, COLLINSES), at(1, HOPPERS)], lambda: None)
    picture = min(Path("bad").glob("*/*.jpg"))
    picture.write_bytes(b"x" * picture.stat().st_size)
    result = run("replay", "bad", "--server", server.url, "--speed", "max")
    assert "refused 1 detection\n" in result.output
    assert len(Recording(Path("kept"))) == 1


@pytest.mark.parametrize("asked_before", [0, 3])
def test_posting_ends_when_asked_to_while_the_server_is_unavailable(night, asked_before):
    answers = chain(repeat(False, asked_before), repeat(True))
    poster = Poster("http://127.0.0.1:1", None, lambda: next(answers))
    source = open_source(str(night), Scenery("gate"))
    assert list(poster.run(source, Pace(math.inf))) == []


def test_a_video_is_a_camera(site, server, tmp_path):
    face = portrait(HOPPER)
    clip = write_video(tmp_path / "clip.mp4", [face[: face.shape[0] // 2 * 2]] * 12, fps=6)
    flags = ("--server", server.url, "--camera", "gate-1", "--location", "Main gate", "--fps", 2)
    result = run("camera", clip, *flags, "--spool", tmp_path / "spool")
    assert "4 faces in 4 frames: 4 sent, 0 refused, 0 dropped, 0 waiting" in result.output
    with open_store(site) as store:
        (alert,) = store.alerts()
    assert (alert.name, alert.camera_id, alert.camera_location) == ("Grace", "gate-1", "Main gate")


def test_a_camera_whose_server_is_away_keeps_what_it_saw(site, tmp_path):
    face = portrait(HOPPER)
    clip = write_video(tmp_path / "clip.mp4", [face[: face.shape[0] // 2 * 2]] * 3, fps=6)
    flags = ("--server", "http://127.0.0.1:1", "--spool", tmp_path / "spool", "--every", 1)
    result = run("camera", clip, *flags)
    assert "3 faces in 3 frames: 0 sent, 0 refused, 0 dropped, 1 waiting" in result.output


def test_a_camera_looks_with_the_detector_that_is_asked_for(site, tmp_path):
    clip = write_video(tmp_path / "clip.mp4", [portrait(HOPPER)[:300, :300]] * 2, fps=6)
    result = run("camera", clip, "--server", "http://127.0.0.1:1", "--detector", "none")
    assert (result.exit_code, "cnn, hog" in result.output) == (2, True)


def test_a_camera_without_a_video_is_a_usage_error(tmp_path):
    result = run("camera", tmp_path / "missing.mp4", "--server", "http://127.0.0.1:1")
    assert (result.exit_code, "there is no file" in result.output) == (2, True)
