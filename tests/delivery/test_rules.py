"""What `susracker.toml` may say about deliveries, and which alerts it chooses."""

from __future__ import annotations

import base64
import os
import time
from datetime import datetime, timezone

import pytest

from susracker.delivery.rules import Rule, plan_of
from susracker.errors import ConfigError
from susracker.testing.records import activity, candidate, face_alert

SECRET = "whsec_" + base64.b64encode(bytes(range(24))).decode()
HOOK = {"kind": "webhook", "url": "https://example.org/hook", "secrets": SECRET}
TO_HOOK = [{"to": "hook"}]


def tables(**fields):
    return {"channels": {"hook": HOOK | fields}, "rules": TO_HOOK}


def test_a_channel_and_a_rule_are_read():
    plan = plan_of(tables(per_minute=10))
    assert plan.channels["hook"].per_minute == 10
    assert plan.rules_to("hook") == (Rule(to=["hook"]),)


def test_certificates_may_be_in_the_home_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    broker = {"kind": "mqtt", "url": "mqtts://broker", "ca": "~/ca.pem"}
    rules = [{"to": ["hook", "broker"]}]
    plan = plan_of(
        {"channels": {"hook": HOOK | {"ca": "~/ca.pem"}, "broker": broker}, "rules": rules}
    )
    assert {one.ca for one in plan.channels.values()} == {str(tmp_path / "ca.pem")}


def test_nothing_at_all_is_no_channel():
    assert plan_of({}).channels == {}


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (tables(url="ftp://example.org"), "channels.hook.webhook.url: must be like https://"),
        (tables(url="https://jo:pass@example.org"), "must hold no password"),
        (tables(pictures="link"), "pictures: link needs pictures_at, such as https://"),
        (tables(secrets="secret"), "secrets.1: must be whsec_ and 24 to 64 random bytes"),
        (tables(secrets=[SECRET] * 3), "at most 2"),
        (tables(secrets="file:/nowhere/at/all"), "cannot read file:/nowhere"),
        (tables(ca="~nobody-of-that-name/a"), "ca: a path begins with ~ and the name of no user"),
        (tables(per_minut=3), "per_minut: there is no such option"),
        (tables(secrets="file:~nobody-of-that-name/a"), "secrets.1: cannot read file:~nobody"),
        ({"channels": {"hook": HOOK}}, "channels.hook: no rule leads to it"),
        ({"rules": TO_HOOK}, "rules 1: no channel is called 'hook'; there are: none"),
        ({"channels": {"hook": {"kind": "pigeon"}}}, "channels.hook"),
        ({"channels": {"a b": HOOK}}, "channels.a b"),
        (tables() | {"rules": [{"to": "hook", "hours": "9-17"}]}, "hours: must be like 22:00"),
        (tables() | {"rules": [{"to": "hook", "threat": "huge"}]}, "rules.1.threat.1"),
        (
            {"channels": {"mq": {"kind": "mqtt", "url": "broker:1883"}}, "rules": [{"to": "mq"}]},
            "must be like mqtt://",
        ),
    ],
)
def test_what_is_wrong_is_said(found, said):
    with pytest.raises(ConfigError) as caught:
        plan_of(found)
    assert said in str(caught.value)
    assert SECRET not in str(caught.value)


def test_a_secret_may_be_in_a_file(tmp_path):
    (tmp_path / "secret").write_text(f"{SECRET}\n")
    plan = plan_of(tables(secrets=[f"file:{tmp_path / 'secret'}"]))
    assert plan.channels["hook"].secrets == [SECRET]


def chosen(alert, threat="high", **fields) -> bool:
    return Rule.model_validate({"to": "hook"} | fields).matches(alert, lambda _: threat)


def test_a_rule_chooses_by_kind_camera_and_person():
    face, other = face_alert("c1", camera_id="gate-1"), activity(camera_id="yard")
    assert chosen(face)
    assert chosen(other)
    assert chosen(face, kind="face")
    assert not chosen(other, kind="face")
    assert chosen(face, cameras=["yard", "gate-*"])
    assert not chosen(other, cameras="gate-*")
    assert chosen(face, people=["c1", "c2"])
    assert not chosen(face, people=["c2"])
    assert not chosen(other, people=["c1"])


def test_a_rule_chooses_by_threat():
    assert chosen(face_alert(), threat="high", **{})
    rule = Rule.model_validate({"to": "hook", "threat": ["medium", "high"]})
    assert rule.matches(face_alert(), lambda _: "high")
    assert not rule.matches(face_alert(), lambda _: "low")
    assert not rule.matches(activity(), lambda _: None)


def test_a_rule_chooses_by_score_and_fpir():
    face = face_alert(score=5.0, candidates=(candidate(fpir=0.001),))
    assert chosen(face, min_score=5)
    assert not chosen(face, min_score=5.1)
    assert chosen(face, max_fpir=0.001)
    assert not chosen(face, max_fpir=0.0009)
    assert not chosen(activity(), min_score=1)
    assert not chosen(activity(), max_fpir=0.5)


@pytest.mark.parametrize(
    ("hours", "hour", "minute", "within"),
    [
        ("09:00-17:00", 9, 0, True),
        ("09:00-17:00", 16, 59, True),
        ("09:00-17:00", 17, 0, False),
        ("22:00-06:00", 23, 0, True),
        ("22:00-06:00", 5, 59, True),
        ("22:00-06:00", 6, 0, False),
        ("00:00-00:00", 12, 0, True),
    ],
)
def test_a_rule_chooses_by_local_time(hours, hour, minute, within, monkeypatch):
    monkeypatch.setitem(os.environ, "TZ", "America/New_York")
    time.tzset()
    try:
        there = datetime(2026, 5, 4, hour, minute).astimezone(timezone.utc)
        assert there.hour != hour
        assert chosen(activity(occurred_at=there), hours=hours) is within
    finally:
        monkeypatch.undo()
        time.tzset()
