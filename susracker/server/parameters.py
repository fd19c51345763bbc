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

_NAMES, _TOLERANT = "declared_parameters", "tolerates_parameters"


def takes(model: type[BaseModel]) -> Callable[[View], View]:
    """Say which parameters a route takes: the fields of a model."""

    def declare(view: View) -> View:
        setattr(view, _NAMES, tuple(model.model_fields))
        return view

    return declare


def tolerant(view: View) -> View:
    """Ignore whatever old cameras append to the address of a route."""
    setattr(view, _TOLERANT, True)
    return view


def refuse_unknown_parameters(app: Flask) -> None:
    """Refuse requests with parameters that their route does not take, or takes only once."""

    @app.before_request
    def check() -> None:
        view = app.view_functions.get(request.endpoint or "")
        if request.args and view and not hasattr(view, _TOLERANT):
            _check((*getattr(view, _NAMES, ()), *EVERYWHERE))


def _check(known: tuple[str, ...]) -> None:
    for name, values in request.args.lists():
        if name not in known:
            meant = get_close_matches(name, known, n=1)
            hint = f"did you mean {meant[0]}?" if meant else f"it takes {', '.join(known)}"
            raise InputError(f"this route takes no parameter {name[:100]!r}: {hint}")
        if len(values) > 1:
            raise InputError(f"{name}: give it once")
