"""From paths to people."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from susracker.enrolment.sources import find_people, find_photos
from susracker.errors import InputError


def touch(*paths: Path) -> None:
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def test_a_folder_is_one_persons(tmp_path: Path) -> None:
    folder = tmp_path / "Jo_Van_Doe"
    touch(folder / "b.jpg", folder / "a.png", folder / "README", folder / ".DS_Store")
    found = find_people([folder], {"threat": "high"})
    (jo,) = found.people
    assert jo.fields == {"name": "Jo Van Doe", "threat": "high"}
    assert jo.photos == [folder / "README", folder / "a.png", folder / "b.jpg"]
    assert found.refused == []


def test_the_working_directory_has_a_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    touch(tmp_path / "Jo_Doe" / "a.jpg")
    monkeypatch.chdir(tmp_path / "Jo_Doe")
    assert find_people([Path(".")], {}).people[0].fields == {"name": "Jo Doe"}


def test_a_folder_of_folders_holds_one_person_each_and_all_is_accounted_for(
    tmp_path: Path,
) -> None:
    touch(tmp_path / "Jo" / "1.jpg", tmp_path / "Max" / "2.jpg", tmp_path / "Max" / "old" / "3.jpg")
    touch(tmp_path / "pairs.txt", tmp_path / ".hidden" / "4.jpg")
    (tmp_path / "Nobody").mkdir()
    found = find_people([tmp_path], {})
    assert [(person.fields["name"], person.photos) for person in found.people] == [
        ("Jo", [tmp_path / "Jo" / "1.jpg"]),
        ("Max", [tmp_path / "Max" / "2.jpg"]),
    ]
    assert {(Path(refusal.path).name, refusal.reason) for refusal in found.refused} == {
        ("pairs.txt", "in no person's folder"),
        ("old", "folder in a person's folder"),
        ("Nobody", "empty folder"),
    }


def test_one_person_in_several_places_is_one_person(tmp_path: Path) -> None:
    touch(tmp_path / "a" / "Jo_Doe" / "1.jpg", tmp_path / "b" / "Jo_Doe" / "2.jpg")
    (tmp_path / "b" / "people.csv").write_text("photo,name,age\n3.jpg,Jo Doe,40\n")
    paths = [tmp_path / "a", tmp_path / "b" / "Jo_Doe", tmp_path / "b" / "people.csv"]
    (jo,) = find_people(paths, {}).people
    assert jo.fields == {"name": "Jo Doe", "age": "40"}
    assert [path.name for path in jo.photos] == ["1.jpg", "2.jpg", "3.jpg"]


def test_a_list_knows_better_than_the_flags(tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    path.write_text("photo,name,threat\n1.jpg,Jo,high\n2.jpg,Max,\n")
    people = find_people([path], {"threat": "low"}).people
    assert [person.fields["threat"] for person in people] == ["high", "low"]


def test_the_photos_of_one_person_are_found_to_the_bottom(tmp_path: Path) -> None:
    touch(tmp_path / "x" / "a" / "1.jpg", tmp_path / "x" / "2.jpg", tmp_path / "3.jpg")
    touch(tmp_path / "x" / ".hidden" / "4.jpg")
    os.symlink(tmp_path / "x", tmp_path / "x" / "a" / "round")
    names = [path.name for path in find_photos([tmp_path / "x", tmp_path / "3.jpg"])]
    assert names == ["2.jpg", "1.jpg", "3.jpg"]


def test_what_cannot_be_understood_is_said_before_anything_is_done(tmp_path: Path) -> None:
    touch(tmp_path / "a.jpg", tmp_path / "people.csv", tmp_path / ("x" * 201) / "a.jpg")
    touch(tmp_path / "people.XLSX")
    for call, message in [
        (lambda: find_people([tmp_path / "a.jpg"], {}), "whose photo is .*a.jpg.*--name"),
        (lambda: find_people([tmp_path / "gone"], {}), "no such file or folder: .*gone"),
        (lambda: find_photos([tmp_path / "gone.jpg"]), "no such file or folder: .*gone"),
        (lambda: find_photos([tmp_path / "people.csv"]), "leave out --name and --id"),
        (lambda: find_people([tmp_path / "people.XLSX"], {}), "is a spreadsheet: save it as CSV"),
        (lambda: find_photos([tmp_path / "people.XLSX"]), "is a spreadsheet: save it as CSV"),
        (lambda: find_people([tmp_path], {}), "x{201}: name: "),
    ]:
        with pytest.raises(InputError, match=message):
            call()
