"""Keys that are revoked at once."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime, timezone

from susracker.access.issuing import has_valid_admin, issue, revoke
from susracker.errors import ConflictError
from susracker.plugins import open_store

NOW = datetime(2026, 1, 1, tzinfo=timezone.utc)

TOGETHER = 0.5
"""Seconds that one thread waits for the other: so long, if they take turns."""


def test_of_two_admins_who_revoke_each_others_key_at_once_one_stays(tmp_path, monkeypatch):
    with open_store(f"sqlite:///{tmp_path / 'site.db'}") as store:
        keys = [issue(store, "admin", name, None, None, NOW)[0] for name in ("Ann", "Bob")]
        both, read = threading.Barrier(2), store.keys

        def read_together():
            found = read()
            with suppress(threading.BrokenBarrierError):
                both.wait(TOGETHER)
            return found

        def refused(key) -> bool:
            try:
                revoke(store, key, NOW)
            except ConflictError:
                return True
            return False

        monkeypatch.setattr(store, "keys", read_together)
        with ThreadPoolExecutor(2) as pool:
            assert sorted(pool.map(refused, keys)) == [False, True]
        assert has_valid_admin(store, NOW)
