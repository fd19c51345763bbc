"""The operators' client, against a real server that is also killed."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta, timezone
from itertools import islice

import pytest

from susracker.access.issuing import issue
from susracker.client import Camera, Operator
from susracker.demo.process import ServerProcess
from susracker.errors import (
    ConfigError,
    ConflictError,
    InputError,
    KeyRequiredError,
    NotAllowedError,
    NotFoundError,
    ServerUnavailableError,
)
from susracker.plugins import open_store
from tests.pictures import COLLINS, HOPPER
from tests.services.servers import free_port
from tests.waiting import wait_until


def now() -> datetime:
    return datetime.now(timezone.utc)


@pytest.fixture(scope="module")
def store_url(tmp_path_factory):
    return f"sqlite:///{tmp_path_factory.mktemp('site') / 'site.db'}"


@pytest.fixture(scope="module")
def keys(store_url):
    with open_store(store_url) as store:
        roles = ("admin", "viewer", "camera")
        return {role: str(issue(store, role, role, None, None, now())[1]) for role in roles}


@pytest.fixture(scope="module")
def url(store_url, keys):
    flags = ("--store", store_url, "--cooldown-seconds", "0", "--log-level", "error")
    with ServerProcess(*flags) as server:
        yield server.url


@pytest.fixture
def operator(url, keys):
    with Operator(url, keys["admin"], patience=5) as opened:
        yield opened


@pytest.fixture(scope="module")
def hopper(url, keys):
    with Operator(url, keys["admin"]) as opened:
        return opened.add_person(
            "Grace Hopper", [HOPPER.read_bytes()], crimes=["forgery"], threat="high"
        )


def send(url: str, keys: dict[str, str], camera_id: str, *kinds: str) -> None:
    with Camera(url, camera_id, "Gate", key=keys["camera"]) as camera:
        for kind in kinds:
            if kind == "face":
                camera.send_face(HOPPER.read_bytes(), now())
            else:
                camera.send_activity(kind, now())
        assert camera.flush(60)


def test_an_alert_is_heard_shown_and_judged(url, keys, operator, hopper):
    last = max((one.seq for one in operator.alerts(0, follow=False)), default=0)
    send(url, keys, "gate-1", "face")
    (alert,) = islice(operator.alerts(last), 1)
    assert (alert.kind, alert.criminal_id, alert.face) == ("face", hopper, None)
    told = operator.alert(alert.id)
    assert (told.alert.face or b"").startswith(b"\xff\xd8")
    assert told.reviews == ()
    reviewed = operator.review(alert.id, "dismissed", "taller", note="by far")
    assert reviewed.alert.status == "dismissed"
    (review,) = reviewed.reviews
    assert (review.verdict, review.reason, review.note) == ("dismissed", "taller", "by far")
    with pytest.raises(ConflictError, match="say that you replace"):
        operator.review(alert.id, "confirmed", "no")
    operator.review(alert.id, "confirmed", "the scar", replaces=review.id)
    assert operator.record_outcome(alert.id, "right person").outcomes[0].verdict == "right person"
    assert [one.camera_id for one in operator.track(hopper)] == ["gate-1"]
    assert operator.person(hopper).last_seen_camera == "gate-1"
    assert "gate-1" in [one.id for one in operator.cameras()]


def test_alerts_resume_where_they_were_left(url, keys, operator):
    start = max((one.seq for one in operator.alerts(0, follow=False)), default=0)
    send(url, keys, "hall-1", *(f"kind {number}" for number in range(250)))
    half = list(islice(operator.alerts(start), 120))
    rest = list(operator.alerts(half[-1].seq, follow=False))
    assert [one.event_type for one in half + rest] == [f"kind {number}" for number in range(250)]
    assert {one.kind for one in rest} == {"activity"}


def test_without_a_seq_only_new_alerts_come(url, keys, operator):
    heard = []

    def listen() -> None:
        with Operator(url, keys["viewer"]) as listener:
            heard.extend(islice(listener.alerts(every=0.05), 1))

    thread = threading.Thread(target=listen)
    thread.start()

    def has_heard() -> bool:
        send(url, keys, "yard-1", "fight")
        thread.join(0.2)
        return not thread.is_alive()

    assert wait_until(has_heard)
    assert [one.event_type for one in heard] == ["fight"]


def test_people_are_added_edited_and_removed(operator):
    later = now() + timedelta(days=3)
    added = operator.add_person("Eileen Collins", [COLLINS.read_bytes()], expires_at=later)
    person = operator.person(added)
    assert (person.name, person.expires_at) == ("Eileen Collins", later)
    operator.edit_person(added, {"age": 60}, revision=person.revision)
    with pytest.raises(ConflictError):
        operator.edit_person(added, {"age": 61}, revision=person.revision)
    assert [one.age for one in operator.people("collins")] == [60]
    operator.remove_person(added)
    with pytest.raises(NotFoundError):
        operator.person(added)


def test_people_come_page_by_page(operator):
    ids = {operator.add_person(f"Page {number:03}") for number in range(120)}
    assert {one.id for one in operator.people("Page ")} == ids


def test_errors_are_exceptions(url, keys, operator):
    with pytest.raises(InputError, match="name"):
        operator.add_person("")
    with pytest.raises(InputError, match="image 1"):
        operator.add_person("Ada", [b"no picture"])
    with pytest.raises(NotFoundError):
        operator.alert("nothing")
    with pytest.raises(KeyRequiredError), Operator(url, "sus_wrong_key") as stranger:
        stranger.cameras()
    with pytest.raises(NotAllowedError), Operator(url, keys["viewer"]) as viewer:
        viewer.add_person("Ada")
    with pytest.raises(ConfigError, match="http://server:5000"):
        Operator("server:5000")
    with pytest.raises(ServerUnavailableError), Operator("http://127.0.0.1:9", patience=0.1) as off:
        off.cameras()


def test_an_iterator_outlives_its_server(tmp_path):
    """The server is killed while someone listens, and comes back on the same port."""
    flags = ["--store", f"sqlite:///{tmp_path / 'site.db'}", "--cooldown-seconds", "0"]
    flags += ["--log-level", "error"]
    flags += ["--port", str(free_port())]
    server = ServerProcess(*flags)
    heard: list[str] = []
    enough = threading.Event()

    def listen() -> None:
        with Operator(server.url, patience=1) as operator:
            for alert in operator.alerts(0, every=0.05):
                heard.append(alert.event_type)
                if len(heard) == 20:
                    enough.set()
                    return

    threading.Thread(target=listen, daemon=True).start()
    sent: list[str] = []
    for number in range(20):
        if number in (5, 12):
            server.process.kill()
            server.stop()
            server = ServerProcess(*flags)
        sent.append(f"kind {number}")
        send(server.url, {"camera": ""}, "gate-1", sent[-1])
    assert enough.wait(60)
    server.stop()
    assert heard == sent
