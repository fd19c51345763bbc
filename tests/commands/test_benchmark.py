"""`susracker benchmark`, as it is typed, on real photos."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from datetime import datetime, timezone
from importlib.metadata import version
from itertools import pairwise

import numpy as np
import pytest
from click.testing import CliRunner

from susracker.benchmark import cache, rules
from susracker.benchmark.kept import read_kept
from susracker.cli import main
from susracker.faces.encoder import DlibEncoder
from susracker.plugins import open_matcher
from tests.pictures import HOPPER, shared

SEVERAL, SINGLE = 24, 70


@pytest.fixture(scope="module")
def cache_folder(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def run(cache_folder, monkeypatch, tmp_path):
    monkeypatch.setattr(cache, "user_cache_path", lambda name: cache_folder)
    monkeypatch.chdir(tmp_path)

    def call(*args, status=0):
        result = CliRunner().invoke(main, ["benchmark", *map(str, args)])
        assert result.exit_code == status, result.output
        return result

    return call


@pytest.fixture(scope="module")
def people(tmp_path_factory):
    """Some people of LFW's development set, with what can be wrong with a folder."""
    folder = tmp_path_factory.mktemp("people")
    counts = {SEVERAL: ([1, 2], [1, 2, 3]), SINGLE: ([1],)}
    everyone = sorted(one for one in shared("lfw-dev").iterdir() if one.is_dir())
    for wanted, photos in counts.items():
        chosen = [one for one in everyone if _numbers(one) in photos][:wanted]
        for person in chosen:
            shutil.copytree(person, folder / person.name, copy_function=shutil.copyfile)
            (folder / person.name).chmod(0o755)
    names = sorted(one.name for one in folder.iterdir() if len(list(one.iterdir())) > 1)
    lines = [str(len(names)), *(f"{name}\t1\t2" for name in names)]
    lines += [f"{one}\t1\t{two}\t1" for one, two in pairwise(names)]
    (folder / "pairs.txt").write_text("\n".join([*lines, "Nobody\t1\t2"]))
    (folder / names[0] / "zz.jpg").write_bytes(b"no picture")
    return folder


@pytest.fixture(scope="module")
def own_photos(people, tmp_path_factory):
    """The same people, in files that nothing was fitted to."""
    folder = tmp_path_factory.mktemp("own") / "people"
    shutil.copytree(people, folder)
    for photo in folder.glob("*/*_*.jpg"):
        photo.write_bytes(photo.read_bytes() + b"\0")
    return folder


def _numbers(person):
    return sorted(int(photo.stem[-4:]) for photo in person.iterdir())


@pytest.fixture(scope="module")
def one_person(tmp_path_factory):
    folder = tmp_path_factory.mktemp("one")
    (folder / "Hopper").mkdir()
    shutil.copy(HOPPER, folder / "Hopper" / "1.jpg")
    return folder


def test_results_as_json_are_of_the_stated_shape(run, people, tmp_path):
    result = run(
        people, "--json", tmp_path / "r.json", "--rule", "as-norm", "--rule", "distance-0.6"
    )
    record = json.loads((tmp_path / "r.json").read_text())
    assert record["encoder"] == "dlib"
    assert record["people"] == SEVERAL + SINGLE
    assert record["photos"] == len(list(people.glob("*/*")))
    assert 0 < record["failure_to_enrol"] < 0.1
    assert record["verification"].keys() >= {"pairs", "accuracy", "accuracy_std", "auc", "eer"}
    assert record["verification"]["pairs"] == 2 * SEVERAL - 1
    assert record["verification"]["accuracy"] > 0.9
    assert record["verification"]["tar_at_far"].keys() == {"0.01", "0.001"}
    new, old = record["identification"]
    assert [new["rule"], old["rule"]] == ["as-norm", "distance-0.6"]
    for one in (new, old):
        assert one.keys() >= {
            *("rule", "enrolled", "photos_each", "mated_searches", "stranger_searches", "rank1"),
            *("fnir_at_fpir", "target_fpir", "threshold", "realised_fpir", "realised_fnir"),
        }
        assert one["fnir_at_fpir"].keys() == {"0.1", "0.01", "0.001"}
        assert one["enrolled"] == SEVERAL
        assert one["stranger_searches"] == SINGLE
        low, high = one["intervals"]["realised_fpir"]
        assert low <= one["realised_fpir"] <= high
    assert old["realised_fpir"] > 0.05 > new["realised_fpir"]
    assert set(record["seconds_per_face"]) == {"decode", "detect", "encode", "search"}
    assert "zz.jpg: not a JPEG" in result.stderr
    assert "pairs of 2 photos that the dataset lacks" in result.stderr
    words = re.search(r"expect between ([\d,]+) and ([\d,]+) false alerts a day", result.stdout)
    low, high = (int(number.replace(",", "")) for number in words.groups())
    assert [low / 10_000, high / 10_000] == pytest.approx(
        new["intervals"]["realised_fpir"], abs=1e-4
    )
    assert f"of {SINGLE} searches for people who are not enrolled" in result.stdout


