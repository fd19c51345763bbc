"""`susracker criminals`, as it is typed."""

from __future__ import annotations

import json
import re
from datetime import datetime, timedelta, timezone

import pytest
from click.testing import CliRunner

from susracker.cli import main
from susracker.enrolment.enroller import Enroller
from susracker.models import Criminal, Sighting
from susracker.oversight import Hold
from susracker.plugins import open_encoder, open_store
from susracker.testing.records import face_alert
from tests.enrolment import samples

NOON = datetime(2026, 1, 31, 12, tzinfo=timezone.utc)

HOPPER_ID, COLLINS_ID, ROE_ID = "aaaaaaaa" + "0" * 24, "aaaaaaab" + "0" * 24, "bb" + "0" * 30


@pytest.fixture(scope="module")
def prepared():
    """Two photos, prepared once."""
    enroller = Enroller(None, open_encoder("dlib"))
    return [enroller.prepare(samples.hopper()), enroller.prepare(samples.hopper(80))]


@pytest.fixture
def url(tmp_path, prepared):
    """A store of three people; the first has two photos and seven sightings."""
    url = f"sqlite:///{tmp_path / 'people.db'}"
    with open_store(url) as store:
        hopper = Criminal(
            HOPPER_ID,
            "Grace [Hopper]",
            age=85,
            crimes=("arson", "robbery"),
            case_reference="A-1",
            expires_at=NOON + timedelta(days=1),
        )
        Enroller(store, open_encoder("dlib")).enroll(hopper, prepared)
        store.put_criminal(Criminal(COLLINS_ID, "Eileen Collins", status="apprehended"))
        store.put_criminal(Criminal(ROE_ID, "Max Roe", threat="high"))
        seen = [
            Sighting(
                id=f"s{number}",
                criminal_id=HOPPER_ID,
                camera_id=f"gate-{number}",
                camera_location="Main gate",
                occurred_at=NOON + timedelta(minutes=number),
                received_at=NOON + timedelta(minutes=number),
                distance=0.25,
                score=0.9,
                suppressed=number == 7,
            )
            for number in range(1, 8)
        ]
        store.record(seen, [])
    return url


@pytest.fixture
def run(url):
    def call(*args, status=0, typed=None):
        result = CliRunner().invoke(main, ["criminals", *args, "--store", url], input=typed)
        assert result.exit_code == status, result.output
        return result

    return call


@pytest.fixture
def statuses(url):
    def read():
        with open_store(url) as store:
            return {one.name: one.status for one in store.criminals()}

    return read


def test_everyone_is_listed_by_name_with_ids_that_can_be_pasted(run):
    lines = run("list").stdout.splitlines()
    rows = [line for line in lines if "aaaaaaa" in line or "bb000000" in line]
    for name, row in zip(["Eileen", "Grace [Hopper]", "Max"], rows, strict=True):
        assert name in row
    assert "A-1" in rows[1]
    assert "2026-02-01 12:00 UTC" in rows[1]
    for row in rows:
        pasted = row.strip("│ ").split()[0]
        assert len(pasted) >= 8
        run("show", pasted)


def test_ids_are_as_long_as_it_takes(run, url):
    with open_store(url) as store:
        store.put_criminal(Criminal("bb" + "0" * 29 + "1", "Max Twin"))
    assert ROE_ID in run("list").stdout


@pytest.mark.parametrize(
    ("flags", "names"),
    [
        ([], ["Eileen Collins", "Grace [Hopper]", "Max Roe"]),
        (["--status", "wanted"], ["Grace [Hopper]", "Max Roe"]),
        (["--status", "apprehended"], ["Eileen Collins"]),
        (["--name", "hOPP"], ["Grace [Hopper]"]),
        (["--name", "e", "--status", "wanted"], ["Grace [Hopper]", "Max Roe"]),
        (["--name", "nobody"], []),
    ],
)
def test_the_list_can_be_narrowed(run, flags, names):
    rows = json.loads(run("list", "--json", *flags).stdout)
    assert [row["name"] for row in rows] == names


def test_the_list_as_json(run):
    row = json.loads(run("list", "--json", "--name", "hopper").stdout)[0]
    assert (row["id"], row["templates"]) == (HOPPER_ID, 2)
    assert row["crimes"] == ["arson", "robbery"]
    assert row["expires_at"] == "2026-02-01T12:00:00+00:00"


def test_an_empty_list_says_so(run, tmp_path):
    assert "nobody" in run("list", "--name", "zzz").stdout
    empty = f"sqlite:///{tmp_path / 'empty.db'}"
    open_store(empty).close()
    result = CliRunner().invoke(main, ["criminals", "list", "--store", empty])
    assert result.stdout == "nobody is enrolled\n"


def test_one_person_is_shown(run, prepared):
    text = run("show", "aaaaaaaa").stdout
    for shown in (HOPPER_ID, "Grace [Hopper]", "85", "arson, robbery", "A-1", "image/jpeg"):
        assert shown in text
    assert "7 sightings" in text
    assert "gate-3" in text
    assert "gate-2" not in text
    assert text.index("gate-7") < text.index("gate-6")
    assert text.count("held back") == 1


