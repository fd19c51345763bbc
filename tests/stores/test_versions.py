"""What earlier versions stored is all there in this one.

`versions/` holds stores of earlier versions as text, each with something of everything.
"""

from __future__ import annotations

import sqlite3
import uuid
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import numpy as np
import pymongo
import pytest
from bson import json_util

from susracker.errors import DuplicateError, NotFoundError, RecentAlertError
from susracker.plugins import open_store
from susracker.stores.base import Store
from tests.contracts.records import (
    MINUTE,
    NOON,
    QUALITY,
    activity,
    camera,
    criminal,
    event,
    face_alert,
    full_criminal,
    vector,
)

VERSIONS = Path(__file__).parent / "versions"


@pytest.fixture(params=sorted(path.name for path in VERSIONS.iterdir()))
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A store as an earlier version left it."""
    text = (VERSIONS / request.param).read_text(encoding="utf-8")
    if request.param.startswith("sqlite"):
        path = tmp_path / "store.db"
        with closing(sqlite3.connect(path)) as connection:
            connection.executescript(text)
        return f"sqlite:///{path}"
    server = request.getfixturevalue("mongodb_server")
    url = f"mongodb://127.0.0.1:{server.port}/{uuid.uuid4().hex}"
    with pymongo.MongoClient(url) as client:
        for name, documents in json_util.loads(text).items():
            client.get_default_database()[name].insert_many(documents)
    return url


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


def test_everything_is_there(url: str) -> None:
    for _ in range(2):
        with open_store(url) as store:
            check_all(store)


def test_everything_goes_on(url: str) -> None:
    with open_store(url) as store:
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
        store.remove_criminal("c1")
        assert store.alerts()[0].name is None
        with pytest.raises(NotFoundError):
            store.photo("p1")
