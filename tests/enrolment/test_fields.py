"""Which values a field of a person accepts."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from susracker.enrolment.fields import criminal_from_fields, edit_from_fields
from susracker.errors import InputError


def test_a_name_is_enough() -> None:
    before = datetime.now(timezone.utc)
    criminal = criminal_from_fields({"name": "Jo Doe"})
    assert (criminal.name, criminal.threat, criminal.status) == ("Jo Doe", "medium", "wanted")
    assert (criminal.age, criminal.crimes, criminal.expires_at) == (None, (), None)
    assert criminal.created_at is not None
    assert before <= criminal.created_at <= datetime.now(timezone.utc)


def test_each_new_criminal_has_an_id_of_its_own() -> None:
    assert len({criminal_from_fields({"name": "Jo"}).id for _ in range(100)}) == 100


def test_all_fields_as_json_has_them() -> None:
    criminal = criminal_from_fields(
        {
            "name": " Jo Doe ",
            "age": 0,
            "crimes": ["robbery", " arson "],
            "threat": "high",
            "status": "apprehended",
            "case_reference": "A-1",
            "expires_at": "2026-12-31T18:00:00+02:00",
        }
    )
    assert criminal.name == "Jo Doe"
    assert criminal.age == 0
    assert criminal.crimes == ("robbery", "arson")
    assert criminal.expires_at == datetime(2026, 12, 31, 16, tzinfo=timezone.utc)
    assert criminal.expires_at.tzinfo is timezone.utc


def test_a_date_lasts_until_its_end() -> None:
    criminal = criminal_from_fields({"name": "Jo", "expires_at": "2026-12-31"})
    end = datetime(2027, 1, 1, tzinfo=timezone.utc)
    assert criminal.is_wanted(end - timedelta(seconds=1))
    assert not criminal.is_wanted(end)


def test_an_edit_is_of_what_is_given() -> None:
    assert edit_from_fields({}) == {}
    edit = edit_from_fields({"threat": "high", "age": "", "crimes": [" arson "], "name": " Jo "})
    assert edit == {"threat": "high", "age": None, "crimes": ("arson",), "name": "Jo"}


@pytest.mark.parametrize("fields", [{"name": ""}, {"threat": "extreme"}, {"id": "8"}])
def test_an_edit_is_checked(fields: dict[str, object]) -> None:
    with pytest.raises(InputError):
        edit_from_fields(fields)


def test_an_empty_text_is_no_value() -> None:
    criminal = criminal_from_fields(
        {"name": "Jo", "age": "", "case_reference": " ", "expires_at": ""}
    )
    assert (criminal.age, criminal.case_reference, criminal.expires_at) == (None, None, None)


def test_a_name_is_the_same_however_its_accents_are_written() -> None:
    composed, decomposed = "Zoë", "Zoe\u0308"
    assert criminal_from_fields({"name": decomposed}).name == composed


def test_every_wrong_field_is_said_once() -> None:
    with pytest.raises(InputError) as caught:
        criminal_from_fields({"age": "x", "threat": "huge", "crimes": ["", "", 5]})
    told = [problem.partition(":")[0] for problem in str(caught.value).split("; ")]
    assert told == ["name is missing", "age", "crimes.0", "threat"]


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({}, "name is missing"),
        ({"name": "  "}, "name: "),
        ({"name": "x" * 201}, "name: "),
        ({"name": "a\nb"}, "name: must not contain control characters"),
        ({"name": "a\x1b[31mb"}, "name: must not contain control characters"),
        ({"name": "\ud800"}, "name: "),
        ({"name": 5}, "name: "),
        ({"name": None}, "name: "),
        ({"age": -1}, "age: "),
        ({"age": 151}, "age: "),
        ({"age": True}, "age: must be a number"),
        ({"age": 30.5}, "age: "),
        ({"age": "thirty"}, "age: must be a whole number"),
        ({"threat": "huge"}, "threat: must be 'low', 'medium' or 'high'"),
        ({"threat": None}, "threat: "),
        ({"status": "free"}, "status: "),
        ({"crimes": "arson"}, "crimes: "),
        ({"crimes": ["arson", ""]}, "crimes.1: "),
        ({"crimes": ["x"] * 101}, "crimes: "),
        ({"case_reference": "x" * 201}, "case_reference: "),
        ({"expires_at": 1_700_000_000}, "expires_at: must be ISO 8601"),
        ({"expires_at": "31.12.2026"}, "expires_at: must be ISO 8601"),
        ({"expires_at": "2026-13-01"}, "expires_at: "),
        ({"expires_at": "2026-12-31T18:00"}, "expires_at: must have a time zone"),
        ({"expires_at": "0001-01-01T00:00:00+10:00"}, "expires_at: is out of range"),
        ({"id": "7"}, "no field is called 'id'; there are: name, age,"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(fields: dict[str, object], message: str) -> None:
    with pytest.raises(InputError) as caught:
        criminal_from_fields({"name": "Jo"} | fields if fields else fields)
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)
