"""`kill -9` of a webhook's receiver, of the broker, of the mail server and of susracker, at random
moments, while alerts are delivered to all three.

    python -m tests.torture.deliveries [--alerts 1000] [--kills 40] [--seed 1]

In the end, every receiver must have every alert, in order, and repeats must have the same id. The
alerts of which the camera says that they are an hour old must be marked as late.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
import threading
import time
from collections import Counter
from contextlib import ExitStack, suppress
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt
import requests
from paho.mqtt.enums import CallbackAPIVersion

from susracker.plugins import open_store
from tests.services.servers import Service, start_mosquitto
from tests.torture import receivers
from tests.torture.figures import Figures, milliseconds
from tests.torture.receivers import MARKED_LATE, heard
from tests.torture.site import Site
from tests.waiting import wait_until

LATE_EVERY = 7
"""One alert in so many is an hour old when it is posted."""

DONE_SECONDS = 600
"""How long to wait for the last deliveries: waits between attempts grow to five minutes."""

PERSISTENT = (
    "allow_anonymous true",
    "persistence true",
    "autosave_on_changes true",
    "autosave_interval 1",
    "max_queued_messages 0",
)
"""A broker that keeps a subscriber's session when it is killed."""

SETTINGS = """
[channels.hook]
kind = "webhook"
url = "http://127.0.0.1:{web}/hook"
secrets = ["whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX"]
allow_private = true

[channels.broker]
kind = "mqtt"
url = "mqtt://127.0.0.1:{broker}"

[channels.mail]
kind = "notify"
urls = ["mailto://127.0.0.1:{mail}?from=site@example.org&to=jo@example.org"]

[[rules]]
to = ["hook", "broker", "mail"]
"""


class Camera(threading.Thread):
    """Posts alerts one after the other, each again until it is answered."""

    def __init__(self, url: str, alerts: int, pause: float) -> None:
        super().__init__(name="camera", daemon=True)
        self.posted = 0
        self._url, self._alerts, self._pause = url, alerts, pause

    def run(self) -> None:
        for number in range(self._alerts):
            age = timedelta(hours=1) if number % LATE_EVERY == 0 else timedelta()
            event = {
                "camera_id": f"cam-{number}",
                "camera_location": "Main gate",
                "event_type": "violence",
                "timestamp": (datetime.now(timezone.utc) - age).isoformat(),
                "event_id": f"event-{number}",
            }
            while not self._post(event):
                time.sleep(0.1)
            self.posted += 1
            time.sleep(self._pause)

    def _post(self, event: dict[str, Any]) -> bool:
        with suppress(requests.RequestException):
            answer = requests.post(f"{self._url}/api/detections", json=event, timeout=10)
            return answer.status_code == 200
        return False


class Subscriber:
    """Hears what the broker publishes, in a session that outlives both."""

    def __init__(self, port: int, file: Path) -> None:
        self._ids = receivers.Ids(file)
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2, "listener", clean_session=False)
        self._client.on_connect = lambda client, *rest: client.subscribe("susracker/alerts", 1)
        self._client.on_message = self._take
        self._client.reconnect_delay_set(1, 1)
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()

    def close(self) -> None:
        """Leave, and close the file."""
        self._client.disconnect()
        self._client.loop_stop()
        self._ids.close()

    def _take(self, client: Any, data: Any, message: mqtt.MQTTMessage) -> None:
        event = json.loads(message.payload)
        self._ids.add(event["id"] + (MARKED_LATE if event["data"]["stale"] else ""))


