"""Who is enrolled, who is searched for, and by which rule, on made-up templates."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np
import pytest

from susracker.benchmark import rules
from susracker.benchmark.calibration import calibrate
from susracker.benchmark.datasets import Dataset, Pair, Pairs
from susracker.benchmark.embedding import NO_FACE, Embedded
from susracker.benchmark.identification import Identification, identify
from susracker.benchmark.protocols import LOST, compare, open_set
from susracker.benchmark.records import identification_record
from susracker.benchmark.report import in_plain_words, worst_false_matches
from susracker.benchmark.rules import AsNorm, Distance, distance_limit, fused
from susracker.errors import InputError
from susracker.models import Template
from susracker.plugins import open_matcher, open_store
from susracker.testing.records import ENCODER, NOON, QUALITY, criminal, photo
from susracker.watchlist.scoring import load_scoring
from susracker.watchlist.watchlist import WatchList

COUNTS = {"Ada": 5, "Bob": 2, "Cy": 1, "Di": 1, "Ed": 3}


def vector(random, near=None, spread=0.05):
    made = random.normal(size=128) * (1 if near is None else spread)
    made = made if near is None else near + made
    return np.float32(made / np.linalg.norm(made))


@pytest.fixture
def dataset():
    people = {name: [Path(f"{name}_{n}") for n in range(count)] for name, count in COUNTS.items()}
    return Dataset(Path("people"), people)


@pytest.fixture
def embedded(dataset):
    random = np.random.default_rng(0)
    # Around a common mean, as faces are.
    common = vector(random)
    found = {}
    for photos in dataset.people.values():
        person = vector(random, common, 0.06)
        for one in photos:
            template = vector(random, person, 0.02)
            found[one] = Embedded("", "", template, 1.4 * template, template, 1.4 * template)
    return found


def names(photos):
    return [str(one) for one in photos]


def test_the_first_photos_are_enrolled_and_one_is_held_back(dataset, embedded):
    search = open_set(dataset, embedded, photos_each=3)
    assert {name: len(photos) for name, photos in search.enrolled.items()} == {
        "Ada": 3,
        "Bob": 1,
        "Ed": 2,
    }
    assert names(search.mated) == ["Ada_3", "Ada_4", "Bob_1", "Ed_2"]
    assert search.owners.tolist() == [0, 0, 1, 2]
    assert names(search.non_mated) == ["Cy_0", "Di_0"]


def test_people_with_too_few_photos_are_neither_enrolled_nor_searched_for(dataset, embedded):
    search = open_set(dataset, embedded, photos_each=1, min_photos=3)
    assert list(search.enrolled) == ["Ada", "Ed"]
    assert names(search.non_mated) == ["Cy_0", "Di_0"]
    assert len(open_set(dataset, embedded, photos_each=1, enrolled=1).enrolled) == 1


def test_photos_without_a_face_are_not_searched_but_counted(dataset, embedded):
    lost = Embedded(NO_FACE, NO_FACE, *np.zeros((4, 128)))
    embedded |= {Path("Cy_0"): lost, Path("Ada_4"): lost, Path("Bob_0"): lost}
    search = open_set(dataset, embedded, photos_each=1)
    assert "Bob" not in search.enrolled
    assert names(search.non_mated) == ["Di_0"]
    assert search.not_found == 2


def test_a_pair_without_a_face_is_as_unlike_as_can_be(dataset, embedded):
    embedded[Path("Cy_0")] = Embedded(NO_FACE, "", *np.zeros((4, 128)))
    pairs = [Pair(Path("Ada_0"), Path("Ada_1"), True), Pair(Path("Ada_0"), Path("Cy_0"), False)]
    comparisons = compare(Pairs([pairs], []), embedded)
    assert comparisons.lost == 1
    assert comparisons.impostors.tolist() == [LOST]
    assert comparisons.genuine[0] == pytest.approx(
        embedded[Path("Ada_0")].template @ embedded[Path("Ada_1")].template
    )


def test_distance_is_to_the_nearest_photo_of_anyone(dataset, embedded):
    people = [[embedded[one] for one in photos] for photos in dataset.people.values()]
    probe = embedded[Path("Ed_1")]
    results = Distance(people, 0.6).search([probe])
    assert results.best.tolist() == [4]
    assert results.scores[0] == pytest.approx(0, abs=1e-3)
    other = Distance(people[:4], 0.6).search([probe])
    expected = min(np.linalg.norm(probe.view - one.view) for row in people[:4] for one in row)
    assert other.scores[0] == pytest.approx(-expected, rel=1e-4)


@pytest.mark.parametrize("rule", ["distance-", "distance-x", "cosine"])
def test_what_is_no_rule_is_an_error(rule):
    assert distance_limit("distance-0.55") == 0.55
    with pytest.raises(InputError, match="no rule is called"):
        distance_limit(rule)


def test_the_benchmarks_rule_is_that_of_the_product(dataset, embedded, tmp_path):
    search = open_set(dataset, embedded, photos_each=2)
    people = [[embedded[one] for one in photos] for photos in search.enrolled.values()]
    scoring = load_scoring("dlib-resnet-v1")
    rule = AsNorm(people, scoring, "exact", target_fpir=0.5, shift=-1)
    results = rule.search([embedded[one] for one in search.mated])
    with open_store(f"sqlite:///{tmp_path / 'people.db'}") as store:
        for index, templates in enumerate(people):
            photos = [photo(str(index)) for _ in templates]
            made = [
                Template(one.id, str(index), ENCODER, template.template, QUALITY)
                for one, template in zip(photos, templates, strict=True)
            ]
            store.put_criminal(criminal(str(index)), photos, made)
        watchlist = WatchList(store, ENCODER, open_matcher("exact", 128), scoring, 0.5, -1)
        watchlist.refresh(NOON)
        assert rule.threshold == watchlist.threshold
        probes = np.stack([embedded[one].template for one in search.mated])
        first = [candidates[0] for candidates in watchlist.identify(probes, NOON)]
    assert [one.criminal_id for one in first] == [str(index) for index in results.best]
    assert [one.score for one in first] == pytest.approx(results.scores.tolist(), abs=1e-4)


@pytest.fixture
def matchers(monkeypatch):
    """Every matcher that was opened, and every one that was closed, in order."""
    opened, closed = [], []

    def keep(*args):
        matcher = open_matcher(*args)
        opened.append(matcher)
        monkeypatch.setattr(matcher, "close", lambda: closed.append(matcher))
        return matcher

    monkeypatch.setattr(rules, "open_matcher", keep)
    return opened, closed


def test_each_trial_closes_its_matcher(dataset, embedded, matchers):
    search = open_set(dataset, embedded, photos_each=2)
    scorings = [(load_scoring("dlib-resnet-v1"), np.arange(2))] * 2
    identify(search, embedded, partial(AsNorm, matcher="exact", target_fpir=0.5), scorings)
    opened, closed = matchers
    assert opened == closed
    assert len(opened) == 2


def test_a_trial_that_fails_closes_its_matcher(dataset, embedded, matchers):
    search = open_set(dataset, embedded, photos_each=2)
    scorings = [(load_scoring("dlib-resnet-v1"), np.array([99]))]
    with pytest.raises(IndexError):
        identify(search, embedded, partial(AsNorm, matcher="exact", target_fpir=0.5), scorings)
    opened, closed = matchers
    assert opened == closed
    assert len(opened) == 1


def test_a_calibration_closes_its_matcher(dataset, embedded, matchers):
    random = np.random.default_rng(1)
    for number in range(100):
        one, template = Path(f"Stranger{number}_0"), vector(random)
        dataset.people[one.name] = [one]
        embedded[one] = Embedded("", "", *[template] * 4)
    search = open_set(dataset, embedded, photos_each=2)
    calibrate(search, embedded, load_scoring("dlib-resnet-v1"), "exact", 0.5)
    opened, closed = matchers
    assert opened == closed
    assert len(opened) == 1


def test_several_photos_are_searched_with_as_one(dataset, embedded):
    search = open_set(dataset, embedded, photos_each=1, frames=2)
    assert [names(one) for one in search.mated_frames] == [
        ["Ada_1", "Ada_2"],
        ["Ada_3", "Ada_4"],
        ["Ed_1", "Ed_2"],
    ]
    assert search.owners.tolist() == [0, 0, 2]
    assert [names(one) for one in search.non_mated_frames] == [
        ["Ada_0", "Ada_1"],
        ["Bob_0", "Bob_1"],
        ["Ed_0", "Ed_1"],
    ]
    assert search.left_out.tolist() == [0, 1, 2]
    assert names(search.singles) == ["Cy_0", "Di_0"]
    one = open_set(dataset, embedded, photos_each=1, enrolled=1, frames=2)
    assert sorted(one.left_out.tolist()) == [-1, -1, 0]


def test_a_stranger_of_several_photos_is_not_on_the_list_that_they_are_searched_on(
    dataset, embedded
):
    search = open_set(dataset, embedded, photos_each=1, frames=2)
    scorings = [(load_scoring("dlib-resnet-v1"), np.arange(3))]
    make_rule = partial(AsNorm, matcher="exact", target_fpir=0.5, frames=2)
    (trial,) = identify(search, embedded, make_rule, scorings)
    assert trial.correct.all()
    assert (trial.non_mated_first != search.left_out).all()
    assert trial.non_mated_scores.max() < trial.mated_scores.min()


def test_passes_are_searched_with_and_photos_enrolled(dataset, embedded):
    """Ada has a photo and two passes, Ed a pass only, and Bob no pass."""
    ada, ed = dataset.people["Ada"], dataset.people["Ed"]
    walked = Dataset(
        dataset.folder,
        dataset.people | {"Ada": ada[:1], "Ed": []},
        {"Ada": [ada[1:4], ada[4:]], "Ed": [ed]},
    )
    two = open_set(walked, embedded, photos_each=3, frames=2)
    assert two.enrolled == {"Ada": ada[:1]}
    assert [names(one) for one in two.mated_frames] == [["Ada_1", "Ada_3"]]
    assert [names(one) for one in two.non_mated_frames] == [["Ada_1", "Ada_3"], ["Ed_0", "Ed_2"]]
    assert two.left_out.tolist() == [0, -1]
    assert not two.is_of_single_photos
    one = open_set(walked, embedded, photos_each=3)
    assert [names(one) for one in one.mated_frames] == [["Ada_2"], ["Ada_4"]]
    assert one.owners.tolist() == [0, 0]
    assert not one.is_of_single_photos
    assert names(one.singles) == ["Cy_0", "Di_0"]
    embedded[ada[2]] = Embedded(NO_FACE, "", *4 * [np.zeros(128, np.float32)])
    assert open_set(walked, embedded, photos_each=3).not_found == 1


def test_virtual_people_make_a_watch_list_longer(dataset, embedded):
    assert open_set(dataset, embedded, photos_each=1, enrolled=2).virtual == 0
    search = open_set(dataset, embedded, photos_each=1, enrolled=300)
    assert (len(search.enrolled), search.virtual) == (3, 297)
    listed = []

    def make_rule(people, scoring):
        listed.append(people)
        return AsNorm(people, scoring, matcher="exact", target_fpir=0.5)

    scoring = load_scoring("dlib-resnet-v1")
    (trial,) = identify(search, embedded, make_rule, [(scoring, np.arange(2))])
    assert [len(people) for people in listed] == [300]
    fillers = np.stack([one.template for (one,) in listed[0][3:]])
    assert np.linalg.norm(fillers, axis=1) == pytest.approx(1, abs=1e-5)
    assert np.triu(fillers @ fillers.T, 1).max() < 0.99
    short = open_set(dataset, embedded, photos_each=1)
    (alone,) = identify(short, embedded, make_rule, [(scoring, np.arange(2))])
    assert trial.threshold > alone.threshold
    one = Identification("as-norm", 1, 0.5, search, [trial], seed=0)
    assert (one.enrolled, one.listed) == (3, 300)
    record = identification_record(one)
    assert (record["enrolled"], record["virtual"]) == (300, 297)
    assert "300 people enrolled (297 of them virtual)" in in_plain_words(one)
    # Those who have no photo are not shown.
    assert len(worst_false_matches(one)) == int((trial.non_mated_first < 3).sum())


def test_fused_photos_are_their_mean_direction(embedded):
    photos = [embedded[Path("Ada_0")], embedded[Path("Ada_1")]]
    one = fused(photos)
    total = photos[0].template + photos[1].template
    assert one.template == pytest.approx(total / np.linalg.norm(total), abs=1e-6)
    assert one.view == pytest.approx((photos[0].view + photos[1].view) / 2, abs=1e-6)
    assert fused(photos[:1]) is photos[0]
