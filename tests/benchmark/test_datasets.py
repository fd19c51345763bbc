"""Folders of people, lists of pairs, labels."""

from __future__ import annotations

import numpy as np
import pytest

from susracker.benchmark.datasets import read_dataset, read_pairs
from susracker.benchmark.labels import read_labels
from susracker.errors import InputError

COUNTS = {"Ada": 4, "Bob": 2, "Cy": 1, "Di": 1}


@pytest.fixture
def folder(tmp_path):
    for name, count in COUNTS.items():
        (tmp_path / "people" / name).mkdir(parents=True)
        for number in range(1, count + 1):
            (tmp_path / "people" / name / f"{name}_{number:04}.jpg").write_bytes(b"")
    (tmp_path / "people" / "readme.txt").write_text("no person")
    (tmp_path / "people" / "empty").mkdir()
    return tmp_path / "people"


def write(folder, text):
    file = folder / "list.txt"
    file.write_text(text)
    return file


def test_a_folder_a_person(folder):
    dataset = read_dataset(folder)
    assert {name: len(photos) for name, photos in dataset.people.items()} == COUNTS
    assert dataset.photos[0].name == "Ada_0001.jpg"


def test_frames_of_passes_are_folders_of_their_person(folder):
    for name, frames in (("Ada", 3), ("Zoe", 2)):
        for number in range(frames):
            file = folder / name / "gate" / f"{number}.jpg"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(b"")
    (folder / "Ada" / "nothing").mkdir()
    dataset = read_dataset(folder)
    assert {name: len(photos) for name, photos in dataset.people.items()} == COUNTS | {"Zoe": 0}
    passes = {name: [len(one) for one in found] for name, found in dataset.passes.items()}
    assert passes == {"Ada": [3], "Zoe": [2]}
    assert len(dataset.photos) == sum(COUNTS.values()) + 5
    labels = read_labels(write(folder, "person,group\nZoe,a\n"), dataset)
    assert len(labels.groups) == 2


def test_a_limit_draws_the_same_people_again(folder):
    drawn = [list(read_dataset(folder, 2, seed).people) for seed in (0, 0, 1, 2, 3)]
    assert drawn[0] == drawn[1]
    assert {len(names) for names in drawn} == {2}
    assert len({tuple(names) for names in drawn}) > 1


@pytest.mark.parametrize("name", ["people/Ada", "nowhere"])
def test_a_folder_without_people_is_an_error(folder, name):
    with pytest.raises(InputError, match=r"no people|no such folder"):
        read_dataset(folder.parent / name)


def test_pairs_in_folds(folder):
    lines = ["2\t1", "Ada\t1\t2", "Ada\t1\tBob\t1", "Bob\t1\t2", "Cy\t1\tDi\t1"]
    pairs = read_pairs(write(folder, "\n".join(lines)), read_dataset(folder))
    assert [[pair.same for pair in fold] for fold in pairs.folds] == [[True, False]] * 2
    assert pairs.folds[1][1].second.name == "Di_0001.jpg"
    assert not pairs.missing


def test_pairs_without_folds_are_dealt_of_each_kind(folder):
    lines = ["20", *["Ada\t1\t2"] * 20, *["Ada\t1\tBob\t1"] * 20]
    pairs = read_pairs(write(folder, "\n".join(lines)), read_dataset(folder))
    assert [[pair.same for pair in fold] for fold in pairs.folds] == [
        [True, True, False, False]
    ] * 10


def test_pairs_of_photos_that_are_missing_are_left_out_and_named(folder):
    lines = ["2\t1", "Ada\t1\t9", "Ada\t1\tBob\t1", "Bob\t1\t2", "Eve\t1\tDi\t1"]
    pairs = read_pairs(write(folder, "\n".join(lines)), read_dataset(folder))
    assert [len(fold) for fold in pairs.folds] == [1, 1]
    assert list(pairs.missing) == ["Ada_0009", "Eve_0001"]


@pytest.mark.parametrize("text", ["", "ten", "1\nAda", "1\nAda\t1\tBob", "1\nAda\t1\t2\t3\t4"])
def test_what_is_no_list_of_pairs_is_an_error(folder, text):
    with pytest.raises(InputError, match=r"list\.txt"):
        read_pairs(write(folder, text), read_dataset(folder))


def test_labels_of_people_and_of_photos(folder):
    dataset = read_dataset(folder)
    by_person = read_labels(write(folder, "person,age\nAda,old\nCy,young\nEve,old\n"), dataset)
    assert by_person.unknown == ["Eve"]
    groups = {group: flags.sum() for _, group, flags in by_person.among(dataset.photos)}
    assert groups == {"old": 4, "young": 1}
    by_photo = read_labels(
        write(folder, "photo,light,hat\nAda/Ada_0002.jpg,dim,\nBob/Bob_0001.jpg,dim,yes\n"),
        dataset,
    )
    found = {(c, g): np.flatnonzero(f).tolist() for c, g, f in by_photo.among(dataset.photos)}
    assert found == {("hat", "yes"): [4], ("light", "dim"): [1, 4]}


@pytest.mark.parametrize("text", ["", "name,age\nAda,old\n", "person\nAda\n"])
def test_what_are_no_labels_is_an_error(folder, text):
    with pytest.raises(InputError, match=r"list\.txt"):
        read_labels(write(folder, text), read_dataset(folder))
