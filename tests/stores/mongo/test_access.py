"""Keys in MongoDB, step by step."""

from __future__ import annotations

from unittest.mock import patch

import pytest
from pymongo.errors import AutoReconnect

from susracker.errors import ConflictError, StoreUnavailableError
from susracker.plugins import open_store
from susracker.testing.access import key
from susracker.testing.records import MINUTE, NOON


def test_an_interrupted_revocation_counts_and_is_finished_by_the_next(store, url):
    for key_id in ("a1", "a2"):
        store.add_key(key(key_id, key_id, role="admin"))
    failing = [None, AutoReconnect("gone")]  # what came before was nothing
    with (
        patch.object(store, "_revoke", side_effect=failing),
        pytest.raises(StoreUnavailableError),
    ):
        store.revoke_key("a1", NOON, unless_last_admin=True)
    with open_store(url) as other:
        with pytest.raises(ConflictError, match="last admin"):
            other.revoke_key("a2", NOON + MINUTE, unless_last_admin=True)
        assert [one.revoked_at for one in other.keys()] == [NOON, None]  # noqa: SIM118


def test_whoever_decides_on_keys_that_have_changed_looks_again(store, url):
    for key_id in ("a1", "a2"):
        store.add_key(key(key_id, key_id, role="admin"))
    with open_store(url) as other:
        read = store.keys

        def read_and_lose_one() -> object:
            found = read()
            if found[1].revoked_at is None:
                other.revoke_key("a2", NOON, unless_last_admin=True)
            return found

        with (
            patch.object(store, "keys", read_and_lose_one),
            pytest.raises(ConflictError, match="last admin"),
        ):
            store.revoke_key("a1", NOON, unless_last_admin=True)
    assert [one.revoked_at for one in store.keys()] == [None, NOON]  # noqa: SIM118