def test_one_person_as_json(run, prepared):
    told = json.loads(run("show", HOPPER_ID, "--json").stdout)
    assert told["name"] == "Grace [Hopper]"
    assert [photo["digest"] for photo in told["photos"]] == [one.digest for one in prepared]
    assert told["photos"][0]["quality"]["eye_distance"] > 60
    assert told["photos"][0]["refused"] is None
    assert told["sightings"] == 7
    assert [one["camera_id"] for one in told["newest_sightings"]] == [
        f"gate-{number}" for number in (7, 6, 5, 4, 3)
    ]


def test_who_has_no_photo_and_was_not_seen_is_shown(run):
    assert "0 sightings" in run("show", "bb").stdout


def test_removing_asks(run, statuses):
    result = run("remove", "aaaaaaaa", "bb", typed="n\n", status=1)
    assert "Grace [Hopper]: 2 photos, 7 sightings" in result.stdout
    assert len(statuses()) == 3
    assert "removed 2" in run("remove", "aaaaaaaa", "bb", "bb0", typed="y\n").stdout
    assert statuses().keys() == {"Eileen Collins"}


def test_removing_does_not_ask_if_told_so(run, statuses):
    run("remove", "aaaaaaaa", "--yes")
    assert statuses().keys() == {"Eileen Collins", "Max Roe"}


def test_status_is_set(run, statuses, url):
    run("set-status", "aaaaaaaa", "bb", "apprehended")
    assert set(statuses().values()) == {"apprehended"}
    run("set-status", "aaaaaaaa", "wanted")
    assert statuses()["Grace [Hopper]"] == "wanted"
    with open_store(url) as store:
        assert len(store.photo_ids(HOPPER_ID)) == 2
        assert store.criminal(HOPPER_ID).crimes == ("arson", "robbery")


@pytest.mark.parametrize(
    ("args", "status", "said"),
    [
        (["show", "zz"], 1, "nobody is enrolled whose name or id is like 'zz'"),
        (["show", ""], 1, "nobody is enrolled whose name or id is like ''"),
        (["show", "aaaaaaa"], 2, "'aaaaaaa' may be 2 people"),
        (["remove", "aaaaaaaa", "zz", "--yes"], 1, "with the name or id 'zz': susracker"),
        (["set-status", "aaaaaaaa", "zz", "wanted"], 1, "with the name or id 'zz': susracker"),
        (["set-status", "aaaaaaaa", "free"], 2, "'free' is not one of"),
        (["remove"], 2, "Missing argument 'ID_OR_NAME...'"),
    ],
)
def test_who_is_not_found_is_said_and_nobody_is_touched(run, statuses, args, status, said):
    before = statuses()
    assert said in run(*args, status=status).stderr
    assert statuses() == before


# -- by name --------------------------------------------------------------------------------------


def test_people_are_found_by_name_in_every_command(run, url, statuses, photo_ids):
    assert HOPPER_ID in run("show", "grace").stdout
    run("edit", "max roe", "--threat", "low")
    assert read(url, ROE_ID).threat == "low"
    run("set-status", "Eileen Collins", "aaaaaaaa", "wanted")
    assert statuses()["Eileen Collins"] == "wanted"
    run("remove-photo", "GRACE [HOPPER]", photo_ids()[0], "--yes")
    assert len(photo_ids()) == 1
    run("remove", "Max Roe", "--yes")
    run("erase", "eileen collins", "--reason", "court", "--yes")
    assert statuses().keys() == {"Grace [Hopper]"}


CHANGES = (
    ["edit", "--threat", "low"],
    ["set-status", "apprehended"],
    ["remove", "--yes"],
    ["remove-photo", "x", "--yes"],
    ["erase", "--reason", "court", "--yes"],
)


@pytest.mark.parametrize("words", CHANGES, ids=lambda words: words[0])
def test_a_part_of_a_name_changes_nobody_but_says_who_may_be_meant(run, url, words):
    said = run(words[0], "max", *words[1:], status=1).stderr
    assert f"did you mean {ROE_ID} (Max Roe)?" in said
    assert read(url, ROE_ID).status == "wanted"


@pytest.mark.parametrize("words", [["show"], *CHANGES], ids=lambda words: words[0])
def test_an_ambiguous_name_is_refused_with_the_ids(run, url, words):
    with open_store(url) as store:
        store.put_criminal(Criminal("cc" + "0" * 30, "max roe"))
    said = run(words[0], "Max Roe", *words[1:], status=2).stderr
    assert "may be 2 people" in said
    assert f"{ROE_ID} (Max Roe)" in said
    assert "cc0000" in said
    assert read(url, ROE_ID).threat == "high"


