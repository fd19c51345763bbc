"""`susracker deliveries`: what it shows and changes, beside a worker that delivers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from susracker.access.export import all_entries
from susracker.access.links import PictureLinks
from susracker.cli import main
from susracker.delivery.channels import open_channel
from susracker.delivery.followups import selections
from susracker.delivery.outbox import Courier
from susracker.delivery.rules import plan_of
from susracker.loading import load_settings
from susracker.plugins import open_store
from susracker.testing.records import activity, judgement
from tests.delivery.web import WebServer

SETTINGS = """
store = "sqlite:///{store}"

[channels.control-room]
kind = "webhook"
url = "{url}?token=t0ken"
secrets = ["whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX"]
allow_private = true

[[rules]]
to = "control-room"
cameras = "gate-*"
"""


class Desk:
    """A site on which nothing runs but what a test calls."""

    def __init__(self, folder: Path, web: WebServer, more: str = "") -> None:
        self.web = web
        self.url = f"sqlite:///{folder / 'site.db'}"
        settings = SETTINGS.format(store=folder / "site.db", url=web.url)
        (folder / "susracker.toml").write_text(settings + more)
        plan = plan_of(load_settings().tables)
        self.store = open_store(self.url)
        options = plan.channels["control-room"]
        self.channel = open_channel("control-room", options, PictureLinks(b"a key"))
        followed = selections(self.store, "control-room", options, plan.rules_to("control-room"))
        self.couriers = [Courier(self.store, *one, self.channel) for one in followed.items()]

    def alert(self, camera: str = "gate-1") -> None:
        self.store.record([], [activity(camera_id=camera)])

    def work(self) -> None:
        while not min(courier.step() for courier in self.couriers):
            pass

    def listed(self) -> dict:
        (row,) = json.loads(run("list", "--json").output)
        return row


def run(*args: str) -> Result:
    result = CliRunner().invoke(main, ["deliveries", *args])
    assert result.exit_code == 0, result.output
    return result


@pytest.fixture
def web() -> Iterator[WebServer]:
    server = WebServer()
    yield server
    server.close()


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    monkeypatch.chdir(tmp_path)
    web = WebServer()
    made = Desk(tmp_path, web)
    yield made
    made.channel.close()
    made.store.close()
    web.close()


def test_a_channel_is_listed_with_what_waits_and_without_its_secrets(desk: Desk) -> None:
    desk.web.status = 503
    for camera in ("gate-1", "yard", "gate-2"):
        desk.alert(camera)
    assert desk.listed()["state"] == "working"
    desk.work()
    row = desk.listed()
    assert (row["name"], row["kind"], row["state"]) == ("control-room", "webhook", "failing")
    assert (row["waiting"], row["dead_letters"]) == (2, 0)
    assert "answers 503" in row["problem"]
    shown = run("list").output + run("list", "--json").output
    assert "t0ken" not in shown
    assert "whsec" not in shown


def test_a_paused_channel_waits_until_it_is_resumed(desk: Desk) -> None:
    run("pause", "control-room", "--reason", "lunch")
    desk.alert()
    desk.work()
    assert (desk.listed()["state"], desk.listed()["problem"]) == ("paused", "lunch")
    assert desk.web.posts == []
    run("resume", "control-room")
    desk.work()
    assert len(desk.web.posts) == 1
    actions = [one.action for one in all_entries(desk.store)]
    assert actions == ["delivery.pause", "delivery.resume"]


def test_what_waits_can_be_left_out(desk: Desk) -> None:
    run("pause", "control-room", "--reason", "lunch")
    desk.alert("gate-1")
    run("resume", "control-room", "--skip")
    desk.alert("gate-2")
    desk.work()
    assert [one["subject"] for one in desk.web.events()] == ["gate-2"]


def test_what_was_refused_is_listed_and_sent_again(desk: Desk) -> None:
    desk.web.status = 422
    desk.alert()
    desk.work()
    assert "answers 422" in run("list", "control-room").output
    desk.web.status, desk.web.posts = 204, []
    assert "1 message to control-room" in run("retry", "control-room").output
    assert "to be sent again" in run("list", "control-room").output
    desk.work()
    assert len(desk.web.posts) == 1
    assert run("list", "control-room").output == "every message was taken\n"


def test_retry_does_not_wait_for_the_next_attempt(desk: Desk) -> None:
    desk.web.status = 503
    desk.alert()
    desk.work()
    desk.web.status, desk.web.posts = 204, []
    desk.work()
    assert desk.web.posts == []
    run("retry", "control-room")
    desk.work()
    assert len(desk.web.posts) == 1


def test_a_test_message_is_sent_and_the_rules_are_tried(desk: Desk) -> None:
    for camera in ("gate-1", "yard", "gate-2"):
        desk.alert(camera)
    output = run("test", "control-room").output
    assert "its rules choose 2 of the newest 3 alerts" in output
    assert "gate-2" in output
    assert "the test message was taken" in output
    (event,) = desk.web.events()
    assert event["type"] == "susracker.test"
    assert desk.listed()["waiting"] == 2


def test_reviews_are_paused_skipped_and_retried_with_their_channel(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, web: WebServer
) -> None:
    monkeypatch.chdir(tmp_path)
    made = Desk(tmp_path, web, more="reviews = true")
    with closing(made.store), closing(made.channel):
        (alert,) = made.store.record([], [activity(camera_id="gate-1")])
        made.work()
        run("pause", "control-room", "--reason", "lunch")
        made.store.add_judgement(judgement(alert.id), "confirmed", 0)
        made.work()
        alerts, reviews = json.loads(run("list", "--json").output)
        assert (reviews["name"], reviews["waiting"]) == ("control-room:reviews", 1)
        assert (alerts["state"], reviews["state"]) == ("paused", "paused")
        run("resume", "control-room", "--skip")
        made.work()
        assert len(web.posts) == 1
        web.status = 422
        seen = made.store.last_judgement_seq()
        made.store.add_judgement(judgement(alert.id), "confirmed", seen)
        made.work()
        assert "answers 422" in run("list", "control-room:reviews").output
        assert "1 message to control-room" in run("retry", "control-room").output
        tried = CliRunner().invoke(main, ["deliveries", "test", "control-room"])
        assert "reviews: 1 of 1 rule asks for them" in tried.output


@pytest.mark.parametrize("status", [410, 422, 503])
def test_a_test_message_that_is_not_taken_says_why(desk: Desk, status: int) -> None:
    desk.web.status = status
    result = CliRunner().invoke(main, ["deliveries", "test", "control-room"])
    assert result.exit_code == 1
    assert f"answers {status}" in result.output


@pytest.mark.parametrize("command", ["pause", "resume", "retry", "test", "list"])
def test_an_unknown_channel_is_said(desk: Desk, command: str) -> None:
    args = ["--reason", "x"] if command == "pause" else []
    result = CliRunner().invoke(main, ["deliveries", command, "phone", *args])
    assert result.exit_code in (1, 2)
    assert "'phone'" in result.output


def test_without_channels_it_says_where_to_add_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    open_store(f"sqlite:///{tmp_path / 'site.db'}").close()
    output = run("list", "--store", f"sqlite:///{tmp_path / 'site.db'}").output
    assert "no channels: add tables to susracker.toml" in output
