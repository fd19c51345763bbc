"""Normalised scores, and thresholds from a target FPIR."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from susracker.errors import ConfigError, InputError
from susracker.watchlist.fitting import fit_scoring, virtual_people
from susracker.watchlist.fusion import fuse, fuse_all
from susracker.watchlist.scoring import (
    ADDED_DEVIATION,
    MAX_TEMPLATE_COUNT,
    NEAREST,
    PROBE_COUNTS,
    SCORES,
    CohortStatistics,
    Scoring,
    development_share,
    distance_of,
    load_scoring,
    normalise,
    photo_mark,
)

shipped = load_scoring("dlib-resnet-v1")


def unit(count: int, seed: int, dimension: int = 128) -> np.ndarray:
    vectors = np.random.default_rng(seed).normal(size=(count, dimension)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def scattered(count: int, seed: int) -> np.ndarray:
    """Synthetic faces around a mean, as dlib's are, shape (count, 128)."""
    faces = unit(1, 99) * 3 + unit(count, seed)
    return faces / np.linalg.norm(faces, axis=1, keepdims=True)


def table(share: float) -> Scoring:
    """A scoring in which a share of `share ** (s + 2)` of impostor comparisons score at least s."""
    logs = np.tile((SCORES + 2) * math.log(share), (len(PROBE_COUNTS), 3, 1))
    return Scoring(unit(NEAREST + 100, 0), logs, logs / 2, measured_members=100)


def test_distance_is_that_of_unit_vectors():
    assert [distance_of(s) for s in (1.0, 0.0, -1.0)] == pytest.approx([0, math.sqrt(2), 2])
    assert distance_of(1.0000001) == 0


def test_as_norm_worked_out_by_hand():
    probe = CohortStatistics(np.array([0.5], np.float32), np.array([0.1], np.float32))
    criminals = CohortStatistics(np.array([0.6, 0.4], np.float32), np.array([0.2, 0.1], np.float32))
    scores = normalise(np.array([[0.8, 0.7]], np.float32), probe, criminals)
    # (0.3 / 0.1 + 0.2 / 0.2) / 2 = 2, and (0.2 / 0.1 + 0.3 / 0.1) / 2 = 2.5
    assert scores[0] == pytest.approx([2.0, 2.5], rel=1e-5)


def test_statistics_are_of_the_nearest_of_the_cohort():
    scoring, vectors = table(0.1), unit(600, 1)
    statistics = scoring.statistics(vectors)
    for index in (0, 299, 599):
        highest = np.sort(scoring.cohort @ vectors[index])[-NEAREST:]
        assert statistics.means[index] == pytest.approx(highest.mean(), abs=1e-5)
        assert statistics.deviations[index] == pytest.approx(
            highest.std() + ADDED_DEVIATION, abs=1e-5
        )


def test_a_cohort_member_is_not_compared_with_itself():
    scoring, vectors = table(0.1), unit(5, 1)
    member = scoring.with_members(vectors)
    others = scoring.with_members(vectors[1:])
    assert len(member.cohort) == len(scoring.cohort) + 5
    one = vectors[:1]
    assert member.statistics(one).means == pytest.approx(others.statistics(one).means, abs=1e-7)


def test_the_impostor_distribution_follows_the_number_of_cohort_members():
    scoring = table(0.1)
    one, half, many = (scoring.with_members(unit(n, 1)).share_above(0, 1) for n in (1, 50, 1000))
    assert scoring.share_above(0, 1) == pytest.approx(0.01)
    assert one == pytest.approx(0.01, rel=0.05)
    assert half == pytest.approx(0.01**0.75)
    assert many == pytest.approx(0.1)


def test_fpir_of_a_list_is_that_anyone_scores():
    scoring = table(0.1)
    assert scoring.fpir(0, {1: 1}) == pytest.approx(0.01)
    assert scoring.fpir(0, {1: 2, 3: 1}) == pytest.approx(1 - 0.99**3)
    assert scoring.fpir(5, {}) == 0


def test_the_threshold_meets_the_target_and_grows_with_the_list():
    for size in (1, 20, 1000):
        threshold = shipped.threshold(0.01, {1: size})
        assert shipped.fpir(threshold, {1: size}) == pytest.approx(0.01, rel=0.05)
    thresholds = [shipped.threshold(0.01, {1: size}) for size in (1, 10, 100, 1000, 100_000)]
    assert thresholds == sorted(thresholds)
    assert shipped.threshold(0.001, {1: 100}) > shipped.threshold(0.01, {1: 100})


