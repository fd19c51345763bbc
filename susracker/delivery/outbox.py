"""Takes a log to one channel: at least once, in order, by one worker at a time."""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from queue import Empty, SimpleQueue

from susracker.client.delivery import wait_after
from susracker.delivery.base import Channel, Gone, Message, Refused, Result, Taken, TryLater
from susracker.delivery.selection import Entry, Next, Selection
from susracker.errors import ConflictError, NotFoundError
from susracker.runtime.clock import utc_now
from susracker.runtime.other_thread import OtherThread
from susracker.stores.base import Store
from susracker.stores.outbox import ChannelState, DeadLetter

log = logging.getLogger(__name__)

LEASE_SECONDS = 5.0
"""After so long without a sign of its holder, a channel is another worker's to take."""

BEAT_SECONDS = 1.0
"""How often a holder gives a sign while it waits for a receiver."""

IDLE_SECONDS = 60.0
"""Longest time that `Courier.step` says to wait; whoever calls it looks for news earlier."""

HELD_SECONDS = 1.0
"""How soon to look again at a channel that another worker holds."""

FIRST_WAIT, LONGEST_WAIT = 1.0, 300.0
"""Seconds between attempts."""

FAULTS = 8
"""A message on which the receiver fails so many times in a row is given up, so that it does not
hold up all others for ever. It fails on it if it answers, and says that the fault is its own."""

WINDOW = timedelta(minutes=1)

DELIVERED, PUT_OFF, GIVEN_UP, GONE = RESULTS = ("delivered", "put_off", "given_up", "gone")
"""What becomes of an attempt to deliver a message."""

SAVED_EVERY = 1000
"""How many alerts that nobody wants are passed before the cursor is stored."""


@dataclass(frozen=True, slots=True)
class Clock:
    """What a courier takes for the time.

    Attributes:
        now: the time of day, in UTC.
        ticks: seconds from any moment on, which never go back.
    """

    now: Callable[[], datetime] = utc_now
    ticks: Callable[[], float] = time.monotonic


@dataclass(frozen=True, slots=True)
class _Task:
    """A message to send, and what it is about.

    Attributes:
        seq: of its first alert.
        last_seq: of its last one: the cursor after it.
        letter: the dead letter that is sent again; None for what follows in the log.
    """

    message: Message
    seq: int
    last_seq: int
    letter: DeadLetter | None = None


class _LostError(Exception):
    """Another worker has taken the channel: it took this one for dead."""


