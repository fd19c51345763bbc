"""What several looks at one passage may cost."""

from __future__ import annotations

from itertools import pairwise

import pytest

from susracker.watchlist.looks import LAST_LOOKS, LOOKS, looks_due, share_left
from susracker.watchlist.scoring import load_scoring


def test_the_looks_share_the_target():
    for number in range(1, len(LOOKS) + 1):
        spent = sum(look.share for look in LOOKS[:number])
        assert spent + share_left(number, is_same=False) == pytest.approx(1)
        assert share_left(number, is_same=True) == pytest.approx(
            1 - spent + LOOKS[number - 1].share
        )
    assert [looks_due(probes) for probes in (0.9, 1, 1.4, 1.5, 2.5, 5, 24)] == [0, 1, 1, 2, 3, 4, 4]


@pytest.mark.parametrize("people", [1, 10, 100, 1000, 10_000, 1_000_000])
@pytest.mark.parametrize("target", [0.1, 0.01, 0.001, 1 / 6000])
@pytest.mark.parametrize("templates", [1, 3])
def test_the_same_frame_sent_ten_times_helps_no_stranger(people, target, templates):
    """Its fused probe is the frame itself, so it would have to find a threshold that is lower than
    the first look's, for whatever number of probes the frames count for."""
    scoring = load_scoring("dlib-resnet-v1")
    thresholds = [
        min(
            scoring.threshold(look.share * target, {templates: people}, probes / 4)
            for probes in range(round(4 * max(1, look.probes / 2)), 41)
        )
        for look in LOOKS
    ]
    assert all(one < other for one, other in pairwise(thresholds))
    lasts = [
        scoring.threshold(one.share * target, {templates: people}, one.probes) for one in LAST_LOOKS
    ]
    assert all(one < other for one, other in pairwise(lasts))
    assert lasts[0] <= thresholds[0]
