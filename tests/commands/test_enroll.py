"""`susracker enroll`, as it is typed."""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time

import pillow_heif
import pytest
from click.testing import CliRunner
from PIL import Image

from susracker.cli import main
from susracker.enrolment.enroller import Enroller
from susracker.faces.encoder import DlibEncoder
from susracker.plugins import open_store
from susracker.watchlist.scoring import load_scoring
from tests.enrolment import samples

PEOPLE_IN_SUBSET = 100

pillow_heif.register_heif_opener()  # only here: it writes HEIC


class OtherEncoder(DlibEncoder):
    """As after an update of the network."""

    id = "another-network"


@pytest.fixture
def url(tmp_path):
    return f"sqlite:///{tmp_path / 'people.db'}"


@pytest.fixture
def run(url):
    def call(*args, status=0):
        result = CliRunner().invoke(main, ["enroll", *map(str, args), "--store", url])
        assert result.exit_code == status, result.output
        return result

    return call


@pytest.fixture
def run_json(run):
    return lambda *args, status=0: json.loads(run(*args, "--json", status=status).stdout)


@pytest.fixture
def stored(url):
    """Name to contents of the photos, of everyone who is enrolled."""

    def read():
        with open_store(url) as store:
            return {
                one.name: [store.photo(photo).content for photo in store.photo_ids(one.id)]
                for one in store.criminals()
            }

    return read


@pytest.fixture
def criminals(url):
    def read():
        with open_store(url) as store:
            return store.criminals()

    return read


