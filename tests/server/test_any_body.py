"""Every route answers every body: 4xx if it is wrong, never 5xx."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from itertools import cycle

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from susracker import open_tracker
from susracker.enrolment.fields import criminal_from_fields
from susracker.server.service import EXTENSION
from tests.pictures import HOPPER
from tests.server.apps import running_app

JSON = "application/json"
DEEP = 100_000

DETECTION = {
    "camera_id": "gate",
    "camera_location": "Main gate",
    "event_type": "violence",
    "timestamp": "2026-05-01T10:00:00Z",
    "event_id": "e1",
    "image": base64.b64encode(b"no picture").decode(),
}

CRIMINAL = {
    "name": "Ada",
    "age": 41,
    "crimes": ["fraud"],
    "threat": "low",
    "status": "wanted",
    "case_reference": "K-1",
    "expires_at": "2126-12-31",
    "images": [],
}

GOOD_BODIES = (DETECTION, DETECTION | {"event_type": "face"}, CRIMINAL)

NAMES = sorted({name for body in GOOD_BODIES for name in body})

FIELDS = [(number, name) for number, body in enumerate(GOOD_BODIES) for name in body] + [
    (1, "track_id"),
    (2, "image"),
    (2, "id"),
    (2, "revision"),
]
"""Which of the good bodies, and which of its fields, is made wrong."""

DETECTIONS = ("/face_upload", "/activity_alert", "/api/detections")
READ_BY = (DETECTIONS, DETECTIONS, ("/api/criminals", "/api/enrolments"))
"""Beginnings of the paths that read each of the good bodies."""

WRONG_VALUES = [
    "null",
    "true",
    "5",
    "-1",
    "1e999",
    "NaN",
    "-Infinity",
    "1" + "0" * 400,
    "1" + "0" * 5000,
    '""',
    '"\\ud800"',
    '"\\u0000"',
    '"é%ff../..\\\\"',
    '"' + "x" * 100_000 + '"',
    '"data:image/png;base64,é"',
    "[]",
    "[5]",
    "[null]",
    '["\\ud800"]',
    "[[[]]]",
    "{}",
    '{"a": {"b": 5}}',
    "[" * 900 + "]" * 900,
]

WHOLE_BODIES = [
    b"",
    b" ",
    b"null",
    b"5",
    b"NaN",
    b'"text"',
    b"[]",
    b"[{}]",
    b"{}",
    b"{",
    b'{"camera_id": "a", "camera_id": 5}',
    b'{"name": "a", "name": "b", "images": []}',
    b'{"": 1}',
    b'{"\\ud800": 1}',
    b"\xff\xfe",
    b"\xff\xfe{\x00}\x00",
    b"\xef\xbb\xbf{}",
    b'{"name": "\xff"}',
    b'{"name": "\xed\xa0\x80"}',
    b"[" * DEEP,
    b"[" * DEEP + b"]" * DEEP,
    b'{"a":' * DEEP + b"1" + b"}" * DEEP,
    b'{"images": ' + b"[" * DEEP + b"]" * DEEP + b"}",
    b"name=Ada&age=x&camera_id=%ff&crimes=%00",
    b"--x\r\nContent-Disposition: form-data; name=file; filename=a\r\n\r\nab\r\n--x--\r\n",
    b"--x\r\nContent-Disposition: form-data; name=camera_id\r\n\r\n\xff\xfe\r\n--x--\r\n",
    b"--x\r\nContent-Disposition: form-data; name=name\r\n\r\nAda\r\n--x",
]

CONTENT_TYPES = [
    JSON,
    "application/json; charset=nonsense",
    "application/x-www-form-urlencoded",
    "multipart/form-data",
    "multipart/form-data; boundary=x",
    "text/plain",
    "",
    "nonsense",
]

WRONG_QUERIES = [
    "after=x&limit=",
    "after=-1",
    "after=1e999",
    "limit=" + "9" * 5000,
    "after=%ff&%00",
]


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[object]:
    store = f"sqlite:///{tmp_path_factory.mktemp('site') / 'site.db'}"
    with (
        open_tracker(store=store, rate_limit="1000000 per second") as tracker,
        running_app(tracker) as app,
    ):
        yield app


@pytest.fixture(scope="module")
def paths(app) -> list[tuple[str, str]]:
    """Every method and path of the application, of a person who exists and of nobody."""
    service = app.extensions[EXTENSION]
    ada = criminal_from_fields({"name": "Ada"})
    photo = service.enroller.prepare(HOPPER.read_bytes())
    service.enroller.enroll(ada, [photo])
    return [
        (method, url)
        for rule in app.url_map.iter_rules()
        for method in sorted(rule.methods - {"OPTIONS", "HEAD", "DELETE"})
        for value in (ada.id, "nobody", "%ff%00")
        for url in {"".join(_filled(part, value) for part in rule.rule.split("/"))}
    ]


@pytest.fixture(scope="module")
def posts(paths) -> list[tuple[str, str]]:
    """Those that take a body, of a person who exists."""
    return [
        (method, path)
        for method, path in dict.fromkeys(paths)
        if method != "GET" and not {"nobody", "%ff%00"} & set(path.split("/"))
    ]


def _filled(part: str, value: str) -> str:
    return ("/" + (value if part.startswith("<") else part)) if part else ""


def failures(app, paths, **request: object) -> list[str]:
    client = app.test_client()
    found = []
    for method, path in dict.fromkeys(paths):
        status = client.open(path, method=method, **request).status_code
        if status >= 500:
            found.append(f"{status} {method} {path} {str(request)[:120]}")
    return found


def test_all_routes_are_walked(paths):
    assert {"/face_upload", "/activity_alert", "/api/detections", "/api/criminals"} <= {
        path for method, path in paths if method == "POST"
    }
    assert len({path for method, path in paths if method == "PUT"}) == 3 * 3 + 2


@pytest.mark.parametrize("content_type", CONTENT_TYPES)
def test_bodies_that_are_wrong_as_a_whole(app, paths, posts, content_type):
    found = []
    for body in WHOLE_BODIES:
        asked = paths if content_type == JSON else posts
        found += failures(app, asked, data=body, content_type=content_type)
    assert not found


def test_the_good_bodies_are_taken(app):
    answers = [
        app.test_client().post(path, json=body).status_code
        for path, body in (("/api/detections", DETECTION), ("/api/criminals", CRIMINAL))
    ]
    assert answers == [200, 201]


@pytest.mark.parametrize(("number", "name"), FIELDS)
def test_fields_of_every_wrong_type(app, posts, number, name):
    found = []
    readers = [one for one in posts if one[1].startswith(READ_BY[number])]
    rest = json.dumps({key: value for key, value in GOOD_BODIES[number].items() if key != name})
    for value in WRONG_VALUES:
        body = f'{rest[:-1]}, "{name}": {value}}}'
        found += failures(app, readers, data=body, content_type=JSON)
    assert not found


def test_fields_that_only_other_routes_read(app, posts):
    found = []
    for value, name in zip(WRONG_VALUES, cycle(NAMES)):
        found += failures(app, posts, data=f'{{"{name}": {value}}}', content_type=JSON)
    assert not found


@pytest.mark.parametrize("query", WRONG_QUERIES)
def test_queries_that_are_wrong(app, paths, query):
    assert not failures(app, paths, query_string=query)


def test_deep_nesting_is_the_clients_mistake(app):
    body = b'{"images": ' + b"[" * DEEP + b"]" * DEEP + b"}"
    for path in ("/activity_alert", "/api/detections", "/api/criminals"):
        answer = app.test_client().post(path, data=body, content_type=JSON)
        assert answer.status_code == 400
        assert answer.get_json()["error"]


def test_images_must_be_a_list(app):
    for images in (5, "text", {"a": 1}, True):
        answer = app.test_client().post("/api/criminals", json={"name": "Ada", "images": images})
        assert (answer.status_code, answer.get_json()["error"][:7]) == (400, "images:")


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(NAMES) | st.text(), inner),
)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    good=st.sampled_from(GOOD_BODIES),
    changes=st.dictionaries(st.sampled_from(NAMES), values, max_size=4),
)
def test_any_json(app, posts, good, changes):
    assert not failures(app, posts, data=json.dumps(good | changes), content_type=JSON)
