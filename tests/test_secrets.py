"""Passwords in URLs are neither printed nor logged; what holds faces is its owner's alone."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from susracker.cli import main
from susracker.client import Camera
from susracker.demo.process import ServerProcess
from susracker.edge.video import Sampling, frames
from susracker.errors import ConfigError, InputError
from susracker.plugins import open_cooldown, open_matcher, open_store
from tests.recording.test_recording import seen
from tests.waiting import wait_until

SECRET = "hunter2"


def run(*args: str) -> str:
    """What a command prints and logs."""
    result = CliRunner().invoke(main, [str(arg) for arg in args])
    assert result.exception is None or isinstance(result.exception, SystemExit)
    return result.output


@pytest.fixture
def store(tmp_path) -> str:
    """A store whose URL holds a password, as far as anyone can tell."""
    return f"sqlite:///{tmp_path / 'site.db'}?password={SECRET}"


@pytest.mark.parametrize("form", [[], ["--json"]])
def test_settings_are_printed_without_passwords(monkeypatch, form):
    monkeypatch.setenv("SUSRACKER_STORE", f"mongodb://me:{SECRET}@db/site")
    monkeypatch.setenv("SUSRACKER_COOLDOWN", f"redis://:{SECRET}@cache")
    monkeypatch.setenv("SUSRACKER_MATCHER", f"milvus://me:{SECRET}@vectors")
    monkeypatch.setenv("COLUMNS", "200")
    printed = run("settings", *form)
    assert SECRET not in printed
    assert printed.count(":***@") == 3


def test_restore_names_its_store_without_the_password(tmp_path, store):
    open_store(store).close()
    assert "holds 0 criminals" in run("backup", tmp_path / "backup", "--store", store)
    printed = run("restore", tmp_path / "backup", "--store", f"{store}2")
    assert "site.db?password=*** holds 0 criminals" in printed


def test_a_server_says_and_logs_no_password(tmp_path, store):
    cooldown = f"redis://:{SECRET}@127.0.0.1:1"
    args = ["serve", "--port", "0", "--store", store, "--cooldown", cooldown]
    process = subprocess.Popen(
        [sys.executable, "-m", "susracker", *args, "--log-level", "debug"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    printed = ""
    while "workers" not in printed:
        printed += next(process.stdout)
    process.terminate()
    printed += process.communicate()[0]
    assert "site.db?password=***" in printed
    assert SECRET not in printed


@pytest.mark.parametrize(
    ("open_it", "url"),
    [
        (open_store, "mongodb://me:hunter2/ter@db:x/site"),
        (open_store, "mongodb://me:hunter2/ter@127.0.0.1:1/x?serverSelectionTimeoutMS=100"),
        (open_store, "mongodb://me:x@hunter2/ter@127.0.0.1:1/x?serverSelectionTimeoutMS=100"),
        (open_store, "mongodb://me:hunter2%zz"),
        (open_store, "sqlite://me:hunter2/ter@db:x/site"),
        (open_store, "sqlite://db?password=hunter2"),
        (lambda url: open_cooldown(url, 5), "redis://me:hunter2/ter@cache:6379/0"),
        (lambda url: open_cooldown(url, 5), "redis://:hunter2#ter@cache"),
        (lambda url: open_cooldown(url, 5), "redis://:hunter2"),
        (lambda url: open_matcher(url, 128), "milvus://me:hunter2/ter@vectors:19530"),
        (lambda url: open_matcher(url, 128), "milvus://me:hunter2?ter@vectors:19530"),
    ],
)
def test_a_backend_that_cannot_read_its_url_shows_no_part_of_the_password(open_it, url):
    with pytest.raises(ConfigError) as caught:
        open_it(url)
    assert "hunter2" not in str(caught.value)
    assert "ter@" not in str(caught.value)


def test_a_video_that_cannot_be_opened_is_named_without_its_password():
    with pytest.raises(InputError, match=r"me:\*\*\*@127"):
        next(frames(f"rtsp://me:{SECRET}@127.0.0.1:1/main", Sampling()))
    printed = run("replay", f"/me:{SECRET}://me:{SECRET}@a")
    assert printed
    assert SECRET not in printed


def test_a_camera_names_a_stream_without_its_password():
    args = ["camera", f"rtsp://me:{SECRET}@127.0.0.1:1/main", "--server", "http://127.0.0.1:1"]
    process = subprocess.Popen(
        [sys.executable, "-m", "susracker", *args],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        printed = process.stdout.readline()
        assert "me:***@127" in printed
        process.terminate()
        assert SECRET not in printed + process.communicate(timeout=60)[0]
    finally:
        process.kill()


def test_a_camera_says_and_logs_no_password(caplog):
    with pytest.raises(ConfigError) as caught:
        Camera(f"ftp://me:{SECRET}@server", "gate", "")
    assert SECRET not in str(caught.value)
    with caplog.at_level("DEBUG"):
        for url in (f"http://me:{SECRET}@127.0.0.1:1", f"http://me:{SECRET}@[bad"):
            camera = Camera(url, "gate", "")
            camera.send_activity("violence", seen(0).received_at)
            assert wait_until(lambda: "me:***@127.0.0.1:1" in caplog.text)
            camera.close(timeout=0.5)
    assert SECRET not in caplog.text


def test_a_wrong_comparison_is_named_without_its_password(tmp_path):
    url = f"mongodb://me:{SECRET}@db1,db2/site"
    (tmp_path / "a.jpg").touch()
    printed = run("replay", str(tmp_path), "--compare", f"store={url}")
    assert "neither a file" in printed
    assert SECRET not in printed


def modes(folder: Path) -> dict[str, int]:
    return {
        str(path.relative_to(folder)): stat.S_IMODE(path.stat().st_mode)
        for path in folder.rglob("*")
        if stat.S_IMODE(path.stat().st_mode) & 0o077
    }


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such modes")
def test_nobody_else_can_read_what_is_written(tmp_path):
    before = os.umask(0)
    try:
        data = tmp_path / "deep" / "data"
        store, backup = data / "site.db", data / "backup"
        flags = ["--store", f"sqlite:///{store}", "--record", str(data / "a" / "night")]
        with ServerProcess(*flags, "--log-level", "warning") as server:
            with Camera(server.url, "gate", "", spool=data / "spool" / "gate") as camera:
                camera.send_activity("violence", seen(0).received_at)
                assert camera.flush(60)
                assert not modes(tmp_path)
            assert not modes(tmp_path)
            names = {path.name for path in data.rglob("*")}
            assert {"site.db", "site.db-wal", "site.db-shm", "detections.jsonl"} <= names
        run("backup", backup, "--store", f"sqlite:///{store}")
        run("recordings", "cut", str(data / "a" / "night"), str(data / "b" / "cut"))
        assert not modes(tmp_path)
        assert backup.exists()
    finally:
        os.umask(before)


def test_the_json_of_settings_keeps_its_keys():
    keys = {"name", "value", "source", "help"}
    assert all(set(row) == keys for row in json.loads(run("settings", "--json")))
