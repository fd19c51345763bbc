"""What operators are shown of alerts: small photos, each made once, and nobody who was removed."""

from __future__ import annotations

import logging
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from susracker.faces.images import decode
from susracker.plugins import open_store
from susracker.server.tail import SIZE, Tail
from susracker.server.thumbnails import CAPACITY, MAX_BYTES, Thumbnails
from susracker.testing.records import activity, criminal, face_alert, photo
from tests.pictures import encoded

NOISE = encoded(np.random.default_rng(0).integers(0, 256, (900, 600, 3), np.uint8))


class CountingStore:
    """A store that counts which of its methods are called, and how many alerts are read."""

    def __init__(self, store):
        self.store = store
        self.calls = Counter()
        self.alerts_read = 0

    def alerts(self, **kwargs):
        found = self.store.alerts(**kwargs)
        self.alerts_read += len(found)
        return found

    def __getattr__(self, name):
        self.calls[name] += 1
        return getattr(self.store, name)


@pytest.fixture
def store(tmp_path):
    with open_store(f"sqlite:///{tmp_path / 'site.db'}") as opened:
        yield CountingStore(opened)


def enroll(store, criminal_id: str, content: bytes = NOISE) -> str:
    one = photo(criminal_id, content=content + criminal_id.encode())
    store.put_criminal(criminal(criminal_id), [one])
    return one.id


def raise_alerts(store, count: int, **fields) -> list[int]:
    return [store.record([], [activity(**fields)])[0].seq for _ in range(count)]


def seqs(alerts) -> list[int]:
    return [alert.seq for alert in alerts]


def test_a_large_photo_is_shown_small_and_made_once(store):
    alert = face_alert("c1", photo_id=enroll(store, "c1"))
    thumbnails = Thumbnails(store)
    with ThreadPoolExecutor(4) as pool:
        shown = list(pool.map(lambda _: thumbnails.beside([alert, alert]), range(8)))
    assert len(NOISE) > 10 * MAX_BYTES
    assert len(shown[0][0][1]) <= MAX_BYTES
    height, width = decode(shown[0][0][1]).shape[:2]
    assert height / width == pytest.approx(1.5, abs=0.02)
    assert all(one == shown[0] for one in shown)
    assert store.calls["photo"] == 1


def test_there_is_no_thumbnail_without_a_photo(store):
    alerts = [activity(), face_alert(photo_id=None), face_alert(photo_id="gone")]
    assert Thumbnails(store).beside(alerts) == [(alert, None) for alert in alerts]


def test_the_thumbnail_of_someone_who_was_removed_is_dropped(store):
    alert = face_alert("c1", photo_id=enroll(store, "c1"))
    other = face_alert("c2", photo_id=enroll(store, "c2"))
    thumbnails = Thumbnails(store)
    thumbnails.beside([alert, other])
    store.remove_criminal("c1")
    thumbnails.beside([])
    assert len(thumbnails) == 1
    assert thumbnails.beside([alert]) == [(alert, None)]


def test_only_so_many_thumbnails_are_kept(store):
    small = encoded(np.zeros((4, 4, 3), np.uint8))
    alerts = [
        face_alert(f"c{number}", photo_id=enroll(store, f"c{number}", small))
        for number in range(CAPACITY + 5)
    ]
    thumbnails = Thumbnails(store)
    thumbnails.beside(alerts)
    thumbnails.beside(alerts[-CAPACITY:])
    assert len(thumbnails) == CAPACITY
    assert store.calls["photo"] == CAPACITY + 5


def test_an_alert_goes_out_though_its_photo_is_damaged(store, caplog):
    alert = face_alert("c1", photo_id=enroll(store, "c1", b"no picture"))
    with caplog.at_level(logging.ERROR):
        assert Thumbnails(store).beside([alert]) == [(alert, None)]
    assert alert.photo_id in caplog.text


def test_many_clients_that_catch_up_read_the_log_once(store):
    before = raise_alerts(store, 3 * SIZE)
    tail = Tail(store)
    tail.after(before[-1])
    new = raise_alerts(store, 5)
    for _ in range(100):
        assert seqs(tail.after(before[-10])) == before[-9:] + new
    assert store.alerts_read == SIZE + 5


def test_what_is_older_than_the_tail_is_read_page_by_page(store):
    all_seqs = raise_alerts(store, 3 * SIZE + 7)
    tail = Tail(store)
    found, after = [], 0
    while page := seqs(tail.after(after)):
        assert len(page) <= SIZE
        found += page
        after = page[-1]
    assert found == all_seqs


def test_the_tail_grows_by_more_than_its_size_between_two_looks(store):
    tail = Tail(store)
    first = raise_alerts(store, 2 * SIZE + 3)
    found, after = [], 0
    while page := seqs(tail.after(after)):
        found += page
        after = page[-1]
    assert found == first
    assert seqs(tail.after(first[-4])) == first[-3:]


def test_the_tail_misses_no_alert_that_comes_with_an_edit(store):
    before = raise_alerts(store, 2 * SIZE)
    tail = Tail(store)
    assert tail.after(before[-1]) == []
    enroll(store, "c1")
    new = raise_alerts(store, 1)
    assert seqs(tail.after(before[-1])) == new


def test_the_tail_misses_no_alert_of_many_that_came_before_its_first_look(store):
    tail = Tail(store)
    all_seqs = raise_alerts(store, 2 * SIZE)
    assert seqs(tail.after(all_seqs[-3])) == all_seqs[-2:]


def test_the_tail_shows_nobody_who_was_removed(store):
    photo_id = enroll(store, "c1")
    store.record([], [face_alert("c1", photo_id=photo_id)])
    tail = Tail(store)
    (shown,) = tail.after(0)
    assert (shown.name, shown.face) == ("Ada Nowak", b"a face\0\xff")
    store.remove_criminal("c1")
    (shown,) = tail.after(0)
    assert (shown.criminal_id, shown.face) == (None, None)


def test_an_alert_after_an_edit_is_found_at_once(store):
    raise_alerts(store, SIZE)
    tail = Tail(store)
    last = tail.after(0)[-1].seq
    store.put_criminal(criminal())
    (newest,) = raise_alerts(store, 1)
    assert seqs(tail.after(last)) == [newest]
