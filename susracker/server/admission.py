"""Lets clients in: finds out who they are by the key or cookie that they send."""

from __future__ import annotations

import hashlib
import logging
import math
import time
from collections.abc import Callable
from datetime import datetime

import gevent

from susracker.access.audit import Act
from susracker.access.keyring import KeyRing
from susracker.config import Settings
from susracker.errors import KeyRequiredError, OverloadedError, StoreError
from susracker.oversight import Key
from susracker.runtime.clock import utc_now
from susracker.runtime.ending import end_logged
from susracker.server.addresses import is_in, listens_on_loopback, networks
from susracker.server.credentials import Credentials
from susracker.server.identity import Identity, Session
from susracker.server.pools import BoundedPool
from susracker.server.wrong_keys import WrongKeys
from susracker.stores.access import Access

log = logging.getLogger(__name__)

STOPPED = "following the keys stopped"

NEW_KEY_SECONDS = 0.1
"""How old the keys in memory may be when a key is not among them: it may be new. So wrong keys make
the store be read ten times a second, however many are tried."""

USE_NOTED_EACH = 60.0
"""Seconds after which the use of a key is noted again."""

MAX_WAITING = 10


class Admission:
    """Knows who may come in.

    Keys are held in memory and read again twice within `follow_seconds`. While the store cannot be
    read the keys stay as they were: there is nothing else to be had from the server then.

    Only greenlets of one event loop may use it.

    Args:
        note: adds to the audit log, on a thread.
    """

    def __init__(self, store: Access, settings: Settings, note: Callable[[Act], object]) -> None:
        self._wrong_keys = WrongKeys(note)
        self._store = store
        self._ring = KeyRing(store)
        self._pool = BoundedPool(1, MAX_WAITING)
        self._follow_seconds = settings.follow_seconds
        self._on_loopback = _listens_on_loopback(settings.host)
        self._open = networks(settings.open_ingest)
        self._reading: gevent.Greenlet[[], StoreError | OverloadedError | None] | None = None
        self._follower: gevent.Greenlet[..., None] | None = None
        self._noted: dict[str, float] = {}
        self._used: dict[str, datetime] = {}
        self._ended: dict[str, float] = {}

    def start(self, after: Callable[[], None]) -> None:
        """Follow the keys of the store from now on; call `after` each time they were read."""
        self._follower = gevent.spawn(self._follow, after)

    def close(self) -> None:
        """Follow the keys no more, and note what is not noted yet."""
        if self._follower:
            self._follower.kill()
        self._wrong_keys.note()
        self._pool.close()

    @property
    def problem(self) -> str | None:
        """Why revocations are not followed, or None."""
        dead = self._follower is not None and self._follower.dead
        return STOPPED if dead else None

    def admit(self, shown: Credentials) -> Identity:
        """Who someone is.

        Raises:
            KeyRequiredError: there is no key, or one that is wrong, expired or revoked.
            StoreUnavailableError: the keys were never read, and cannot be.
        """
        self._read_if_needed()
        if self._is_open_to_all and shown.is_local:
            return Identity("local", "local", shown.address)
        if shown.key is not None:
            return self._by_key(shown.key, shown)
        if shown.session:
            return self._by_session(shown.session, shown)
        if is_in(shown.address, self._open):
            return Identity("open ingest", "camera", shown.address)
        raise KeyRequiredError("a key is needed: send it as Authorization: Bearer KEY")

    def is_valid(self, who: Identity) -> bool:
        """Whether someone who was let in would be let in again."""
        if who.key is None:
            return who.role != "local" or self._is_open_to_all
        key = self._ring.valid(who.key.id, utc_now())
        return key is not None and key.digest == who.key.digest and not self._is_over(who.session)

    def end_session(self, session: Session) -> None:
        """Refuse a session from now on, by this server."""
        now = time.time()
        self._ended = {one: until for one, until in self._ended.items() if until > now}
        self._ended[session.id] = session.until

    @property
    def _is_open_to_all(self) -> bool:
        return self._on_loopback and self._ring.is_empty

    def _by_key(self, text: str, shown: Credentials) -> Identity:
        key = self._ring.authenticate(text, utc_now())
        if key is None and self._ring.age > NEW_KEY_SECONDS:
            self._read()
            key = self._ring.authenticate(text, utc_now())
        if key is None:
            self._wrong_keys.count(shown.address)
            raise KeyRequiredError("the key is unknown, expired or revoked")
        return self._identity(key, shown)

    def _by_session(self, session: Session, shown: Credentials) -> Identity:
        key = self._ring.valid(session.key_id, utc_now())
        if key is None or seal(key) != session.seal or self._is_over(session):
            raise KeyRequiredError("the session is over: open another with POST /api/session")
        return self._identity(key, shown, session)

    def _identity(self, key: Key, shown: Credentials, session: Session | None = None) -> Identity:
        used = time.monotonic()
        if used - self._noted.get(key.id, -USE_NOTED_EACH) >= USE_NOTED_EACH:
            self._noted[key.id] = used
            self._used[key.id] = utc_now()
        return Identity(f"{key.name} ({key.id})", key.role, shown.address, key, session)

    def _is_over(self, session: Session | None) -> bool:
        return session is not None and (session.until <= time.time() or session.id in self._ended)

    def _read_if_needed(self) -> None:
        longest = math.inf if self._follower else self._follow_seconds
        if self._ring.age >= longest:
            self._read()

    def _read(self) -> None:
        """Read the keys, once for all who wait for it."""
        if self._reading is None or self._reading.dead:
            self._reading = gevent.spawn(self._try_to_read)
        error = self._reading.get()
        if error and self._ring.age == math.inf:
            raise error

    def _try_to_read(self) -> StoreError | OverloadedError | None:
        try:
            self._pool.call(self._ring.refresh)
        except (StoreError, OverloadedError) as error:
            return error
        return None

    def _follow(self, after: Callable[[], None]) -> None:
        with end_logged(log, STOPPED):
            while True:
                self._read()
                after()
                self._note_uses()
                self._wrong_keys.note_if_due()
                gevent.sleep(self._follow_seconds / 2)

    def _note_uses(self) -> None:
        used, self._used = self._used, {}
        for key_id, at in used.items():
            try:
                self._pool.call(self._store.note_key_used, key_id, at)
            except StoreError as error:
                log.warning("cannot note that the key %s was used: %s", key_id, error)


def seal(key: Key) -> str:
    """What a session holds of its key, to end with it; the cookie is signed, but not secret."""
    return hashlib.sha256(f"session {key.digest}".encode()).hexdigest()[:32]


def _listens_on_loopback(host: str) -> bool:
    try:
        return listens_on_loopback(host)
    except OSError:  # which is told when the server is to listen there
        return False