class Stage:
    """A site with three receivers."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        web, web_file = receivers.start("web", folder)
        mail, mail_file = receivers.start("mail", folder)
        broker = start_mosquitto(folder / "mosquitto", *PERSISTENT)
        self.services: dict[str, Service] = {"web": web, "mail": mail, "broker": broker}
        for service in self.services.values():
            stack.callback(service.kill)
        broker_file = folder / "broker.ids"
        self.files = {"web": web_file, "mail": mail_file, "broker": broker_file}
        subscriber = Subscriber(broker.port, broker_file)
        stack.callback(subscriber.close)
        self.site = Site(folder, "--rate-limit", "100000 per second")
        ports = {name: service.port for name, service in self.services.items()}
        (self.site.home / "susracker.toml").write_text(SETTINGS.format(**ports))
        stack.enter_context(self.site)

    def kill_one(self, rng: random.Random, kills: Counter[str], away: list[float]) -> None:
        """Kill one of the four at any moment, and start it again after a while."""
        time.sleep(rng.uniform(0, 1.5))
        name = rng.choice(["susracker", *self.services])
        kills[name] += 1
        part = self.services.get(name) or self.site
        part.kill()
        time.sleep(rng.uniform(0, 1))
        began = time.monotonic()
        part.start()
        if part is self.site:
            away.append(time.monotonic() - began)

    def is_level(self, alerts: int) -> bool:
        """Whether each receiver has as many alerts as there are."""
        return all(len(set(heard(file))) >= alerts for file in self.files.values())


def run(folder: Path, alerts: int, kills: int, figures: Figures, seed: int = 1) -> None:
    """Kill, and see whether every receiver has every alert."""
    killed: Counter[str] = Counter()
    away: list[float] = []
    rng = random.Random(seed)
    with ExitStack() as stack:
        stage = Stage(folder, stack)
        camera = Camera(stage.site.url, alerts, pause=0.02)
        camera.start()
        for number in range(kills):
            stage.kill_one(rng, killed, away)
            print(f"\r{number + 1} of {kills} kills", end="", file=sys.stderr, flush=True)
        print(file=sys.stderr)
        camera.join(DONE_SECONDS)
        began = time.monotonic()
        wait_until(lambda: stage.is_level(alerts), DONE_SECONDS)
        figures.note("kills", ", ".join(f"{name} {n}" for name, n in sorted(killed.items())))
        figures.note("until susracker answers again", milliseconds(away))
        figures.note("until all was delivered in the end", f"{time.monotonic() - began:.1f} s")
        status = stage.site.stop()
        figures.promise("exit status of the last server", status, status == 0)
        figures.promise("alerts posted", camera.posted, camera.posted == alerts)
        check(stage, alerts, figures)


def check(stage: Stage, alerts: int, figures: Figures) -> None:
    """Compare what is stored with what each receiver has."""
    with open_store(stage.site.store_url) as store:
        stored = store.alerts(limit=alerts + 1, with_faces=False)
        letters = sum(len(store.dead_letters(one.name)) for one in store.channels())
    figures.promise("messages given up", letters, letters == 0)
    ids = [one.id for one in stored]
    late = {one.id for one in stored if one.received_at - one.occurred_at > timedelta(minutes=30)}
    for name, file in stage.files.items():
        lines = heard(file)
        figures.promise(*order(name, lines, ids))
        figures.promise(*marks(name, lines, late))
        figures.note(f"{name}: repeats, with the same id", len(lines) - len(ids))


def order(name: str, lines: list[str], ids: list[str]) -> tuple[str, str, bool]:
    """Whether a receiver has everything, in order: for `Figures.promise`."""
    first = list(dict.fromkeys(line.removesuffix(MARKED_LATE) for line in lines))
    lost = len(set(ids) - set(first))
    in_order = [one for one in ids if one in set(first)] == first
    told = f"{lost} lost, {'in order' if in_order else 'out of order'}, of {len(ids)}"
    return name, told, not lost and in_order


def marks(name: str, lines: list[str], late: set[str]) -> tuple[str, str, bool]:
    """Whether what is old is marked as late; what had to wait may be, too."""
    unmarked = {line for line in lines if not line.endswith(MARKED_LATE)} & late
    return f"{name}: late and not marked", f"{len(unmarked)} of {len(late)}", not unmarked


def main() -> None:
    """Run in full."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--alerts", type=int, default=1000)
    parser.add_argument("--kills", type=int, default=40)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    figures = Figures(f"Deliveries, {args.alerts} alerts, {args.kills} kills, seed {args.seed}")
    with tempfile.TemporaryDirectory() as folder:
        run(Path(folder), args.alerts, args.kills, figures, args.seed)
    figures.exit()


if __name__ == "__main__":
    main()
