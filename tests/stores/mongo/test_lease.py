"""A lease is one process's, and another's when the first is gone, whatever their clocks say."""

from __future__ import annotations

import pymongo
import pytest

from susracker.stores.mongo.lease import LEASE_SECONDS, Lease


class Clock:
    def __init__(self, now: float) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def leases(url):
    with pymongo.MongoClient(url) as client:
        yield client.get_default_database()["leases"]


def test_one_has_it_while_it_goes_on(leases):
    ours, theirs = Clock(0), Clock(-1e6)
    one, other = Lease(leases, "work", ours), Lease(leases, "work", theirs)
    for _ in range(5):
        assert one.take()
        assert not other.take()
        theirs.now += LEASE_SECONDS + 1


def test_another_takes_what_its_holder_has_left(leases):
    ours, theirs = Clock(0), Clock(1e6)
    one, other = Lease(leases, "work", ours), Lease(leases, "work", theirs)
    assert one.take()
    assert not other.take()
    theirs.now += LEASE_SECONDS - 0.1
    assert not other.take()
    theirs.now += 0.2
    assert other.take()
    assert not one.take()


def test_what_is_given_back_is_free(leases):
    one, other = Lease(leases, "work"), Lease(leases, "work")
    assert one.take()
    other.give_back()
    assert not other.take()
    one.give_back()
    assert other.take()


def test_whoever_takes_it_again_and_again_is_seen_to_be_there(leases):
    theirs = Clock(0)
    one, other = Lease(leases, "work"), Lease(leases, "work", theirs)
    for _ in range(5):
        assert one.take()
        assert not other.take()
        one.give_back()
        theirs.now += LEASE_SECONDS / 2


def test_a_lease_of_an_earlier_version_is_taken_over(leases):
    leases.insert_one({"_id": "work", "holder": "someone", "until": 9e9})
    clock = Clock(0)
    lease = Lease(leases, "work", clock)
    assert not lease.take()
    clock.now += LEASE_SECONDS
    assert lease.take()
