"""What cameras are answered, errors, sessions, health and the audit log."""

from __future__ import annotations

from typing import Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from susracker.oversight import Role
from susracker.server.contract.alerts import JudgedAlert, NewAlert, Shown
from susracker.server.contract.people import File
from susracker.server.wire import UploadFields


class Problem(Shown):
    """What is wrong, by RFC 9457."""

    type: Literal["about:blank"]
    title: str
    """The name of the status."""
    status: int
    detail: str
    """What is wrong and what to do, in one line."""
    error: str
    """The same as `detail`, as clients from before RFC 9457 look for it."""


class JudgedProblem(Problem):
    """Someone else judged the alert: what is there now."""

    alert: JudgedAlert


class CameraError(Shown):
    """What is wrong with what a camera posted."""

    error: str
    detail: str = ""
    """Why a picture cannot be read."""


class Upload(UploadFields):
    """A face crop, or a frame."""

    file: File


class Detected(Shown):
    """What became of a detection."""

    message: Literal[
        "Match found",
        "Match found but in cooldown",
        "No match found",
        "No face detected",
        "Alert sent",
        "Alert in cooldown",
    ]
    match: NewAlert | None = None
    """The best match, where there is one."""
    matches: list[NewAlert] = Field(default_factory=list)
    """All alerts of a frame, the best first."""
    passage: str | None = None
    """The passage that a face belongs to; not on `/face_upload` without a `track_id`."""
    left_out: list[str] = Field(default_factory=list)
    """Fields of an activity that were not kept."""


class SessionKey(BaseModel):
    """The key to open a session with; it may also be in a header."""

    key: str | None = None


class SessionShown(Shown):
    """Who the client is."""

    id: str | None
    """Of the key; null where no key was needed."""
    name: str | None
    role: Role | Literal["local"]
    by_cookie: bool


class AuditEntryShown(Shown):
    """Someone changed something, or looked at it."""

    seq: int
    at: AwareDatetime
    actor: str
    role: str
    address: str
    action: str
    subject: str
    reason: str
    detail: str
    """A JSON object."""
    previous: str
    digest: str


class AuditHeadShown(Shown):
    """The end of the log, signed."""

    first: int
    anchor: str
    seq: int
    digest: str
    at: AwareDatetime
    key_id: str
    signature: str


class AuditPage(Shown):
    """A page of the audit log."""

    entries: list[AuditEntryShown]
    head: AuditHeadShown | None


class AuditVerification(Shown):
    """Whether the log is whole."""

    is_whole: bool
    problems: list[str]
    entries: int
    last_seq: int
    unsigned: int
    """The newest entries, which the next one signs."""
    key_id: str
    """Fingerprint of the public key."""


class Alive(Shown):
    """The process answers."""

    status: Literal["ok"]


class MissesShown(Shown):
    """How many wanted people were missed when it was measured."""

    photos: int
    """That each person was enrolled with."""
    probes: int
    """Faces of a passage, a second apart."""
    enrolled: int
    fnir: float


class OperatingPointShown(Shown):
    """What a target FPIR means for the present watch-list."""

    target_fpir: float
    thresholds: list[float | None]
    """Of each look at a passage; null while nobody can be matched."""
    last_look_thresholds: list[float | None]
    """Of the last look at a passage that ended with one face, two and so on; empty where each face
    is decided on alone."""
    false_alerts: float
    """To expect in 10,000 passages of strangers, at most."""
    measured_fnir: list[MissesShown]
    """Empty where nothing was measured."""


class Ready(Shown):
    """Whether the server does its work."""

    status: Literal["ready", "problem"]
    problem: str | None
    warning: str | None
    """What the server has to do without."""
    watchlist: int
    """How many people are matched at present."""
    target_fpir: float
    threshold: float | None
    """Null while nobody can be matched."""
    operating_points: list[OperatingPointShown]
    extrapolation: str | None
    """What to know about the rates if the watch-list is longer than those measured."""
    in_flight: int


class Document(BaseModel):
    """A description of the API."""

    model_config = ConfigDict(extra="allow")
