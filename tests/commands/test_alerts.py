"""`susracker alerts` and `susracker benchmark --from-reviews`, as they are typed."""

from __future__ import annotations

import csv
import json
import stat
from dataclasses import replace
from datetime import timedelta

import pytest
import tomlkit
from click.testing import CliRunner

from susracker.cli import main
from susracker.enrolment.enroller import Enroller
from susracker.judgement.judging import Judging
from susracker.models import Criminal
from susracker.plugins import open_encoder, open_store
from susracker.runtime.account import actor
from susracker.testing.records import NOON, activity, camera_day, candidate, face_alert, sighting
from tests.enrolment import samples

HOPPER = "aaaa" + "0" * 28
FACE, OTHER, VIOLENCE = "1a" + "0" * 30, "1b" + "0" * 30, "2c" + "0" * 30


@pytest.fixture(scope="module")
def prepared():
    enroller = Enroller(None, open_encoder("dlib"))
    return [enroller.prepare(samples.hopper())]


@pytest.fixture
def url(tmp_path, prepared):
    """A store of one person, two alerts for faces and one for an activity."""
    url = f"sqlite:///{tmp_path / 'people.db'}"
    with open_store(url) as store:
        Enroller(store, open_encoder("dlib")).enroll(Criminal(HOPPER, "=Grace [Hopper]"), prepared)
        found = (candidate(HOPPER, name="=Grace [Hopper]"),)
        face = face_alert(HOPPER, id=FACE, name="=Grace [Hopper]", candidates=found)
        later = replace(face, id=OTHER, camera_id="hall", occurred_at=NOON + timedelta(days=1))
        store.record([sighting(HOPPER)], [face, later, activity(id=VIOLENCE)])
    return url


