"""Which faces of following frames have one track."""

from __future__ import annotations

from susracker.edge.tracks import LOST_SECONDS, Tracks
from susracker.faces.boxes import Box


def box(left: float, top: float = 0, width: float = 100) -> Box:
    return Box(left, top, left + width, top + width)


def test_a_face_that_moves_a_little_keeps_its_track():
    tracks = Tracks()
    ids = [tracks.follow([box(30 * n)], n / 5)[0] for n in range(5)]
    assert len(set(ids)) == 1


def test_two_faces_keep_apart_in_whatever_order_they_are_found():
    tracks = Tracks()
    left, right = tracks.follow([box(0), box(300)], 0)
    assert left != right
    assert tracks.follow([box(310), box(10)], 0.2) == [right, left]


def test_each_track_goes_to_the_face_that_overlaps_most():
    tracks = Tracks()
    (first,) = tracks.follow([box(0)], 0)
    far, near = tracks.follow([box(50), box(5)], 0.2)
    assert near == first
    assert far != first


def test_a_face_that_jumps_or_is_gone_for_long_begins_a_track():
    tracks = Tracks()
    (first,) = tracks.follow([box(0)], 0)
    (jumped,) = tracks.follow([box(200)], 0.2)
    assert jumped != first
    assert tracks.follow([box(0)], 0.4) == [first]
    assert tracks.follow([], 0.6) == []
    assert tracks.follow([box(0)], 0.4 + LOST_SECONDS + 0.1) != [first]


def test_another_run_has_other_ids():
    assert Tracks().follow([box(0)], 0) != Tracks().follow([box(0)], 0)
