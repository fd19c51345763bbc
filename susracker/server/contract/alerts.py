"""Alerts, as routes answer them and events carry them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, RootModel

from susracker.models import AlertStatus
from susracker.oversight import Encounter, Verdict


class Shown(BaseModel):
    """The base of everything that is answered: exactly these fields, each with its description."""

    # Built when they are first asked for, for hardly any server is: each start would wait for it.
    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True, defer_build=True)


class CandidateShown(Shown):
    """Someone on the watch-list compared with a face."""

    criminal_id: str
    name: str
    distance: float
    """Euclidean distance between the templates, 0 to 2."""
    score: float
    """Higher is more alike; what the decision is made on."""
    fpir: float
    """How often a stranger would score as high on the watch-list of that moment."""


class HoldShown(Shown):
    """Why, by whom and since when an alert is held."""

    reason: str
    by: str
    at: AwareDatetime


class JudgementShown(Shown):
    """What someone said about an alert."""

    id: str
    note: str
    made_by: str
    made_at: AwareDatetime


class ReviewShown(JudgementShown):
    """An operator's judgement of an alert."""

    verdict: Verdict
    reason: str


class OutcomeShown(JudgementShown):
    """What became of an encounter."""

    outcome: Encounter


class AlertShown(Shown):
    """What alerts of both kinds have."""

    id: str
    seq: int
    """Position in the log of alerts."""
    camera_id: str
    camera_location: str
    timestamp: AwareDatetime
    """The same as `occurred_at`, under the name that panels know."""
    occurred_at: AwareDatetime
    received_at: AwareDatetime
    status: AlertStatus
    score: float | None
    distance: float | None
    fpir: float | None
    """How often a stranger would score as high on the watch-list of that moment."""
    candidates: list[CandidateShown]
    details: dict[str, Any] | None
    """What else a camera said of an activity."""


class FaceAlert(AlertShown):
    """Someone on the watch-list was recognised."""

    alert_type: Literal[1]
    criminal_id: str | None
    """Null once the person was removed."""
    name: str | None
    confidence: str | None
    """`NN.NN%`, 100 x (1 - 1.5 x distance), by which panels choose colours; no probability."""


class ActivityAlert(AlertShown):
    """An activity, such as violence. Each of its `details` is also a field of its own."""

    model_config = ConfigDict(extra="allow")

    alert_type: Literal[2]
    event_type: str


class Pictures(Shown):
    """The pictures of an alert for a face."""

    detected_face: str | None
    """The face that was recognised, as a JPEG in base64; null once it was forgotten."""
    criminal_image: str | None
    """The enrolment photo, as a data URI of a JPEG; null once it was removed."""


class Held(Shown):
    """Whether an alert is kept beyond its time."""

    held: HoldShown | None
    """Null where the alert is not held."""


class Judgements(Shown):
    """Everything that was said about an alert, oldest first: the last counts."""

    reviews: list[ReviewShown]
    outcomes: list[OutcomeShown]


class FaceAlertPictured(FaceAlert, Pictures):
    """The event `new_alert` of a face."""


class ListedFaceAlert(FaceAlert, Held):
    """An alert for a face in a list, without its pictures."""


class ListedActivityAlert(Held, ActivityAlert):
    """An alert for an activity in a list."""


class JudgedFaceAlert(FaceAlert, Judgements):
    """An alert for a face with what was said about it."""


class JudgedActivityAlert(Judgements, ActivityAlert):
    """An alert for an activity with what was said about it."""


class FullFaceAlert(FaceAlertPictured, Judgements, Held):
    """All about an alert for a face."""


class FullActivityAlert(Judgements, Held, ActivityAlert):
    """All about an alert for an activity."""


ByType = Field(discriminator="alert_type")


class AlertPage(Shown):
    """A page of alerts."""

    alerts: list[Annotated[ListedFaceAlert | ListedActivityAlert, ByType]]
    last_seq: int
    """Of the whole log: a client that has this one has everything."""


class NewAlert(RootModel[Annotated[FaceAlertPictured | ActivityAlert, ByType]]):
    """An alert as operators are sent it."""


class JudgedAlert(RootModel[Annotated[JudgedFaceAlert | JudgedActivityAlert, ByType]]):
    """An alert with what was said about it, without its pictures."""


class FullAlert(RootModel[Annotated[FullFaceAlert | FullActivityAlert, ByType]]):
    """All about an alert, with its pictures."""


class HoldAnswer(Shown):
    """The hold that was made or changed."""

    held: HoldShown


class StatsGroup(Shown):
    """The alerts of one camera, week or activity, or all of them. Intervals are of 95%."""

    name: str
    alerts: int
    reviewed: int
    unreviewed: int
    confirmed: int
    dismissed: int
    unsure: int
    to_be_confirmed: int
    searches: int | None
    """Passages, or faces, that were compared with the watch-list; null where none was counted."""
    false_alert_rate: float | None
    """Dismissed alerts per search."""
    interval: tuple[float, float] | None
    highest_rate: float | None
    """The rate if all alerts that nobody has decided on were false."""
    highest_interval: tuple[float, float] | None
    warning: str | None
    """How the rate differs from the one that was promised."""
    response_seconds: dict[Literal["median", "90%"], float | None]
    """From an alert's arrival to its first review."""


class StatsPerson(StatsGroup):
    """The alerts of one person."""

    criminal_id: str | None
    """Null for everyone who was removed."""


class Stats(Shown):
    """What became of alerts, beside the false alert rate that was promised."""

    promised_fpir: float
    all: StatsGroup
    cameras: list[StatsGroup]
    people: list[StatsPerson]
    weeks: list[StatsGroup]
    activities: list[StatsGroup]
    warnings: list[str]
