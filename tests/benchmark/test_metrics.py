"""Error rates: worked out by hand, and beside scikit-learn's."""

from __future__ import annotations

import math

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score, roc_curve

from susracker.benchmark.metrics import (
    auc,
    bootstrap_interval,
    equal_error_rate,
    fnir,
    fold_accuracies,
    fpir,
    proportion_interval,
    roc,
    tar_at_far,
    threshold_for,
)

GENUINE = np.array([0.9, 0.8, 0.7, 0.4])
IMPOSTORS = np.array([0.6, 0.5, 0.3, 0.2, 0.1])


def samples(seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    return random.normal(1, 1, 300).round(1), random.normal(0, 1, 700).round(1)


def both(genuine, impostors):
    labels = np.repeat([True, False], [len(genuine), len(impostors)])
    return labels, np.concatenate([genuine, impostors])


@pytest.mark.parametrize(
    ("rate", "threshold", "passing"),
    [(0.0, 0.6, 0), (0.19, 0.6, 0), (0.2, 0.5, 1), (0.4, 0.3, 2), (0.99, 0.1, 4)],
)
def test_a_threshold_is_just_above_the_first_impostor_too_many(rate, threshold, passing):
    found = threshold_for(IMPOSTORS, rate)
    assert found == pytest.approx(threshold)
    assert (found <= IMPOSTORS).sum() == passing


def test_a_threshold_that_everyone_may_reach():
    assert threshold_for(IMPOSTORS, 1.0) == 0.1


def test_equal_scores_reach_a_threshold_together():
    found = threshold_for(np.array([0.5, 0.5, 0.5, 0.1]), 0.5)
    assert found == pytest.approx(0.5)
    assert found > 0.5


def test_weights_count_impostors_again():
    drawn = threshold_for(IMPOSTORS, 0.4, np.array([0.0, 2, 0, 0, 3]))
    repeated = threshold_for(np.array([0.5, 0.5, 0.1, 0.1, 0.1]), 0.4)
    assert drawn == repeated == pytest.approx(0.1)


def test_tar_at_far_by_hand():
    # At FAR 0 the threshold is above 0.6: three of four; at 40% it is above 0.3: all.
    assert tar_at_far(GENUINE, IMPOSTORS, 0.0) == 0.75
    assert tar_at_far(GENUINE, IMPOSTORS, 0.4) == 1.0


def test_auc_by_hand():
    # Of 20 comparisons two go wrong: 0.4 against 0.6, and against 0.5.
    assert auc(GENUINE, IMPOSTORS) == pytest.approx(18 / 20)
    assert auc(np.array([0.5]), np.array([0.5])) == 0.5


def test_equal_error_rate_by_hand():
    # At 0.6: one of five impostors accepted, one of four genuine rejected; no threshold is nearer.
    assert equal_error_rate(GENUINE, IMPOSTORS) == pytest.approx((1 / 5 + 1 / 4) / 2)
    assert equal_error_rate(np.array([0.9]), np.array([0.1])) == 0


def test_auc_and_roc_are_those_of_scikit_learn():
    genuine, impostors = samples()
    labels, scores = both(genuine, impostors)
    assert auc(genuine, impostors) == pytest.approx(roc_auc_score(labels, scores), abs=1e-12)
    far, tar, thresholds = roc(genuine, impostors)
    theirs = roc_curve(labels, scores, drop_intermediate=False)
    for ours, expected in zip((far, tar, thresholds), theirs, strict=True):
        assert ours == pytest.approx(expected, abs=1e-12)


def test_tar_at_far_is_read_off_scikit_learns_roc():
    genuine, impostors = samples(1)
    far, tar, _ = roc_curve(*both(genuine, impostors), drop_intermediate=False)
    for rate in (0.1, 0.01, 0.001):
        assert tar_at_far(genuine, impostors, rate) == pytest.approx(tar[far <= rate].max())


def test_each_fold_is_decided_by_the_threshold_of_the_others():
    scores = np.array([0.9, 0.1, 0.8, 0.2, 0.3, 0.7])
    same = np.array([True, False, True, False, True, False])
    folds = [np.array([0, 1]), np.array([2, 3]), np.array([4, 5])]
    # The first two folds are decided as they should be by any threshold between 0.3 and 0.7;
    # the last one, the wrong way round, by none that suits the others.
    assert fold_accuracies(scores, same, folds) == pytest.approx([1, 1, 0])


def test_fnir_counts_wrong_people_and_low_scores():
    right = np.array([True, True, False, True])
    scores = np.array([3.0, 1.0, 5.0, 2.0])
    assert fnir(right, scores, 2.0) == 0.5
    assert fnir(right, scores, -math.inf) == 0.25
    assert fnir(right, scores, 2.0, np.array([1.0, 0, 0, 1])) == 0
    assert fpir(scores, 3.0) == 0.5


def test_wilsons_interval_is_that_of_the_literature():
    """Newcombe, "Two-sided confidence intervals for the single proportion" (1998), table I."""
    assert proportion_interval(81 / 263, 263) == pytest.approx((0.2553, 0.3662), abs=1e-4)
    assert proportion_interval(15 / 148, 148) == pytest.approx((0.0624, 0.1605), abs=1e-4)
    assert proportion_interval(0, 20) == pytest.approx((0.0, 0.1611), abs=1e-4)


def test_a_bootstrap_interval_is_as_wide_as_theory_says():
    values = np.random.default_rng(0).normal(size=400)
    low, high = bootstrap_interval(
        lambda people, _: float(np.average(values, weights=people)), 400, 1, seed=1
    )
    assert low < values.mean() < high
    assert high - low == pytest.approx(2 * 1.96 * values.std() / 20, rel=0.1)
