"""MQTT, over a real broker: what is published, who is told that we are there, and what is not
delivered twice."""

from __future__ import annotations

import json
import queue
import socket
import uuid
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from susracker.delivery.base import Message, Taken, TryLater
from susracker.delivery.mqtt import Mqtt
from susracker.delivery.rules import MqttOptions
from susracker.testing.records import activity, face_alert, judgement
from tests.certificates import make_certificate
from tests.services.servers import Service, start_mosquitto
from tests.waiting import PATIENCE, wait_until


class Subscriber:
    """Hears everything that a broker publishes."""

    def __init__(self, port: int, topic: str = "#") -> None:
        self.heard: queue.Queue[mqtt.MQTTMessage] = queue.Queue()
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2)
        subscribed: queue.Queue[bool] = queue.Queue()
        self._client.on_message = lambda client, data, message: self.heard.put(message)
        self._client.on_subscribe = lambda *args: subscribed.put(True)
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()
        self._client.subscribe(topic, 1)
        subscribed.get(timeout=PATIENCE)

    def until(self, topic: str) -> mqtt.MQTTMessage:
        """The next message under a topic."""
        while True:
            found = self.heard.get(timeout=PATIENCE)
            if found.topic == topic:
                return found

    def all(self) -> dict[str, list[mqtt.MQTTMessage]]:
        """What has been heard by topic: all that the broker had before a message of our own."""
        last = f"last/{uuid.uuid4().hex}"
        self._client.publish(last, b"", 1)
        found: dict[str, list[mqtt.MQTTMessage]] = {}
        while (one := self.heard.get(timeout=PATIENCE)).topic != last:
            found.setdefault(one.topic, []).append(one)
        return found

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    service = start_mosquitto(tmp_path_factory.mktemp("mosquitto"), "allow_anonymous true")
    yield service
    service.kill()


@pytest.fixture
def heard(broker: Service) -> Iterator[Subscriber]:
    subscriber = Subscriber(broker.port)
    subscriber.all()  # what the broker kept of earlier tests
    yield subscriber
    subscriber.close()


def options(port: int, **fields) -> MqttOptions:
    values = {"kind": "mqtt", "url": f"mqtt://127.0.0.1:{port}", "prefix": uuid.uuid4().hex}
    return MqttOptions.model_validate(values | fields)


def about(alert) -> Message:
    return Message(alert.id, "alert", (alert,))


@pytest.mark.parametrize("version", ["3.1.1", "5"])
def test_an_alert_is_published_in_each_shape(broker, heard, version):
    face = face_alert(seq=3, face=b"\xff\xd8 face", distance=0.2)
    chosen = options(broker.port, version=version)
    with closing(Mqtt(chosen)) as channel:
        assert channel.send(about(face)) == Taken()
    found = {topic: [one.payload for one in several] for topic, several in heard.all().items()}
    ours = chosen.prefix
    (event,) = map(json.loads, found[f"{ours}/alerts"])
    assert (event["id"], event["data"]["name"]) == (face.id, "Ada Nowak")
    new, end = map(json.loads, found[f"{ours}/events"])
    assert (new["type"], end["type"]) == ("new", "end")
    assert new["after"]["id"] == end["before"]["id"] == face.id
    assert new["after"]["camera"] == "cam-1"
    assert new["after"]["label"] == "person"
    assert new["after"]["sub_label"] == ["Ada Nowak", 0.7]
    assert (new["before"]["sub_label"], new["after"]["end_time"]) == (None, None)
    assert end["after"]["end_time"] == face.occurred_at.timestamp()
    (match,) = map(json.loads, found["double-take/matches/Ada Nowak"])
    assert (match["id"], match["camera"], match["match"]["confidence"]) == (face.id, "cam-1", 70.0)
    (camera,) = map(json.loads, found["double-take/cameras/cam-1"])
    assert camera["counts"] == {"person": 1, "match": 1, "miss": 0, "unknown": 0}
    assert found[f"{ours}/cameras/cam-1/face"] == [b"\xff\xd8 face"]
    (state,) = map(json.loads, found[f"{ours}/people/c1"])
    assert state["state"] == "Main gate"


