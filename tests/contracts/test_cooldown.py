"""What every cooldown must do, run over each backend."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta, timezone

import pytest
import redis

from susracker.plugins import open_cooldown

NOON = datetime(2026, 1, 1, 12, tzinfo=timezone.utc)
BACKENDS = ["memory", "redis"]


@pytest.fixture(params=BACKENDS)
def open_it(request):
    opened = []
    url = request.param
    if url == "redis":
        server = request.getfixturevalue("redis_server")
        url = f"redis://127.0.0.1:{server.port}/0"
        redis.Redis(port=server.port).flushall()

    def open_one(seconds: float):
        opened.append(open_cooldown(url, seconds))
        return opened[-1]

    yield open_one
    for one in opened:
        one.close()


def after(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def test_a_key_passes_once_in_the_span(open_it):
    cooldown = open_it(5)
    passed = [cooldown.try_acquire("k", after(s)) for s in (0, 0, 4.999, 5, 9.999, 10)]
    assert passed == [True, False, False, True, False, True]


def test_what_is_held_back_does_not_prolong_it(open_it):
    cooldown = open_it(5)
    assert [cooldown.try_acquire("k", after(s)) for s in (0, 3, 6)] == [True, False, True]


def test_keys_do_not_hold_each_other_back(open_it):
    cooldown = open_it(5)
    assert all(cooldown.try_acquire(key, NOON) for key in ("a", "b", "a\x1fb"))


def test_a_clock_that_was_set_back_silences_nothing(open_it):
    cooldown = open_it(5)
    assert cooldown.try_acquire("k", after(3600))
    assert not cooldown.try_acquire("k", after(3596))
    assert cooldown.try_acquire("k", NOON)


def test_zero_seconds_hold_nothing_back(open_it):
    cooldown = open_it(0)
    assert cooldown.try_acquire("k", NOON)
    assert cooldown.try_acquire("k", NOON)


def test_what_is_given_back_can_be_taken_again(open_it):
    cooldown = open_it(5)
    assert cooldown.try_acquire("k", NOON)
    cooldown.release("k", NOON)
    assert cooldown.try_acquire("k", after(1))


def test_giving_back_takes_nothing_from_another(open_it):
    cooldown = open_it(5)
    assert cooldown.try_acquire("k", NOON)
    assert cooldown.try_acquire("k", after(10))
    cooldown.release("k", NOON)
    cooldown.release("unknown", NOON)
    assert not cooldown.try_acquire("k", after(11))


def test_of_many_that_race_one_wins(open_it):
    cooldown = open_it(5)
    for round_ in range(20):
        start, wins = threading.Barrier(16), []

        def race(key=f"k{round_}", start=start, wins=wins) -> None:
            start.wait()
            if cooldown.try_acquire(key, NOON):
                wins.append(1)

        threads = [threading.Thread(target=race) for _ in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(wins) == 1
