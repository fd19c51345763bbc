"""Paths that the server does not have, and methods that a path does not take."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask

from tests.server.apps import running_app, site_tracker


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    with site_tracker(tmp_path_factory.mktemp("site")) as tracker, running_app(tracker) as made:
        yield made


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_an_unknown_path_is_a_problem_that_says_where_the_routes_are_listed(
    app: Flask, method: str
) -> None:
    answer = app.test_client().open("/api/criminal", method=method)
    assert (answer.status_code, answer.mimetype) == (404, "application/problem+json")
    assert answer.json["detail"] == "there is nothing at this path: docs/api.md lists every route"
    assert answer.json["error"] == answer.json["detail"]


def test_a_method_that_a_path_does_not_take_is_a_problem_that_names_those_it_takes(
    app: Flask,
) -> None:
    answer = app.test_client().post("/readyz")
    assert (answer.status_code, answer.mimetype) == (405, "application/problem+json")
    assert answer.json["detail"] == "this path does not take POST: use GET"
    assert "GET" in answer.headers["Allow"].split(", ")


def test_a_camera_that_asks_in_the_wrong_way_gets_the_same_as_short_json(app: Flask) -> None:
    answer = app.test_client().get("/face_upload")
    assert (answer.status_code, answer.mimetype) == (405, "application/json")
    assert answer.json == {"error": "this path does not take GET: use POST"}
