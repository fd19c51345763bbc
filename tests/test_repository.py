"""What surrounds the code: workflows, hooks, pins and make targets that exist and agree."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

try:
    import tomllib
except ModuleNotFoundError:
    import tomli as tomllib

ROOT = Path(__file__).parent.parent
WORKFLOWS = sorted(ROOT.glob(".github/workflows/*.yml"))
PYTHONS = ("3.10", "3.11", "3.12", "3.13", "3.14")


def read(path: str) -> str:
    return (ROOT / path).read_text(encoding="utf-8")


def project() -> dict[str, Any]:
    return tomllib.loads(read("pyproject.toml"))["project"]


def workflow(name: str) -> dict[str, Any]:
    return yaml.safe_load(read(f".github/workflows/{name}.yml"))


def steps() -> Iterator[dict[str, Any]]:
    for path in WORKFLOWS:
        for job in yaml.safe_load(path.read_text(encoding="utf-8"))["jobs"].values():
            yield from job["steps"]


# -- make targets ---------------------------------------------------------------------------------


def make_targets() -> set[str]:
    text = read("Makefile").replace("$(FERRETDB)", "tests/services/ferretdb/bin/ferretdb")
    return set(re.findall(r"^([\w/]+):(?!=)", text, re.MULTILINE))


def commands_that_call_make() -> Iterator[tuple[str, str]]:
    """Each target that is named after `make` in a command, and where."""
    for page in ("README.md", "CONTRIBUTING.md", *(f"docs/{p.name}" for p in ROOT.glob("docs/*"))):
        if page.endswith(".md"):
            for target in re.findall(r"(?:^ *|`)make ([a-z/]+)", read(page), re.MULTILINE):
                yield page, target
    for target in re.findall(r"^ *make (\S+)", read(".ci/run"), re.MULTILINE):
        yield ".ci/run", target
    for step in steps():
        for target in re.findall(r"^ *make (\S+)", step.get("run", ""), re.MULTILINE):
            yield "a workflow", target


def test_every_make_target_that_is_named_exists():
    named = list(commands_that_call_make())
    assert {"README.md", ".ci/run", "a workflow"} <= {where for where, _ in named}
    missing = [(where, target) for where, target in named if target not in make_targets()]
    assert not missing


def test_make_help_tells_every_phony_target():
    phony = set(re.search(r"^\.PHONY: (.*)$", read("Makefile"), re.MULTILINE)[1].split())
    told = set(re.findall(r'@echo "make (\w+) ', read("Makefile")))
    assert phony == told | {"help"}


# -- workflows ------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_a_workflow_is_well_formed(path):
    parsed = yaml.safe_load(path.read_text(encoding="utf-8"))
    # YAML 1.1 reads the key `on` as true.
    assert {"name", True, "permissions", "jobs"} <= parsed.keys()
    for job in parsed["jobs"].values():
        assert {"runs-on", "timeout-minutes", "steps"} <= job.keys()
        for step in job["steps"]:
            assert len({"run", "uses"} & step.keys()) == 1, step


def test_every_action_is_pinned_to_a_version():
    used = [step["uses"] for step in steps() if "uses" in step]
    assert used
    assert not [action for action in used if not re.search(r"@v\d+\.\d+\.\d+$", action)]


def test_linux_runs_every_python_that_is_supported():
    minors = re.findall(r"Python :: (3\.\d+)", " ".join(project()["classifiers"]))
    assert tuple(minors) == PYTHONS
    assert project()["requires-python"] == f">={PYTHONS[0]}"
    jobs = workflow("tests")["jobs"]
    assert tuple(jobs["linux"]["strategy"]["matrix"]["python"]) == PYTHONS
    for other in ("macos", "windows"):
        assert jobs[other]["strategy"]["matrix"]["python"] == [PYTHONS[0], PYTHONS[-1]]


def test_what_windows_leaves_out_exists():
    left_out = re.findall(r"--(?:ignore|deselect) (\S+)", read(".github/workflows/tests.yml"))
    assert left_out
    for path, _, test in (one.partition("::") for one in left_out):
        assert f"def {test}" in read(path)


def test_publishing_needs_the_build_and_no_stored_token():
    publish = workflow("release")["jobs"]["publish"]
    assert publish["needs"] == "build"
    assert publish["permissions"] == {"id-token": "write"}
    assert "secrets." not in read(".github/workflows/release.yml")


def test_dependabot_looks_where_there_is_something():
    manifests = {
        "pip": "pyproject.toml",
        "github-actions": ".github/workflows",
        "gomod": "go.mod",
        "npm": "package.json",
        "docker": "Dockerfile",
    }
    updates = yaml.safe_load(read(".github/dependabot.yml"))["updates"]
    assert {update["package-ecosystem"] for update in updates} == manifests.keys()
    for update in updates:
        manifest = manifests[update["package-ecosystem"]]
        assert (ROOT / update["directory"].lstrip("/") / manifest).exists(), update


# -- pins -----------------------------------------------------------------------------------------


def pins() -> list[Requirement]:
    text = read("requirements-dev.txt").replace("\\\n", " ")
    lines = [line.split(" --hash")[0] for line in text.splitlines() if not line.startswith("#")]
    return [Requirement(line) for line in lines]


def wanted() -> list[Requirement]:
    """All that pyproject.toml asks for, in every extra."""
    extras = project()["optional-dependencies"].values()
    texts = [*project()["dependencies"], *(text for extra in extras for text in extra)]
    return [one for one in map(Requirement, texts) if one.name != "susracker"]


def applies(requirement: Requirement, python: str) -> bool:
    here = default_environment() | {
        "python_version": python,
        "python_full_version": f"{python}.0",
        "sys_platform": "linux",
        "platform_system": "Linux",
        "platform_machine": "x86_64",
        "extra": "",
    }
    return requirement.marker is None or requirement.marker.evaluate(here)


def pinned_versions(name: str, python: str) -> list[str]:
    return [
        next(iter(pin.specifier)).version
        for pin in pins()
        if canonicalize_name(pin.name) == canonicalize_name(name) and applies(pin, python)
    ]


@pytest.mark.parametrize("python", PYTHONS)
def test_pins_are_in_step_with_what_the_project_asks_for(python):
    for requirement in wanted():
        if applies(requirement, python):
            versions = pinned_versions(requirement.name, python)
            assert len(versions) == 1, f"{requirement}: run make lock"
            assert requirement.specifier.contains(versions[0]), f"{requirement}: run make lock"


def test_pins_have_hashes_and_name_no_host():
    text = read("requirements-dev.txt")
    assert "://" not in text
    for pin in text.replace("\\\n", " ").splitlines():
        assert pin.startswith("#") or "--hash=sha256:" in pin, pin


def test_hooks_run_the_pinned_tools():
    hooks = yaml.safe_load(read(".pre-commit-config.yaml"))["repos"][0]["hooks"]
    assert {hook["id"] for hook in hooks} == {"ruff", "ruff-format", "codespell", "mypy"}
    for hook in hooks:
        for tool in map(Requirement, hook.get("additional_dependencies", [])):
            version = next(iter(tool.specifier)).version
            assert version in pinned_versions(tool.name, PYTHONS[0]), tool
