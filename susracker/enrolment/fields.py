"""Checks what is known of a person besides photos, for the command line and the API."""

from __future__ import annotations

import re
import unicodedata
import uuid
from collections.abc import Mapping
from datetime import datetime, time, timezone
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
)
from pydantic_core import ErrorDetails

from susracker.errors import InputError
from susracker.models import EDITABLE, Criminal, Status, Threat

MAX_CRIMES = 100

_CONTROL_CHARACTERS = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d.*")


def _clean(text: str) -> str:
    """Normalise Unicode, so that a name is the same whichever system it was typed on."""
    if _CONTROL_CHARACTERS.search(text):
        raise ValueError("must not contain control characters")
    return unicodedata.normalize("NFC", text)


def _unset_if_empty(value: object) -> object:
    """Treat an empty cell or form field as no value."""
    return None if isinstance(value, str) and not value.strip() else value


def _no_truth_value(value: object) -> object:
    """Refuse true and false. Pydantic alone would accept true as the number 1."""
    if isinstance(value, bool):
        raise ValueError("must be a number")
    return value


def _iso_8601(value: object) -> object:
    """Accept only ISO 8601; a date stands for the end of that day.

    Pydantic alone would also accept numbers, and would take a date for the beginning of the day.
    """
    if value is None or isinstance(value, datetime):
        return value
    if isinstance(value, str) and _DATE.fullmatch(value.strip()):
        return datetime.combine(datetime.fromisoformat(value.strip()), time.max, timezone.utc)
    if isinstance(value, str) and _MOMENT.fullmatch(value.strip()):
        return value
    raise ValueError("must be ISO 8601, such as 2026-12-31 or 2026-12-31T18:00:00Z")


def _in_utc(moment: datetime | None) -> datetime | None:
    if moment is None:
        return None
    if moment.tzinfo is None:
        raise ValueError("must have a time zone, such as 2026-12-31T18:00:00Z")
    try:
        return moment.astimezone(timezone.utc)
    except OverflowError as error:
        raise ValueError("is out of range") from error


Text = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_clean)]
Age = Annotated[int, Field(ge=0, le=150), BeforeValidator(_no_truth_value)]
Moment = Annotated[datetime | None, AfterValidator(_in_utc), BeforeValidator(_iso_8601)]


class CriminalFields(BaseModel):
    """The fields of a criminal that people edit.

    `expires_at` is ISO 8601: a time with its offset from UTC, or a date, which stands for the end
    of that day in UTC. An empty text leaves an optional field without a value. Texts are stripped
    of surrounding space and put into Unicode's composed form.
    """

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    name: Text
    age: Annotated[Age | None, BeforeValidator(_unset_if_empty)] = None
    crimes: Annotated[list[Text], Field(max_length=MAX_CRIMES)] = Field(default_factory=list)
    threat: Threat = "medium"
    status: Status = "wanted"
    case_reference: Annotated[Text | None, BeforeValidator(_unset_if_empty)] = None
    expires_at: Annotated[Moment, BeforeValidator(_unset_if_empty)] = None


def new_id() -> str:
    """Return an id that no record has yet."""
    return uuid.uuid4().hex


def criminal_from_fields(fields: Mapping[str, object]) -> Criminal:
    """Make a new criminal, with a new id, from values by name, as in JSON or a form.

    Args:
        fields: name, age, crimes, threat, status, case_reference, expires_at. Only the name is
            required; see `CriminalFields`.

    Raises:
        InputError: a field is wrong. The message is one line about each such field.
    """
    checked = _check(fields)
    values = {name: getattr(checked, name) for name in EDITABLE}
    values["crimes"] = tuple(checked.crimes)
    return Criminal(id=new_id(), created_at=datetime.now(timezone.utc), **values)


def edit_from_fields(fields: Mapping[str, object]) -> dict[str, Any]:
    """Make an edit for `Gallery.edit_criminal` from values by name; it changes only these.

    Raises:
        InputError: a field is wrong. The message is one line about each such field.
    """
    checked = _check({"name": "stays as it is"} | dict(fields))
    edit = {name: getattr(checked, name) for name in EDITABLE if name in fields}
    return edit | {"crimes": tuple(checked.crimes)} if "crimes" in fields else edit


def past_expiry(fields: Mapping[str, object], now: datetime) -> str | None:
    """What is wrong with a date of expiry that is past; None if there is none, or it is to come.

    Raises:
        InputError: a field is wrong.
    """
    expires_at = edit_from_fields(fields).get("expires_at")
    if expires_at is None or expires_at > now:
        return None
    who = fields.get("name", "they")
    return f"{expires_at:%Y-%m-%d %H:%M} UTC is past, so {who} would not be looked for"


def _check(values: Mapping[str, object]) -> CriminalFields:
    try:
        return CriminalFields.model_validate(values)
    except ValidationError as error:
        problems = {one["loc"][:1]: _problem_text(one) for one in reversed(error.errors())}
        raise InputError("; ".join(reversed(problems.values()))) from error


def _problem_text(problem: ErrorDetails) -> str:
    name = ".".join(map(str, problem["loc"]))
    if problem["type"] == "extra_forbidden":
        return f"no field is called {name!r}; there are: {', '.join(EDITABLE)}"
    if problem["type"] == "missing":
        return f"{name} is missing"
    if problem["type"] == "int_parsing":
        return f"{name}: must be a whole number"
    told = problem["msg"].removeprefix("Value error, ").replace("Input should", "must")
    return f"{name}: {told}"