def test_nobody_matches_on_an_empty_list():
    assert shipped.threshold(0.5, {}) == math.inf


def test_fused_templates_have_unit_length_and_the_mean_direction():
    rows = np.array([[1, 0], [0, 1]], np.float32)
    assert fuse(rows) == pytest.approx([math.sqrt(0.5)] * 2)
    assert fuse(rows[:1]) == pytest.approx([1, 0])


def test_many_criminals_are_fused_at_once():
    rows = unit(7, 1)
    people = fuse_all(list("aabccccd")[:7], rows)
    assert (people.ids, people.template_counts) == (["a", "b", "c"], [2, 1, 3])
    assert people.vectors[0] == pytest.approx(fuse(rows[:2]), abs=1e-6)
    assert people.vectors[2] == pytest.approx(fuse(rows[3:7]), abs=1e-6)
    assert fuse_all([], rows[:0]).ids == []


def test_the_scoring_that_comes_with_an_encoder():
    scoring = load_scoring("dlib-resnet-v1")
    assert scoring.cohort.shape[0] >= scoring.nearest == NEAREST
    assert np.linalg.norm(scoring.cohort, axis=1) == pytest.approx(1, abs=1e-5)
    assert scoring.measured_members > 100
    for logs in (scoring.log_shares, scoring.member_log_shares):
        assert logs.shape == (len(PROBE_COUNTS), MAX_TEMPLATE_COUNT, len(SCORES))
        assert (np.diff(logs) <= 0).all()
    # With enrolled people in the cohort, a high score is rarer.
    at_four = int(np.searchsorted(SCORES, 4))
    assert (scoring.member_log_shares[..., at_four] < scoring.log_shares[..., at_four]).all()


def test_how_many_photos_a_scoring_was_fitted_to(tmp_path, monkeypatch):
    photos = [tmp_path / name for name in ("a", "b", "c", "d")]
    for one in photos:
        one.write_bytes(one.name.encode())
    # As in `printf a | sha256sum`: photos are marked in files that exist already.
    assert photo_mark(photos[0]) == 0xCA978112
    assert development_share("dlib-resnet-v1", photos) == 0
    assert development_share("dlib-resnet-v1", []) == 0
    known = {"dlib/1": {"photos": np.array([photo_mark(one) for one in photos[:3]])}}
    monkeypatch.setattr("susracker.watchlist.scoring._development", known.get)
    assert development_share("dlib/1", photos) == 0.75


def test_an_encoder_without_a_scoring_is_an_error():
    told = "no scoring for the encoder nobody.*susracker encoder fit FACES"
    with pytest.raises(ConfigError, match=told):
        load_scoring("nobody")


def test_virtual_people_are_nobody_and_scatter_as_real_ones_do():
    faces = unit(400, 2, dimension=32) + 2 * unit(1, 3, dimension=32)
    faces /= np.linalg.norm(faces, axis=1, keepdims=True)
    people = virtual_people(faces, 2000, np.random.default_rng(0))
    assert (people @ faces.T).max() < 0.999
    spread, real = people.var(axis=0).sum(), faces.var(axis=0).sum()
    assert spread == pytest.approx(real, rel=0.15)


def test_a_fitted_threshold_holds_for_people_it_has_not_seen():
    """The realised FPIR is near the target."""
    gallery, probes = scattered(200, 2), scattered(4000, 3)
    fitted = fit_scoring(scattered(600, 1), list(scattered(200, 4)[:, None]))
    scoring = fitted.with_members(gallery)
    scores = normalise(probes @ gallery.T, scoring.statistics(probes), scoring.statistics(gallery))
    threshold = scoring.threshold(0.01, {1: len(gallery)})
    assert 0.004 < np.mean(scores.max(axis=1) >= threshold) < 0.025


def test_a_scoring_fitted_to_few_people_is_near_that_of_many():
    """Of 60 faces and 40 enrolled people, few of whom have two photos and one has three."""
    photos = [3, 2, 2] + 37 * [1]
    few = fit_scoring(scattered(60, 1), [scattered(n, 10 + i) for i, n in enumerate(photos)])
    many = fit_scoring(scattered(600, 1), list(scattered(200, 4)[:, None]))
    thresholds = [one.threshold(0.01, {1: 100}) for one in (few, many)]
    assert thresholds[0] == pytest.approx(thresholds[1], abs=0.6)
    assert np.isfinite(few.log_shares).all()
    assert (np.diff(few.log_shares) <= 0).all()


