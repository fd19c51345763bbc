"""Which faces of a track a camera sends."""

from __future__ import annotations

from susracker.edge.best import CLEARLY_BETTER, FORGET_SECONDS, BestFaces


def test_the_first_face_is_sent_at_once_and_then_those_that_are_apart():
    best = BestFaces()
    sent = [number for number in range(11) if best.adds("t1", 0.5, number / 5)]
    assert sent == [0, 2, 4, 6, 8, 10]


def test_a_clearly_better_face_is_sent_at_once():
    best = BestFaces()
    assert best.adds("t1", 0.4, 0)
    assert not best.adds("t1", 0.45, 0.1)
    assert best.adds("t1", 0.4 * CLEARLY_BETTER, 0.2)
    assert not best.adds("t1", 0.4 * CLEARLY_BETTER, 0.3)
    assert best.adds("t1", 0.1, 0.6)


def test_tracks_do_not_hold_each_other_back_and_are_forgotten():
    best = BestFaces()
    assert best.adds("t1", 1, 0)
    assert best.adds("t2", 1, 0.1)
    assert best.adds("t3", 1, 2 * FORGET_SECONDS)
    assert list(best._sent) == ["t3"]
