"""Query parameters that a route does not have are refused, on every route."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask

from tests.server.apps import running_app, site_tracker

OLD_CAMERAS = {"/face_upload", "/activity_alert"}

LINKS = {"/api/alerts/<alert_id>/face"}
"""Whose link is checked first; test_picture_links.py has what comes after."""


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    with site_tracker(tmp_path_factory.mktemp("site")) as tracker, running_app(tracker) as made:
        yield made


def ask(app: Flask, rule: str, method: str, query: str) -> Any:
    path = re.sub(r"<[^>]+>", "unknown", rule)
    return app.test_client().open(f"{path}?{query}", method=method)


def test_every_route_refuses_what_it_does_not_take(app: Flask) -> None:
    refused = "this route takes no parameter 'cmera'"
    ignoring = {
        rule.rule
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
        if refused not in str(ask(app, rule.rule, method, "cmera=gate").get_json())
    }
    assert ignoring == OLD_CAMERAS | LINKS


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("camera=gate", "this route takes no parameter 'camera': did you mean camera_id?"),
        ("page=2", "this route takes no parameter 'page': it takes after, limit, "),
        ("limit=2&limit=3", "limit: give it once"),
        ("reason=a&reason=b", "reason: give it once"),
    ],
)
def test_it_says_what_was_meant(app: Flask, query: str, told: str) -> None:
    answer = ask(app, "/api/alerts", "GET", query)
    assert answer.status_code == 400
    assert answer.get_json()["error"].startswith(told)


def test_every_route_takes_a_reason(app: Flask) -> None:
    for path in ("/api/alerts", "/api/cameras", "/healthz"):
        assert ask(app, path, "GET", "reason=case+7").status_code == 200


def test_old_cameras_may_append_what_they_like(app: Flask) -> None:
    answer = app.test_client().post("/activity_alert?t=17&t=18", json={"event_type": "violence"})
    assert answer.get_json() == {"message": "Alert sent"}
