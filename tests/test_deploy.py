"""What is in `deploy/`: units, images and settings that are whole, safe, and name what there is."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import pytest
import yaml

from susracker.config import Settings, variable_name
from susracker.demo.process import ServerProcess
from susracker.loading import load_settings
from susracker.server.run import CLOSE_SECONDS, FINISH_SECONDS, UNFINISHED_SECONDS
from tests.certificates import make_certificate
from tests.services.servers import free_port
from tests.test_repository import project, read

DEPLOY = Path(__file__).parent.parent / "deploy"

# -- compose ---------------------------------------------------------------------------------------


def test_the_example_deployment_names_what_there_is():
    services = yaml.safe_load(read("deploy/compose.yaml"))["services"]
    upstreams = re.findall(r"server ([\w-]+):5000", read("deploy/nginx.conf"))
    needed = {name for service in services.values() for name in service.get("depends_on", ())}
    assert {"node-a", "node-b"} <= set(upstreams)
    assert set(upstreams) | needed <= services.keys()
    settings = {variable_name(name) for name in Settings.model_fields}
    for name in ("node-a", "node-b"):
        assert services[name]["environment"].keys() <= settings


def test_the_nodes_of_the_example_deployment_share_the_key_of_their_audit_log():
    compose = yaml.safe_load(read("deploy/compose.yaml"))
    homes = set()
    for name in ("node-a", "node-b"):
        node = compose["services"][name]
        (volume, folder) = node["volumes"][0].split(":")
        assert node["environment"]["SUSRACKER_AUDIT_KEY"].startswith(folder + "/")
        assert volume in compose["volumes"]
        homes.add(volume)
    assert len(homes) == 1
    assert f"mkdir {folder} && chown nobody {folder}" in read("deploy/Dockerfile")


IMAGE_VOLUMES = {
    "mongo": {"/data/db", "/data/configdb"},
    "redis": {"/data"},
    "milvusdb/milvus": {"/var/lib/milvus"},
}
"""Where the images of the example deployment keep their data."""


def test_all_data_of_the_example_deployment_is_in_volumes_with_names():
    compose = yaml.safe_load(read("deploy/compose.yaml"))
    used = []
    for service in compose["services"].values():
        mounts = dict(reversed(one.split(":")[:2]) for one in service.get("volumes", ()))
        where = IMAGE_VOLUMES.get(service.get("image", "").split(":")[0], set())
        assert where <= {*mounts, *service.get("tmpfs", ())}
        used += [mounts[folder] for folder in where if folder in mounts]
    assert len(used) == len(set(used)) >= 8  # three of MongoDB have two each
    assert set(used) <= compose["volumes"].keys()


def test_every_service_of_the_example_deployment_has_a_health_check_and_comes_back():
    services = yaml.safe_load(read("deploy/compose.yaml"))["services"]
    for name, service in services.items():
        if name != "replica-set":  # runs once
            own = "build" in service  # the image has one: see below
            assert own or service["healthcheck"]["test"][0] == "CMD", name
            assert service["restart"] == "unless-stopped", name


def test_whatever_waits_for_a_service_waits_until_it_works():
    services = yaml.safe_load(read("deploy/compose.yaml"))["services"]
    for name, service in services.items():
        for needed, how in service.get("depends_on", {}).items():
            wanted = "completed_successfully" if needed == "replica-set" else "healthy"
            assert how == {"condition": f"service_{wanted}"}, name


# -- image -----------------------------------------------------------------------------------------

INSTRUCTIONS = {
    "ARG", "CMD", "COPY", "ENV", "EXPOSE", "FROM", "HEALTHCHECK", "RUN", "USER", "VOLUME", "WORKDIR"
}  # fmt: skip


def instructions() -> Iterator[tuple[str, str]]:
    """Each instruction of the Dockerfile with what follows it."""
    text = re.sub(r"^#.*\n", "", read("deploy/Dockerfile"), flags=re.MULTILINE)
    for line in text.replace("\\\n", " ").splitlines():
        if line.strip():
            word, _, rest = line.partition(" ")
            yield word, rest.strip()


def test_the_dockerfile_has_nothing_but_instructions():
    found = list(instructions())
    assert found[0][0] == "FROM"
    assert {word for word, _ in found} <= INSTRUCTIONS
    for word, rest in found:
        if word == "FROM":
            image = rest.split()[0]
            assert image.partition(":")[2] not in ("", "latest"), "another image each day"
        if word in ("CMD", "HEALTHCHECK"):
            form = re.sub(r"^(--\S+ )*CMD ", "", rest) if word == "HEALTHCHECK" else rest
            assert json.loads(form), "without a shell, so that signals arrive"


def test_the_image_runs_as_nobody_and_says_whether_it_works():
    last = [index for index, (word, _) in enumerate(instructions()) if word == "FROM"][-1]
    words = dict(list(instructions())[last:])
    assert words["USER"] == "nobody"
    assert "--interval=" in words["HEALTHCHECK"]
    assert words["HEALTHCHECK"].endswith('CMD ["python", "/opt/susracker/healthy.py"]')
    order = [word for word, _ in list(instructions())[last:]]
    assert order.index("RUN") < order.index("USER") < order.index("CMD")


def test_the_image_has_extras_that_there_are():
    (extras,) = [rest for word, rest in instructions() if rest.startswith("EXTRAS=")]
    named = set(extras.removeprefix("EXTRAS=").split(","))
    assert (
        {"mongodb", "redis", "mqtt", "notify"} <= named <= set(project()["optional-dependencies"])
    )


def test_the_image_keeps_its_data_in_its_volume():
    words = dict(instructions())
    data = dict(one.split("=") for one in words["ENV"].split())["XDG_DATA_HOME"]
    assert words["VOLUME"] == words["WORKDIR"] == f"{data}/susracker"


def test_the_image_is_built_from_nothing_but_the_program(tmp_path):
    lines = read(".dockerignore").splitlines()
    kept = [line.removeprefix("!") for line in lines if line.startswith("!")]
    assert "*" in lines
    for name in kept:
        source, target = DEPLOY.parent / name, tmp_path / name
        target.parent.mkdir(exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, target)
    pip = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run([*pip, "--wheel-dir", str(tmp_path), str(tmp_path)], check=True)
    assert list(tmp_path.glob("susracker-*.whl"))


def health(monkeypatch: pytest.MonkeyPatch, folder: Path, **settings: object) -> str:
    """What the image's health check says: nothing if all is well."""
    monkeypatch.chdir(folder)
    for name, value in settings.items():
        monkeypatch.setenv(variable_name(name), str(value))
    command = [sys.executable, DEPLOY / "healthy.py"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode == 0) == (not done.stderr)
    return done.stderr


