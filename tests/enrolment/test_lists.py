"""Lists in CSV and JSON."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from susracker.enrolment.lists import read_list
from susracker.errors import InputError


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def test_csv_rows_of_one_person_join(tmp_path: Path) -> None:
    path = write(
        tmp_path / "people.CSV",
        "photo,name,age,crimes,threat,status,case,expires\n"
        'a/1.jpg,"Doe, Jo",40,arson; robbery,high,wanted,A-1,2026-12-31\n'
        "\n"
        "b.jpg,Max Roe,,,,,,\n"
        'a/2.jpg,"Doe, Jo",,,,,A-1,\n',
    )
    jo, max_roe = read_list(path)
    assert jo.fields == {
        "name": "Doe, Jo",
        "age": "40",
        "crimes": ["arson", "robbery"],
        "threat": "high",
        "status": "wanted",
        "case_reference": "A-1",
        "expires_at": "2026-12-31",
    }
    assert jo.photos == [tmp_path / "a/1.jpg", tmp_path / "a/2.jpg"]
    assert (max_roe.fields, max_roe.photos) == ({"name": "Max Roe"}, [tmp_path / "b.jpg"])


def test_csv_as_a_spreadsheet_saves_it(tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    path.write_bytes("\ufeffName,Photo\r\nZoë,z.jpg\r\n".encode())
    (zoe,) = read_list(path)
    assert (zoe.fields, zoe.photos) == ({"name": "Zoë"}, [tmp_path / "z.jpg"])


def test_the_same_name_with_another_case_is_someone_else(tmp_path: Path) -> None:
    path = write(tmp_path / "people.csv", "photo,name,case\n1.jpg,Jo,A\n2.jpg,Jo,B\n")
    assert [person.fields["case_reference"] for person in read_list(path)] == ["A", "B"]


def test_json_says_the_same(tmp_path: Path) -> None:
    rows = [
        {"photo": "1.jpg", "name": "Jo", "age": 40, "crimes": ["arson", "robbery; armed"]},
        {"photo": "/abs/2.jpg", "name": "Jo", "age": None, "threat": "", "expires": "2026-12-31"},
    ]
    (jo,) = read_list(write(tmp_path / "people.json", json.dumps(rows)))
    assert jo.fields == {
        "name": "Jo",
        "age": 40,
        "crimes": ["arson", "robbery; armed"],
        "expires_at": "2026-12-31",
    }
    assert jo.photos == [tmp_path / "1.jpg", Path("/abs/2.jpg")]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "line 1: the column 'photo' is missing"),
        ("photo\n1.jpg\n", "line 1: the column 'name' is missing"),
        ("photo,name\n", "lists nobody"),
        ("photo,name,nick\n", "line 1: unknown column 'nick'; known: photo, name, age"),
        ("photo,name,name\n", "line 1: the column 'name' appears twice"),
        ("photo,name\n1.jpg,Jo\n,Jo\n", "line 3: photo must be the path of a file"),
        ("photo,name\n1.jpg\n", "line 2: name is missing"),
        ("photo,name\n1.jpg,Doe,Jo\n", "line 2: 3 cells, but 2 columns"),
        ("photo,name,age\n1.jpg,Jo,old\n", "line 2: age: "),
        ('photo,name\n1.jpg,"Jo\n', "line 2: "),
        ("photo,name,age\n1.jpg,Jo,40\n2.jpg,Jo,41\n", "line 3: age is '41', but '40' in an"),
    ],
)
def test_a_bad_csv_names_the_line(tmp_path: Path, text: str, message: str) -> None:
    path = write(tmp_path / "people.csv", text)
    with pytest.raises(InputError) as caught:
        read_list(path)
    assert str(caught.value).startswith(str(path))
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[\n{]", "line 2: "),
        ("{}", "must be an array"),
        ("[]", "lists nobody"),
        ("[1]", "entry 1: must be an object"),
        ('[{"photo": "1.jpg"}]', "entry 1: the column 'name' is missing"),
        ('[{"photo": "1.jpg", "name": "Jo", "nick": 1}]', "entry 1: unknown column 'nick'"),
        ('[{"photo": 1, "name": "Jo"}]', "entry 1: photo must be the path of a file"),
        ('[{"photo": "a\\u0000", "name": "Jo"}]', "entry 1: photo must be the path of a file"),
        ('[{"photo": "\\ud800", "name": "Jo"}]', "entry 1: photo must be the path of a file"),
        ("[" * 100_000, "cannot be read as JSON"),
        ("[" + "9" * 5000 + "]", "cannot be read as JSON"),
        ('[{"photo": "1.jpg", "name": "Jo", "crimes": "arson"}]', "entry 1: crimes: "),
        ('[{"photo": "1.jpg", "name": "Jo", "age": -1}]', "entry 1: age: "),
    ],
)
def test_a_bad_json_names_the_entry(tmp_path: Path, text: str, message: str) -> None:
    path = write(tmp_path / "people.json", text)
    with pytest.raises(InputError) as caught:
        read_list(path)
    assert str(caught.value).startswith(str(path))
    assert message in str(caught.value)


def test_a_list_that_is_not_utf_8_is_told_so(tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    path.write_bytes("photo,name\n1.jpg,Zoë\n".encode("latin-1"))
    with pytest.raises(InputError, match="is not UTF-8"):
        read_list(path)