def write(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def test_one_photo_of_one_person_with_everything_known(tmp_path, run, criminals):
    photo = write(tmp_path / "jo.jpg", samples.hopper())
    flags = "--name,Jo Doe,--age,40,--crime,arson,--crime,robbery,--threat,high,--status"
    rest = ["apprehended", "--case", "A-1", "--expires", "2126-12-31"]
    result = run(photo, *flags.split(","), *rest)
    (jo,) = criminals()
    assert (jo.name, jo.age, jo.crimes) == ("Jo Doe", 40, ("arson", "robbery"))
    assert (jo.threat, jo.status, jo.case_reference) == ("high", "apprehended", "A-1")
    assert f"{jo.expires_at:%Y-%m-%d %H:%M}" == "2126-12-31 23:59"
    assert "enrolled 1 photo of 1 person (1 new)" in result.stdout
    assert f"{jo.id}  Jo Doe: new, 1 photo added" in result.stdout
    assert re.fullmatch("created the store sqlite:////.*/people.db\n", result.stderr)
    assert run(photo, *flags.split(","), *rest).stderr == ""


def test_a_folder_of_people_with_every_way_to_be_refused(tmp_path, run, stored):
    people = tmp_path / "people"
    write(people / "Grace_Hopper" / "1.jpg", samples.hopper())
    write(people / "Grace_Hopper" / "2.jpg", samples.hopper(80))
    write(people / "Grace_Hopper" / ".DS_Store", b"hidden")
    write(people / "Eileen_Collins" / "1.jpg", samples.collins())
    write(people / "Eileen_Collins" / "both.jpg", samples.two_faces())
    write(people / "Eileen_Collins" / "notes.txt", b"good photos")
    write(people / "Nobody" / "wall.jpg", samples.no_face())
    write(people / "Nobody" / "small.jpg", samples.too_small())
    write(people / "Nobody" / "blurred.jpg", samples.too_blurred())
    write(people / "Nobody" / "broken.jpg", samples.hopper()[:5000])
    write(people / "Nobody" / "empty.jpg", b"")
    write(people / "list.txt", b"")
    (people / "Nobody" / "gone.jpg").symlink_to(tmp_path / "nowhere.jpg")
    os.mkfifo(people / "Nobody" / "pipe.jpg")

    result = run(people)
    assert stored() == {
        "Grace Hopper": [samples.hopper(), samples.hopper(80)],
        "Eileen Collins": [samples.collins()],
    }
    assert "enrolled 3 photos of 2 people (2 new)" in result.stdout
    lines = [line.strip() for line in result.stdout.splitlines()]
    groups = {line for line in lines if line.partition(": ")[2].isdigit()}
    assert groups >= {
        "no face: 1",
        "several faces: 1",
        "too small: 1",
        "too blurred: 1",
        "not a picture: 3",
        "no such file: 1",
        "cannot be read: 1",
        "in no person's folder: 1",
    }
    assert "refused 10:" in lines
    assert any("put each photo into a folder named after its person" in line for line in lines)
    assert any("turn a photo that lies on its side upright" in line for line in lines)
    for name in ("both", "wall", "small", "blurred", "broken", "empty", "gone", "pipe"):
        assert sum(f"{name}.jpg" in line for line in lines) == 1


def test_json_tells_all_of_it(tmp_path, run_json, criminals):
    photo = write(tmp_path / "Jo_Doe" / "1.jpg", samples.hopper())
    write(tmp_path / "Jo_Doe" / "2.jpg", samples.hopper())
    blurred = write(tmp_path / "Jo_Doe" / "3.jpg", samples.too_blurred())
    told = run_json(photo.parent)
    (jo,) = criminals()
    assert told.pop("seconds") > 0
    (refusal,) = told.pop("refused")
    assert (refusal["path"], refusal["reason"]) == (str(blurred), "too blurred")
    assert told == {
        "enrolled_photos": 1,
        "already_there": 1,
        "encoded_anew": 0,
        "people": [
            {
                "id": jo.id,
                "name": "Jo Doe",
                "is_new": True,
                "is_edited": False,
                "photos": 1,
                "already_there": 1,
            }
        ],
        "looks_like": [],
        "interrupted": False,
    }


def test_a_second_run_decodes_nothing_and_stores_nothing_twice(
    tmp_path, run_json, stored, monkeypatch
):
    people = tmp_path / "people"
    write(people / "Grace_Hopper" / "1.jpg", samples.hopper())
    write(people / "Eileen_Collins" / "1.jpg", samples.collins())
    run_json(people)
    before = stored()
    write(people / "Eileen_Collins" / "2.jpg", samples.collins(80))
    prepared = []
    prepare = Enroller.prepare
    monkeypatch.setattr(
        Enroller,
        "prepare",
        lambda self, content: prepared.append(content) or prepare(self, content),
    )
    told = run_json(people)
    assert (told["enrolled_photos"], told["already_there"]) == (1, 2)
    assert prepared == [samples.collins(80)]
    assert stored() == before | {"Eileen Collins": [samples.collins(), samples.collins(80)]}
    told = run_json(people)
    assert (told["enrolled_photos"], told["already_there"]) == (0, 3)


def test_csv_and_json_lists(tmp_path, run, stored, criminals):
    write(tmp_path / "photos" / "h.jpg", samples.hopper())
    write(tmp_path / "photos" / "c.jpg", samples.collins())
    write(
        tmp_path / "people.csv",
        b"photo,name,age,crimes\nphotos/h.jpg,Grace Hopper,85,arson; robbery\n"
        b"photos/gone.jpg,Grace Hopper,,\n",
    )
    rows = [{"photo": "photos/c.jpg", "name": "Eileen Collins", "threat": "low", "crimes": ["x"]}]
    write(tmp_path / "people.json", json.dumps(rows).encode())
    result = run(tmp_path / "people.csv", tmp_path / "people.json", "--threat", "high")
    assert stored() == {"Grace Hopper": [samples.hopper()], "Eileen Collins": [samples.collins()]}
    collins, hopper = criminals()
    assert (hopper.age, hopper.crimes, hopper.threat) == (85, ("arson", "robbery"), "high")
    assert (collins.crimes, collins.threat) == (("x",), "low")
    assert "no such file: 1" in result.stdout


def test_photos_for_someone_enrolled_by_the_beginning_of_the_id(tmp_path, run, criminals, stored):
    run(write(tmp_path / "1.jpg", samples.hopper()), "--name", "Jo", "--age", "40")
    (jo,) = criminals()
    second = write(tmp_path / "2.jpg", samples.hopper(80))
    result = run(second, "--id", jo.id[:8], "--threat", "high", "--name", "Jo Doe")
    (after,) = criminals()
    assert (after.id, after.name, after.age, after.threat) == (jo.id, "Jo Doe", 40, "high")
    assert len(stored()["Jo Doe"]) == 2
    assert "edited, 1 photo added" in result.stdout
    assert "nobody is enrolled" in run(second, "--id", "x", status=1).stderr


def test_a_photo_that_is_there_already_still_edits(tmp_path, run_json, criminals):
    photo = write(tmp_path / "1.jpg", samples.hopper())
    run_json(photo, "--name", "Jo")
    told = run_json(photo, "--name", "Jo", "--status", "apprehended")
    assert criminals()[0].status == "apprehended"
    assert (told["enrolled_photos"], told["people"][0]["is_edited"]) == (0, True)


def test_one_of_several_people_of_a_name_is_not_guessed(tmp_path, run, stored):
    run(write(tmp_path / "1.jpg", samples.hopper()), "--name", "Jo", "--case", "A")
    run(write(tmp_path / "2.jpg", samples.collins()), "--name", "Jo", "--case", "B")
    third = write(tmp_path / "3.jpg", samples.hopper(80))
    result = run(third, "--name", "Jo", status=1)
    assert "several people of that name: 1" in result.stdout
    assert "--id" in result.stdout
    run(third, "--name", "Jo", "--case", "A")


def test_one_face_under_two_names_is_told(tmp_path, run, run_json, stored):
    run(write(tmp_path / "1.jpg", samples.hopper()), "--name", "Grace Hopper")
    told = run_json(write(tmp_path / "2.jpg", samples.hopper(80)), "--name", "Amazing Grace")
    (pair,) = told["looks_like"]
    assert {pair["name"], pair["other_name"]} == {"Grace Hopper", "Amazing Grace"}
    assert pair["distance"] < 0.1
    assert stored().keys() == {"Grace Hopper", "Amazing Grace"}
    result = run(tmp_path / "2.jpg", "--name", "Amazing Grace")
    assert "look alike" in result.stdout
    assert "Grace Hopper" in result.stdout


def test_two_people_are_not_told_to_look_alike(tmp_path, run_json):
    write(tmp_path / "people" / "a" / "1.jpg", samples.hopper())
    write(tmp_path / "people" / "b" / "1.jpg", samples.collins())
    assert run_json(tmp_path / "people")["looks_like"] == []


def test_the_same_file_under_another_name_is_refused(tmp_path, run, stored):
    photo = write(tmp_path / "1.jpg", samples.hopper())
    run(photo, "--name", "Grace Hopper")
    result = run(photo, "--name", "Someone Else", status=1)
    assert "enrolled as someone else: 1" in result.stdout
    assert "Grace Hopper" in result.stdout
    assert stored().keys() == {"Grace Hopper"}


def test_a_new_encoder_first_encodes_what_is_stored(tmp_path, run, run_json, url, monkeypatch):
    run(write(tmp_path / "1.jpg", samples.hopper()), "--name", "Grace Hopper")
    scoring = load_scoring(DlibEncoder.id)
    monkeypatch.setattr("susracker.commands.enroll.open_encoder", lambda name: OtherEncoder())
    monkeypatch.setattr("susracker.commands.enroll.load_scoring", lambda encoder_id: scoring)
    told = run_json(write(tmp_path / "2.jpg", samples.collins()), "--name", "Eileen Collins")
    assert (told["encoded_anew"], told["enrolled_photos"]) == (1, 1)
    with open_store(url) as store:
        assert len(store.template_counts(OtherEncoder.id)) == 2


@pytest.mark.parametrize(
    ("args", "said"),
    [
        ([], "name photos, folders or lists"),
        (["gone"], "no such file or folder: gone"),
        (["photo.jpg"], "--name"),
        (["photo.jpg", "--name", " "], "name: "),
        (["photo.jpg", "--name", "Jo", "--age", "200"], "Error: --age: "),
        (["photo.jpg", "--age", "-3"], "Error: --age: "),
        (["photo.jpg", "--name", "Jo", "--expires", "soon"], "Error: --expires: must be ISO 8601"),
        (["photo.jpg", "--name", "Jo", "--threat", "huge"], "'huge' is not one of"),
        (["bad.csv"], "bad.csv, line 3: age: "),
        (["bad.csv", "--name", "Jo"], "leave out --name"),
        (["empty", "--name", "Jo"], "there is no photo in empty"),
        (["photo.jpg", "--name", "Jo", "--workers", "0"], "workers"),
        (["photo.jpg", "--name", "Jo", "--encoder", "eyes"], "there are: dlib"),
    ],
)
def test_a_usage_error_is_reported_before_anything_is_stored(
    tmp_path, run, url, monkeypatch, args, said
):
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "photo.jpg", samples.hopper())
    write(tmp_path / "bad.csv", b"photo,name,age\nphoto.jpg,Jo,40\nphoto.jpg,Max,old\n")
    (tmp_path / "empty").mkdir()
    result = run(*args, status=2)
    assert said in result.stderr
    assert result.stdout == ""
    with open_store(url) as store:
        assert store.criminals() == []


