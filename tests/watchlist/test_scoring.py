"""Normalised scores, and thresholds from a target FPIR."""

from __future__ import annotations

import math

import numpy as np
import pytest

from susracker.errors import ConfigError
from susracker.watchlist.fitting import fit_scoring, virtual_people
from susracker.watchlist.scoring import (
    ADDED_DEVIATION,
    NEAREST,
    SCORES,
    CohortStatistics,
    Scoring,
    distance_of,
    fuse,
    load_scoring,
    normalise,
    template_class,
)

shipped = load_scoring("dlib-resnet-v1")


def unit(count: int, seed: int, dimension: int = 128) -> np.ndarray:
    vectors = np.random.default_rng(seed).normal(size=(count, dimension)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def table(share: float) -> Scoring:
    """A scoring in which a stranger scores at least s with a share of `share ** (s + 2)`."""
    logs = np.tile((SCORES + 2) * math.log(share), (3, 1))
    return Scoring(unit(NEAREST + 100, 0), logs, logs / 2, joined_people=100)


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


def test_who_joined_the_cohort_is_not_normalised_by_himself():
    scoring, vectors = table(0.1), unit(5, 1)
    joined = scoring.join(vectors)
    alone = scoring.join(vectors[1:])
    assert len(joined.cohort) == len(scoring.cohort) + 5
    one = vectors[:1]
    assert joined.statistics(one).means == pytest.approx(alone.statistics(one).means, abs=1e-7)


def test_what_impostors_score_follows_how_many_have_joined():
    scoring = table(0.1)
    one, half, many = (scoring.join(unit(n, 1)).share_above(0, 1) for n in (1, 50, 1000))
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
    assert [template_class(n) for n in (1, 2, 3, 40)] == [1, 2, 3, 3]


def test_an_encoder_without_a_cohort_is_an_error():
    with pytest.raises(ConfigError, match="no cohort for the encoder nobody"):
        load_scoring("nobody")


def test_virtual_people_are_nobody_and_scatter_as_real_ones_do():
    faces = unit(400, 2, dimension=32) + 2 * unit(1, 3, dimension=32)
    faces /= np.linalg.norm(faces, axis=1, keepdims=True)
    people = virtual_people(faces, 2000, np.random.default_rng(0))
    assert (people @ faces.T).max() < 0.999
    spread, real = people.var(axis=0).sum(), faces.var(axis=0).sum()
    assert spread == pytest.approx(real, rel=0.15)


def test_a_fitted_threshold_holds_for_strangers_it_has_not_seen():
    """Synthetic faces around a mean, as dlib's are: the realised FPIR is near the target."""

    def faces(count: int, seed: int) -> np.ndarray:
        scattered = unit(1, 99) * 3 + unit(count, seed)
        return scattered / np.linalg.norm(scattered, axis=1, keepdims=True)

    gallery, strangers = faces(200, 2), faces(4000, 3)
    scoring = fit_scoring(faces(600, 1), list(faces(200, 4)[:, None])).join(gallery)
    scores = normalise(
        strangers @ gallery.T, scoring.statistics(strangers), scoring.statistics(gallery)
    )
    threshold = scoring.threshold(0.01, {1: len(gallery)})
    assert 0.004 < np.mean(scores.max(axis=1) >= threshold) < 0.025