def test_too_few_people_to_fit_a_scoring_is_an_error_that_says_how_many_are_needed():
    people = list(scattered(10, 4)[:, None])
    with pytest.raises(
        InputError, match=r"20 faces .* 10 enrolled .* 200 comparisons; about [4-7]\d\d are"
    ):
        fit_scoring(scattered(20, 1), people)


def test_tables_are_interpolated_between_numbers_of_probes():
    scoring = table(0.1)
    by_probes = np.array([1.0, 0.9, 0.85, 0.825])  # linear in one over the number
    scoring = replace(scoring, log_shares=scoring.log_shares * by_probes[:, None, None])
    for probes, factor in ((1, 1.0), (4 / 3, 0.95), (2, 0.9), (3, 1 - 0.2 * 2 / 3), (8, 0.825)):
        assert scoring.share_above(0, 1, probes) == pytest.approx(0.01**factor)
    assert scoring.share_above(0, 1, 100) == scoring.share_above(0, 1, 8)
    thresholds = [scoring.threshold(0.001, {1: 100}, probes) for probes in (1, 1.5, 2, 4, 8)]
    assert thresholds == sorted(thresholds)
    for threshold, probes in zip(thresholds, (1, 1.5, 2, 4, 8), strict=True):
        assert scoring.fpir(threshold, {1: 100}, probes) == pytest.approx(0.001, rel=0.05)


def photos_of_people(count: int, photos: int, seed: int, noise: float) -> list[np.ndarray]:
    """Several photos of each synthetic person, shape (photos, 128) each."""
    return [
        normalised(face + noise * unit(photos, 1000 * seed + number))
        for number, face in enumerate(scattered(count, seed))
    ]


def normalised(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def test_a_fitted_threshold_holds_for_fused_probes_of_people_it_has_not_seen():
    """As it does not without their tables: fused probes of strangers score higher."""
    gallery = np.stack([one[0] for one in photos_of_people(200, 1, 2, 0.3)])
    strangers = photos_of_people(3000, 4, 3, 0.3)
    enrolled = photos_of_people(200, 4, 4, 0.3)
    faces = np.stack([one[0] for one in photos_of_people(600, 1, 1, 0.3)])
    passages = dict(enumerate(enrolled))
    scoring = fit_scoring(faces, enrolled, passages).with_members(gallery)
    criminals = scoring.statistics(gallery)
    rates = {}
    for probes in (1, 2, 3, 4):
        searched = np.stack([fuse(one[:probes]) for one in strangers])
        scores = normalise(searched @ gallery.T, scoring.statistics(searched), criminals)
        highest = scores.max(axis=1)
        rates[probes] = np.mean(highest >= scoring.threshold(0.01, {1: len(gallery)}, probes))
    assert all(0.004 < rate < 0.025 for rate in rates.values()), rates
    unaware = np.mean(highest >= scoring.threshold(0.01, {1: len(gallery)}))
    assert unaware > 1.5 * rates[4]


def test_numbers_of_probes_that_too_few_people_have_continue_those_of_fewer():
    enrolled = photos_of_people(200, 2, 4, 0.3)
    faces = np.stack([one[0] for one in photos_of_people(400, 1, 1, 0.3)])
    one, two, four, eight = fit_scoring(faces, enrolled, dict(enumerate(enrolled))).log_shares
    assert not np.allclose(one, two)
    assert four == pytest.approx(one + 1.5 * (two - one))
    assert eight == pytest.approx(one + 1.75 * (two - one))
    alone = fit_scoring(faces, enrolled).log_shares
    assert (alone == alone[0]).all()


def test_an_impostor_is_not_compared_with_their_own_entry_in_the_cohort():
    scoring, vectors = table(0.1), unit(5, 1)
    members = scoring.with_members(vectors)
    near = normalised(vectors + 0.1 * unit(5, 2))
    own = len(scoring.cohort) + np.arange(5)
    without = members.statistics(near, own)
    for index in range(5):
        others = scoring.with_members(np.delete(vectors, index, axis=0))
        expected = others.statistics(near[index : index + 1])
        assert without.means[index] == pytest.approx(expected.means[0], abs=1e-6)
        assert members.statistics(near).means[index] > without.means[index] + 1e-4
