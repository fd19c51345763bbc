"""Lists of people, and what becomes of each person, as routes take and answer them."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel

from susracker.server.contract.alerts import Shown
from susracker.server.contract.others import Problem
from susracker.server.contract.people import CriminalShown, File


class SentList(BaseModel):
    """A form with the file of a list, whatever its field is called."""

    name: str
    """Of the file: it ends in .csv or .json."""
    file: File


class ListedPersonShown(Shown):
    """A person in a list."""

    fields: dict[str, Any]
    """Those that the list gives, to be sent with the photos to `/api/enrolments`."""
    photos: list[str]
    """Paths, from the folder of the list."""


class BadRow(Shown):
    """A row in which something is wrong."""

    where: str
    problem: str


class ListRead(Shown):
    """Who is in a list."""

    people: list[ListedPersonShown]
    bad_rows: list[BadRow]


class PhotoEnrolled(Shown):
    """What became of a photo."""

    fate: Literal["added", "enrolled already", "refused"]
    why: str | None
    """Why it was refused."""


class Enrolled(Shown):
    """What became of a person."""

    id: str
    name: str
    is_new: bool
    is_edited: bool
    """Whether fields of someone who was enrolled before were changed."""
    photos: list[PhotoEnrolled]
    """In the order in which they were sent."""


class NothingEnrolled(Problem):
    """Each photo was refused, so nothing was stored."""

    photos: list[PhotoEnrolled]
    """In the order in which they were sent."""


class LookalikeShown(Shown):
    """Two people whose faces are nearly the same: perhaps one person under two names."""

    criminal: CriminalShown
    """One of those who were asked about."""
    other: CriminalShown
    distance: float
    """Between their nearest photos; at most 0.27, and under 0.1 for copies of one photo."""


class Lookalikes(Shown):
    """Who looks like someone enrolled under another name."""

    pairs: list[LookalikeShown]
    """Each pair once, the nearest first."""
    left_out: int
    """How many more pairs there are."""
