"""What several looks at one passage may cost."""

from __future__ import annotations

from itertools import pairwise

import pytest

from susracker.watchlist.looks import LOOKS, looks_due
from susracker.watchlist.scoring import load_scoring


def test_the_looks_share_the_target():
    assert sum(look.share for look in LOOKS) <= 1
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
