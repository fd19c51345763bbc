"""What earlier versions stored is all there in this one."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from susracker.access.signing import SigningKey
from susracker.access.verification import verify
from susracker.errors import DuplicateError, HeldError, NotFoundError, RecentAlertError
from susracker.oversight import Hold
from susracker.plugins import open_store
from susracker.stores.base import Store
from susracker.stores.transfer import copy_store
from susracker.testing.records import (
    MINUTE,
    NOON,
    QUALITY,
    activity,
    camera,
    camera_day,
    criminal,
    event,
    face_alert,
    full_criminal,
    judgement,
    vector,
)
from tests.stores import old

WHOLE = ("sqlite-2.sql", "sqlite-2-encrypted.sql", "mongodb-3.json", "mongodb-3-encrypted.json")
"""Stores with something of everything that a store of format 2, or 3 in MongoDB, can hold."""

DAY = timedelta(days=1)


@pytest.fixture(params=old.names())
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def url(name: str, request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A store as an earlier version left it."""
    if name.startswith("sqlite"):
        return old.make_sqlite(name, tmp_path)
    return old.make_mongodb(name, request.getfixturevalue("mongodb_server").port)


@pytest.fixture
def data_key(name: str) -> str:
    return old.data_key_of(name)


def check_all(store: Store) -> None:
    first = full_criminal("c1")
    seen = {"last_seen_at": NOON, "last_seen_camera": "cam-1", "last_seen_location": "Main gate"}
    assert store.criminals() == [
        criminal("c2", **seen),
        full_criminal("c1", **seen),
    ]
    assert first.created_at == NOON
    assert store.photo_ids_of(["c1", "c2"]) == {"c1": ["p1", "p2"], "c2": ["p3"]}
    assert [store.photo(one).content for one in ("p1", "p2", "p3")] == [
        b"first",
        b"second",
        b"third",
    ]
    assert store.template_counts("dlib/1") == {"c1": 2, "c2": 1}
    assert store.template_counts("other/2.0") == {"c1": 1}
    assert store.photos_without_template("other/2.0") == ["p2", "p3"]
    made = store.templates("c1")[0]
    np.testing.assert_array_equal(made.vector, vector(1, 4))
    assert made.quality == QUALITY
    assert [one.id for one in store.sightings("c1")] == ["s1"]
    assert [one.suppressed for one in store.sightings("c2")] == [True]
    face, violence = store.alerts()
    assert (face.id, face.name, face.face) == ("a1", "Ada Nowak", b"a face\0\xff")
    assert [one.criminal_id for one in face.candidates] == ["c1", "c2"]
    assert violence.event_type == "violence"
    assert store.cameras() == [camera("cam-1", detections=3, alerts=1)]
    assert store.changes(0).criminal_ids == {"c1", "c2", "gone"}


def check_oversight(store: Store) -> None:
    live, revoked = store.keys()
    assert (live.name, live.role, live.cameras) == ("panel", "operator", "cam-1")
    assert (live.expires_at, live.last_used_at) == (NOON + 90 * DAY, NOON + MINUTE)
    assert (revoked.id, revoked.revoked_at) == ("k2", NOON + 2 * MINUTE)
    assert [one.action for one in store.audit()] == ["alert.review", "hold.add"]
    signer = SigningKey(Ed25519PrivateKey.from_private_bytes(b"\1" * 32))
    assert verify(store.audit(), store.audit_head(), signer.public).problems == []
    assert [(one.verdict, one.made_by) for one in store.judgements(["a1"])] == [
        ("confirmed", "Jo (k1)")
    ]
    assert store.alerts()[0].status == "confirmed"
    assert [(one.alert_id, one.reason) for one in store.holds()] == [("a1", "court")]
    assert store.camera_days() == [camera_day("cam-1", detections=3, searches=2, alerts=1)]
    assert len(store.secret("sessions")) == 32


def check_writes(store: Store) -> None:
    """Everything that came later than the oldest format can be written."""
    store.count_cameras([], [camera_day("cam-2", searches=5)])
    assert store.camera_days()[-1].searches == 5
    store.hold_alert(Hold("a2", "court", "Jo (k1)", NOON))
    before = store.forgotten()
    assert store.forget("faces", NOON + DAY, 10) <= 1
    assert store.forgotten() >= before
    seen = max((one.seq for one in store.judgements(["a2"])), default=0)
    assert store.add_judgement(judgement("a2"), "confirmed", seen).seq > seen


def test_everything_is_there(name: str, url: str, data_key: str) -> None:
    for _ in range(2):
        with open_store(url, data_key=data_key) as store:
            check_all(store)
            if name in WHOLE:
                check_oversight(store)


def test_all_of_a_new_store_is_there(url: str, data_key: str) -> None:
    with open_store(url, data_key=data_key) as store:
        check_writes(store)


def test_every_format_is_restored_as_a_backup(url: str, data_key: str, tmp_path: Path) -> None:
    with (
        open_store(url, data_key=data_key) as store,
        open_store(f"sqlite:///{tmp_path / 'restored.db'}", data_key=data_key) as restored,
    ):
        copy_store(store, restored, lambda *_: None)
        assert [one.face for one in restored.alerts()] == [b"a face\0\xff", None]
        assert restored.keys() == store.keys()


def test_everything_goes_on(url: str, data_key: str) -> None:
    with open_store(url, data_key=data_key) as store:
        with pytest.raises(DuplicateError):
            store.record([], [activity()], event("e1"))
        with pytest.raises(RecentAlertError):
            store.record([], [activity(), face_alert("c1")], cooldown=MINUTE)
        last, revision = store.last_seq(), store.revision()
        assert store.record([], [activity()], event("e3"))[0].seq > last
        store.edit_criminal("c2", {"status": "apprehended"}, revision=store.criminal("c2").revision)
        assert store.changes(revision).criminal_ids == {"c2"}
        store.forget_events(NOON + timedelta(days=1))
        assert store.event_outcome("cam-1", "e1") is None
        for hold in store.holds():
            with pytest.raises(HeldError, match=hold.alert_id):
                store.remove_criminal("c1")
            store.release_alert(hold.alert_id)
        store.remove_criminal("c1")
        assert store.alerts()[0].name is None
        with pytest.raises(NotFoundError):
            store.photo("p1")
