"""The query parameters of a route: declared beside it, and all others are refused, so that a
mistyped filter does not show everything."""

from __future__ import annotations

from collections.abc import Callable
from difflib import get_close_matches
from typing import Any, TypeVar

from flask import Flask, request
from pydantic import BaseModel

from susracker.errors import InputError

View = TypeVar("View", bound=Callable[..., Any])

EVERYWHERE = ("reason",)
"""What each route takes; the audit log keeps it."""

_MODEL, _TOLERANT = "declared_parameters", "tolerates_parameters"


def takes(model: type[BaseModel]) -> Callable[[View], View]:
    """Say which parameters a route takes: the fields of a model."""

    def declare(view: View) -> View:
        setattr(view, _MODEL, model)
        return view

    return declare


def declared_parameters(view: Callable[..., Any]) -> type[BaseModel] | None:
    """The model of the parameters that a route takes; None if it takes none."""
    found: type[BaseModel] | None = getattr(view, _MODEL, None)
    return found


def is_tolerant(view: Callable[..., Any]) -> bool:
    """Whether a route ignores parameters that it does not take."""
    return hasattr(view, _TOLERANT)


def tolerant(view: View) -> View:
    """Ignore whatever old cameras append to the address of a route."""
    setattr(view, _TOLERANT, True)
    return view


def refuse_unknown_parameters(app: Flask) -> None:
    """Refuse requests with parameters that their route does not take, or takes only once."""

    @app.before_request
    def check() -> None:
        view = app.view_functions.get(request.endpoint or "")
        if request.args and view and not is_tolerant(view):
            model = declared_parameters(view)
            _check((*(model.model_fields if model else ()), *EVERYWHERE))


def _check(known: tuple[str, ...]) -> None:
    for name, values in request.args.lists():
        if name not in known:
            meant = get_close_matches(name, known, n=1)
            hint = f"did you mean {meant[0]}?" if meant else f"it takes {', '.join(known)}"
            raise InputError(f"this route takes no parameter {name[:100]!r}: {hint}")
        if len(values) > 1:
            raise InputError(f"{name}: give it once")
