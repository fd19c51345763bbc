"""Edits at the same time: each holds, or is refused."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from tests.enrolment import samples
from tests.server.conftest import HOPPER, Site

TRIES = 8


@pytest.fixture
def photo() -> bytes:
    return HOPPER.portrait.read_bytes()


def another(photo: bytes, number: int) -> bytes:
    """The same face in a file of its own."""
    return photo + bytes([number + 1])


def enroll(site: Site, name: str) -> str:
    answer = site.post("/api/criminals", json={"name": name})
    assert answer.status_code == 201, answer.text
    return answer.json()["id"]


def put(site: Site, criminal_id: str, **body: object) -> requests.Response:
    return requests.put(f"{site.url}/api/criminals/{criminal_id}", timeout=60, **body)


def get(site: Site, criminal_id: str) -> requests.Response:
    return requests.get(f"{site.url}/api/criminals/{criminal_id}", timeout=60)


def test_a_status_set_during_an_upload_holds(site, photo):
    for number in range(TRIES):
        who = enroll(site, f"Upload {number}")
        files = {"file": another(photo, number)}
        with ThreadPoolExecutor(2) as pool:
            upload = pool.submit(put, site, who, files=files)
            edit = pool.submit(put, site, who, json={"status": "apprehended"})
        assert (upload.result().status_code, edit.result().status_code) == (200, 200)
        person = get(site, who).json()
        assert (person["status"], len(person["photos"])) == ("apprehended", 1)


def test_a_photo_that_is_enrolled_already_is_named_with_its_owner(site, photo):
    owner = enroll(site, "Owner")
    mine = another(photo, 200)
    assert put(site, owner, files={"file": mine}).status_code == 200
    answer = site.post("/api/criminals", data={"name": "Other"}, files={"file": mine})
    assert answer.status_code == 409
    assert answer.json()["error"] == f"image 1 is enrolled already, as a photo of {owner!r}"


def test_a_removal_during_an_upload_holds(site, photo):
    for number in range(TRIES):
        who = enroll(site, f"Removal {number}")
        files = {"file": another(photo, 100 + number)}
        with ThreadPoolExecutor(2) as pool:
            upload = pool.submit(put, site, who, files=files)
            removal = pool.submit(requests.delete, f"{site.url}/api/criminals/{who}", timeout=60)
        assert removal.result().status_code == 204
        assert upload.result().status_code in (200, 404)
        assert get(site, who).status_code == 404


def test_edits_of_different_fields_at_once_both_hold(site):
    for number in range(TRIES):
        who = enroll(site, f"Both {number}")
        with ThreadPoolExecutor(2) as pool:
            bodies = ({"age": number}, {"threat": "high"})
            edits = [pool.submit(put, site, who, json=body) for body in bodies]
        assert [edit.result().status_code for edit in edits] == [200, 200]
        person = get(site, who).json()
        assert (person["age"], person["threat"]) == (number, "high")


def test_an_edit_of_an_older_revision_is_a_conflict(site):
    who = enroll(site, "Revision")
    revision = get(site, who).json()["revision"]
    edited = put(site, who, json={"age": 40, "revision": revision})
    assert edited.status_code == 200
    assert edited.json()["revision"] > revision
    refused = put(site, who, json={"age": 41, "revision": revision})
    assert (refused.status_code, "edited since" in refused.json()["error"]) == (409, True)
    assert get(site, who).json()["age"] == 40
    form = put(site, who, data={"age": "42", "revision": str(edited.json()["revision"])})
    assert (form.status_code, form.json()["age"]) == (200, 42)


@pytest.mark.parametrize("revision", [-1, 1.5, "x", [], 2**64])
def test_a_revision_that_is_none_is_refused(site, revision):
    who = enroll(site, "No revision")
    answer = put(site, who, json={"age": 1, "revision": revision})
    assert (answer.status_code, "revision" in answer.json()["error"]) == (400, True)


def test_people_are_listed_in_pages(own_site):
    site = own_site(enrolled=False)
    for name in ("Cleo", "Ada", "Ben", "Adam"):
        enroll(site, name)

    def page(**arguments: object) -> tuple[list[str], str | None]:
        answer = requests.get(f"{site.url}/api/criminals", params=arguments, timeout=60).json()
        return [one["name"] for one in answer["criminals"]], answer["next"]

    assert page() == (["Ada", "Adam", "Ben", "Cleo"], None)
    first, after = page(limit=3)
    assert first == ["Ada", "Adam", "Ben"]
    assert page(limit=3, after=after) == (["Cleo"], None)
    assert page(query="ada") == (["Ada", "Adam"], None)
    gone = requests.get(f"{site.url}/api/criminals", params={"after": "gone"}, timeout=60)
    assert gone.status_code == 404
    for wrong in ({"limit": 0}, {"limit": 1001}, {"limit": "x"}, {"query": "x" * 201}):
        answer = requests.get(f"{site.url}/api/criminals", params=wrong, timeout=60)
        assert answer.status_code == 400, wrong


def test_a_photo_of_someone_else_is_refused_unless_it_is_allowed(site, photo):
    collins = samples.collins(70)
    pair = [("file", another(photo, 210)), ("file", collins)]
    refused = site.post("/api/criminals", data={"name": "Two"}, files=pair)
    assert refused.status_code == 400
    assert refused.json()["error"].startswith("image 1: several people: the 2 photos")
    who = enroll(site, "One")
    assert put(site, who, files={"file": another(photo, 211)}).status_code == 200
    refused = put(site, who, files={"file": collins}, data={"age": 40})
    assert refused.status_code == 400
    assert refused.json()["error"].startswith("image 1: unlike the other photos")
    assert "allow_unlike" in refused.json()["error"]
    assert (get(site, who).json()["age"], len(get(site, who).json()["photos"])) == (None, 1)
    allowed = put(site, who, files={"file": collins}, data={"allow_unlike": "true"})
    assert allowed.status_code == 200
    assert len(allowed.json()["photos"]) == 2