def test_photos_are_embedded_once_for_all_runs(run, people, monkeypatch):
    run(people)
    embedded = []
    embed = DlibEncoder.embed
    monkeypatch.setattr(
        DlibEncoder, "embed", lambda self, chips: embedded.append(0) or embed(self, chips)
    )
    run(people)
    assert len(embedded) < 50, "more than the timing of some photos"


def test_several_encoders_are_a_list(run, people, tmp_path):
    args = ["--limit", "6", "--encoder", "dlib", "--encoder", "dlib-reference"]
    run(people, *args, "--json", tmp_path / "r.json")
    records = json.loads((tmp_path / "r.json").read_text())
    assert [one["encoder"] for one in records] == ["dlib", "dlib-reference"]
    assert records[0]["verification"] == records[1]["verification"]


def test_the_report_needs_no_network_and_shows_the_worst(run, people, tmp_path):
    run(people, "--report", tmp_path / "report")
    page = (tmp_path / "report" / "report.html").read_text()
    assert not re.findall(r"(?:src|href)=['\"](?!data:|#)", page)
    assert page.count("<svg") == 3
    assert page.count("data:image/jpeg") >= 16
    assert f"With {SEVERAL} people enrolled" in page
    assert "use --cross-fit" in page
    assert f"susracker {version('susracker')}" in page
    assert f"{datetime.now(timezone.utc):%Y-%m-}" in page
    assert "<meta name='viewport' content='width=device-width, initial-scale=1'>" in page
    assert page.count("<div class='table'><table>") == page.count("<table>")


def test_errors_are_told_by_group(run, people, tmp_path):
    names = sorted(one.name for one in people.iterdir() if one.is_dir())
    rows = [f"{name},{'odd' if index % 2 else 'even'}" for index, name in enumerate(names)]
    (tmp_path / "groups.csv").write_text("\n".join(["person,kind", *rows, "Nobody,odd"]))
    result = run(people, "--labels", tmp_path / "groups.csv", "--json", tmp_path / "r.json")
    (one,) = json.loads((tmp_path / "r.json").read_text())["identification"]
    assert [group["group"] for group in one["groups"]] == ["even", "odd"]
    assert sum(group["strangers"] for group in one["groups"]) == SINGLE
    assert sum(group["mated_searches"] for group in one["groups"]) == one["mated_searches"]
    rate = np.average(
        [group["fnir"] for group in one["groups"]],
        weights=[group["mated_searches"] for group in one["groups"]],
    )
    assert rate == pytest.approx(one["realised_fnir"])
    assert "kind: even" in result.stdout
    assert "labels that are not in the dataset: 1" in result.stderr


def test_keep_writes_the_main_figures_for_the_page(run, people, tmp_path):
    file = tmp_path / "deep" / "benchmark.json"
    result = run(people, "--keep", "--benchmark-file", file)
    assert f"kept for the operators' page: {file}" in result.output.replace("\n", "")
    found = read_kept(file)
    assert (found.dataset, found.threshold_shift) == (people.name, 0)
    (rates,) = found.rates
    assert rates.enrolled == SEVERAL
    assert 0 <= rates.realised_fpir_interval[0] <= rates.realised_fpir
    assert abs((datetime.now(timezone.utc) - found.measured_at).total_seconds()) < 60
    assert read_kept(tmp_path / "none.json") is None
    run(people, "--keep", "--benchmark-file", file, "--rule", "distance-0.6", status=2)
    assert read_kept(file) == found


