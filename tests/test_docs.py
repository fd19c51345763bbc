"""The documentation says what the program does, leaves nothing out, and its examples run."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest
import requests

import susracker
from susracker.config import Settings, variable_name
from susracker.demo.process import ServerProcess
from susracker.models import Alert, Candidate
from susracker.plugins import backend_names
from susracker.server.app import create_app
from susracker.server.contract.mqtt import TOPICS
from susracker.server.wire import new_alert_event
from tests.pictures import HOPPER
from tests.test_repository import project

ROOT = Path(__file__).parent.parent
NOON = datetime(2026, 1, 31, 12, tzinfo=timezone.utc)


def page(name: str) -> str:
    return (ROOT / "docs" / name).read_text(encoding="utf-8")


def generated_page(kind: str) -> str:
    # In a process of its own: a command keeps the help option that it was first asked for, and an
    # earlier test may have called it without the settings of `main`.
    program = f"import generate, sys; sys.stdout.write(generate.{kind}_page())"
    return subprocess.check_output(
        [sys.executable, "-c", program], cwd=ROOT / "docs", text=True, encoding="utf-8"
    )


def test_cli_page_is_what_help_says():
    assert page("cli.md") == generated_page("cli"), "run: make docs"


def test_api_page_is_what_the_routes_declare():
    assert page("api.md") == generated_page("api"), "run: make docs"


def test_links_lead_somewhere():
    for path in [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")]:
        for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", path.read_text(encoding="utf-8")):
            if "://" not in target:
                assert (path.parent / target).exists(), f"{path.name} links to {target}"


def test_readme_gives_the_two_commands_on_its_first_screen():
    first_screen = (ROOT / "README.md").read_text(encoding="utf-8").splitlines()[:40]
    assert {"make demo", "make test"} <= {line.split("#")[0].strip() for line in first_screen}


# -- nothing is left out --------------------------------------------------------------------------


def test_every_setting_is_documented_with_its_default():
    rows = re.findall(r"^\| `(\w+)` \| `(\w+)` \| (.+?) \|", page("cli.md"), re.MULTILINE)
    told = {name: (variable, default) for name, variable, default in rows}
    assert told.keys() == Settings.model_fields.keys()
    for name, field in Settings.model_fields.items():
        assert told[name][0] == variable_name(name)
        if field.default_factory is None:
            assert told[name][1] == (str(field.default) if field.default != "" else "empty"), name


def routes(folder: Path) -> Iterator[str]:
    """Each route as the documentation writes it, such as `GET /api/alerts/<id>`."""
    tracker = susracker.open_tracker(store=f"sqlite:///{folder / 'routes.db'}")
    with closing(tracker):
        for rule in create_app(tracker).url_map.iter_rules():
            for method in sorted(rule.methods - {"HEAD", "OPTIONS"}):
                yield f"{method} " + re.sub(r"<(?:\w+:)?(?:\w+_)?(\w+)>", r"<\1>", rule.rule)


def test_every_route_is_documented(tmp_path):
    text = page("http.md")
    found = [route for route in routes(tmp_path) if not route.startswith("GET /static/")]
    assert "POST /face_upload" in found
    missing = [one for one in found if not re.search(rf"`{re.escape(one)}(?=[`?])", text)]
    assert not missing


def emitted_events() -> set[str]:
    """What the server's code calls `emit` with."""
    return {
        node.args[0].value
        for path in ROOT.glob("susracker/server/**/*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        and getattr(node.func, "attr", "") == "emit"
        and isinstance(node.args[0], ast.Constant)
    }


def test_every_event_is_documented():
    assert {"alert", "new_alert"} <= emitted_events()
    missing = [name for name in emitted_events() if f"`{name}`" not in page("http.md")]
    assert not missing


def test_every_field_of_an_event_is_documented():
    activity = Alert("1", "activity", "violence", "gate-1", "Gate", NOON, NOON)
    face = replace(activity, kind="face", candidates=(Candidate("1", "Jo Doe", 0.3, 5.0, 0.001),))
    fields = new_alert_event(activity, None).keys() | new_alert_event(face, None).keys()
    assert not [name for name in fields if f"`{name}`" not in page("http.md")]


def described() -> dict[str, Any]:
    """What `GET /openapi.json` answers."""
    program = "import api_page, json; print(json.dumps(api_page.description()))"
    return json.loads(
        subprocess.check_output([sys.executable, "-c", program], cwd=ROOT / "docs", text=True)
    )


def test_every_parameter_field_of_a_body_and_error_is_documented():
    """Those of answers are in api.md, which is generated."""
    document, text = described(), page("http.md")
    told = set(re.findall(r"`(\w+)`|[?&](\w+)=|\"(\w+)\"", text))
    names = {name for several in told for name in several if name}
    missing, statuses = set(), set()
    for operations in document["paths"].values():
        for operation in operations.values():
            asked = {one["name"] for one in operation["parameters"] if one["in"] == "query"}
            for body in operation.get("requestBody", {}).get("content", {}).values():
                model = body["schema"]["$ref"].rpartition("/")[2]
                asked |= document["components"]["schemas"][model].get("properties", {}).keys()
            missing |= asked - names
            statuses |= {one for one in operation["responses"] if int(one) >= 400}
    assert not missing
    assert {"400", "412", "503"} <= statuses
    assert not [one for one in statuses if not re.search(rf"\b{one}\b", text)]


def test_every_event_and_topic_is_in_the_reference():
    text = page("api.md")
    assert not [name for name in emitted_events() if f"| `{name}` |" not in text]
    assert not [one.address for one in TOPICS.values() if f"| `{one.address}` |" not in text]


def test_every_kind_of_backend_and_every_backend_is_documented():
    text = page("plugins.md")
    groups = project()["entry-points"]
    for group, points in groups.items():
        assert f"`{group}`" in text
        assert set(points) <= set(backend_names(group.removeprefix("susracker.")))
        for name in points:
            assert re.search(rf"^\| `{re.escape(name)}", text, re.MULTILINE), f"{group}: {name}"


def test_every_exported_name_is_documented():
    told = re.findall(r"^\| `(\w+)` \|", page("library.md"), re.MULTILINE)
    assert sorted(told) == sorted(susracker.__all__)


# -- examples and site ----------------------------------------------------------------------------


def examples(name: str) -> str:
    return "\n".join(re.findall(r"^```python\n(.*?)^```", page(name), re.MULTILINE | re.DOTALL))


def test_every_exported_name_has_an_example():
    program = examples("library.md")
    for name in susracker.__all__:
        assert re.search(rf"\b{name}\b", program), f"no example of {name}"


RUN = ("../README.md", "library.md", "replay.md")
"""Pages whose examples are run one after the other."""

RUN_APART = ("migrating.md", "plugins.md", "programs.md")
"""Pages whose examples are programs of their own: see also `test_moving.py`, `test_programs.py`."""


def test_every_page_with_an_example_is_run():
    pages = [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")]
    found = {one for one in pages if "```py" in one.read_text(encoding="utf-8")}
    assert found == {(ROOT / "docs" / name).resolve() for name in RUN + RUN_APART}
    fences = [
        re.findall(r"^ *```py.*", one.read_text(encoding="utf-8"), re.MULTILINE) for one in found
    ]
    assert {fence for several in fences for fence in several} == {"```python"}


def run_twice(program: str, folder: Path) -> list[str]:
    """What it prints, in a process of its own, as a reader would paste it, with photos at hand."""
    printed = []
    for photo in ("jo.jpg", "gate.jpg"):
        (folder / photo).write_bytes(HOPPER.read_bytes())
    for _ in range(2):
        result = subprocess.run(
            [sys.executable, "-W", "error::ResourceWarning", "-c", program],
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
        )
        assert result.returncode == 0, result.stderr
        printed.append(result.stdout)
    return printed


@pytest.mark.parametrize("name", RUN[:2])
def test_the_examples_run_one_after_the_other_and_again(tmp_path, name):
    for printed in run_twice(examples(name), tmp_path):
        assert "Jo Doe" in printed or "cooldown" in printed


def test_the_example_of_a_camera_sends_what_it_sees_and_again(tmp_path):
    store = f"sqlite:///{tmp_path / 'site.db'}"
    server = ServerProcess("--store", store, "--cooldown-seconds", "0", "--log-level", "warning")
    try:
        run_twice(examples("replay.md").replace("http://server:5000", server.url), tmp_path)
        answer = requests.get(f"{server.url}/api/cameras", timeout=60).json()
    finally:
        server.stop()
    (camera,) = answer["cameras"]
    assert (camera["camera_id"], camera["detections"], camera["alerts"]) == ("gate-1", 4, 2)


def test_the_example_of_a_backends_tests_runs_the_whole_suite(tmp_path):
    program = examples("plugins.md").replace('"mine"', '"exact"')
    (tmp_path / "test_mine.py").write_text(program)
    run = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tmp_path)]
    result = subprocess.run(run, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout
    assert int(re.search(r"(\d+) passed", result.stdout)[1]) > 20


def test_the_site_builds_without_a_dead_link_and_loads_nothing_from_elsewhere(tmp_path):
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(tmp_path)]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    pages = list(tmp_path.rglob("*.html"))
    assert len(pages) > len(list((ROOT / "docs").glob("*.md")))  # and the page for 404
    loaded = r'<(?:script|img|link(?=[^>]*rel="?(?:stylesheet|preconnect)))[^>]*?"(https?://[^"]*)'
    for one in pages:
        assert not re.findall(loaded, one.read_text(encoding="utf-8")), one
    for one in [*tmp_path.rglob("*.svg"), *tmp_path.rglob("*.css")]:
        assert not re.findall(r"url\(.?http", one.read_text(encoding="utf-8")), one


@pytest.mark.parametrize("name", ["index.md", "../README.md"])
def test_every_page_can_be_reached_from_the_first(name):
    missing = {path.name for path in (ROOT / "docs").glob("*.md")} - {"index.md"}
    missing -= set(re.findall(r"\]\((?:docs/)?(\w+\.md)\)", page(name)))
    assert not missing
