"""The description of the API: it is valid, leaves nothing out, and answers are as it says."""

from __future__ import annotations

import base64
import io
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime, timezone
from typing import Any
from unittest.mock import patch

import jsonschema_rs
import numpy as np
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from openapi_spec_validator import validate
from schemathesis import checks

from susracker import open_tracker
from susracker.access.issuing import issue
from susracker.access.links import Link
from susracker.access.roles import Permission
from susracker.errors import StoreUnavailableError
from susracker.server.access import declared
from susracker.server.contract.declaring import declared_contract
from susracker.server.contract.openapi import path_of
from susracker.server.problems import CAMERA_PATHS
from tests.pictures import COLLINS, HOPPER, encoded, portrait
from tests.server.apps import running_app
from tests.server.conftest import jpeg

PAGES = {"page"}
"""Blueprints of what people see, and no program asks for."""

JSON_TYPES = ("application/json", "application/problem+json")


@contextmanager
def app_of(folder: Any, **more: Any) -> Iterator[Any]:
    url = f"sqlite:///{folder / 'site.db'}"
    rate = "1000000/second"
    with open_tracker(store=url, rate_limit=rate, **more) as tracker, running_app(tracker) as app:
        yield app


@pytest.fixture(scope="module")
def app(tmp_path_factory):
    with app_of(tmp_path_factory.mktemp("contract"), cooldown_seconds=0) as made:
        yield made


@pytest.fixture(scope="module")
def document(app):
    return app.test_client().get("/openapi.json").get_json()


class Checked:
    """A client that compares each answer with the description."""

    def __init__(self, app: Any, document: dict[str, Any]) -> None:
        self._client = app.test_client()
        self._rules = app.url_map.bind("localhost")
        self._document = document
        self.seen: set[tuple[str, str, str]] = set()

    def __call__(self, method: str, path: str, **kwargs: Any) -> Any:
        answer = self._client.open(path, method=method, **kwargs)
        rule, _ = self._rules.match(path.partition("?")[0], method, return_rule=True)
        where = path_of(rule)
        described = self._document["paths"][where][method.lower()]["responses"]
        status = str(answer.status_code)
        assert status in described, (method, path, status, answer.text)
        self.seen.add((method, where, status))
        self._check(answer, described[status].get("content", {}))
        return answer

    def _check(self, answer: Any, content: dict[str, Any]) -> None:
        if answer.mimetype not in JSON_TYPES:
            kinds = {answer.mimetype, answer.mimetype.partition("/")[0] + "/*"}
            assert kinds & content.keys() or not answer.data
            return
        schema = content[answer.mimetype]["schema"] | {"components": self._document["components"]}
        validator = jsonschema_rs.Draft202012Validator(schema, validate_formats=True)
        errors = [
            f"{one.instance_path}: {one.message}"
            for one in validator.iter_errors(answer.get_json())
        ]
        assert not errors, answer.text


@pytest.fixture(scope="module")
def checked(app, document):
    return Checked(app, document)


def test_it_is_openapi_3_1(document):
    validate(document)
    assert document["openapi"].startswith("3.1")


def test_no_route_is_left_out(app, document):
    missing = [
        f"{method} {rule.rule}"
        for rule in app.url_map.iter_rules()
        for method in rule.methods - {"HEAD", "OPTIONS"}
        if rule.endpoint.partition(".")[0] not in PAGES
        and method.lower() not in document["paths"].get(path_of(rule), {})
    ]
    assert not missing


def test_it_says_who_may_do_what(app, document):
    for rule in app.url_map.iter_rules():
        view = app.view_functions[rule.endpoint]
        for method in rule.methods - {"HEAD", "OPTIONS"}:
            if declared_contract(view):
                operation = document["paths"][path_of(rule)][method.lower()]
                needs_key = isinstance(declared(view), Permission)
                assert needs_key == (operation["security"] != [])
                assert needs_key == ("admin" in operation.get("x-roles", []))


