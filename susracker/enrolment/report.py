"""Records what happened to each photo."""

from __future__ import annotations

from dataclasses import dataclass, field

from susracker.errors import FaceRefusedError, PictureError, PictureTooLargeError

Refusal = PictureError | FaceRefusedError
"""Why a photo cannot be enrolled."""


@dataclass(frozen=True, slots=True)
class Refused:
    """A photo, or another file or folder, that was not enrolled.

    Attributes:
        path: the file or folder; for a photo in the store, `photo` and its id.
        reason: a few words, the same for every refusal of this kind.
        detail: more about this refusal; may be empty.
        person: name of the person whose photos do not fit together; empty for other reasons.
    """

    path: str
    reason: str
    detail: str = ""
    person: str = ""


def refused(path: str, refusal: Refusal, person: str = "") -> Refused:
    """Return the record of a refusal."""
    if isinstance(refusal, FaceRefusedError):
        detail = str(refusal).removeprefix(f"{refusal.reason}: ")
        return Refused(path, refusal.reason, detail, person)
    reason = "too large" if isinstance(refusal, PictureTooLargeError) else "not a picture"
    return Refused(path, reason, str(refusal))


@dataclass(slots=True)
class EnrolledPerson:
    """A person whom this run enrolled, edited or found enrolled.

    Attributes:
        is_new: whether this run added the person.
        is_edited: whether this run changed the fields of someone who was enrolled before.
        photos: how many photos this run stored.
        already_there: how many of the photos were stored for the person before.
    """

    id: str
    name: str
    is_new: bool
    is_edited: bool = False
    photos: int = 0
    already_there: int = 0


@dataclass(slots=True)
class Report:
    """What happened to every photo.

    Attributes:
        people: by id, in the order in which they were processed.
    """

    people: dict[str, EnrolledPerson] = field(default_factory=dict)
    refused: list[Refused] = field(default_factory=list)

    @property
    def photos(self) -> int:
        """How many photos this run stored."""
        return sum(person.photos for person in self.people.values())

    @property
    def already_there(self) -> int:
        """How many of the photos were stored before, for the same person."""
        return sum(person.already_there for person in self.people.values())
