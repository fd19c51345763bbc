"""A rotation of the data key loses nothing, wherever it is killed, and leaves nothing plain."""

from __future__ import annotations

import base64
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import bson
import numpy as np
import pymongo
import pytest

from susracker.errors import ConfigError, DuplicateError, StoreFormatError, StoreUnavailableError
from susracker.plugins import open_store, store_backend
from susracker.stores.base import Store
from susracker.stores.data_key import create_data_key, sealer_of
from susracker.stores.rotation import rotate
from susracker.stores.transfer import contents
from susracker.testing.race import race
from susracker.testing.records import activity, criminal, face_alert, photo, sighting, template
from tests.pictures import HOPPER

PEOPLE = 90


@pytest.fixture(params=["sqlite", "mongodb"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'site.db'}"
    return str(request.getfixturevalue("mongodb_url"))


@pytest.fixture
def keys(tmp_path: Path) -> list[str]:
    paths = [tmp_path / name for name in ("one.key", "two.key")]
    for path in paths:
        create_data_key(path)
    return [str(path) for path in paths]


@pytest.fixture
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    """For tests in which nobody writes meanwhile."""
    monkeypatch.setattr("susracker.stores.mongo.vault.PAUSE_SECONDS", 0)


def ignore(step: str, done: int, total: int) -> None:
    """Nobody looks at the progress."""


def fill(store: Store, people: int = PEOPLE) -> None:
    """Something of everything."""
    for number in range(people):
        who = f"c{number}"
        taken = photo(who)
        made = [template(taken, seed=number), template(taken, "other/2.0", seed=number)]
        store.put_criminal(criminal(who), [taken], made)
        store.record([sighting(who)], [face_alert(who), activity()])


def held(url: str, data_key: str) -> Any:
    with open_store(url, data_key) as store:
        return contents(store, ignore)


def turn(url: str, before: str, after: str) -> dict[str, int]:
    with closing(store_backend(url).open_vault(url)) as vault:
        return rotate(vault, sealer_of(before), sealer_of(after), ignore)


@pytest.mark.usefixtures("no_pause")
def test_what_is_held_is_the_same_under_every_key(url, keys):
    one, two = keys
    with open_store(url) as store:
        fill(store, 5)
    original = held(url, "")
    pieces = {"photos": 5, "templates": 10, "faces": 5}
    for before, after in (("", one), (one, two), (two, "")):
        assert turn(url, before, after) == pieces
        assert held(url, after) == original
        assert turn(url, before, after) == {}
        for wrong in {"", one, two} - {after}:
            with pytest.raises(ConfigError):
                open_store(url, wrong)


@pytest.mark.usefixtures("no_pause")
def test_a_photo_is_known_by_its_digest_under_every_key(url, keys):
    one, two = keys
    taken = photo()
    with open_store(url, one) as store:
        store.put_criminal(criminal(), [taken])
    turn(url, one, two)
    with open_store(url, two) as store:
        assert store.photo_owner(taken.digest) == "c1"
        with pytest.raises(DuplicateError):
            store.put_criminal(criminal("c2"), [photo("c2", content=taken.content)])


def test_an_empty_store_starts_encrypted(url, keys):
    open_store(url).close()
    open_store(url, keys[0]).close()
    with pytest.raises(ConfigError, match="set data_key"):
        open_store(url)
    with pytest.raises(ConfigError, match="is not the store's data key"):
        open_store(url, keys[1])


def test_of_two_keys_that_race_for_an_empty_store_one_wins(url, keys):
    def is_refused(number: int) -> bool:
        try:
            open_store(url, keys[number % 2]).close()
        except ConfigError:
            return True
        return False

    refused = race(is_refused)
    evens = [number % 2 == 0 for number in range(len(refused))]
    assert refused in (evens, [not even for even in evens])


@pytest.mark.parametrize("what", ["photo", "template", "face"])
def test_a_key_on_a_store_that_holds_something_plain_says_what_to_do(url, keys, what):
    with open_store(url) as store:
        taken = photo()
        store.put_criminal(criminal(), [] if what == "face" else [taken])
        if what == "template":
            store.add_template(template(taken))
        if what == "face":
            store.record([], [activity(), face_alert()])
    with pytest.raises(ConfigError, match=r"not encrypted yet.*susracker keys rotate-data"):
        open_store(url, keys[0])


def test_a_store_with_names_only_starts_encrypted(url, keys):
    with open_store(url) as store:
        store.put_criminal(criminal())
        store.record([], [activity()])
    open_store(url, keys[0]).close()


@pytest.mark.parametrize("which", [["", "two"], ["two", "one"], ["two", "two"]])
@pytest.mark.usefixtures("no_pause")
def test_a_rotation_from_the_wrong_key_changes_nothing(url, keys, which):
    named = dict(zip(("one", "two"), keys, strict=True)) | {"": ""}
    with open_store(url, keys[0]) as store:
        fill(store, 2)
    original = held(url, keys[0])
    if which == ["two", "one"]:
        assert turn(url, *(named[one] for one in which)) == {}
    else:
        with pytest.raises(ConfigError, match="is encrypted with the data key"):
            turn(url, *(named[one] for one in which))
    assert held(url, keys[0]) == original


def test_a_server_that_was_not_stopped_cannot_write_with_the_key_before(url, keys):
    one, two = keys
    with open_store(url, one) as store:
        fill(store, 2)
        turn(url, one, two)
        for write in (
            lambda: store.put_criminal(criminal("late"), [photo("late")]),
            lambda: store.record([], [face_alert("c1")]),
            lambda: store.put_alert(face_alert("c1")),
        ):
            with pytest.raises(StoreUnavailableError, match="data key was changed"):
                write()
        with pytest.raises(StoreUnavailableError, match="restart with the store's data key"):
            store.photo(store.photo_ids("c1")[0])
        with pytest.raises(StoreUnavailableError):
            store.template_rows("dlib/1")
        with pytest.raises(StoreUnavailableError):
            store.alerts()
    assert held(url, two).criminals == 2


def test_a_server_without_a_key_notices_that_the_store_was_encrypted(url, keys):
    with open_store(url) as store:
        fill(store, 2)
        turn(url, "", keys[0])
        with pytest.raises(StoreUnavailableError, match="no data key is set"):
            store.template_rows("dlib/1")
        with pytest.raises(StoreUnavailableError, match="data key was changed"):
            store.put_criminal(criminal("late"), [photo("late")])


# -- killed in the middle -------------------------------------------------------------------------

ROTATION = """
import sys
from susracker.plugins import store_backend
from susracker.stores.data_key import sealer_of
from susracker.stores.rotation import rotate

def say(step, done, total):
    print(step, done, flush=True)
    sys.stdin.readline()

url, before, after = sys.argv[1:]
rotate(store_backend(url).open_vault(url), sealer_of(before), sealer_of(after), say)
"""


def kill_after(url: str, before: str, after: str, steps: int) -> str:
    """Rotate until so many steps were done, then SIGKILL; the last step."""
    process = subprocess.Popen(
        [sys.executable, "-c", ROTATION, url, before, after],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    for _ in range(steps):
        last = process.stdout.readline()
        process.stdin.write("\n")
        process.stdin.flush()
    process.kill()
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    return last


@pytest.mark.usefixtures("no_pause")
@pytest.mark.parametrize(("share", "finish"), [(0, "undone"), (0.5, "resumed"), (0.9, "undone")])
def test_nothing_is_lost_where_a_rotation_is_killed(url, keys, share, finish):
    one, two = keys
    with open_store(url, one) as store:
        people = PEOPLE if url.startswith("sqlite") else 12
        fill(store, people)
    original = held(url, one)
    # SQLite does a step for each batch: 5 of photos, 1 of templates, 1 of faces.
    steps = 1 + int(share * (6 if url.startswith("sqlite") else 3 * people))
    kill_after(url, one, two, steps)
    for key in (one, two, ""):
        with pytest.raises(ConfigError, match=r"was interrupted.*rotate-data"):
            open_store(url, key)
    with pytest.raises(ConfigError, match="name the same keys"):
        turn(url, "", two)
    if finish == "resumed":
        changed = turn(url, one, two)
        assert 0 < sum(changed.values()) < 4 * people
        assert held(url, two) == original
    else:
        turn(url, two, one)
        assert held(url, one) == original


def test_a_damaged_piece_stops_a_rotation_which_can_be_undone(tmp_path, keys):
    one, two = keys
    url = f"sqlite:///{tmp_path / 'site.db'}"
    with open_store(url, one) as store:
        fill(store, 3)
    with closing(sqlite3.connect(tmp_path / "site.db")) as connection, connection:
        connection.execute("UPDATE alerts SET face = substr(face, 1, 45) WHERE seq = 1")
    with pytest.raises(StoreFormatError, match="face of alert"):
        turn(url, one, two)
    turn(url, two, one)
    with open_store(url, one) as store:
        store.remove_criminal("c0")
    turn(url, one, two)
    assert held(url, two).criminals == 2


# -- what is left of it ---------------------------------------------------------------------------


def test_mongodb_holds_nothing_plain_but_what_a_panel_wrote(mongodb_url, keys):
    picture, face = HOPPER.read_bytes(), b"\xff\xd8\xff\xe0 unmistakable face"
    data_uri = f"data:image/jpeg;base64,{base64.b64encode(picture).decode()}"
    taken = photo(content=picture)
    made = template(taken)
    with pymongo.MongoClient(mongodb_url) as client, open_store(mongodb_url, keys[0]) as store:
        database = client.get_default_database()
        database["criminals"].insert_one({"name": "Jo", "image": data_uri})
        (found,) = store.panel_photos()
        mine = replace(taken, criminal_id=found.criminal_id)
        store.adopt_photo(found, mine, replace(made, criminal_id=found.criminal_id))
        store.record([], [face_alert(found.criminal_id, face=face)])
        assert store.photo(taken.id).content == picture
        stored = b"".join(
            bson.encode(document)
            for name in database.list_collection_names()
            for document in database[name].find()
        )
        (person,) = database["criminals"].find()
    assert person["image"] == data_uri
    for trace in (picture[:64], picture[-64:], made.vector.tobytes(), face, taken.digest.encode()):
        assert trace not in stored


def on_disk(path: Path, trace: bytes) -> bool:
    return any(trace in file.read_bytes() for file in path.parent.glob(path.name + "*"))


@pytest.mark.parametrize("still_open", [False, True])
def test_no_plain_bytes_are_left_in_the_file_and_its_log(tmp_path, keys, still_open):
    path = tmp_path / "site.db"
    url = f"sqlite:///{path}"
    rng = np.random.default_rng(3)
    picture = HOPPER.read_bytes()
    store = open_store(url)
    fill(store)
    taken = photo("real", content=picture)
    made = template(taken, seed=1000)
    face = b"\xff\xd8\xff\xe0" + rng.bytes(20_000)
    store.put_criminal(criminal("real"), [taken], [made])
    store.record([], [face_alert("real", face=face)])
    parts = [*(content[start : start + 64] for content in (picture, face)
               for start in range(0, len(content) - 64, 4096)), made.vector.tobytes()]  # fmt: skip
    digest = taken.digest.encode()
    assert all(on_disk(path, part) for part in [*parts, digest])
    if not still_open:
        store.close()
    turn(url, "", keys[0])
    assert not [part for part in [*parts, digest] if on_disk(path, part)]
    assert not on_disk(path, b"picture ")
    store.close()
    assert not [part for part in [*parts, digest] if on_disk(path, part)]
    with open_store(url, keys[0]) as sealed:
        assert sealed.photo(taken.id).content == picture


def test_nothing_under_the_key_before_is_left_either(tmp_path, keys):
    path = tmp_path / "site.db"
    url = f"sqlite:///{path}"
    with open_store(url, keys[0]) as store:
        fill(store)
    id_before = bytes.fromhex(sealer_of(keys[0]).key_id)
    assert on_disk(path, id_before)
    turn(url, *keys)
    assert not on_disk(path, id_before)


def test_a_rotation_does_not_end_while_a_reader_keeps_plain_pages_in_the_log(
    tmp_path, keys, monkeypatch
):
    monkeypatch.setattr("susracker.stores.sqlite.database.BUSY_SECONDS", 0.2)
    path = tmp_path / "site.db"
    url = f"sqlite:///{path}"
    with open_store(url) as store:
        fill(store, 3)
        with closing(sqlite3.connect(path, isolation_level=None)) as reader:
            reader.execute("BEGIN")
            reader.execute("SELECT count(*) FROM photos").fetchone()
            with pytest.raises(StoreUnavailableError, match=r"uses .*: stop it"):
                turn(url, "", keys[0])
        assert on_disk(path, b"picture ")
        assert turn(url, "", keys[0]) == {}
        assert not on_disk(path, b"picture ")
    assert held(url, keys[0]).criminals == 3


@pytest.mark.usefixtures("no_pause")
def test_a_photo_that_is_removed_during_a_rotation_stays_away(
    mongodb_url: str, keys: list[str]
) -> None:
    """A server that has the database open may still remove what it cannot read any more."""
    with (
        open_store(mongodb_url, keys[0]) as store,
        closing(store_backend(mongodb_url).open_vault(mongodb_url)) as vault,
    ):
        fill(store, people=3)
        steps: list[str] = []

        def remove_one(step: str, done: int, total: int) -> None:
            """Of the people who have been read, but not written yet, while the rotation works."""
            if step not in steps:
                who = f"c{2 - len(steps)}"
                store.remove_photo(who, store.photo_ids(who)[0])
                steps.append(step)

        rotate(vault, sealer_of(keys[0]), sealer_of(keys[1]), remove_one)
    assert steps[:2] == ["photos", "templates"]
    with open_store(mongodb_url, keys[1]) as store:
        assert store.photo_ids("c2") == store.photo_ids("c1") == []
        assert store.templates("c2") == store.templates("c1") == []
        assert len(store.templates("c0")) == 2 * len(store.photo_ids("c0"))