def test_every_route_has_a_sentence_and_a_name_of_its_own(document):
    operations = [one for path in document["paths"].values() for one in path.values()]
    assert all(one["summary"].endswith(".") for one in operations)
    names = [one["operationId"] for one in operations]
    assert len(set(names)) == len(names)


def test_the_paths_of_cameras_are_those_that_cameras_may_post_to(app):
    sending = {
        rule.rule
        for rule in app.url_map.iter_rules()
        if declared(app.view_functions[rule.endpoint]) is Permission.SEND
    }
    assert sending == CAMERA_PATHS


NO_FACE = base64.b64encode(jpeg(np.full((200, 200, 3), 130, np.uint8))).decode()


def face(person: Any) -> str:
    return base64.b64encode(person.read_bytes()).decode()


def smaller_face(person: Any) -> str:
    """The same face as another file."""
    return base64.b64encode(encoded(portrait(person)[::2, ::2])).decode()


def posted(**more: Any) -> dict[str, Any]:
    now = datetime.now(timezone.utc).isoformat()
    return {"camera_id": "gate-1", "camera_location": "Gate", "timestamp": now} | more


def test_answers_are_as_described(app, checked, document):
    """One walk through everything, on real faces."""
    hopper = {"name": "Grace Hopper", "crimes": ["forgery"], "images": [face(HOPPER)]}
    person = checked("POST", "/api/criminals", json=hopper).get_json()
    where = f"/api/criminals/{person['id']}"
    form = {"name": "Eileen Collins", "images": (io.BytesIO(COLLINS.read_bytes()), "c.png")}
    checked("POST", "/api/criminals", data=form)
    checked("POST", "/api/criminals", json=hopper)  # enrolled already
    enrol_a_list(checked)
    seen = posted(event_type="face", image=face(HOPPER))
    alert = checked("POST", "/api/detections", json=seen).get_json()["match"]
    activity = posted(event_type="violence", zone={"name": "east"}, long="x" * 600)
    assert checked("POST", "/api/detections", json=activity).get_json()["left_out"] == ["long"]
    checked("POST", "/activity_alert", json={"event_type": "fire", "zone": 7})
    upload = {"file": (io.BytesIO(HOPPER.read_bytes()), "face.jpg")}
    checked("POST", "/face_upload", data=upload)
    checked("POST", "/face_upload", data={"file": (io.BytesIO(b"no picture"), "face.jpg")})
    alerts = "/api/alerts"
    mine = f"{alerts}/{alert['id']}"
    review = {"verdict": "dismissed", "reason": "taller"}
    checked("POST", f"{mine}/review", json=review)
    assert checked("POST", f"{mine}/review", json=review).status_code == 409
    checked("POST", f"{mine}/outcome", json={"outcome": "lost", "note": "left"})
    checked("PUT", f"{mine}/hold", json={"reason": "trial"})
    for seconds, status in ((60, 200), (-60, 410)):
        link = Link(alert["id"], "hook", int(time.time()) + seconds)
        where_face = app.extensions["susracker"].links.address("", link)
        assert checked("GET", where_face).status_code == status
    found = checked("GET", alerts).get_json()["alerts"]
    for one in found:
        checked("GET", f"{alerts}/{one['id']}")
    activities = [one for one in found if one["alert_type"] == 2]
    checked("POST", f"{alerts}/{activities[0]['id']}/review", json=review)
    assert checked("DELETE", where).status_code == 409  # held
    checked("DELETE", f"{mine}/hold")
    for path in (f"{alerts}/stats", "/api/cameras", "/api/criminals", where, f"{where}/track"):
        checked("GET", path)
    photos = checked("GET", f"{where}/photos").get_json()["photos"]
    checked("GET", f"{where}/photos/{photos[0]['id']}?size=64")
    checked("PUT", where, json={"age": 36, "expires_at": "2099-01-31"})
    checked("DELETE", f"{where}/photos/{photos[0]['id']}")
    checked("DELETE", where)
    checked("GET", where)
    erase_someone(checked)
    assert checked("GET", mine).get_json()["name"] is None
    checked("GET", alerts)
    for path in (
        "/readyz",
        "/healthz",
        "/metrics",
        "/api/benchmark",
        "/openapi.json",
        "/asyncapi.json",
    ):
        checked("GET", path)
    walk_the_site(checked)
    walk_as_compreface(checked)
    key = checked("POST", "/api/keys", json={"role": "admin", "name": "first"}).get_json()
    app.extensions["susracker"].admission._read()
    admin = issue_admin(app)
    checked("GET", "/api/cameras")  # from now on with a key only
    checked("POST", "/api/session", json={"key": admin})
    checked("GET", "/api/session")
    checked("GET", "/api/audit")
    checked("GET", "/api/audit/verification")
    checked("GET", "/api/retention")
    checked("GET", "/api/keys")
    checked("POST", f"/api/keys/{key['id']}/rotate")
    checked("DELETE", f"/api/keys/{key['id']}")
    assert checked("POST", f"/api/keys/{key['id']}/rotate").status_code >= 400
    checked("DELETE", "/api/session")
    successes = {
        (method.upper(), path, status)
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
        for status in operation["responses"]
        if status < "300"
    }
    assert successes == {one for one in checked.seen if one[2] < "300"}
    assert {"400", "401", "404", "409"} <= {status for _, _, status in checked.seen}


