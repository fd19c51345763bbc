"""Settings: where a value comes from, and what is said where it is wrong."""

from __future__ import annotations

import json
import time

import pytest
from click.testing import CliRunner

from susracker.cli import main
from susracker.config import Settings
from susracker.errors import ConfigError
from susracker.loading import load_settings, write_setting
from susracker.passwords import told_without_password, without_password
from tests.disks import full_disk


@pytest.fixture(autouse=True)
def _empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def write(text: str) -> None:
    with open("susracker.toml", "w") as file:
        file.write(text)


def test_a_flag_beats_a_variable_beats_the_file_beats_the_default(monkeypatch):
    assert load_settings().settings.port == 5000
    write("port = 5001")
    loaded = load_settings()
    assert (loaded.settings.port, loaded.origins["port"]) == (5001, "susracker.toml")
    monkeypatch.setenv("SUSRACKER_PORT", "5002")
    loaded = load_settings()
    assert (loaded.settings.port, loaded.origins["port"]) == (5002, "SUSRACKER_PORT")
    loaded = load_settings({"port": 5003, "host": None})
    assert (loaded.settings.port, loaded.origins["port"]) == (5003, "--port")
    assert loaded.origins["host"] == "default"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("port = 99999", r"port = 99999 \(susracker.toml\)"),
        ("prot = 1", r"no setting is called 'prot': did you mean 'port'\? `susracker settings`"),
        ("port = ", "cannot read the settings"),
        ('log_level = "loud"', "log_level"),
    ],
)
def test_what_is_wrong_is_said(text, said):
    write(text)
    with pytest.raises(ConfigError, match=said):
        load_settings()


@pytest.mark.parametrize(
    ("variable", "said"),
    [
        ("SUSRACKER_COOLDOWN_SECOND", "did you mean SUSRACKER_COOLDOWN_SECONDS?"),
        ("susracker_alowed_origins", "did you mean SUSRACKER_ALLOWED_ORIGINS?"),
        ("SUSRACKER_XYZ", "susracker settings lists those there are"),
    ],
)
def test_a_variable_that_is_no_setting_is_told_of(monkeypatch, variable, said):
    monkeypatch.setenv(variable, "secret")
    result = CliRunner().invoke(main, ["settings", "--json"])
    assert result.exit_code == 0
    assert result.stderr == f"the variable {variable} is no setting, and is ignored: {said}\n"
    assert "secret" not in result.stdout
    json.loads(result.stdout)


def test_of_other_variables_nothing_is_said(monkeypatch):
    for name in ("SUSRACKER_PORT", "susracker_workers"):
        monkeypatch.setenv(name, "7")
    monkeypatch.setenv("SUSRACKER_CAMERA_KEY", "sus_key")
    monkeypatch.setenv("SUSRACKER_CONFIG", "site.toml")
    with open("site.toml", "w") as file:
        file.write("")
    assert CliRunner().invoke(main, ["settings"]).stderr == ""


def test_every_setting_is_explained():
    for name, field in Settings.model_fields.items():
        assert field.description, name
        assert field.description.endswith("."), name


def test_settings_are_printed_with_value_source_and_help(monkeypatch):
    monkeypatch.setenv("SUSRACKER_WORKERS", "7")
    result = CliRunner().invoke(main, ["settings", "--json"])
    rows = {row["name"]: row for row in json.loads(result.output)}
    assert set(rows) == set(Settings.model_fields)
    assert rows["workers"]["value"] == 7
    assert rows["workers"]["source"] == "SUSRACKER_WORKERS"
    table = CliRunner().invoke(main, ["settings"])
    assert "cooldown_seconds" in table.output


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("mongodb://me:secret@db1,db2/site?w=1", "mongodb://me:***@db1,db2/site?w=1"),
        ("redis://:secret@host:6379/0", "redis://:***@host:6379/0"),
        ("rtsp://me:se/cr?et@10.0.0.7/main", "rtsp://me:***@10.0.0.7/main"),
        ("mongodb://me:sec@re t@host", "mongodb://me:***@host"),
        ("redis://host/0?password=secret&db=1", "redis://host/0?password=***&db=1"),
        ("rtsp://10.0.0.7/?user=me&PWD=secret", "rtsp://10.0.0.7/?user=me&PWD=***"),
        (
            "mongodb://h/?tls=true&tlsCertificateKeyFilePassword=secret",
            "mongodb://h/?tls=true&tlsCertificateKeyFilePassword=***",
        ),
        ("sqlite:////var/lib/a:b/people.db", "sqlite:////var/lib/a:b/people.db"),
        ("mongodb://host:27017/site", "mongodb://host:27017/site"),
        ("memory", "memory"),
    ],
)
def test_a_url_is_shown_without_its_password(url, shown):
    assert without_password(url) == shown


