"""Many people at once: who is in a list, and what becomes of each of them."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from PIL import Image

from susracker import open_tracker
from susracker.server import enrolments
from tests.pictures import COLLINS, HOPPER, encoded, portrait
from tests.server.apps import running_app


@pytest.fixture
def tracker(tmp_path):
    with open_tracker(store=f"sqlite:///{tmp_path / 'site.db'}") as opened:
        yield opened


@pytest.fixture
def client(tracker):
    with running_app(tracker) as app:
        yield app.test_client()


def read(client: Any, content: bytes, name: str = "people.csv") -> Any:
    fields = {"name": name, "file": (io.BytesIO(content), "list")}
    return client.post("/api/enrolments/list", data=fields)


def enroll(client: Any, *images: bytes, **fields: Any) -> Any:
    files = [(io.BytesIO(image), "photo.jpg") for image in images]
    return client.post("/api/enrolments", data={**fields, "images": files})


def wall() -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(np.full((200, 200, 3), 130, np.uint8)).save(buffer, "JPEG")
    return buffer.getvalue()


def actions(tracker: Any) -> list[tuple[str, str, str]]:
    return [(one.action, one.subject, one.detail) for one in tracker.store.audit(0)]


LIST = """\ufeffphoto;name;crimes;threat;case\r
photos/jo-1.jpg;Jo Doe;"robbery, fraud";High;K-17\r
photos/jo-2.jpg;Jo Doe;;;K-17\r
max.jpg;Max Roe;;;\r
"""


def test_a_list_as_spreadsheets_save_it_says_who_is_in_it(client, tracker):
    answer = read(client, LIST.encode())
    assert answer.get_json() == {
        "people": [
            {
                "fields": {
                    "name": "Jo Doe",
                    "crimes": ["robbery", "fraud"],
                    "threat": "high",
                    "case_reference": "K-17",
                },
                "photos": ["photos/jo-1.jpg", "photos/jo-2.jpg"],
            },
            {"fields": {"name": "Max Roe"}, "photos": ["max.jpg"]},
        ],
        "bad_rows": [],
    }
    assert tracker.store.criminals() == []
    assert actions(tracker) == []


def test_all_bad_rows_are_told_at_once_and_the_good_ones_as_well(client):
    rows = "photo,name,age,expires\na.jpg,Jo,old,\n,Max,,\nb.jpg,Kim,,2001-01-01\nc.jpg,Al,7,\n"
    found = read(client, rows.encode()).get_json()
    assert [one["fields"] for one in found["people"]] == [{"name": "Al", "age": "7"}]
    told = [(one["where"], one["problem"]) for one in found["bad_rows"]]
    assert told[0] == ("people.csv, line 2", "age: must be a whole number")
    assert told[1] == ("people.csv, line 3", "photo is missing")
    assert told[2][0] == "Kim"
    assert "2001-01-01 23:59 UTC is past" in told[2][1]


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("people.csv", b"name,face\nJo,a.jpg\n", "line 1: unknown column 'face'"),
        ("people.csv", b"photo,name\n", "lists nobody"),
        ("people.csv", b"photo,name\n\xff\xff,Jo\n", "is not UTF-8"),
        ("people.xlsx", b"PK", "ends in .csv or .json"),
        ("", b"photo,name\n", "ends in .csv or .json"),
        ("people.json", b"{", "people.json, line 1"),
    ],
)
def test_what_is_no_list_is_refused_with_a_reason(client, name, content, told):
    answer = read(client, content, name)
    assert answer.status_code == 400
    assert told in answer.get_json()["error"]


def test_a_list_that_would_take_long_is_to_be_divided(client, monkeypatch):
    monkeypatch.setattr(enrolments, "MAX_LIST", 19)
    assert read(client, b"photo,name\na.jpg,Jo").status_code == 200
    assert "divide it" in read(client, b"photo,name\na.jpg,Jo\n").get_json()["error"]


def test_no_file_is_opened_whatever_a_list_is_called(client, tmp_path):
    (tmp_path / "secret.csv").write_text("photo,name\nsecret.jpg,Secret\n")
    answer = read(client, b"photo,name\na.jpg,Jo\n", str(tmp_path / "secret.csv"))
    (person,) = answer.get_json()["people"]
    assert person["photos"] == ["a.jpg"]


def test_someone_is_added_and_a_repeat_adds_nobody_and_no_photo(client, tracker):
    first = enroll(client, HOPPER.read_bytes(), name="Grace", crimes=["forgery", "fraud"])
    body = first.get_json()
    assert (body["name"], body["is_new"], body["is_edited"]) == ("Grace", True, False)
    assert body["photos"] == [{"fate": "added", "why": None}]
    again = enroll(client, HOPPER.read_bytes(), name="Grace", crimes=["forgery", "fraud"])
    assert again.get_json() == body | {
        "is_new": False,
        "photos": [{"fate": "enrolled already", "why": None}],
    }
    (grace,) = tracker.store.criminals()
    assert grace.crimes == ("forgery", "fraud")
    assert len(tracker.store.photo_ids(grace.id)) == 1
    assert len(tracker.watchlist) == 1
    assert [(action, subject) for action, subject, _ in actions(tracker)] == [
        ("criminal.add", grace.id),
        ("criminal.edit", grace.id),
    ]


def test_a_refused_photo_does_not_hold_up_the_others(client, tracker):
    sent = enroll(
        client, wall(), HOPPER.read_bytes(), b"no picture", HOPPER.read_bytes(), name="Grace"
    )
    photos = sent.get_json()["photos"]
    fates = [one["fate"] for one in photos]
    assert fates == ["refused", "added", "refused", "enrolled already"]
    assert photos[0]["why"].startswith("no face")
    assert photos[2]["why"].startswith("not a picture")


def test_where_all_photos_are_refused_nothing_is_stored_or_noted(client, tracker):
    answer = enroll(client, wall(), name="Grace")
    assert answer.status_code == 400
    assert answer.content_type == "application/problem+json"
    body = answer.get_json()
    assert [one["fate"] for one in body["photos"]] == ["refused"]
    assert body["error"].startswith("image 1: no face")
    assert tracker.store.criminals() == []
    assert actions(tracker) == []


def test_photos_and_fields_are_added_to_who_has_the_name_and_the_case(client, tracker):
    known = enroll(client, HOPPER.read_bytes(), name="Grace", case_reference="K-1").get_json()["id"]
    image = base64.b64encode(COLLINS.read_bytes()).decode()
    body = {"name": "Grace", "case_reference": "K-1", "threat": "high", "images": [image]}
    unlike = client.post("/api/enrolments", json=body).get_json()
    assert unlike["photos"][0]["why"].startswith("unlike the other photos")
    added = client.post("/api/enrolments", json={**body, "allow_unlike": True}).get_json()
    assert (added["id"], added["photos"][0]["fate"]) == (known, "added")
    assert tracker.store.criminal(known).threat == "high"
    stranger = enroll(client, HOPPER.read_bytes(), name="Grace", case_reference="K-2")
    assert "enrolled as someone else" in stranger.get_json()["error"]


@pytest.mark.parametrize(
    ("fields", "told"),
    [({}, "name is missing"), ({"name": "Jo", "age": "old"}, "age"), ({"name": "Jo"}, "photo")],
)
def test_wrong_fields_are_told(client, fields, told):
    answer = client.post("/api/enrolments", json=fields)
    assert answer.status_code == 400
    assert told in answer.get_json()["error"]


def again(path: Any) -> bytes:
    """A portrait as another file: the same face, nearly."""
    return encoded(portrait(path)[::2, ::2])


def compare(client: Any, *ids: str, compared: Sequence[str] = ()) -> Any:
    body = {"criminal_ids": list(ids), "compared": list(compared)}
    return client.post("/api/enrolments/lookalikes", json=body)


def test_one_face_under_two_names_is_told_with_both_records(client, tracker):
    grace = enroll(client, HOPPER.read_bytes(), name="Grace").get_json()["id"]
    eileen = enroll(client, COLLINS.read_bytes(), name="Eileen").get_json()["id"]
    double = enroll(client, again(HOPPER), name="Amazing Grace", threat="high").get_json()["id"]
    found = compare(client, double, eileen, "0" * 32).get_json()
    (pair,) = found["pairs"]
    assert (pair["criminal"]["id"], pair["other"]["id"]) == (double, grace)
    assert pair["criminal"] == client.get(f"/api/criminals/{double}").get_json()
    assert pair["other"]["photos"] == tracker.store.photo_ids(grace)
    assert pair["distance"] < 0.1
    assert found["left_out"] == 0
    assert len(compare(client, grace, double).get_json()["pairs"]) == 1
    assert compare(client, eileen).get_json() == {"pairs": [], "left_out": 0}


def trio(client: Any) -> list[str]:
    """Three people who look alike; the first two are nearest."""
    return [
        enroll(client, photo, name=name).get_json()["id"]
        for name, photo in (
            ("Grace", HOPPER.read_bytes()),
            ("Amazing Grace", again(HOPPER)),
            ("Grandma COBOL", encoded(portrait(HOPPER)[:, ::-1])),
        )
    ]


def test_the_nearest_pairs_come_and_how_many_more_there_are(client, monkeypatch):
    monkeypatch.setattr(enrolments, "MAX_PAIRS", 1)
    found = compare(client, *trio(client)).get_json()
    assert (len(found["pairs"]), found["left_out"]) == (1, 2)
    names = {found["pairs"][0][side]["name"] for side in ("criminal", "other")}
    assert names == {"Grace", "Amazing Grace"}


def test_a_pair_is_in_one_answer_only_though_each_of_both_is_asked_about_by_itself(
    client, monkeypatch
):
    """More people are compared in several requests."""
    grace, double, cobol = trio(client)
    first = compare(client, grace).get_json()
    second = compare(client, double, compared=[grace]).get_json()
    third = compare(client, cobol, compared=[grace, double]).get_json()
    sides = [{one["criminal"]["id"], one["other"]["id"]} for one in first["pairs"]]
    assert len(sides) == 2
    assert all(grace in pair for pair in sides)
    (pair,) = second["pairs"]
    assert {pair["criminal"]["id"], pair["other"]["id"]} == {double, cobol}
    assert third == {"pairs": [], "left_out": 0}
    monkeypatch.setattr(enrolments, "MAX_PAIRS", 0)
    left_out = [
        compare(client, one, compared=before).get_json()["left_out"]
        for one, before in ((grace, []), (double, [grace]), (cobol, [grace, double]))
    ]
    assert left_out == [2, 1, 0]


def test_who_was_shown_beside_whom_is_noted_and_no_name(client, tracker):
    grace = enroll(client, HOPPER.read_bytes(), name="Grace").get_json()["id"]
    double = enroll(client, again(HOPPER), name="Amazing").get_json()["id"]
    compare(client, double)
    action, subject, detail = actions(tracker)[-1]
    assert (action, subject) == ("criminal.compare", "")
    assert json.loads(detail) == {"compared": 1, "shown": sorted([grace, double])}


@pytest.mark.parametrize("ids", [None, [], "a", [7.5], ["a"] * 1001])
def test_people_to_compare_are_a_list_of_ids(client, ids):
    answer = client.post("/api/enrolments/lookalikes", json={"criminal_ids": ids})
    assert answer.status_code == 400
    assert answer.get_json()["error"].startswith("criminal_ids")
