"""The plan of the site, keys, retention and searches for a face, as routes give and take them."""

from __future__ import annotations

from datetime import date

from pydantic import AwareDatetime, BaseModel

from susracker.oversight import KeyState, Role
from susracker.server.contract.alerts import CandidateShown, Shown
from susracker.server.contract.people import Base64, File, QualityShown


class SentPhoto(BaseModel):
    """A photo, in base64."""

    image: Base64


class SentFile(BaseModel):
    """A form with one file, whatever its field is called."""

    file: File


class BoxShown(Shown):
    """A rectangle in pixels; `right` and `bottom` lie just outside it."""

    left: float
    top: float
    right: float
    bottom: float


class CandidateWithPhoto(CandidateShown):
    """Someone whom a face resembles."""

    photo: str | None
    """Id of an enrolment photo."""


class FoundFace(Shown):
    """A face in a photo."""

    box: BoxShown
    is_match: bool
    """Whether the first candidate's score reaches the threshold."""
    candidates: list[CandidateWithPhoto]
    """The people whom the face resembles most, best first, whether or not they match."""


class PersonNamed(Shown):
    """A person by id and name."""

    id: str
    name: str


class Enrolment(Shown):
    """What would become of a photo if it were enrolled."""

    enrolled_as: PersonNamed | None
    """Whose photo it is already."""
    refused: str | None
    """Why it could not be enrolled."""
    box: BoxShown | None
    quality: QualityShown | None


class Found(Shown):
    """Whom the faces in a photo resemble, the largest face first."""

    width: int
    height: int
    faces: list[FoundFace]
    enrolment: Enrolment


class KeyShown(Shown):
    """A key, without its secret."""

    id: str
    name: str
    role: Role
    cameras: str
    """The pattern of the cameras that a camera's key may post for."""
    state: KeyState
    created_at: AwareDatetime
    expires_at: AwareDatetime | None
    revoked_at: AwareDatetime | None
    last_used_at: AwareDatetime | None


class NewKeyShown(KeyShown):
    """A key with its text, which is shown only once."""

    key: str


class Keys(Shown):
    """All keys, by the time at which they were made."""

    keys: list[KeyShown]
    next: str | None = None
    """With `limit`: what to send as `after` for the next page; null on the last one."""


class Retention(Shown):
    """How long what is kept."""

    days: dict[str, float]
    """By the name of the setting; 0 is no limit."""
    records_detections: bool
    encrypted: bool


class PlanShown(Shown):
    """The plan of the site."""

    digest: str
    media_type: str


class PlaceShown(Shown):
    """Where a camera is, as shares of the plan's width and height."""

    camera_id: str
    x: float
    y: float


class SiteShown(Shown):
    """The plan of the site, and the cameras on it."""

    plan: PlanShown | None
    places: list[PlaceShown]


class CameraDayShown(Shown):
    """What a camera sent on a day, in UTC."""

    camera_id: str
    day: date
    detections: int
    searches: int
    """Passages, or faces, that were compared with the watch-list."""
    alerts: int


class CameraDays(Shown):
    """What each camera sent on each day."""

    days: list[CameraDayShown]
