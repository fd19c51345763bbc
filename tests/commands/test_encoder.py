"""`susracker encoder`: a network checked on real faces, and its scoring fitted."""

from __future__ import annotations

import json
from datetime import datetime, timezone

import numpy as np
import pytest
from click.testing import CliRunner

from susracker.benchmark import fitted
from susracker.cli import main
from susracker.faces import dlib_resnet
from susracker.faces.encoder import DlibEncoder
from susracker.faces.weights import RECOGNITION, weights_file
from susracker.models import Detection
from susracker.plugins import open_encoder, open_store
from susracker.tracking.tracker import open_tracker
from susracker.watchlist.scoring import load_scoring, scoring_bytes, scoring_file
from tests.faces import networks
from tests.pictures import COLLINS, HOPPER, shared


@pytest.fixture(autouse=True)
def data_folder(tmp_path, monkeypatch):
    load_scoring.cache_clear()
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setattr("susracker.benchmark.cache.user_cache_path", lambda name: tmp_path)


@pytest.fixture
def run():
    def run(*args, status=0):
        result = CliRunner().invoke(main, list(map(str, args)))
        assert result.exit_code == status, result.output
        return result.output

    return run


@pytest.fixture(scope="module")
def dlibs(tmp_path_factory):
    """dlib's network, as one of a site's own."""
    model = dlib_resnet.build(weights_file(RECOGNITION)).SerializeToString()
    changed = {"size": "150", "mean": "0", "scale": "1", "alignment": '"dlib"'}
    return networks.write(tmp_path_factory.mktemp("dlibs"), model, **changed)


@pytest.fixture
def few(tmp_path):
    return real_people(tmp_path / "few", several=20, single=20)


def real_people(folder, *, several, single):
    """A folder of so many real people with two photos, and with one."""
    wanted = {2: several, 1: single}
    for person in sorted(shared("lfw-dev").iterdir()):
        photos = sorted(person.glob("*.jpg"))[:2]
        if wanted.get(len(photos)):
            wanted[len(photos)] -= 1
            (folder / person.name).mkdir(parents=True)
            for photo in photos:
                (folder / person.name / photo.name).symlink_to(photo)
    return folder


def findings(run, *args, status=0) -> dict[str, dict]:
    found = json.loads(run("encoder", "check", *args, "--json", status=status))
    return {one["what"]: one for one in found}


def test_a_good_network_passes_on_the_portraits(run, dlibs):
    found = findings(run, dlibs)
    assert list(found) == ["network", "numbers", "likeness", "speed", "scoring"]
    assert {one["state"] for name, one in found.items() if name != "scoring"} == {"ok"}
    assert "150 x 150 pixels becomes 128 numbers, with mirror" in found["network"]["text"]
    assert "susracker encoder fit" in found["scoring"]["text"]


def test_a_network_trained_on_nothing_is_told_from_dlibs(run, few, tmp_path):
    file = networks.write(tmp_path, networks.projection())
    found = findings(run, file, few, status=1)
    assert found["likeness"]["state"] == "problem"
    assert "check every line" in found["likeness"]["text"]
    assert found["numbers"]["state"] == "ok"


def test_a_network_of_dlibs_is_as_good_as_dlibs(run, few, dlibs):
    text = findings(run, dlibs, few)["likeness"]["text"]
    ours, _, dlibs_own = text.partition(", and ")
    assert ours.split("%")[0] == dlibs_own.split("%")[0]


def test_too_few_people_are_refused_with_the_number_that_is_needed(run, few, dlibs):
    said = run("encoder", "fit", few, "--encoder", f"onnx:{dlibs}", status=2)
    assert "40 people, 20 of them in several photos" in said
    assert "takes 500 people, 150 of them" in said
    assert not scoring_file(open_encoder(f"onnx:{dlibs}").id).exists()