@pytest.mark.parametrize(
    ("text", "url", "shown"),
    [
        ("the host is unknown", "redis://:secret@host", "the host is unknown"),
        ("port 'sec' is wrong", "redis://:sec/ret@host", None),
        ("database 'ret@host/x'", "mongodb://me:sec/ret@host/x", None),
        ("port 'sec ret' is wrong", "redis://me:sec ret", None),
        ("no such key: secret", "mongodb://h/?authToken=secret", None),
    ],
)
def test_an_error_about_a_url_shows_no_part_of_its_password(text, url, shown):
    said = told_without_password(ValueError(text), url)
    assert said == shown if shown else "escape" in said
    assert "sec" not in said
    assert "ret@" not in said


def test_a_wrong_setting_is_shown_without_its_password(monkeypatch):
    monkeypatch.setenv("SUSRACKER_COOLDOWN_SECONDS", "redis://:secret@host")
    with pytest.raises(ConfigError, match=r"redis://:\*\*\*@host"):
        load_settings()


@pytest.mark.parametrize("part", ["://", "://a:", "://a:1", "://a:@", "password=", "key"])
def test_hiding_passwords_takes_no_longer_than_a_text_is_long(part):
    text = part * (1_000_000 // len(part))
    started = time.process_time()
    without_password(text)
    told_without_password(ValueError("wrong"), text)
    assert time.process_time() - started < 2


def test_a_setting_is_written_and_the_rest_of_the_file_stays(tmp_path):
    assert write_setting("threshold_shift", 0.25) is None
    write("# the gates\nport = 5001\n")
    assert write_setting("threshold_shift", 0.5) is None
    assert write_setting("threshold_shift", 0.25) == 0.5
    assert (tmp_path / "susracker.toml").read_text() == (
        "# the gates\nport = 5001\nthreshold_shift = 0.25\n"
    )


def test_a_setting_that_cannot_be_written_leaves_the_file_as_it_is(tmp_path):
    write("# the gates\nport = 5001\n")
    with full_disk(20), pytest.raises(ConfigError, match=r"cannot write threshold_shift = 0\.5"):
        write_setting("threshold_shift", 0.5)
    assert [one.name for one in tmp_path.iterdir()] == ["susracker.toml"]
    assert load_settings().settings.port == 5001


PATHS = ("cert", "key", "record", "audit_key", "benchmark_file")


@pytest.mark.parametrize("name", PATHS)
def test_a_path_may_begin_in_the_home_folder(tmp_path, monkeypatch, name):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    write(f'{name} = "~/a/b"')
    assert getattr(load_settings().settings, name) == str(tmp_path / "a" / "b")
    write(f'{name} = "a/~"')
    assert getattr(load_settings().settings, name) == "a/~"
    write(f'{name} = "~nobody-of-that-name/b"')
    with pytest.raises(ConfigError, match=rf"^{name} = .* \(susracker.toml\): .* name of no user"):
        load_settings()


def test_the_settings_file_may_be_in_the_home_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    monkeypatch.setenv("SUSRACKER_CONFIG", "~/site.toml")
    (tmp_path / "site.toml").write_text("port = 5004")
    printed = CliRunner().invoke(main, ["settings", "--json"]).stdout
    (port,) = [one for one in json.loads(printed) if one["name"] == "port"]
    assert (port["value"], port["source"]) == (5004, str(tmp_path / "site.toml"))
