"""What was seen, and who a photo may show, as it is asked for on the command line."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from datetime import timedelta

import pytest
from click.testing import CliRunner

from susracker.cli import main
from susracker.enrolment.enroller import Enroller
from susracker.models import Criminal
from susracker.plugins import open_encoder, open_store
from susracker.runtime.text import span_text
from susracker.testing.records import NOON, activity, camera, face_alert, sighting
from tests.enrolment import samples
from tests.pictures import COLLINS, HOPPER, encoded, portrait

GRACE, OTHER = "aaaa" + "0" * 28, "bbbb" + "0" * 28


@pytest.fixture(scope="module")
def prepared():
    enroller = Enroller(None, open_encoder("dlib"))
    return [enroller.prepare(samples.hopper())]


@pytest.fixture
def url(tmp_path, prepared, monkeypatch):
    url = f"sqlite:///{tmp_path / 'people.db'}"
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SUSRACKER_STORE", url)
    monkeypatch.setenv("SUSRACKER_AUDIT_KEY", str(tmp_path / "audit.key"))
    with open_store(url) as store:
        enroller = Enroller(store, open_encoder("dlib"))
        enroller.enroll(Criminal(GRACE, "Grace Hopper"), prepared)
        enroller.enroll(Criminal(OTHER, "Grace Hopper the younger"), [])
    return url


def run(*args, status=0):
    result = CliRunner().invoke(main, list(map(str, args)))
    assert result.exit_code == status, result.output
    return result


def noted(url):
    with open_store(url) as store:
        return [(one.action, one.subject, json.loads(one.detail)) for one in store.audit()]


def test_a_track_has_a_line_for_each_stay_on_a_camera(url):
    with open_store(url) as store:
        for minute, where in enumerate(("gate", "gate", "hall", "gate")):
            at = NOON + timedelta(minutes=minute)
            one = sighting(GRACE, camera_id=where, occurred_at=at, suppressed=minute == 1)
            store.record([one], [])
    lines = run("track", "grace hopper").stdout.splitlines()
    assert lines[0] == f"{GRACE}  Grace Hopper: 4 sightings"
    assert [line.split()[6] for line in lines[2:]] == ["gate", "hall", "gate"]
    assert lines[2].split()[-2:] == ["2", "1"]
    assert "12:00 UTC" in lines[2]
    assert "12:01 UTC" in lines[2]
    found = json.loads(run("track", "aaaa", "--json").stdout)
    assert [one["camera_id"] for one in found["sightings"]] == ["gate", "gate", "hall", "gate"]
    assert noted(url) == 2 * [("criminal.track", GRACE, {})]


def test_a_track_is_of_one_person(url):
    said = run("track", "grace", status=2).stderr
    assert "2 people" in said
    assert GRACE in said
    assert "nobody is enrolled whose name or id is like 'jo'" in run("track", "jo", status=1).stderr
    assert "nobody is enrolled" in run("track", "", status=1).stderr
    assert "0 sightings" in run("track", "bbbb").stdout


def test_cameras_are_listed_the_most_silent_first(url):
    assert run("cameras").stdout == "no camera has sent anything yet\n"
    with open_store(url) as store:
        later = NOON + timedelta(hours=1)
        store.count_cameras([camera("a", last_heard_at=later, detections=2500), camera("b")])
    lines = run("cameras").stdout.splitlines()
    assert [line.split()[0] for line in lines] == ["camera", "b", "a"]
    assert "2,500" in lines[2]
    assert [one["id"] for one in json.loads(run("cameras", "--json").stdout)] == ["b", "a"]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(-5, "0 s"), (59, "59 s"), (60, "1 min"), (3600, "1 h"), (172800, "2 days")],
)
def test_spans_are_told_in_their_largest_unit(seconds, text):
    assert span_text(timedelta(seconds=seconds)) == text


def test_find_says_whom_a_photo_matches_and_keeps_nothing(url, tmp_path):
    before = sorted(os.listdir(tmp_path))
    shown = run("find", HOPPER).stdout
    assert "face 1 of 1" in shown
    assert "matches Grace Hopper" in shown
    assert f"{GRACE[:8]}  Grace Hopper" in shown
    (face,) = json.loads(run("find", HOPPER, "--json", "--reason", "case 7").stdout)["faces"]
    assert face["is_match"]
    assert [one["criminal_id"] for one in face["candidates"]] == [GRACE]
    assert noted(url) == 2 * [("criminal.find", "", {"faces": 1, "shown": [GRACE]})]
    with open_store(url) as store:
        assert (store.alerts(), store.sightings(GRACE), store.cameras()) == ([], [], [])
        assert store.audit()[1].reason == "case 7"
    assert set(os.listdir(tmp_path)) - set(before) == {"audit.key", "audit.pub.pem"}


def test_find_shows_those_who_are_near_but_no_match(url):
    shown = run("find", COLLINS).stdout
    assert "matches nobody, as no score reaches the threshold of" in shown
    assert "Grace Hopper" in shown
    faces = json.loads(run("find", COLLINS, "--json").stdout)["faces"]
    assert not any(face["is_match"] for face in faces)


def test_find_takes_whatever_can_be_enrolled(url, tmp_path):
    scan = tmp_path / "scan.tiff"
    scan.write_bytes(encoded(portrait(HOPPER), "TIFF"))
    assert "matches Grace Hopper" in run("find", scan).stdout


def test_find_says_what_is_wrong(url, tmp_path):
    wall, text = tmp_path / "wall.jpg", tmp_path / "text.jpg"
    wall.write_bytes(samples.no_face())
    text.write_text("no picture")
    assert run("find", wall).stdout == f"no face was found in {wall}\n"
    assert f"{text}: " in run("find", text, status=2).stderr
    assert "does not exist" in run("find", tmp_path / "none.jpg", status=2).stderr
    run("criminals", "set-status", GRACE, "apprehended")
    assert "nobody on the watch-list can be matched" in run("find", HOPPER).stdout
    none = ("--store", f"sqlite:///{tmp_path / 'none.db'}")
    assert "there is no store" in run("find", HOPPER, *none, status=2).stderr
    assert not (tmp_path / "none.db").exists()


def test_verify_compares_two_photos(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    dark = tmp_path / "dark.jpg"
    dark.write_bytes(samples.hopper(80))
    same = run("verify", HOPPER, dark).stdout
    assert same.startswith("alike: ")
    assert "fewer than 1 in 1,000,000" in same
    found = json.loads(run("verify", HOPPER, COLLINS, "--json").stdout)
    assert not found["alike"]
    assert found["score"] < 0.5
    assert 0.001 < found["false_match_rate"] <= 1
    assert os.listdir(tmp_path) == ["dark.jpg"]


def test_verify_says_which_photo_is_wrong(tmp_path):
    wall = tmp_path / "wall.jpg"
    wall.write_bytes(samples.no_face())
    assert f"{wall}: no face" in run("verify", HOPPER, wall, status=2).stderr


def test_watch_prints_alerts_as_they_come_and_ctrl_c_is_130(url):
    with open_store(url) as store:
        store.record([], [activity()])
        words = ("alerts", "watch", "--json", "--camera", "gate", "--follow-seconds", "0.1")
        process = subprocess.Popen(
            [sys.executable, "-m", "susracker", *words],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            assert "waiting for alerts" in process.stderr.readline()
            store.record([], [activity(camera_id="hall")])
            (alert,) = store.record([], [face_alert(GRACE, camera_id="gate")])
            assert json.loads(process.stdout.readline())["id"] == alert.id
            process.send_signal(signal.SIGINT)
            assert process.communicate(timeout=60) == ("", "")
            assert process.returncode == 130
        finally:
            process.kill()
    assert noted(url) == [("alert.watch", "", {})]