def test_a_whole_id_counts_before_all_else(run, url):
    with open_store(url) as store:
        for criminal_id, name in (("7", "One"), ("78", "Two"), ("9", "7")):
            store.put_criminal(Criminal(criminal_id, name))
    run("edit", "7", "--threat", "low")
    assert [read(url, one).threat for one in ("7", "78", "9")] == ["low", "medium", "medium"]


def test_a_case_is_not_a_name(run):
    assert "nobody is enrolled whose name" in run("show", "A-1", status=1).stderr


# -- edit -----------------------------------------------------------------------------------------


def read(url, criminal_id=HOPPER_ID):
    with open_store(url) as store:
        return store.criminal(criminal_id)


def test_only_what_is_given_is_changed(run, url):
    before = read(url)
    told = run("edit", "aaaaaaaa", "--threat", "high", "--crime", "theft", "--force").stdout
    assert "changed crimes, threat" in told
    after = read(url)
    assert (after.threat, after.crimes) == ("high", ("theft",))
    assert (after.name, after.age, after.expires_at) == (before.name, 85, before.expires_at)


def test_several_people_are_edited_at_once_and_an_empty_text_is_no_value(run, url):
    run("edit", HOPPER_ID, ROE_ID, "--expires", "", "--case", "")
    for who in (HOPPER_ID, ROE_ID):
        assert (read(url, who).expires_at, read(url, who).case_reference) == (None, None)


def test_an_edit_of_nothing_is_an_error(run):
    assert "nothing to change" in run("edit", HOPPER_ID, status=2).stderr
    assert "nobody is enrolled" in run("edit", "zz", "--age", "5", status=1).stderr


def test_a_date_that_is_past_needs_force(run, url):
    told = run("edit", ROE_ID, "--expires", "2020-01-01", status=2).stderr
    assert "2020-01-01 23:59 UTC is past, so they would not be looked for" in told
    assert read(url, ROE_ID).expires_at is None
    run("edit", ROE_ID, "--expires", "2020-01-01", "--force")
    assert "wanted, expired" in run("list", "--name", "Roe").stdout


# -- remove-photo ---------------------------------------------------------------------------------


@pytest.fixture
def photo_ids(url):
    def read():
        with open_store(url) as store:
            return store.photo_ids(HOPPER_ID)

    return read


def test_a_photo_is_removed_by_the_beginning_of_its_id_as_show_lists_it(run, photo_ids):
    first, second = photo_ids()
    shown = run("show", "aaaaaaaa").output
    assert all(re.search(rf"^{one[:8]}\s+image/jpeg", shown, re.MULTILINE) for one in photo_ids())
    output = run("remove-photo", "aaaaaaaa", first[:8], "--yes").output
    assert "Grace [Hopper]: will have 1 photo\n" in output
    assert output.endswith("removed 1 photo of Grace [Hopper]\n")
    assert photo_ids() == [second]
    assert json.loads(run("show", "aaaaaaaa", "--json").output)["photos"][0]["id"] == second


def test_who_has_no_photo_left_is_said_to_be_unrecognised(run, photo_ids):
    run("remove-photo", HOPPER_ID, *photo_ids(), typed="n\n", status=1)
    assert len(photo_ids()) == 2
    output = run("remove-photo", HOPPER_ID, *photo_ids(), typed="y\n").output
    assert "will have no photo, and is not recognised without one" in output
    assert photo_ids() == []
    listed = json.loads(run("list", "--name", "hopper", "--json").output)
    assert [one["templates"] for one in listed] == [0]


def test_a_wrong_photo_is_refused_before_anything_is_removed(run, photo_ids):
    before = photo_ids()
    refused = run("remove-photo", HOPPER_ID, before[0], "zzz", "--yes", status=1)
    assert "has no photo with the id 'zzz': see susracker criminals show" in refused.output
    assert "nobody is enrolled" in run("remove-photo", "zzz", before[0], status=1).output
    assert photo_ids() == before


def test_a_photo_in_a_held_alert_is_not_removed(run, photo_ids, url):
    with open_store(url) as store:
        (alert,) = store.record([], [face_alert(HOPPER_ID, photo_id=photo_ids()[0])])
        store.hold_alert(Hold(alert.id, "court", "Jo (k1)", NOON))
    refused = run("remove-photo", HOPPER_ID, *photo_ids(), "--yes", status=1)
    assert f"in the alert {alert.id}, which is held (court)" in refused.output
    assert len(photo_ids()) == 2


def test_an_erasure_that_a_hold_forbids_is_neither_asked_for_nor_noted(run, url):
    with open_store(url) as store:
        (alert,) = store.record([], [face_alert(HOPPER_ID)])
        store.hold_alert(Hold(alert.id, "court", "Jo (k1)", NOON))
    refused = run("erase", HOPPER_ID, "--reason", "court order", status=1)
    assert f"{alert.id} (court); release them first" in refused.output
    with open_store(url) as store:
        assert [one.action for one in store.audit()] == []
        assert store.criminal(HOPPER_ID)
