"""What became of the photos that were handed in."""

from __future__ import annotations

from dataclasses import dataclass, field

from susracker.errors import FaceRefusedError, PictureError

Refusal = PictureError | FaceRefusedError
"""Why a photo cannot be enrolled."""


@dataclass(frozen=True, slots=True)
class Refused:
    """A photo, or something in its place, that was not enrolled.

    Attributes:
        path: the file or folder; for a photo in the store, `photo` and its id.
        reason: a few words, the same for all that were refused for it.
        detail: what more there is to say; may be empty.
    """

    path: str
    reason: str
    detail: str = ""


def refused(path: str, refusal: Refusal) -> Refused:
    """The record of a refusal."""
    if isinstance(refusal, FaceRefusedError):
        return Refused(path, refusal.reason, str(refusal).removeprefix(f"{refusal.reason}: "))
    return Refused(path, "not a picture", str(refusal))


@dataclass(slots=True)
class EnrolledPerson:
    """Who was reached.

    Attributes:
        is_new: whether this run put the person on the list.
        is_edited: whether this run changed other fields of someone enrolled.
        photos: how many photos were stored.
        already_there: how many of the photos the person had already.
    """

    id: str
    name: str
    is_new: bool
    is_edited: bool = False
    photos: int = 0
    already_there: int = 0


@dataclass(slots=True)
class Report:
    """What became of every photo.

    Attributes:
        people: by id, in the order in which they were reached.
    """

    people: dict[str, EnrolledPerson] = field(default_factory=dict)
    refused: list[Refused] = field(default_factory=list)

    @property
    def photos(self) -> int:
        """How many photos were stored."""
        return sum(person.photos for person in self.people.values())

    @property
    def already_there(self) -> int:
        """How many photos were stored before, for the same person."""
        return sum(person.already_there for person in self.people.values())
