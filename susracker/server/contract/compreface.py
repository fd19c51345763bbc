"""What the routes take and answer that programs for CompreFace use."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, Field

from susracker.server.contract.alerts import Shown
from susracker.server.contract.others import Problem
from susracker.server.contract.people import Base64


class CompreFaceProblem(Problem):
    """What is wrong, with what programs for CompreFace look for."""

    message: str
    """The same as `detail`."""
    code: Literal[28] | None = None
    """28 if there is no face in the picture."""


class SentBase64(BaseModel):
    """A picture, in base64."""

    file: Base64


class SubjectName(BaseModel):
    """A person's name."""

    subject: Annotated[str, Field(min_length=1, max_length=200)]


class SubjectShown(Shown):
    """A person's name."""

    subject: str


class Subjects(Shown):
    """The names of everyone who is enrolled, each once."""

    subjects: list[str]


class Updated(Shown):
    """Whether someone was renamed."""

    updated: bool


class Deleted(Shown):
    """How many photos were removed."""

    deleted: int


class Example(Shown):
    """A photo, and the name of whom it shows."""

    image_id: str
    subject: str


class Examples(Shown):
    """A page of photos, by name."""

    faces: list[Example]
    page_number: int
    page_size: int
    total_pages: int
    total_elements: int


class FaceBox(Shown):
    """Where a face is, in pixels."""

    x_min: int
    y_min: int
    x_max: int
    y_max: int


class SubjectFound(Shown):
    """Someone whom a face resembles."""

    subject: str
    similarity: Annotated[float, Field(ge=0, le=1)]
    """From 0.99 for a match, below 0.4 for anyone else."""


class FaceRecognised(Shown):
    """A face, and whom it resembles, best first."""

    box: FaceBox
    subjects: list[SubjectFound]


class Recognised(Shown):
    """The faces in a picture, the largest first."""

    result: list[FaceRecognised]
