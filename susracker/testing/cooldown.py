"""What every cooldown must do.

Needs the fixture `cooldown_of`: called with a span in seconds, it returns an open cooldown in which
nobody holds anything.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime, timedelta, timezone

import pytest

from susracker.cooldowns.base import HISTORY, Cooldown
from susracker.testing.race import THREADS, race

NOON = datetime(2026, 1, 1, 12, tzinfo=timezone.utc)
CooldownOf = Callable[[float], Cooldown]


def after(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def take(cooldown: Cooldown, *seconds: float, key: str = "k") -> list[bool]:
    """What becomes of different detections, one after the other; "t3" is that of second 3."""
    return [cooldown.try_acquire(key, after(second), f"t{second}") for second in seconds]


def test_a_key_passes_once_in_the_span(cooldown_of: CooldownOf) -> None:
    cooldown = cooldown_of(5)
    assert take(cooldown, 0, 4.999, 5, 9.999, 10) == [True, False, True, False, True]


def test_of_two_detections_of_one_moment_the_first_passes(cooldown_of: CooldownOf) -> None:
    cooldown = cooldown_of(5)
    assert cooldown.try_acquire("k", NOON, "a")
    assert not cooldown.try_acquire("k", NOON, "b")


def test_what_is_held_back_does_not_prolong_it(cooldown_of: CooldownOf) -> None:
    assert take(cooldown_of(5), 0, 3, 6) == [True, False, True]


def test_keys_do_not_hold_each_other_back(cooldown_of: CooldownOf) -> None:
    cooldown = cooldown_of(5)
    assert all(cooldown.try_acquire(key, NOON, key) for key in ("a", "b", "a\x1fb"))


def test_one_token_may_take_several_keys(cooldown_of: CooldownOf) -> None:
    cooldown = cooldown_of(5)
    assert all(cooldown.try_acquire(key, NOON, "t") for key in ("a", "b"))
    cooldown.release("a", "t")
    assert cooldown.try_acquire("a", NOON, "u")
    assert not cooldown.try_acquire("b", NOON, "u")


def test_a_clock_that_was_set_back_silences_nothing(cooldown_of: CooldownOf) -> None:
    assert take(cooldown_of(5), 3600, 3596, 0) == [True, False, True]


def test_zero_seconds_hold_nothing_back(cooldown_of: CooldownOf) -> None:
    cooldown = cooldown_of(0)
    assert all(cooldown.try_acquire("k", after(s), t) for s, t in [(0, "a"), (0, "b"), (-1, "c")])


def test_times_are_exact_to_the_microsecond(cooldown_of: CooldownOf) -> None:
    cooldown = cooldown_of(5)
    assert take(cooldown, 0, 4.999999, 5) == [True, False, True]


@pytest.mark.parametrize("token", ["t", "", "a b", "12 3 t", "line\nbreak", "\x1fé"])
def test_taking_it_twice_with_one_token_is_taking_it_once(
    cooldown_of: CooldownOf, token: str
) -> None:
    cooldown = cooldown_of(5)
    assert [cooldown.try_acquire("k", after(s), token) for s in (0, 0, 2)] == [True] * 3
    # The first time counts: that of a repeat changes nothing.
    assert take(cooldown, 4, 5) == [False, True]


def test_a_token_passes_again_after_another_took_the_key(cooldown_of: CooldownOf) -> None:
    cooldown = cooldown_of(5)
    assert take(cooldown, 0, 5, 0) == [True] * 3
    assert take(cooldown, 4, 9, 10) == [False, False, True]


def test_what_is_given_back_can_be_taken_again(cooldown_of: CooldownOf) -> None:
    cooldown = cooldown_of(5)
    take(cooldown, 0)
    cooldown.release("k", "t0")
    assert take(cooldown, 1) == [True]


def test_a_key_is_free_once_everyone_who_took_it_gave_it_back(cooldown_of: CooldownOf) -> None:
    cooldown = cooldown_of(5)
    take(cooldown, 0, 0, 0)
    for _ in range(2):
        cooldown.release("k", "t0")
        assert take(cooldown, 1) == [False]
    cooldown.release("k", "t0")
    assert take(cooldown, 1) == [True]


def test_giving_back_takes_nothing_from_another(cooldown_of: CooldownOf) -> None:
    cooldown = cooldown_of(5)
    take(cooldown, 0, 10)
    cooldown.release("k", "t0")
    cooldown.release("k", "t0")
    cooldown.release("k", "unknown")
    cooldown.release("unknown", "t10")
    assert take(cooldown, 11) == [False]


def test_giving_back_restores_what_the_key_remembered(cooldown_of: CooldownOf) -> None:
    cooldown = cooldown_of(5)
    take(cooldown, 0, 10)
    cooldown.release("k", "t10")
    assert take(cooldown, 4, 5) == [False, True]


def test_what_was_given_back_in_between_is_not_restored(cooldown_of: CooldownOf) -> None:
    cooldown = cooldown_of(5)
    take(cooldown, 0, 10, 20)
    cooldown.release("k", "t10")
    assert take(cooldown, 16) == [False]
    cooldown.release("k", "t20")
    assert take(cooldown, 4, 10) == [False, True]


def test_a_key_remembers_a_bounded_history(cooldown_of: CooldownOf) -> None:
    cooldown = cooldown_of(5)
    moments = [10 * n for n in range(HISTORY + 1)]
    assert all(take(cooldown, *moments))
    for moment in reversed(moments[1:]):
        cooldown.release("k", f"t{moment}")
    # The first hold was forgotten, so its moment is free, though nobody gave it back.
    assert take(cooldown, 1) == [True]


def test_the_whole_history_is_restored(cooldown_of: CooldownOf) -> None:
    cooldown = cooldown_of(5)
    moments = [10 * n for n in range(HISTORY)]
    assert all(take(cooldown, *moments))
    for moment in reversed(moments[1:]):
        cooldown.release("k", f"t{moment}")
    assert take(cooldown, 1) == [False]


class Interrupted(str):
    """A key; other threads run whenever a dictionary is asked for it."""

    def __hash__(self) -> int:
        time.sleep(1e-5)
        return super().__hash__()


def test_of_many_that_race_one_wins(cooldown_of: CooldownOf) -> None:
    cooldown = cooldown_of(5)
    for round_ in range(20):
        key = Interrupted(f"k{round_}")
        passed = race(lambda n, key=key: cooldown.try_acquire(key, NOON, str(n)))
        assert sum(passed) == 1
        assert not cooldown.try_acquire(key, NOON, "late")


def test_of_one_detection_that_races_itself_all_pass(cooldown_of: CooldownOf) -> None:
    """And the key is free once all have given it back, at once again."""
    cooldown = cooldown_of(5)
    for round_ in range(20):
        key = Interrupted(f"k{round_}")
        assert all(race(lambda n, key=key: cooldown.try_acquire(key, NOON, "same")))
        assert not cooldown.try_acquire(key, NOON, "late")
        race(lambda n, key=key: cooldown.release(key, "same"), THREADS - 1)
        assert not cooldown.try_acquire(key, NOON, "late")
        cooldown.release(key, "same")
        assert cooldown.try_acquire(key, NOON, "late")


def test_who_gives_back_takes_nothing_from_whoever_takes_meanwhile(cooldown_of: CooldownOf) -> None:
    cooldown = cooldown_of(5)
    for round_ in range(20):
        key = Interrupted(f"k{round_}")
        cooldown.try_acquire(key, NOON, "first")

        def work(number: int, key: str = key) -> bool | None:
            if number:
                return cooldown.try_acquire(key, after(10), str(number))
            return cooldown.release(key, "first")

        assert sum(race(work)[1:]) == 1
        assert not cooldown.try_acquire(key, after(10), "late")