def test_a_scoring_is_fitted_and_holds_nobody(run, tmp_path, dlibs, monkeypatch):
    """To so few people that nobody would fit one to them."""
    folder = real_people(tmp_path / "strangers", several=40, single=40)
    monkeypatch.setattr(fitted, "LEAST_PEOPLE", 80)
    monkeypatch.setattr(fitted, "LEAST_SEVERAL", 40)
    name = f"onnx:{dlibs}"
    refused = run("verify", HOPPER, COLLINS, "--encoder", name, status=2)
    assert "susracker encoder fit FACES" in refused
    told = run("encoder", "fit", folder, "--encoder", name)
    assert "fitted to 80 people, of whom 40 were taken for enrolled" in told
    file = scoring_file(open_encoder(name).id)
    assert f"wrote {file}" in told
    assert file.stat().st_mode & 0o077 == 0
    scoring = load_scoring(open_encoder(name).id)
    assert len(scoring.cohort) >= scoring.nearest
    # dlib's own network, so its distances need little to be dlib's.
    assert scoring.distance_scale == pytest.approx(1, abs=0.2)
    assert nearest_to_anybody(scoring.cohort, folder, name) < 0.999
    run("verify", HOPPER, COLLINS, "--encoder", name)


def nearest_to_anybody(cohort, folder, name) -> float:
    """The highest cosine of a row of a cohort and a real person's template."""
    embedder = fitted.Embedder(open_encoder(name))
    real = [embedder.embed(photo).template for photo in sorted(folder.glob("*/*"))[::4]]
    return float((np.stack(real) @ cohort.T).max())


def test_a_damaged_scoring_is_told(run, dlibs):
    file = scoring_file(open_encoder(f"onnx:{dlibs}").id)
    file.parent.mkdir(parents=True)
    file.write_bytes(b"no scoring")
    said = run("verify", HOPPER, COLLINS, "--encoder", f"onnx:{dlibs}", status=2)
    assert "cannot read the scoring" in said
    assert "susracker encoder fit" in said


def give_dlibs_scoring(encoder_id: str) -> None:
    """As if it had been fitted."""
    file = scoring_file(encoder_id)
    file.parent.mkdir(parents=True)
    file.write_bytes(scoring_bytes(load_scoring(DlibEncoder.id), []))


def test_templates_are_made_while_another_encoder_goes_on(run, tmp_path, dlibs):
    url, name = f"sqlite:///{tmp_path / 'people.db'}", f"onnx:{dlibs}"
    encoder = open_encoder(name)
    run("enroll", HOPPER, "--name", "Grace Hopper", "--store", url)
    said = run("encoder", "prepare", "--store", url, "--encoder", name, status=2)
    assert "susracker encoder fit FACES" in said
    give_dlibs_scoring(encoder.id)
    said = run("encoder", "prepare", "--store", url, "--encoder", name)
    assert f"made 1 of 1 templates that were missing of {encoder.id}" in said
    assert "made 0 of 0" in run("encoder", "prepare", "--store", url, "--encoder", name)
    with open_store(url) as store:
        for one in (DlibEncoder.id, encoder.id):
            assert list(store.template_counts(one).values()) == [1]
    said = run("criminals", "stats", "--store", url, "--encoder", name)
    assert "missed people were not measured with this encoder" in said
    scores = [found_score(url, one) for one in ("dlib", name)]
    assert scores[0] == pytest.approx(scores[1], abs=1e-3)
    assert scores[0] > 5


def found_score(url: str, encoder: str) -> float:
    """The score of the alert that Grace Hopper's portrait raises in front of a camera."""
    with open_tracker(store=url, encoder=encoder, cooldown_seconds=0) as tracker:
        seen = Detection("gate", "east", "face", datetime.now(timezone.utc), HOPPER.read_bytes())
        (alert,) = tracker.handle(seen).alerts
        return alert.score


def test_the_scoring_of_dlibs_encoder_is_not_fitted(run, few):
    assert "--apply" in run("encoder", "fit", few, status=2)


def test_a_file_that_is_no_network_is_refused(run, tmp_path):
    assert "docs/encoders.md" in run("encoder", "check", tmp_path / "gone.onnx", status=2)