def test_apply_fits_the_threshold_to_these_people(run, people, tmp_path):
    (tmp_path / "susracker.toml").write_text("# ours\nport = 5001\n")
    result = run(people, "--apply", "--force", "--target-fpir", "0.2")
    text = (tmp_path / "susracker.toml").read_text()
    assert "# ours" in text
    (shift,) = re.findall(r"threshold_shift = (-?[\d.]+)", text)
    assert -3 < float(shift) < 0, "the cohort was made from these people, so they score low"
    assert "previously not set" in result.stdout
    run(people, "--json", "r.json", "--target-fpir", "0.2")
    one = json.loads((tmp_path / "r.json").read_text())["identification"][0]
    assert one["realised_fpir"] == pytest.approx(0.2, abs=0.02)


def test_every_matcher_is_closed(run, people, monkeypatch):
    """Those of the trials, of the timing, and of the threshold that is applied."""
    opened, closed = [], []

    def keep(*args):
        matcher = open_matcher(*args)
        opened.append(matcher)
        monkeypatch.setattr(matcher, "close", lambda: closed.append(matcher))
        return matcher

    monkeypatch.setattr(rules, "open_matcher", keep)
    run(people, "--apply", "--force", "--target-fpir", "0.2")
    assert opened == closed
    assert len(opened) == 3


def test_too_few_people_change_no_setting(run, people, tmp_path):
    result = run(people, "--apply", "--force", "--limit", "20", status=2)
    assert "too few to measure a threshold on" in result.stderr
    assert not (tmp_path / "susracker.toml").exists()


def test_photos_that_the_scoring_was_made_of_change_no_setting(run, people, tmp_path):
    result = run(people, "--apply", "--target-fpir", "0.2", status=2)
    assert "were fitted to 99% of these photos" in result.stderr
    assert "use photos of your own (or --force)" in " ".join(result.stderr.split())
    assert "people enrolled" not in result.stdout, "nothing was measured first"
    assert not (tmp_path / "susracker.toml").exists()


def test_too_few_strangers_for_the_promise_change_no_setting(run, own_photos, tmp_path):
    args = (own_photos, "--apply", "--target-fpir", "0.05")
    result = run(*args, status=2)
    said = " ".join(result.stderr.split())
    assert f"{SINGLE} people with one photo are too few to measure an FPIR of 5.00%" in said
    assert "it takes 200; nothing was changed" in said
    assert not (tmp_path / "susracker.toml").exists()
    run(*args, "--force")
    assert "threshold_shift" in (tmp_path / "susracker.toml").read_text()


def test_what_is_not_measured_well_is_told(run, own_photos, tmp_path):
    result = run(own_photos, "--report", tmp_path)
    told = f"it takes 1,000 people with one photo, and this folder has {SINGLE}"
    assert told in result.stderr
    assert told in (tmp_path / "report.html").read_text()
    assert "--cross-fit" not in result.stderr
    assert "not measured well" not in run(own_photos, "--target-fpir", "0.2").stderr


def test_no_warning_of_a_library_reaches_the_terminal(people, tmp_path):
    names = sorted(one.name for one in people.iterdir() if one.is_dir())
    for several in (True, False):
        name = next(one for one in names if (len(list((people / one).iterdir())) > 1) == several)
        shutil.copytree(people / name, tmp_path / "two" / name)
    command = [sys.executable, "-m", "susracker", "benchmark", "two", "--report", "report"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert "Warning" not in done.stderr, done.stderr


def test_photos_that_the_scoring_was_made_of_are_told(run, people):
    assert "use --cross-fit" in run(people).stderr


def test_one_person_says_what_cannot_be_measured(run, one_person, tmp_path):
    result = run(one_person, "--json", tmp_path / "r.json", "--report", tmp_path)
    assert "1:1 was not measured: there is no pairs.txt" in result.stderr
    assert "1:N was not measured" in result.stderr
    record = json.loads((tmp_path / "r.json").read_text())
    assert record["verification"] is None
    assert record["identification"] == []
    assert record["failure_to_enrol"] == 0


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["--rule", "cosine"], "no rule is called 'cosine'"),
        (["--encoder", "nobody"], "no encoder is called 'nobody'"),
        (["--matcher", "nobody"], "no matcher is called 'nobody'"),
        (["--pairs", "nowhere.txt"], "cannot read pairs from nowhere.txt"),
        (["--labels", "nowhere.csv"], "cannot read labels from nowhere.csv"),
        (["--apply", "--cross-fit"], "cannot be combined with --cross-fit"),
        (["--cross-fit"], "--cross-fit needs 100 people with one photo"),
    ],
)
def test_a_usage_error_is_one_line(run, one_person, people, args, message):
    result = run(people, *args, status=2)
    assert message in result.stderr
    assert "Traceback" not in result.output
