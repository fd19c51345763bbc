"""`susracker criminals stats`, as it is typed."""

from __future__ import annotations

import json
from itertools import pairwise

import pytest
from click.testing import CliRunner

from susracker.cli import main
from susracker.matchers.exact import ExactMatcher
from susracker.plugins import open_store
from susracker.testing.records import criminal, photo, template


@pytest.fixture
def url(tmp_path):
    return f"sqlite:///{tmp_path / 'people.db'}"


def stats(url, *args):
    result = CliRunner().invoke(main, ["criminals", "stats", "--store", url, *args])
    assert result.exit_code == 0, result.output
    return result.output


def enrol(url, templates_each):
    with open_store(url) as store:
        for number, count in enumerate(templates_each):
            photos = [photo(f"c{number}") for _ in range(count)]
            made = [template(one, "dlib-resnet-v1") for one in photos]
            store.put_criminal(criminal(f"c{number}"), photos, made)
        store.put_criminal(criminal("gone", status="apprehended"))


def test_people_templates_and_thresholds(url):
    enrol(url, [1, 1, 2, 5])
    found = json.loads(stats(url, "--json"))
    assert found["criminals"] == 5
    assert found["by_status"] == {"wanted": 4, "apprehended": 1}
    assert found["on_the_watch_list"] == 4
    assert found["by_templates"] == {"1": 2, "2": 1, "3 or more": 1}
    assert found["threshold"] == found["threshold_by_target_fpir"]["0.01"]
    rising = [found["threshold_by_target_fpir"][rate] for rate in ("0.1", "0.01", "0.001")]
    assert rising == sorted(rising)
    stricter = json.loads(stats(url, "--json", "--target-fpir", "0.001"))
    assert stricter["threshold"] == rising[-1]


def test_operating_points_have_a_threshold_for_each_look(url):
    enrol(url, [1] * 50)
    found = json.loads(stats(url, "--json", "--target-fpir", "0.005"))["operating_points"]
    assert [one["target_fpir"] for one in found] == [0.01, 0.005, 0.001, 0.000167]
    assert [one["false_alerts"] for one in found] == [100, 50, 10, 1.67]
    for looser, stricter in pairwise(found):
        looks = zip(looser["thresholds"], stricter["thresholds"], strict=True)
        assert all(low < high for low, high in looks)
    assert all(one["thresholds"] == sorted(one["thresholds"]) for one in found)
    assert "1.67" in stats(url)
    alone = json.loads(stats(url, "--json", "--passage-seconds", "0"))
    points = {one["target_fpir"]: one["thresholds"] for one in alone["operating_points"]}
    assert points[0.01] == [alone["threshold"]]


def test_what_was_measured_is_shown_beside_the_points(url):
    enrol(url, [1])
    points = json.loads(stats(url, "--json", "--target-fpir", "0.005"))["operating_points"]
    misses = {one["target_fpir"]: one["measured_fnir"] for one in points}
    first = {"photos": 1, "probes": 1, "enrolled": 804, "fnir": 0.211}
    assert misses[0.01][0] == first
    assert [one["probes"] for one in misses[0.01]] == [1, 2, 3, 4]
    assert misses[0.005] == misses[0.000167] == []
    assert "21.1%" in stats(url)
    alone = json.loads(stats(url, "--json", "--passage-seconds", "0"))["operating_points"]
    assert [one["photos"] for one in alone[0]["measured_fnir"]] == [1, 3]


def test_a_list_that_is_longer_than_those_measured_is_noted(url, monkeypatch):
    monkeypatch.setattr("susracker.watchlist.operating.MEASURED_PEOPLE", 4)
    enrol(url, [1] * 4)
    assert json.loads(stats(url, "--json"))["extrapolation"] is None
    assert "extrapolated" not in stats(url)
    enrol(url, [1] * 5)
    note = json.loads(stats(url, "--json"))["extrapolation"]
    assert "up to 4 people" in note
    assert "has 5, 1.2 times as many" in note
    assert "extrapolated" in stats(url)


def test_the_threshold_follows_the_size_of_the_list(url):
    enrol(url, [1])
    few = json.loads(stats(url, "--json"))["threshold"]
    enrol(url, [1] * 50)
    assert json.loads(stats(url, "--json"))["threshold"] > few + 0.5


def test_the_shift_is_added(url, tmp_path, monkeypatch):
    enrol(url, [1])
    before = json.loads(stats(url, "--json"))["threshold"]
    monkeypatch.setenv("SUSRACKER_THRESHOLD_SHIFT", "0.5")
    assert json.loads(stats(url, "--json"))["threshold"] == pytest.approx(before + 0.5)


def test_nobody_is_said_in_words(url):
    with open_store(url):
        pass
    assert json.loads(stats(url, "--json"))["threshold"] is None
    assert "threshold" in stats(url)
    assert "inf" not in stats(url)


def test_the_matcher_is_closed(url, monkeypatch):
    closed = []
    monkeypatch.setattr(ExactMatcher, "close", lambda matcher: closed.append(matcher))
    open_store(url).close()
    stats(url)
    assert len(closed) == 1
