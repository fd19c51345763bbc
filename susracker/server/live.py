"""Alerts, and what people say about them, live over Socket.IO.

The store's log of alerts is what is broadcast: a greenlet reads on from the last `seq` it sent, so
nothing is emitted that is not stored, the order is the store's, and alerts of another process on
the same store are heard too. The logs of judgements and improvements are followed in the same way.
Operators who were disconnected are sent the alerts that they missed from the same log.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import gevent
from flask import request
from flask_socketio import ConnectionRefusedError, SocketIO, join_room
from gevent.event import Event
from gevent.lock import RLock

from susracker.access.roles import Permission
from susracker.errors import OverloadedError, StoreError
from susracker.models import Alert
from susracker.runtime.ending import end_logged
from susracker.server.access import access
from susracker.server.outgoing import Outgoing
from susracker.server.pools import BoundedPool
from susracker.server.tail import Tail
from susracker.server.thumbnails import Pictured, Thumbnails
from susracker.server.updates import Updates
from susracker.server.wire import (
    alert_event,
    alert_improved_event,
    alert_updated_event,
    new_alert_event,
)
from susracker.stores.base import Store

log = logging.getLogger(__name__)

STOPPED = "broadcasting stopped"

ROOM = "live"
"""Clients in this room have everything up to the last broadcast, and receive what follows."""

READERS = 2
"""Threads that read alerts: one for the broadcast, one for clients that catch up."""

MAX_WAITING_READS = 100_000
"""How many clients may catch up at once: after a restart, all of them do."""

MAX_AHEAD = 2_000_000
"""Bytes that may wait for a client before it is sent the next alert: about 20 with pictures."""

ANSWER_WAIT = 5.0
"""Seconds that an answer waits for its alert's broadcast. The alert is stored: if the store cannot
be read for so long, the alert is broadcast once it can."""


class Live:
    """Broadcasts the alerts of a store to all connected operators."""

    def __init__(
        self, socketio: SocketIO, store: Store, thumbnails: Thumbnails, follow_seconds: float
    ) -> None:
        self._socketio = socketio
        self._outgoing = Outgoing(socketio.server)
        self._store = store
        self._tail = Tail(store)
        self._updates = Updates(store)
        self._thumbnails = thumbnails
        self._reads = BoundedPool(READERS, READERS + MAX_WAITING_READS)
        self._follow_seconds = follow_seconds
        self._last_seq = 0
        self._news = Event()
        self._awaited: dict[int, Event] = {}
        self._greenlet: gevent.Greenlet[..., None] | None = None
        self._told: list[Callable[[], None]] = []
        # Wakes the event loop from other threads, once it runs.
        self._waker: Any = None
        # Held while an event goes out and while a client joins, so that it gets each alert once.
        self._lock = RLock()

    def start(self) -> None:
        """Broadcast the alerts and judgements that are stored from now on."""
        self._last_seq = self._reads.call(self._store.last_seq)
        self._reads.call(self._updates.start)
        self._waker = gevent.get_hub().loop.async_()
        self._waker.start(self._news.set)
        self._greenlet = gevent.spawn(self._run)
        self._greenlet.link(self._wait_no_more)

    def close(self) -> None:
        """Broadcast no more."""
        if self._greenlet:
            self._greenlet.kill()
        if self._waker:
            self._waker.close()
            self._waker = None
        self._reads.close()

    @property
    def problem(self) -> str | None:
        """Why alerts are not broadcast, or None."""
        if self._greenlet is None:
            return "not started"
        return STOPPED if self._greenlet.dead else None

    def also_tell(self, listener: Callable[[], None]) -> None:
        """Call a listener whenever there is something new. It must return at once."""
        self._told.append(listener)

    @property
    def last_seq(self) -> int:
        """The `seq` of the last alert that was broadcast."""
        return self._last_seq

    def broadcast_up_to(self, seq: int) -> None:
        """Return when the alert with that `seq` was emitted: after `ANSWER_WAIT` at the latest, and
        at once if nothing is being broadcast."""
        self._tell()
        if seq <= self._last_seq or self.problem:
            return
        emitted = self._awaited.setdefault(seq, Event())
        self._news.set()
        emitted.wait(ANSWER_WAIT)
        self._awaited.pop(seq, None)

    def look_now(self) -> None:
        """Broadcast what is new here at once, and not only when it is time to look."""
        self._tell()
        self._news.set()

    def look_soon(self) -> None:
        """Do the same for what is new elsewhere. From any thread."""
        if waker := self._waker:
            waker.send()

    def _tell(self) -> None:
        for listener in self._told:
            listener()

    def _run(self) -> None:
        with end_logged(log, STOPPED):
            while True:
                self._news.wait(self._follow_seconds)
                self._news.clear()
                self._try_to_broadcast()

    def _wait_no_more(self, ended: gevent.Greenlet[..., None]) -> None:
        """Let all answers go: their alerts are stored, but will not be broadcast."""
        for emitted in self._awaited.values():
            emitted.set()

    def _try_to_broadcast(self) -> None:
        try:
            self._broadcast()
            self._broadcast_updates()
        except StoreError as error:
            log.error("cannot read alerts to broadcast: %s", error)
            gevent.sleep(self._follow_seconds)

    def _broadcast(self) -> None:
        while page := self._page(self._last_seq):
            for alert, thumbnail in page:
                with self._lock:
                    self._let_lag()
                    self._emit(alert, thumbnail, ROOM)
                    self._last_seq = alert.seq
                if alert.seq in self._awaited:
                    self._awaited[alert.seq].set()

    def _broadcast_updates(self) -> None:
        while judged := self._reads.call(self._updates.judged):
            self._let_lag()
            for one in judged:
                self._socketio.emit("alert_updated", alert_updated_event(one), to=ROOM)
        while improved := self._reads.call(self._updates.improved):
            for one in improved:
                self._let_lag()
                self._socketio.emit("alert_updated", alert_improved_event(one), to=ROOM)

    def _let_lag(self) -> None:
        """Have clients that read more slowly than alerts come catch up at their own pace. So what
        waits for them is bounded, they lose nothing, and they hold up nobody."""
        for sid in self._outgoing.lagging(ROOM, MAX_AHEAD):
            self._socketio.server.leave_room(sid, ROOM, namespace="/")
            gevent.spawn(self._catch_up, sid, self._last_seq)

    def _emit(self, alert: Alert, thumbnail: bytes | None, room: str) -> None:
        self._socketio.emit("alert", alert_event(alert, thumbnail), to=room)
        # Each client that reads takes this now, however many alerts follow at once.
        gevent.sleep(0)
        self._socketio.emit("new_alert", new_alert_event(alert, thumbnail), to=room)
        gevent.sleep(0)

    def _page(self, after: int) -> list[Pictured]:
        return self._reads.call(lambda: self._thumbnails.beside(self._tail.after(after)))

    @access(Permission.VIEW)
    def join(self, auth: Any = None) -> None:
        """Let a connecting client in: at once, or when it has what it missed.

        Raises:
            flask_socketio.ConnectionRefusedError: its `last_seq` is no such number.
        """
        last_seq = auth.get("last_seq") if isinstance(auth, dict) else None
        if last_seq is None:
            join_room(ROOM)
            return
        if not isinstance(last_seq, int) or isinstance(last_seq, bool) or last_seq < 0:
            raise ConnectionRefusedError("last_seq must be a whole number")
        # In a greenlet: what is emitted before this returns would arrive before the connection.
        sid: str = request.sid  # type: ignore[attr-defined]
        gevent.spawn(self._catch_up, sid, last_seq)

    def _catch_up(self, sid: str, last_seq: int) -> None:
        """Send a client what it missed, then let it into the room. If that fails, disconnect it: it
        would hear nothing, and not know."""
        with end_logged(log, "cannot send alerts that a client missed"):
            try:
                self._send_missed(sid, last_seq)
            except (StoreError, OverloadedError) as error:
                log.error("cannot read alerts that a client missed: %s", error)
            else:
                return
        self._socketio.server.disconnect(sid, namespace="/")

    def _send_missed(self, sid: str, last_seq: int) -> None:
        while self._is_connected(sid) and not self._join_if_level(sid, last_seq):
            # What is stored but not broadcast yet will come with the room.
            broadcast = self._last_seq
            missed = [one for one in self._page(last_seq) if one[0].seq <= broadcast]
            for alert, thumbnail in missed:
                self._outgoing.wait_for(sid, MAX_AHEAD)
                self._emit(alert, thumbnail, sid)
            # An alert that was taken back after the broadcast leaves a gap at the end.
            last_seq = missed[-1][0].seq if missed else broadcast
            # Otherwise all that it missed would wait in memory.
            self._outgoing.wait_for(sid)

    def _is_connected(self, sid: str) -> bool:
        return bool(self._socketio.server.manager.is_connected(sid, "/"))

    def _join_if_level(self, sid: str, last_seq: int) -> bool:
        """Let a client into the room if it has all that was broadcast."""
        with self._lock:
            level = last_seq >= self._last_seq
            # It may have left while this waited for the lock.
            if level and self._is_connected(sid):
                self._socketio.server.enter_room(sid, ROOM, namespace="/")
        return level
