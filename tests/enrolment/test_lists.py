"""Lists in CSV and JSON."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest

from susracker.enrolment.lists import COLUMNS, read_list, write_example
from susracker.errors import InputError


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def people(path: Path) -> list[Any]:
    """Of a list in which no row is bad."""
    found, bad = read_list(path)
    assert bad == []
    return found


def problems(path: Path) -> list[str]:
    """What is wrong with a list, or with its rows."""
    try:
        _, bad = read_list(path)
    except InputError as error:
        return [str(error)]
    return [f"{one.path}: {one.detail}" for one in bad]


def test_csv_rows_of_one_person_join(tmp_path: Path) -> None:
    path = write(
        tmp_path / "people.CSV",
        "photo,name,age,crimes,threat,status,case,expires\n"
        'a/1.jpg,"Doe, Jo",40,arson; robbery,high,wanted,A-1,2026-12-31\n'
        "\n"
        "b.jpg,Max Roe,,,,,,\n"
        'a/2.jpg,"Doe, Jo",,,,,A-1,\n',
    )
    jo, max_roe = people(path)
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
    (zoe,) = people(path)
    assert (zoe.fields, zoe.photos) == ({"name": "Zoë"}, [tmp_path / "z.jpg"])


def test_the_same_name_with_another_case_is_someone_else(tmp_path: Path) -> None:
    path = write(tmp_path / "people.csv", "photo,name,case\n1.jpg,Jo,A\n2.jpg,Jo,B\n")
    assert [person.fields["case_reference"] for person in people(path)] == ["A", "B"]


def test_json_says_the_same(tmp_path: Path) -> None:
    rows = [
        {"photo": "1.jpg", "name": "Jo", "age": 40, "crimes": ["arson", "robbery; armed"]},
        {"photo": "/abs/2.jpg", "name": "Jo", "age": None, "threat": "", "expires": "2026-12-31"},
    ]
    (jo,) = people(write(tmp_path / "people.json", json.dumps(rows)))
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
        (
            "photo,name,nick\n",
            "line 1: unknown column 'nick': rename it or take it out; known: photo, name",
        ),
        ("photo,name,name\n", "line 1: the column 'name' appears twice"),
        ("photo,name\n1.jpg,Jo\n,Jo\n", "line 3: photo is missing"),
        ("photo,name\n1.jpg\n", "line 2: name is missing"),
        ("photo,name\n1.jpg,Doe,Jo\n", "line 2: 3 cells, but 2 columns"),
        ("photo,name,age\n1.jpg,Jo,old\n", "line 2: age: "),
        ("photo,name,threat\n,,huge\n", "line 2: photo is missing; name is missing; threat: "),
        ('photo,name\n1.jpg,"Jo\n', "line 2: "),
        ("photo,name,age\n1.jpg,Jo,40\n2.jpg,Jo,41\n", "line 3: age is '41', but '40' in an"),
    ],
)
def test_a_bad_csv_names_the_line(tmp_path: Path, text: str, message: str) -> None:
    path = write(tmp_path / "people.csv", text)
    (problem,) = problems(path)
    assert problem.startswith(str(path))
    assert message in problem


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
    (problem,) = problems(path)
    assert problem.startswith(str(path))
    assert message in problem


def test_a_list_that_is_not_utf_8_is_told_so(tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    path.write_bytes("photo,name\n1.jpg,Zoë\n".encode("latin-1"))
    with pytest.raises(InputError, match="is not UTF-8"):
        read_list(path)


# -- as spreadsheets save lists -------------------------------------------------------------------

SHEET = [
    ["Photo", "Name", "Crimes", "Threat", "Status"],
    ["z.jpg", "Zoë 王", "robbery, fraud", "High", "WANTED"],
    ["m.jpg", "Max; Roe", "arson; theft\nriot", "low", ""],
]
KNOWN = [
    {"name": "Zoë 王", "crimes": ["robbery", "fraud"], "threat": "high", "status": "wanted"},
    {"name": "Max; Roe", "crimes": ["arson", "theft", "riot"], "threat": "low"},
]


def sheet(delimiter: str, rows: list[list[str]]) -> str:
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter).writerows(rows)
    return text.getvalue()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_a_spreadsheet_may_choose_encoding_and_delimiter(
    tmp_path: Path, encoding: str, delimiter: str
) -> None:
    path = tmp_path / "people.csv"
    path.write_bytes(sheet(delimiter, SHEET).encode(encoding))
    assert [one.fields for one in people(path)] == KNOWN


def test_utf_16_of_either_byte_order_is_read(tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    path.write_bytes(b"\xfe\xff" + sheet("\t", SHEET).encode("utf-16-be"))
    assert [one.fields for one in people(path)] == KNOWN


def test_a_line_that_names_the_delimiter_is_obeyed_and_counted(tmp_path: Path) -> None:
    path = write(tmp_path / "people.csv", "sep=;\r\n" + sheet(";", SHEET))
    assert [one.fields for one in people(path)] == KNOWN
    path = write(tmp_path / "bad.csv", "sep=;\nphoto;name;age\n1.jpg;Jo;old\n")
    (problem,) = problems(path)
    assert problem.startswith(f"{path}, line 3: age: ")


def test_empty_cells_at_the_end_of_rows_do_not_count(tmp_path: Path) -> None:
    path = write(tmp_path / "people.csv", "photo,name,,\n1.jpg,Jo,,\n,,,\n2.jpg,Max,,,,\n")
    assert [one.fields["name"] for one in people(path)] == ["Jo", "Max"]


def test_all_bad_rows_are_told_and_the_good_ones_are_read(tmp_path: Path) -> None:
    path = write(
        tmp_path / "people.csv",
        "photo,name,age\n1.jpg,Jo,40\n,Max,\n2.jpg,Jo,41\n3.jpg,Ada,old\n4.jpg,Jo,\n5.jpg,a,b,c\n",
    )
    (jo,), bad = read_list(path)
    assert (jo.fields, len(jo.photos)) == ({"name": "Jo", "age": "40"}, 2)
    assert [one.path for one in bad] == [f"{path}, line {number}" for number in (3, 4, 5, 7)]
    assert {one.reason for one in bad} == {"bad row"}
    assert bad[0].detail == "photo is missing"
    assert "'40' in an earlier row of Jo" in bad[1].detail
    assert bad[3].detail == "4 cells, but 3 columns"


def test_a_bad_row_leaves_nothing_behind_in_the_person(tmp_path: Path) -> None:
    rows = "1.jpg,Jo,,high\n2.jpg,Jo,40,low\n3.jpg,Jo,41,\n"
    (jo,), bad = read_list(write(tmp_path / "people.csv", f"photo,name,age,threat\n{rows}"))
    assert len(bad) == 1
    assert jo.fields == {"name": "Jo", "threat": "high", "age": "41"}


def test_the_example_of_a_list_can_be_read(tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    write_example(path)
    assert path.read_bytes().startswith(b"\xef\xbb\xbfphoto,name,age")
    jo, max_roe = people(path)
    assert (len(jo.photos), jo.fields["crimes"]) == (2, ["robbery", "fraud"])
    assert jo.fields.keys() | {"photo"} == {*COLUMNS.values()}
    assert max_roe.fields == {"name": "Max Roe"}
    with pytest.raises(InputError, match="there already"):
        write_example(path)
    with pytest.raises(InputError, match=r"ends in \.csv"):
        write_example(tmp_path / "people.xlsx")
    with pytest.raises(InputError, match="cannot write"):
        write_example(tmp_path / "nowhere" / "people.csv")