def test_home_assistant_finds_a_sensor_for_the_camera_and_the_person(broker, heard):
    chosen = options(broker.port)
    with closing(Mqtt(chosen)) as channel:
        channel.send(about(face_alert(camera_id="gate/1 näher")))
    found = heard.all()
    configs = {
        topic.split("/")[1:3][0] + " " + topic.split("/")[2]: json.loads(several[0].payload)
        for topic, several in found.items()
        if topic.startswith("homeassistant/")
    }
    person = configs["sensor susracker_person_c1"]
    assert (person["name"], person["state_topic"]) == ("Ada Nowak", f"{chosen.prefix}/people/c1")
    assert person["availability_topic"] == f"{chosen.prefix}/available"
    (camera,) = (one for name, one in configs.items() if name.startswith("sensor susracker_camera"))
    (image,) = (one for name, one in configs.items() if name.startswith("image "))
    # The state that it is told to look at is where the state is.
    state = json.loads(found[camera["state_topic"]][0].payload)
    assert state["state"] == "Ada Nowak"
    assert found[image["image_topic"]][0].payload == b"a face\0\xff"
    assert len({one["unique_id"] for one in configs.values()}) == 3


def test_the_broker_is_told_what_to_keep_once(broker, heard):
    with closing(Mqtt(options(broker.port))) as channel:
        for _ in range(2):
            channel.send(about(face_alert(camera_id="gate-7")))
        channel.send(about(face_alert(camera_id="gate-8")))
    told = {topic: len(several) for topic, several in heard.all().items() if "/config" in topic}
    cameras = {topic: count for topic, count in told.items() if "camera" in topic}
    assert set(cameras.values()) == {1}
    assert len(cameras) == 4  # a sensor and an image for each
    assert told["homeassistant/sensor/susracker_person_c1/config"] == 3  # the broker keeps none


def test_each_message_is_sent_at_once(broker):
    with closing(Mqtt(options(broker.port))) as channel:
        channel.send(about(activity()))
        connection = channel._client.socket()
        assert connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_nothing_that_names_or_shows_a_person_stays_with_the_broker(broker):
    chosen = options(broker.port)
    with closing(Mqtt(chosen)) as channel:
        # An id that no random prefix has by chance.
        channel.send(about(face_alert(name="Zelda Unique", criminal_id="the-seventh")))
    late = Subscriber(broker.port)
    kept = late.all()
    late.close()
    assert not [one for one in kept if b"Zelda" in kept[one][0].payload or "seventh" in one]
    assert [one for one in kept if one.startswith("homeassistant/sensor/susracker_camera")]


def test_an_activity_has_no_match_and_no_person(broker, heard):
    chosen = options(broker.port)
    with closing(Mqtt(chosen)) as channel:
        channel.send(about(activity()))
    found = heard.all()
    assert not [one for one in found if one.startswith("double-take")]
    new = json.loads(found[f"{chosen.prefix}/events"][0].payload)["after"]
    assert (new["label"], new["sub_label"]) == ("violence", None)


def test_what_has_changed_is_an_update(broker, heard):
    chosen = options(broker.port)
    alert = face_alert(distance=0.2)
    better = replace(alert, distance=0.1)
    dismissed = replace(better, status="dismissed")
    with closing(Mqtt(chosen)) as channel:
        channel.send(about(alert))
        channel.send(Message("better", "updated", (better,)))
        review = judgement(alert.id, verdict="dismissed")
        channel.send(Message("review", "reviewed", (dismissed,), review=review))
    with closing(Mqtt(chosen)) as after_a_restart:
        after_a_restart.send(Message("again", "updated", (dismissed,)))
    found = heard.all()
    events = [json.loads(one.payload) for one in found[f"{chosen.prefix}/events"]]
    assert [one["type"] for one in events] == ["new", "end", "update", "update", "update"]
    _, end, improved, reviewed, again = events
    assert improved["before"] == end["after"]
    assert improved["after"]["score"] > improved["before"]["score"]
    assert reviewed["before"] == improved["after"]
    assert (reviewed["before"]["status"], reviewed["before"]["false_positive"]) == ("new", False)
    assert (reviewed["after"]["status"], reviewed["after"]["false_positive"]) == ("dismissed", True)
    assert again["before"] == again["after"] == reviewed["after"]
    told = [json.loads(one.payload)["type"] for one in found[f"{chosen.prefix}/alerts"]]
    assert told == ["susracker.alert", "susracker.alert.reviewed"]


