"""What a route takes and answers: declared beside each one, with the models that check it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from pydantic import BaseModel

View = TypeVar("View", bound=Callable[..., Any])

_DECLARED = "declared_contract"


@dataclass(frozen=True, slots=True)
class Contract:
    """What a route takes and answers.

    Attributes:
        answer: what is answered when all goes well; None for nothing, or for what is no JSON.
        unread: what is answered instead if what was stored cannot be read back just then.
        status: of that answer.
        media: the types of the answer if it is not JSON.
        json: the body as JSON; None if the route takes none.
        form: the body as a form with files; None if the route takes none.
        if_match: whether an edit may name what it is based on by `If-Match`.
        idempotent: whether a repeat with the same `Idempotency-Key` does nothing.
        errors: statuses of errors besides those that follow from the rest.
        problems: what these errors say besides a `Problem`, by status.
    """

    answer: type[BaseModel] | None = None
    unread: type[BaseModel] | None = None
    status: int = 200
    media: tuple[str, ...] = ()
    json: type[BaseModel] | None = None
    form: type[BaseModel] | None = None
    if_match: bool = False
    idempotent: bool = False
    errors: tuple[int, ...] = ()
    problems: dict[int, type[BaseModel]] = field(default_factory=dict)


def contract(answer: type[BaseModel] | None = None, **more: Any) -> Callable[[View], View]:
    """Declare what a route takes and answers: the attributes of `Contract`."""

    def declare(view: View) -> View:
        setattr(view, _DECLARED, Contract(answer, **more))
        return view

    return declare


def declared_contract(view: Callable[..., Any]) -> Contract | None:
    """What a route takes and answers; None where nothing was declared."""
    found: Contract | None = getattr(view, _DECLARED, None)
    return found
