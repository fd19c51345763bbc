"""Keys in MongoDB, step by step."""

from __future__ import annotations

from unittest.mock import patch

import pytest
from pymongo.errors import AutoReconnect

from susracker.errors import ConflictError, StoreUnavailableError
from susracker.plugins import open_store
from susracker.testing.access import key
from susracker.testing.records import MINUTE, NOON


@pytest.fixture
def other(store, url):
    """Another process."""
    with open_store(url) as opened:
        yield opened


@pytest.fixture
def interrupted(store):
    """Of two admins' keys, the first is decided to be revoked, and its process did no more."""
    for key_id in ("a1", "a2"):
        store.add_key(key(key_id, key_id, role="admin"))
    store.add_key(key("k1", role="admin"))
    store.revoke_key("k1", NOON)
    revoke = store._revoke

    def fail(key_id, at):
        if key_id == "a1":
            raise AutoReconnect("gone")
        revoke(key_id, at)

    with patch.object(store, "_revoke", fail), pytest.raises(StoreUnavailableError):
        store.revoke_key("a1", NOON, unless_last_admin=True)


@pytest.fixture
def stored(store):
    """When each key was revoked, by what is in its document."""
    return lambda: {
        one["_id"]: one["revoked_at"] is not None for one in store._db.read(store._db.keys, {})
    }


def test_a_key_counts_as_revoked_once_that_is_decided(store, stored, interrupted):
    assert not stored()["a1"]
    assert store.key("a1").revoked_at == NOON
    assert {one.id: one.revoked_at for one in store.keys()} == {  # noqa: SIM118
        "a1": NOON,
        "a2": None,
        "k1": NOON,
    }


def test_an_interrupted_revocation_is_finished_at_the_next_opening(store, stored, interrupted, url):
    with open_store(url):
        assert stored() == {"a1": True, "a2": False, "k1": True}


@pytest.mark.parametrize("unless_last_admin", [True, False])
def test_an_interrupted_revocation_is_finished_by_the_next(
    store, stored, interrupted, unless_last_admin
):
    store.add_key(key("a3", "a3", role="admin"))
    store.revoke_key("a3", NOON + MINUTE, unless_last_admin=unless_last_admin)
    assert stored() == {"a1": True, "a2": False, "a3": True, "k1": True}
    assert store.key("a1").revoked_at == NOON


def test_an_interrupted_revocation_keeps_its_time(store, stored, interrupted):
    store.revoke_key("a1", NOON + MINUTE)
    assert stored()["a1"]
    assert store.key("a1").revoked_at == NOON


def test_after_an_interrupted_revocation_the_other_admin_is_the_last(store, interrupted):
    with pytest.raises(ConflictError, match="last admin"):
        store.revoke_key("a2", NOON + MINUTE, unless_last_admin=True)


def test_after_an_interrupted_revocation_the_name_is_free(store, interrupted):
    store.add_key(key("a3", "a1", role="admin"))
    assert store.key("a3").revoked_at is None


def test_after_an_interrupted_revocation_there_is_no_other_secret(store, interrupted):
    with pytest.raises(ConflictError, match="revoked"):
        store.replace_key_digest("a1", "e" * 64)
    assert store.key("a1").digest == "d" * 64


def test_a_revocation_that_is_overtaken_by_another_is_seen(store, other, interrupted):
    """Keys are read while another process finishes what was interrupted, and decides anew."""
    store.add_key(key("a3", "a3", role="admin"))
    read = store._db.read

    def read_slowly(collection, what, shown=None):
        found = read(collection, what, shown)
        if collection is store._db.keys:
            other.revoke_key("a2", NOON, unless_last_admin=True)
        return found

    with patch.object(store._db, "read", read_slowly):
        found = {one.id: one.revoked_at for one in store.keys()}  # noqa: SIM118
    assert found["a1"] == NOON


def test_whoever_decides_on_keys_that_have_changed_looks_again(store, other):
    for key_id in ("a1", "a2"):
        store.add_key(key(key_id, key_id, role="admin"))
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