class Courier:
    """One worker of a channel, for one log. Any number of them, in any number of processes, may
    share it.

    The state in the store says who delivers at present. Every change names the revision that it is
    based on, so a worker that was taken for dead, and is not, changes nothing any more. Whether a
    holder is alive is judged by whether the revision grows, on the clock of whoever waits.

    For one thread at a time.

    Attributes:
        problem: why nothing was delivered when it was last tried, or None.
        attempts: how many messages this worker tried to deliver, by what became of them.
    """

    def __init__(
        self,
        store: Store,
        name: str,
        selection: Selection,
        channel: Channel,
        clock: Clock | None = None,
    ) -> None:
        self._store = store
        self._name = name
        self._per_minute = selection.options.per_minute
        self._selection = selection
        self._channel = channel
        self._clock = clock or Clock()
        self._sender = OtherThread(f"delivering to {name}")
        self._me = uuid.uuid4().hex
        self._seen: tuple[str, int] | None = None
        self._seen_at = 0.0
        # Everything up to here was looked at: nothing between the stored cursor and this is wanted.
        self._passed = 0
        self.problem: str | None = None
        self.attempts = dict.fromkeys(RESULTS, 0)
        state = store.add_channel(ChannelState(name, selection.last()))
        self._cursor = state.cursor

    @property
    def reached(self) -> int:
        """`seq` of the last alert that this channel is done with, as far as this worker knows."""
        return max(self._cursor, self._passed)

    def step(self) -> float:
        """Deliver one message, if one is due.

        Returns:
            seconds to wait before the next call; 0 if there may be more to do.

        Raises:
            StoreUnavailableError: the store cannot be read or written.
        """
        state = self._store.channel(self._name)
        self._cursor = state.cursor
        self.problem = problem_of(state)
        if state.paused:
            return IDLE_SECONDS
        now = self._clock.now()
        if state.retry_at and state.retry_at > now:
            return min(IDLE_SECONDS, (state.retry_at - now).total_seconds())
        try:
            return self._go_on(state, now)
        except (_LostError, ConflictError):
            return 0

    def _go_on(self, state: ChannelState, now: datetime) -> float:
        found = self._find(state, now)
        if not isinstance(found, _Task):
            return self._rest(state, found)
        if not self._is_free(state):
            return HELD_SECONDS
        return self._deliver(self._claim(state, found, now), found)

    # -- what is next ------------------------------------------------------------------------

    def _find(self, state: ChannelState, now: datetime) -> _Task | Next:
        """The message that is next; or, if none is due, how far the log was looked at."""
        for letter in self._store.dead_letters(self._name):
            if letter.again:
                return self._again(letter, now)
        if state.gathering_to > state.cursor:
            return self._gathered(state.cursor, state.gathering_to, now)
        after = max(state.cursor, self._passed)
        if wait := self._wait_for_window(state, now):
            return Next((), after, wait)
        if self._is_full(state) and self._selection.gathers:
            found = self._selection.gathered(after, now)
            if len(found.entries) > 1:
                return self._gathered(state.cursor, found.entries[-1].number, now)
        found = self._selection.first(after, now)
        if not found.entries:
            return found
        return self._single(found.entries[0], now)

    def _is_full(self, state: ChannelState) -> bool:
        """Whether as many messages were sent in the last minute that was counted as may be."""
        return 0 < self._per_minute <= state.in_window

    def _wait_for_window(self, state: ChannelState, now: datetime) -> float:
        """Seconds until a message may be sent."""
        if not self._is_full(state) or state.window_at is None:
            return 0
        return max(0.0, (state.window_at + WINDOW - now).total_seconds())

    def _single(
        self, entry: Entry, now: datetime, letter: DeadLetter | None = None
    ) -> _Task | Next:
        try:
            message = self._selection.message(entry, now, self._channel.carries_faces)
        except NotFoundError:  # it was forgotten meanwhile, so it is not found again
            return Next((), self._passed, 0)
        return _Task(message, entry.number, entry.number, letter)

    def _gathered(self, after: int, last: int, now: datetime) -> _Task | Next:
        entries = self._selection.between(after, last)
        if not entries:  # they were forgotten, or taken back, meanwhile
            return Next((), last)
        stale = self._selection.is_stale(entries[-1], now)
        alerts = tuple(one.alert for one in entries)
        message = Message(f"gathered-{after + 1}-{last}", "gathered", alerts, stale)
        return _Task(message, after + 1, last)

    def _again(self, letter: DeadLetter, now: datetime) -> _Task | Next:
        found = self._selection.between(letter.seq - 1, letter.last_seq)
        if not found:
            self._change(self._store.channel(self._name), lambda state: state, remove=[letter.seq])
            return Next((), self._passed, 0)
        if letter.seq == letter.last_seq:
            return self._single(found[0], now, letter)
        task = self._gathered(letter.seq - 1, letter.last_seq, now)
        return replace(task, letter=letter) if isinstance(task, _Task) else task

    def _rest(self, state: ChannelState, found: Next) -> float:
        """Remember how far the log was looked at; give the channel back if it is ours."""
        self._passed = max(self._passed, found.cursor)
        far = self._passed - state.cursor >= SAVED_EVERY or state.gathering_to > state.cursor
        if state.holder == self._me or (far and self._is_free(state)):
            self._change(state, self._at_rest)
        return _waiting(found)

    def _at_rest(self, state: ChannelState) -> ChannelState:
        cursor = max(state.cursor, self._passed)
        return replace(state, holder="", cursor=cursor, gathering_to=0)

    # -- the lease ---------------------------------------------------------------------------

    def _is_free(self, state: ChannelState) -> bool:
        """Whether nobody holds the channel, or we do, or its holder gives no sign."""
        if state.holder in ("", self._me):
            return True
        seen = (state.holder, state.revision)
        if seen != self._seen:
            self._seen, self._seen_at = seen, self._clock.ticks()
        return self._clock.ticks() - self._seen_at >= LEASE_SECONDS

    def _claim(self, state: ChannelState, task: _Task, now: datetime) -> ChannelState:
        """Take the channel, and store what is about to be sent where that may change."""
        is_new = state.window_at is None or now - state.window_at >= WINDOW
        ours = replace(
            state,
            holder=self._me,
            window_at=now if is_new and not task.letter else state.window_at,
            in_window=0 if is_new and not task.letter else state.in_window,
            gathering_to=task.last_seq
            if task.message.kind == "gathered" and not task.letter
            else state.gathering_to,
        )
        return state if ours == state else self._store.put_channel(ours)

    def _change(
        self,
        state: ChannelState,
        change: Callable[[ChannelState], ChannelState],
        add: tuple[DeadLetter, ...] = (),
        remove: list[int] | None = None,
    ) -> ChannelState:
        """Change the state, also if people have paused the channel, or the like, meanwhile.

        Raises:
            _LostError: another worker holds the channel.
        """
        while True:
            try:
                return self._store.put_channel(change(state), add=add, remove=remove or [])
            except ConflictError as error:
                state = self._store.channel(self._name)
                if state.holder != self._me:
                    raise _LostError from error

    # -- one message -------------------------------------------------------------------------

    def _deliver(self, state: ChannelState, task: _Task) -> float:
        """Try to deliver a message. Returns seconds until there may be more to do."""
        state, result = self._send(state, task.message)
        now = self._clock.now()
        if isinstance(result, Taken):
            self.attempts[DELIVERED] += 1
            return self._settle(state, task, now)
        if isinstance(result, Refused):
            self._give_up(state, task, result.reason, now)
        elif isinstance(result, Gone):
            self.attempts[GONE] += 1
            log.error("channel %s is paused: %s", self._name, result.reason)
            self._change(state, lambda one: replace(one, holder="", paused=result.reason))
        elif result.is_fault and state.faults + 1 >= FAULTS:
            self._give_up(state, task, result.reason, now)
        else:
            self._put_off(state, result, now)
        return 0

    def _send(self, state: ChannelState, message: Message) -> tuple[ChannelState, Result]:
        """Send a message on the sender's thread; give a sign of life meanwhile."""
        answers: SimpleQueue[Result] = SimpleQueue()
        self._sender.call(lambda: answers.put(self._attempt(message)))
        while True:
            try:
                return state, answers.get(timeout=BEAT_SECONDS)
            except Empty:
                state = self._change(state, lambda one: one)

    def _attempt(self, message: Message) -> Result:
        try:
            return self._channel.send(message)
        except Exception as error:
            # A bug that one message meets must neither end the deliveries nor hold them up.
            log.exception("channel %s: cannot send %s", self._name, message.id)
            return TryLater(f"unexpected {type(error).__name__}", is_fault=True)

    def _settle(self, state: ChannelState, task: _Task, now: datetime) -> float:
        if state.problem:
            log.info("channel %s: works again", self._name)
        found = self._selection.first(max(state.cursor, task.last_seq), now)

        def sent(one: ChannelState) -> ChannelState:
            done = replace(self._past(one, task), problem="", in_window=one.in_window + 1)
            return done if found.entries else replace(done, holder="")

        self._change(state, sent, remove=[task.letter.seq] if task.letter else None)
        if found.entries or task.letter:
            return 0
        self.problem = None
        return _waiting(found)

    def _give_up(self, state: ChannelState, task: _Task, reason: str, now: datetime) -> None:
        self.attempts[GIVEN_UP] += 1
        log.error(
            "channel %s: gave up message %s: %s; susracker deliveries retry sends it again",
            self._name,
            task.message.id,
            reason,
        )
        seq, last = (
            (task.letter.seq, task.letter.last_seq) if task.letter else (task.seq, task.last_seq)
        )
        letter = DeadLetter(seq, last, reason, now)
        self._change(
            state, lambda one: replace(self._past(one, task), problem=reason), add=(letter,)
        )

    def _past(self, state: ChannelState, task: _Task) -> ChannelState:
        """The state once a message is done with. More may follow: the channel stays ours."""
        cursor = state.cursor if task.letter else max(state.cursor, task.last_seq)
        gathering = state.gathering_to if task.letter else 0
        return replace(
            state, cursor=cursor, gathering_to=gathering, failures=0, faults=0, retry_at=None
        )

    def _put_off(self, state: ChannelState, result: TryLater, now: datetime) -> None:
        self.attempts[PUT_OFF] += 1
        wait = max(result.retry_after, wait_after(state.failures, FIRST_WAIT, LONGEST_WAIT))
        if state.problem != result.reason:
            log.warning("channel %s: trying again: %s", self._name, result.reason)

        def later(one: ChannelState) -> ChannelState:
            return replace(
                one,
                holder="",
                problem=result.reason,
                failures=one.failures + 1,
                faults=one.faults + 1 if result.is_fault else 0,
                retry_at=now + timedelta(seconds=wait),
            )

        self._change(state, later)


def _waiting(found: Next) -> float:
    """Seconds until the next alert is due."""
    return IDLE_SECONDS if found.wait is None else min(found.wait, IDLE_SECONDS)


def problem_of(state: ChannelState) -> str | None:
    """Why nothing is delivered at present, or None."""
    if state.paused:
        return f"paused: {state.paused}"
    return state.problem if state.failures else None
