"""Commands that are named to be typed next."""

from __future__ import annotations

import click
import pytest

from susracker.cli import main
from susracker.commands.hints import to_type
from susracker.loading import load_settings

AUDIT = ("audit", "verify")


@pytest.fixture(autouse=True)
def _empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "my site.toml").write_text('store = "sqlite:///of-file.db"')


def hint(*typed: str, **flags: str) -> str:
    with click.Context(main) as ctx:
        main.parse_args(ctx, [*typed, "settings"])
        file = ctx.params["config"]
        return to_type(load_settings(flags, file), *AUDIT)


def test_what_was_typed_is_typed_again():
    assert hint() == "susracker audit verify"
    assert hint(store="sqlite:///b.db") == "susracker audit verify --store sqlite:///b.db"
    assert hint("--config", "my site.toml") == "susracker --config 'my site.toml' audit verify"


def test_what_the_environment_says_is_not_typed(monkeypatch):
    monkeypatch.setenv("SUSRACKER_CONFIG", "my site.toml")
    monkeypatch.setenv("SUSRACKER_STORE", "sqlite:///b.db")
    assert hint() == "susracker audit verify"


@pytest.mark.parametrize("url", ["mongodb://jo:secret@db/site", "sqlite:///b.db?password=secret"])
def test_a_url_with_a_password_is_left_to_the_environment(url):
    shown = hint(store=url)
    assert shown == 'susracker audit verify --store "$SUSRACKER_STORE"'