def test_a_person_who_cannot_be_read_back_is_answered_by_id(tmp_path, document):
    with app_of(tmp_path) as app, ExitStack() as gone:
        checked, tracker = Checked(app, document), app.extensions["susracker"].tracker
        whole = checked("POST", "/api/criminals", json={"name": "Ada"})
        where = whole.headers["Location"]
        unavailable = StoreUnavailableError("gone")
        gone.enter_context(patch.object(tracker.store, "photo_ids_of", side_effect=unavailable))
        edited = checked("PUT", where, json={"age": 30})
        assert (edited.get_json(), edited.get_etag()) == (
            {"id": whole.get_json()["id"]},
            (None, None),
        )
        added = checked("POST", "/api/criminals", json={"name": "Max"})
        assert list(added.get_json()) == ["id"]
        gone.close()
        stored = checked("GET", "/api/criminals").get_json()["criminals"]
    assert [(one["name"], one["age"]) for one in stored] == [("Ada", 30), ("Max", None)]


def enrol_a_list(checked: Any) -> None:
    """A list that is read, and someone in it who is enrolled already."""
    rows = b"photo,name,age\nc.png,Eileen Collins,68\nd.png,Max Roe,old\n"
    sent = {"name": "people.csv", "file": (io.BytesIO(rows), "people.csv")}
    (person,) = checked("POST", "/api/enrolments/list", data=sent).get_json()["people"]
    for images in ([face(COLLINS)], [face(HOPPER)]):
        checked("POST", "/api/enrolments", json=person["fields"] | {"images": images})
    double = {"name": "Countess", "images": [smaller_face(COLLINS)]}
    ids = [checked("POST", "/api/enrolments", json=double).get_json()["id"]]
    found = checked("POST", "/api/enrolments/lookalikes", json={"criminal_ids": ids}).get_json()
    assert len(found["pairs"]) == 1
    checked("DELETE", f"/api/criminals/{ids[0]}")


def erase_someone(checked: Any) -> None:
    """Whoever is still there."""
    (person,) = checked("GET", "/api/criminals").get_json()["criminals"]
    where = f"/api/criminals/{person['id']}/erasure"
    assert checked("POST", where, json={"reason": " "}).status_code == 400
    checked("POST", where, json={"reason": "court order"})
    assert checked("POST", where, json={"reason": "court order"}).status_code == 404


