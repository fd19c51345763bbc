"""What a message says, to programs and to people."""

from __future__ import annotations

import base64
from collections import Counter
from collections.abc import Callable
from datetime import datetime
from typing import Any

from susracker.delivery.base import Message
from susracker.judgement.exporting import alert_fields, fpir_of
from susracker.models import Alert
from susracker.oversight import Judgement
from susracker.runtime.text import counted

SOURCE = "/susracker"
"""`source` of CloudEvents: where the alerts come from."""

MAX_LISTED = 1000
"""How many of the alerts that were gathered in a message are listed; all are counted."""

TYPES = {
    "alert": "susracker.alert",
    "unreviewed": "susracker.alert.unreviewed",
    "gathered": "susracker.alerts.gathered",
    "reviewed": "susracker.alert.reviewed",
    "test": "susracker.test",
}
"""`type` of CloudEvents, by `Message.kind`; "updated" is no such message."""


FaceOf = Callable[[Alert], dict[str, Any]]
"""What a message has of an alert's face."""


def inline_face(alert: Alert) -> dict[str, Any]:
    """The face itself, by the name that it has over HTTP; nothing if there is none."""
    return {"detected_face": base64.b64encode(alert.face).decode()} if alert.face else {}


def cloud_event(message: Message, now: datetime, face_of: FaceOf = inline_face) -> dict[str, Any]:
    """A message as CloudEvents 1.0 in JSON (structured mode)."""
    event: dict[str, Any] = {
        "specversion": "1.0",
        "id": message.id,
        "source": SOURCE,
        "type": TYPES[message.kind],
        "time": _time_of(message, now).isoformat(),
        "datacontenttype": "application/json",
        "data": data_of(message, face_of),
    }
    if len(message.alerts) == 1:
        event["subject"] = message.alerts[0].camera_id
    return event


def _time_of(message: Message, now: datetime) -> datetime:
    """When that happened which a message tells of."""
    if message.review:
        return message.review.made_at
    return message.alerts[-1].occurred_at if message.alerts else now


def data_of(message: Message, face_of: FaceOf = inline_face) -> dict[str, Any]:
    """The alert of a message, or a summary of those that were gathered in it."""
    if message.kind == "test":
        return {"message": "a test of this channel: nothing has happened"}
    if message.kind != "gathered":
        alert = message.alerts[0]
        review = message.review
        more = {"review": _review_fields(review)} if review else face_of(alert)
        return alert_fields(alert) | more | {"stale": message.is_stale}
    alerts = message.alerts
    return {
        "count": len(alerts),
        "first_seq": alerts[0].seq,
        "last_seq": alerts[-1].seq,
        "cameras": dict(Counter(one.camera_id for one in alerts)),
        "people": dict(Counter(one.name for one in alerts if one.name)),
        "activities": dict(Counter(one.event_type for one in alerts if one.kind == "activity")),
        "alerts": [alert_fields(one) | face_of(one) for one in alerts[:MAX_LISTED]],
        "stale": message.is_stale,
    }


def _review_fields(review: Judgement) -> dict[str, Any]:
    """A review by the names that it has over HTTP."""
    return {
        "id": review.id,
        "verdict": review.verdict,
        "reason": review.reason,
        "note": review.note,
        "made_by": review.made_by,
        "made_at": review.made_at.isoformat(),
    }


def title_of(message: Message) -> str:
    """What a person reads first."""
    if message.kind == "test":
        return "susracker: test"
    if message.kind == "gathered":
        return f"{counted(len(message.alerts), 'more alert')}{_late(message)}"
    alert = message.alerts[0]
    what = f"Possible match: {alert.name}" if alert.kind == "face" else alert.event_type
    return f"{_begin(message)}{what} at {alert.camera_location}{_late(message)}"


def _begin(message: Message) -> str:
    """What a title says before who or what it was."""
    if message.review:
        return f"Reviewed as {message.review.verdict}: "
    return "Nobody has reviewed: " if message.kind == "unreviewed" else ""


def text_of(message: Message) -> str:
    """What a person reads next."""
    if message.kind == "test":
        return "This channel works. Nothing has happened."
    if message.kind == "gathered":
        return _summary(message.alerts)
    alert = message.alerts[0]
    lines = [f"Camera {alert.camera_id}, {_local(alert.occurred_at)}"]
    if message.review:
        return "\n".join([*lines, *_said(message.review), f"Alert {alert.id}"])
    if (fpir := fpir_of(alert)) is not None:
        lines.append(f"A lead to check, not a verdict: {fpir:.2%} of strangers would score as high")
    if message.is_stale:
        lines.append("Late: this happened a while ago")
    return "\n".join([*lines, f"Alert {alert.id}"])


def _said(review: Judgement) -> list[str]:
    """What a person said, and who it was."""
    by = f"Reviewed by {review.made_by}, {_local(review.made_at)}"
    said = f"{review.verdict}: {review.reason}"
    return [by, said, *([review.note] if review.note else [])]


def _summary(alerts: tuple[Alert, ...]) -> str:
    """How many there were of whom, where and when."""
    what = Counter((one.name or one.event_type, one.camera_location) for one in alerts)
    lines = [f"{_local(alerts[0].occurred_at)} to {_local(alerts[-1].occurred_at)}"]
    lines += [f"{count} x {who} at {where}" for (who, where), count in what.most_common(20)]
    left = counted(len(what) - 20, "more line") if len(what) > 20 else ""
    return "\n".join([*lines, *([f"and {left}"] if left else [])])


def _late(message: Message) -> str:
    return " (late)" if message.is_stale else ""


def _local(moment: datetime) -> str:
    return moment.astimezone().strftime("%Y-%m-%d %H:%M:%S %Z")