def test_gathered_alerts_are_one_message(broker, heard):
    chosen = options(broker.port)
    alerts = (activity(seq=1), activity(seq=2))
    with closing(Mqtt(chosen)) as channel:
        channel.send(Message("gathered-1-2", "gathered", alerts))
    found = heard.all()
    assert found.keys() == {f"{chosen.prefix}/alerts", f"{chosen.prefix}/available"}
    assert json.loads(found[f"{chosen.prefix}/alerts"][0].payload)["data"]["count"] == 2


# -- the connection --------------------------------------------------------------------------------


def test_it_says_that_it_is_there_and_when_it_leaves(broker):
    chosen = options(broker.port)
    watcher = Subscriber(broker.port, f"{chosen.prefix}/available")
    channel = Mqtt(chosen)
    assert watcher.until(f"{chosen.prefix}/available").payload == b"online"
    channel.close()
    assert watcher.until(f"{chosen.prefix}/available").payload == b"offline"
    watcher.close()


def test_the_broker_says_so_of_one_that_dies(broker):
    chosen = options(broker.port)
    watcher = Subscriber(broker.port, f"{chosen.prefix}/available")
    channel = Mqtt(chosen)
    assert watcher.until(f"{chosen.prefix}/available").payload == b"online"
    channel._client._sock_close()  # without a word
    assert watcher.until(f"{chosen.prefix}/available").payload == b"offline"
    channel.close()
    watcher.close()


def test_one_that_is_alive_contradicts_what_is_said_of_another(broker):
    chosen = options(broker.port)
    with closing(Mqtt(chosen)) as stays:
        assert stays.send(about(activity())) == Taken()
        watcher = Subscriber(broker.port, f"{chosen.prefix}/available")
        leaves = Mqtt(chosen)
        leaves.send(about(activity()))
        leaves.close()
        while watcher.until(f"{chosen.prefix}/available").payload != b"offline":
            pass
        assert watcher.until(f"{chosen.prefix}/available").payload == b"online"
        watcher.close()


def test_a_broker_that_comes_back_is_used_again(tmp_path):
    broker = start_mosquitto(tmp_path / "mosquitto", "allow_anonymous true")
    with closing(Mqtt(options(broker.port))) as channel:
        assert channel.send(about(activity())) == Taken()
        broker.kill()
        result = channel.send(about(activity()))
        assert isinstance(result, TryLater)
        broker.start()
        assert wait_until(lambda: channel.send(about(activity())) == Taken())
    broker.kill()


def test_a_wrong_password_is_said(tmp_path):
    broker = start_mosquitto(tmp_path / "mosquitto", "allow_anonymous false")
    with closing(Mqtt(options(broker.port, username="jo", password="pässword"))) as channel:
        result = channel.send(about(activity()))
    broker.kill()
    assert isinstance(result, TryLater)
    assert "not authorized" in result.reason
    assert "pässword" not in result.reason


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_tls_is_checked(tmp_path: Path):
    ours, other = (make_certificate(tmp_path, name) for name in ("ours", "other"))
    broker = start_mosquitto(
        tmp_path / "mosquitto",
        "allow_anonymous true",
        f"certfile {ours.cert}",
        f"keyfile {ours.key}",
    )
    url = f"mqtts://127.0.0.1:{broker.port}"
    with closing(Mqtt(options(broker.port, url=url, ca=str(ours.cert)))) as channel:
        assert channel.send(about(activity())) == Taken()
    # Of a handshake that fails, paho leaves the socket to the garbage collector.
    with closing(Mqtt(options(broker.port, url=url, ca=str(other.cert)))) as channel:
        result = channel.send(about(activity()))
    broker.kill()
    assert isinstance(result, TryLater)