# -- the real program, interrupted -----------------------------------------------------------------


@pytest.fixture
def lfw_people(tmp_path):
    if not samples.LFW.is_dir():
        pytest.skip("the photos of shared/data/lfw-dev are not here")
    people = tmp_path / "people"
    people.mkdir()
    for folder in sorted(path for path in samples.LFW.iterdir() if path.is_dir())[
        :PEOPLE_IN_SUBSET
    ]:
        shutil.copytree(folder, people / folder.name)
    return people


def start(people, url):
    # One worker, so that there is something left to do when the signal comes.
    flags = ["--store", url, "--workers", "1", "--json"]
    return subprocess.Popen(
        [sys.executable, "-m", "susracker", "enroll", str(people), *flags],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def photos_in(url):
    with open_store(url) as store:
        return sum(len(store.photo_ids(one.id)) for one in store.criminals())


def wait_for_photos(url, process):
    """Until some photos are stored, but before the process is at its end."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        assert process.poll() is None, process.communicate()
        if (found := photos_in(url)) > 0:
            return found
        time.sleep(0.02)
    raise AssertionError("nothing was stored")


@pytest.mark.parametrize(
    ("number", "status"),
    [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGKILL, -signal.SIGKILL)],
)
def test_an_interrupted_run_keeps_what_it_did_and_the_next_does_the_rest(
    lfw_people, url, run_json, number, status
):
    process = start(lfw_people, url)
    before = wait_for_photos(url, process)
    process.send_signal(number)
    stdout, stderr = process.communicate(timeout=60)
    assert process.returncode == status
    assert stderr == ""
    kept = photos_in(url)
    assert kept >= before
    if number != signal.SIGKILL:
        told = json.loads(stdout)
        assert told["interrupted"]
        assert told["enrolled_photos"] == kept

    files = sum(1 for path in lfw_people.rglob("*.jpg"))
    told = run_json(lfw_people)
    assert told["already_there"] == kept
    assert 0 < told["enrolled_photos"] == photos_in(url) - kept
    assert told["enrolled_photos"] + kept + len(told["refused"]) == files
    with open_store(url) as store:
        names = [one.name for one in store.criminals()]
        assert len(names) == len(set(names))


def test_two_runs_at_once_store_nothing_twice(lfw_people, url):
    both = [start(lfw_people, url), start(lfw_people, url)]
    told = [json.loads(process.communicate(timeout=100)[0]) for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert sum(one["enrolled_photos"] for one in told) == photos_in(url)
    files = sum(1 for path in lfw_people.rglob("*.jpg"))
    for one in told:
        assert one["enrolled_photos"] + one["already_there"] + len(one["refused"]) == files
        assert "enrolled as someone else" not in {refusal["reason"] for refusal in one["refused"]}
    with open_store(url) as store:
        names = [one.name for one in store.criminals()]
        assert len(names) == len(set(names))


# -- photos of different people -----------------------------------------------------------------


def test_a_flat_folder_of_different_people_is_not_one_person(tmp_path, run, stored):
    write(tmp_path / "flat" / "Grace_Hopper.jpg", samples.hopper())
    write(tmp_path / "flat" / "Eileen_Collins.jpg", samples.collins())
    told = run(tmp_path / "flat", status=1).stdout
    assert "several people: 2" in told
    flat = f"{tmp_path / 'flat'}{os.sep}"
    assert told.count(f"{flat}: the 2 photos of this person show 2 different faces") == 1
    assert "Hopper.jpg" not in told
    (one, other) = json.loads(run(tmp_path / "flat", "--json", status=1).stdout)["refused"]
    assert (one["person"], other["person"]) == ("flat", "flat")
    assert "add --each-file" in told
    assert stored() == {}
    apart = [
        write(tmp_path / name / "1.jpg", getattr(samples, name)()) for name in ("hopper", "collins")
    ]
    told = run(*apart, "--name", "Jo", status=1).stdout
    assert told.count("    Jo: the 2 photos of this person show 2 different faces") == 1
    run(tmp_path / "flat", "--each-file")
    assert stored() == {"Grace Hopper": [samples.hopper()], "Eileen Collins": [samples.collins()]}


def test_numbers_at_the_end_of_names_tell_files_of_one_person_apart(tmp_path, run, stored):
    write(tmp_path / "Grace_Hopper_0001.jpg", samples.hopper())
    write(tmp_path / "Grace Hopper (2).jpg", samples.hopper(80))
    run(*sorted(tmp_path.glob("*.jpg")), "--each-file")
    assert {name: len(photos) for name, photos in stored().items()} == {"Grace Hopper": 2}


@pytest.mark.parametrize("whose", [["--name", "Jo"], ["--id", "3f9c2a81"]])
def test_names_come_from_files_or_from_an_option(tmp_path, run, whose):
    photo = write(tmp_path / "jo.jpg", samples.hopper())
    assert "leave out --name and --id" in run(photo, *whose, "--each-file", status=2).stderr


def test_a_photo_of_someone_else_is_not_added(tmp_path, run, run_json, stored):
    run(write(tmp_path / "1.jpg", samples.hopper()), "--name", "Grace Hopper")
    other = write(tmp_path / "2.jpg", samples.collins())
    told = run_json(other, "--name", "Grace Hopper", status=1)
    assert [one["reason"] for one in told["refused"]] == ["unlike the other photos"]
    assert stored() == {"Grace Hopper": [samples.hopper()]}
    run(other, "--name", "Grace Hopper", "--allow-unlike")
    assert stored() == {"Grace Hopper": [samples.hopper(), samples.collins()]}


def test_one_photo_among_many_is_refused_however_late_it_is_stored(
    tmp_path, run_json, stored, monkeypatch
):
    monkeypatch.setattr("susracker.enrolment.job.FLUSH_SECONDS", 0)
    for number, photo in enumerate([samples.collins(), samples.hopper(), samples.hopper(80)]):
        write(tmp_path / "Grace_Hopper" / f"{number}.jpg", photo)
    told = run_json(tmp_path / "Grace_Hopper")
    assert [one["path"][-5:] for one in told["refused"]] == ["0.jpg"]
    assert stored() == {"Grace Hopper": [samples.hopper(), samples.hopper(80)]}


def test_the_faces_that_were_taken_can_be_looked_at(tmp_path, run, criminals):
    photo = write(tmp_path / "jo.jpg", samples.hopper())
    run(photo, "--name", "Jo / Doe", "--show-faces", tmp_path / "shown")
    (shown,) = (tmp_path / "shown").iterdir()
    assert shown.name.startswith("Jo_Doe_")
    with Image.open(shown) as face, Image.open(photo) as whole:
        assert 50 < face.width < whole.width
    run(photo, "--name", "Jo", "--show-faces", photo, status=2)


# -- dates ----------------------------------------------------------------------------------------


def test_a_run_does_not_switch_people_off_by_accident(tmp_path, run, criminals):
    people = write(tmp_path / "people" / "Grace_Hopper" / "1.jpg", samples.hopper()).parents[1]
    run(people)
    assert "is past" in run(people, "--expires", "2020-01-01", status=2).stderr
    assert criminals()[0].expires_at is None
    told = run(people, "--expires", "2020-01-01", "--force").stdout
    assert "edited: 1 person" in told
    assert criminals()[0].expires_at.year == 2020


def test_a_list_with_a_date_that_is_past_names_the_person(tmp_path, run, criminals):
    photo = write(tmp_path / "jo.jpg", samples.hopper())
    rows = write(tmp_path / "l.csv", f"photo,name,expires\n{photo},Jo Doe,2020-01-01\n".encode())
    assert "so Jo Doe would not be looked for" in run(rows, status=2).stderr
    run(rows, "--force")
    assert [one.name for one in criminals()] == ["Jo Doe"]


# -- lists ----------------------------------------------------------------------------------------


def test_bad_rows_of_a_list_are_all_told_before_anyone_is_enrolled(tmp_path, run, stored):
    (tmp_path / "jo.jpg").write_bytes(samples.hopper())
    listed = tmp_path / "people.csv"
    listed.write_bytes(
        "photo;name;threat;age\njo.jpg;Jo Doe;High;\nx.jpg;Max;huge;\ny.jpg;Ada;;old\n".encode(
            "utf-16"
        )
    )
    output = run(listed, status=2).output
    assert "2 bad rows: correct them, or add --skip-bad to enrol the others" in output
    assert f"{listed}, line 3: threat: " in output
    assert f"{listed}, line 4: age: " in output
    assert not (tmp_path / "people.db").exists()
    output = run(listed, "--skip-bad").output
    assert "enrolled 1 photo of 1 person" in output
    assert re.search(r"bad row: 2\n.*line 3: threat: .*\n.*line 4: age: ", output)
    assert stored() == {"Jo Doe": [samples.hopper()]}


def test_a_list_of_nothing_but_bad_rows_enrols_nobody(tmp_path, run):
    listed = tmp_path / "people.csv"
    listed.write_text("photo,name\n,Jo\n")
    assert "refused 1" in run(listed, "--skip-bad", status=1).output


def test_an_example_of_a_list_is_written_and_enrols_nobody(tmp_path, url, run):
    example = tmp_path / "people.csv"
    hint = f"then run susracker enroll {example} --store {url}\n"
    assert run("--template", example).output.endswith(hint)
    assert not (tmp_path / "people.db").exists()
    assert "there already" in run("--template", example, status=2).output
    assert "leave out" in run("--template", tmp_path / "b.csv", example, status=2).output
    assert "--template FILE for an example" in run(status=2).output


# -- pictures -------------------------------------------------------------------------------------


def test_a_picture_with_too_many_pixels_is_too_large_and_the_option_is_named(tmp_path, run, stored):
    photo = tmp_path / "jo.jpg"
    photo.write_bytes(samples.hopper())
    output = run(photo, "--name", "Jo", "--max-megapixels", "0.1", status=1).output
    assert re.search(
        r"too large: 1\n.*512 x 600 pixels; at most 100,000 are.*\n.*--max-meg", output
    )
    assert "not a picture" not in output
    assert run(photo, "--name", "Jo").exit_code == 0


def test_photos_of_phones_and_scanners_are_enrolled(tmp_path, run, stored):
    for number, form in enumerate(("HEIF", "AVIF", "TIFF", "GIF")):
        image = Image.open(io.BytesIO(samples.hopper(90 - number)))
        image.save(tmp_path / f"{number}.{form.lower()}", form)
    output = run(*tmp_path.glob("*.*f"), "--name", "Jo", "--show-faces", tmp_path / "faces").output
    assert "enrolled 4 photos of 1 person" in output
    assert len(stored()["Jo"]) == 4
    assert len(list((tmp_path / "faces").rglob("*.jpg"))) == 4
