"""Settings: where a value comes from, and what is said where it is wrong."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from susracker.cli import main
from susracker.config import Settings, load_settings
from susracker.errors import ConfigError


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
        ("prot = 1", "no setting is called 'prot'; there are: store"),
        ("port = ", "cannot read the settings"),
        ('log_level = "loud"', "log_level"),
    ],
)
def test_what_is_wrong_is_said(text, said):
    write(text)
    with pytest.raises(ConfigError, match=said):
        load_settings()


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