@pytest.mark.parametrize("has_tls", [False, True], ids=["http", "https"])
def test_the_health_check_tells_a_server_that_answers(tmp_path, monkeypatch, has_tls):
    files = make_certificate(tmp_path, "site")
    tls = {"cert": files.cert, "key": files.key} if has_tls else {}
    flags = [text for name, file in tls.items() for text in (f"--{name}", str(file))]
    with ServerProcess("--store", f"sqlite:///{tmp_path / 'site.db'}", *flags) as server:
        port = int(server.url.rpartition(":")[2])
        assert health(monkeypatch, tmp_path, port=port, **tls) == ""
    assert "no answer" in health(monkeypatch, tmp_path, port=free_port(), **tls)


# -- systemd ---------------------------------------------------------------------------------------


def unit() -> dict[str, list[str]]:
    """Each directive of the service with its values; a name may have several."""
    found: dict[str, list[str]] = {}
    for line in read("deploy/susracker.service").splitlines():
        if "=" in line and not line.startswith("#"):
            name, _, value = line.partition("=")
            found.setdefault(name, []).append(value)
    return found


def test_the_service_is_confined_and_comes_back():
    directives = unit()
    for name, value in {
        "User": "susracker",
        "NoNewPrivileges": "true",
        "ProtectSystem": "strict",
        "ProtectHome": "true",
        "PrivateTmp": "true",
        "CapabilityBoundingSet": "",
        "StateDirectory": "susracker",
        "StateDirectoryMode": "0700",
        "Restart": "always",
        "LimitCORE": "0",
    }.items():
        assert directives[name] == [value], name
    assert int(directives["LimitNOFILE"][0]) >= 4 * Settings().max_connections


def test_the_service_stops_later_than_the_server_does():
    whole = FINISH_SECONDS + UNFINISHED_SECONDS + CLOSE_SECONDS
    assert int(unit()["TimeoutStopSec"][0]) > whole


def test_the_settings_of_the_service_keep_everything_where_it_may_write():
    (command,) = unit()["ExecStart"]
    assert command.endswith("--config /etc/susracker/susracker.toml serve")
    settings = load_settings(file=DEPLOY / "susracker.toml").settings
    state = PurePosixPath("/var/lib", unit()["StateDirectory"][0])
    assert PurePosixPath(settings.store.removeprefix("sqlite:///")).parent == state
    assert PurePosixPath(settings.audit_key).parent == state
    assert unit()["WorkingDirectory"] == [str(state)]


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="needs systemd-analyze")
def test_systemd_understands_the_service(tmp_path):
    here = read("deploy/susracker.service").replace("/opt/susracker/bin/susracker", sys.executable)
    file = tmp_path / "susracker.service"
    file.write_text(here)
    verify = ["systemd-analyze", "verify", "--man=no", str(file)]
    done = subprocess.run(verify, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    file.write_text(here.replace("ProtectSystem=strict", "ProtectSystems=strict"))
    done = subprocess.run(verify, capture_output=True, text=True, check=False)
    assert "ProtectSystems" in done.stderr