def walk_the_site(checked: Any) -> None:
    """The plan, the days of cameras, and a search for a face."""
    assert checked("GET", "/api/site/plan").status_code == 404
    for picture in (HOPPER, COLLINS):
        plan = {"file": (io.BytesIO(picture.read_bytes()), "plan")}
        checked("PUT", "/api/site/plan", data=plan)
    checked("PUT", "/api/site/places", json={"camera_id": "gate-1", "x": 0.5, "y": 1})
    checked("GET", "/api/site")
    checked("GET", "/api/site/plan")
    checked("DELETE", "/api/site/places?camera_id=gate-1")
    checked("DELETE", "/api/site/plan")
    checked("GET", "/api/cameras/days")
    for image in (face(HOPPER), face(COLLINS)):
        checked("POST", "/api/find", json={"image": image})


def walk_as_compreface(checked: Any) -> None:
    """What programs for CompreFace ask."""
    api = "/api/v1/recognition"
    checked("POST", f"{api}/subjects", json={"subject": "amy"})
    checked("PUT", f"{api}/subjects/amy", json={"subject": "grace"})
    made = checked("POST", f"{api}/faces?subject=grace", json={"file": face(HOPPER)}).get_json()
    assert checked("POST", f"{api}/recognize", json={"file": NO_FACE}).get_json()["code"] == 28
    checked("POST", f"{api}/recognize", json={"file": face(HOPPER)})
    checked("GET", f"{api}/subjects")
    checked("GET", f"{api}/faces?subject=grace")
    checked("GET", f"{api}/faces/{made['image_id']}/img")
    checked("DELETE", f"{api}/faces/{made['image_id']}")
    checked("DELETE", f"{api}/faces?subject=grace")
    checked("DELETE", f"{api}/subjects/grace")
    assert checked("DELETE", f"{api}/subjects/grace").status_code == 404


def issue_admin(app: Any) -> str:
    parts = app.extensions["susracker"]
    _, text = issue(parts.tracker.store, "admin", "Jo", None, None, datetime.now(timezone.utc))
    parts.admission._read()
    return str(text)


# -- what nobody thought of ------------------------------------------------------------------------

AS_DESCRIBED = (
    checks.not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
)


OTHER_KEYS = ("Authorization", "X-API-Key", "Cookie")


@pytest.mark.timeout(600)
@pytest.mark.parametrize("mode", list(schemathesis.GenerationMode), ids=lambda mode: mode.value)
def test_whatever_is_sent_is_answered_as_described(tmp_path, mode):
    with app_of(tmp_path) as app:
        key = {"Authorization": f"Bearer {issue_admin(app)}"}
        statuses: Counter[int] = Counter()
        for one in schemathesis.openapi.from_wsgi("/openapi.json", app).get_all_operations():
            known = something_of_each(app, key)
            statuses += ask_anything(one.ok(), mode, key, known)
        # Refusals alone would say little.
        assert len(statuses) >= 4, statuses
        if mode.is_positive:
            assert statuses[200] + statuses[201] + statuses[204] > 10, statuses
        assert statuses[401] + statuses[403] < 20, statuses


def something_of_each(app: Any, key: dict[str, str]) -> dict[str, str]:
    """A person and an alert, for parts of addresses."""
    client = app.test_client()
    person = client.post("/api/criminals", json={"name": "Ada"}, headers=key).get_json()
    client.post("/activity_alert", json={"event_type": person["id"]}, headers=key)
    alerts = client.get(f"/api/alerts?before={2**62}&limit=1", headers=key).get_json()["alerts"]
    return {"criminal_id": person["id"], "alert_id": alerts[0]["id"]}


def ask_anything(operation: Any, mode: Any, key: dict[str, str], known: Any) -> Counter[int]:
    statuses: Counter[int] = Counter()

    @given(case=operation.as_strategy(generation_mode=mode))
    @settings(
        max_examples=4,
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    def ask(case: Any) -> None:
        for name in OTHER_KEYS:
            case.headers.pop(name, None)
        case.cookies.clear()
        case.headers.update(key)
        if mode.is_positive:
            case.path_parameters.update(
                {k: known.get(k, v) for k, v in case.path_parameters.items()}
            )
        answer = case.call()
        statuses[answer.status_code] += 1
        case.validate_response(answer, checks=AS_DESCRIBED)

    ask()
    return statuses