@pytest.fixture
def run(url, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SUSRACKER_STORE", url)
    monkeypatch.setenv("SUSRACKER_AUDIT_KEY", str(tmp_path / "audit.key"))

    def call(*args, status=0):
        result = CliRunner().invoke(main, list(map(str, args)))
        assert result.exit_code == status, result.output
        return result

    return call


def review(run, alert_id=FACE, verdict="confirmed", *more, **kwargs):
    words = ("--verdict", verdict, "--reason", "same scar", *more)
    return run("alerts", "review", alert_id, *words, **kwargs)


def ids(run, *options):
    return [one["id"] for one in json.loads(run("alerts", "list", *options, "--json").stdout)]


def test_list_shows_the_newest_first(run):
    lines = run("alerts", "list").stdout.splitlines()
    assert [line.split()[0] for line in lines] == ["id", VIOLENCE[:8], OTHER[:8], FACE[:8]]
    assert "=Grace [Hopper]" in lines[3]
    assert max(map(len, lines)) <= 80
    assert ids(run, "--limit", 2) == [VIOLENCE, OTHER]


@pytest.mark.parametrize(
    ("options", "found"),
    [
        (("--camera", "hall"), [OTHER]),
        (("--criminal", "aaaa"), [OTHER, FACE]),
        (("--since", "2026-05-05T00:00:00Z"), [OTHER]),
        (("--until", "2026-05-04T23:59:59+00:00"), [VIOLENCE, FACE]),
        (("--until", "2026-05-06"), [VIOLENCE, OTHER, FACE]),
        (("--status", "confirmed"), []),
        (("--kind", "activity"), [VIOLENCE]),
        (("--kind", "face", "--limit", "1"), [OTHER]),
    ],
)
def test_list_finds_by_what_an_alert_is_about(run, options, found):
    assert ids(run, *options) == found


def test_list_says_what_is_wrong_with_a_filter(run):
    assert "is no time such as" in run("alerts", "list", "--since", "may", status=2).stderr
    assert "nobody is enrolled" in run("alerts", "list", "--criminal", "ff", status=1).stderr
    assert run("alerts", "list", "--camera", "none").stdout == "no alert matches\n"


def test_a_review_is_that_of_the_account(run):
    assert f"{FACE}  =Grace [Hopper]: confirmed" in review(run, "1a", "confirmed").stdout
    shown = run("alerts", "show", "1a").stdout
    assert "confirmed: same scar" in shown
    assert f"by {actor()}" in shown
    assert actor().startswith("os:")
    assert ids(run, "--status", "confirmed") == [FACE]


def test_a_change_names_what_it_replaces(run):
    review(run)
    refused = review(run, FACE, "dismissed", status=1).stderr
    (made,) = json.loads(run("alerts", "show", FACE, "--json").stdout)["reviews"]
    assert made["id"] in refused
    review(run, FACE, "dismissed", "--replaces", made["id"][:8], "--note", "taller\nand older")
    shown = run("alerts", "show", FACE).stdout
    assert "2 reviews" in shown
    assert "            and older" in shown


def test_two_people_are_asked_for_where_it_is_set(run):
    assert "to be confirmed" in review(run, FACE, "confirmed", "--review-required-by", 2).stdout


def test_an_outcome_is_recorded(run):
    run("alerts", "outcome", FACE, "right person", "--note", "gate 3")
    shown = json.loads(run("alerts", "show", FACE, "--json").stdout)
    assert (shown["status"], shown["outcomes"][0]["verdict"]) == ("new", "right person")
    assert (
        "the outcome is 'right person'" in run("alerts", "outcome", FACE, "lost", status=1).stderr
    )


def test_ids_that_are_wrong(run):
    assert "no alert has the id" in run("alerts", "show", "ff", status=1).stderr
    assert "2 ids begin with '1'" in run("alerts", "show", "1", status=2).stderr


def test_the_face_is_saved_for_its_owner_only(run, tmp_path):
    run("alerts", "show", FACE, "--save-face", tmp_path / "face.jpg")
    saved = tmp_path / "face.jpg"
    assert saved.read_bytes() == b"a face\0\xff"
    assert stat.S_IMODE(saved.stat().st_mode) == 0o600
    refused = run("alerts", "show", VIOLENCE, "--save-face", tmp_path / "no.jpg", status=2)
    assert "this alert has no face" in refused.stderr


def test_what_is_done_and_looked_at_is_in_the_audit_log(run, url):
    run("alerts", "list")
    run("alerts", "show", FACE)
    review(run)
    run("alerts", "outcome", FACE, "lost")
    run("alerts", "export", "out.csv", "--reason", "for the court")
    with open_store(url) as store:
        noted = [(one.actor, one.action, one.subject, one.reason) for one in store.audit()]
    assert noted == [
        (actor(), "alert.list", "", ""),
        (actor(), "alert.show", FACE, ""),
        (actor(), "alert.review", FACE, "same scar"),
        (actor(), "alert.outcome", FACE, ""),
        (actor(), "alert.export", "", "for the court"),
    ]


# -- export --------------------------------------------------------------------------------------


def test_export_needs_a_reason_and_a_format(run):
    assert "--reason" in run("alerts", "export", "out.csv", status=2).stderr
    words = ("export", "out.txt", "--reason", "report")
    assert "must end in .csv or .jsonl" in run("alerts", *words, status=2).stderr


def test_export_to_csv_runs_no_formula(run, tmp_path):
    review(run)
    run("alerts", "export", "out.csv", "--reason", "report", "--criminal", HOPPER)
    file = tmp_path / "out.csv"
    rows = list(csv.DictReader(file.read_text(encoding="utf-8").splitlines()))
    assert [row["id"] for row in rows] == [FACE, OTHER]
    assert rows[0]["name"] == "'=Grace [Hopper]"
    assert (rows[0]["review"], rows[0]["review_by"], rows[1]["review"]) == (
        "confirmed",
        actor(),
        "",
    )
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_export_to_json_lines_with_pictures_only_where_asked(run, tmp_path):
    run("alerts", "export", "out.jsonl", "--reason", "report")
    lines = [json.loads(one) for one in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert [one["id"] for one in lines] == [FACE, OTHER, VIOLENCE]
    assert not any("face" in one for one in lines)
    assert not list(tmp_path.glob("**/*.jpg"))
    run("alerts", "export", "out.jsonl", "--reason", "court", "--pictures", "faces")
    saved = {one.name: one.read_bytes() for one in (tmp_path / "faces").iterdir()}
    assert saved == dict.fromkeys((f"{FACE}.jpg", f"{OTHER}.jpg"), b"a face\0\xff")


def test_export_says_where_it_cannot_write(run):
    words = ("export", "no/such/folder/out.csv", "--reason", "report")
    assert "cannot write no/such/folder/out.csv" in run("alerts", *words, status=2).stderr


# -- numbers -------------------------------------------------------------------------------------


@pytest.fixture
def busy(url):
    """Thirty dismissed alerts, ten confirmed and one that nobody looked at, of 1,000 searches."""
    with open_store(url) as store:
        judging = Judging(store, 1, lambda: NOON + timedelta(minutes=5))
        store.count_cameras([], [camera_day("busy", searches=1000)])
        scores = [("dismissed", 0.5 + n / 10) for n in range(30)]
        scores += [("confirmed", 1.5 + n / 2) for n in range(10)]
        for number, (verdict, score) in enumerate(scores):
            made = face_alert(HOPPER, id=f"busy{number}", camera_id="busy", score=score)
            (alert,) = store.record([], [made])
            judging.review(alert.id, verdict=verdict, reason="seen", made_by="Jo (k1)")
        store.record([], [face_alert(HOPPER, camera_id="busy", score=0.5)])
    return url


def test_stats_in_numbers_and_in_words(run, busy):
    record = json.loads(run("alerts", "stats", "--json").stdout)
    camera = next(one for one in record["cameras"] if one["name"] == "busy")
    assert (camera["searches"], camera["dismissed"], camera["unreviewed"]) == (1000, 30, 1)
    assert camera["false_alert_rate"] == 0.03
    text = run("alerts", "stats").stdout
    assert "3% (2.1-4.3)" in text
    assert "promised false alert rate: 1%" in text
    assert "first review: half within 5 minutes, 90% within 5 minutes" in text
    assert "warning: camera busy: 3% false alerts (2.1% to 4.3%), more than the promised 1%" in text
    tables = [line for line in text.splitlines() if not line.startswith("warning")]
    assert max(map(len, tables)) <= 80


def test_stats_of_an_empty_store(run, tmp_path):
    store = f"sqlite:///{tmp_path / 'empty.db'}"
    open_store(store).close()
    assert "first review: none yet" in run("alerts", "stats", "--store", store).stdout


def test_reviews_propose_a_shift_that_apply_writes(run, busy, tmp_path):
    words = ("benchmark", "--from-reviews", "--target-fpir", "0.01")
    text = run(*words, "--json", "out.json").stdout
    record = json.loads((tmp_path / "out.json").read_text())
    shift = record["proposal"]["shift"]
    assert record["proposal"]["false_alerts"] == 10
    assert record["threshold"] + shift == pytest.approx(2.4, abs=0.002)
    assert record["proposal"]["lost"] == 2
    assert (record["dismissed"], record["confirmed"], record["undecided"]) == (30, 10, 1)
    assert f"proposed: threshold_shift = {shift:g}" in text
    assert not (tmp_path / "susracker.toml").exists()
    run(*words, "--apply")
    written = tomlkit.parse((tmp_path / "susracker.toml").read_text())
    assert written["threshold_shift"] == shift
    again = run(*words).stdout
    assert "1% (0.54% to 1.8%)" in again


def test_too_few_reviews_propose_nothing(run, busy, monkeypatch):
    words = ("benchmark", "--from-reviews", "--since", "2026-05-05")
    assert "no searches were counted" in run(*words, status=2).stderr
    monkeypatch.setenv("SUSRACKER_THRESHOLD_SHIFT", "2")
    refused = run("benchmark", "--from-reviews", "--apply", status=2)
    assert "that takes 20 dismissed alerts" in refused.stdout
    assert "there is nothing to apply" in refused.stderr


def test_reviews_are_measured_without_photos(run):
    refused = run("benchmark", "people", "--from-reviews", status=2).stderr
    assert "--from-reviews cannot be combined with dataset" in refused
    refused = run("benchmark", "--from-reviews", "--seed", 1, status=2).stderr
    assert "--from-reviews cannot be combined with --seed" in refused
    assert "name a DATASET" in run("benchmark", status=2).stderr
