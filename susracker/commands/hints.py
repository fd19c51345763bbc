"""Commands that one command tells people to type next."""

from __future__ import annotations

import shlex

import click
from click.core import ParameterSource

from susracker.config import flag_name
from susracker.loading import LoadedSettings
from susracker.passwords import without_password


def to_type(loaded: LoadedSettings, *words: str) -> str:
    """A command for the same settings file and store: what was typed of them is typed again.

    The password in a store's URL is not shown.
    """
    root = click.get_current_context().find_root()
    command = ["susracker"]
    if root.get_parameter_source("config") is ParameterSource.COMMANDLINE:
        command += ["--config", str(root.params["config"])]
    return shlex.join([*command, *words, *typed(loaded, "store")])


def typed(loaded: LoadedSettings, name: str) -> list[str]:
    """The option of a setting, and its value, if it was typed."""
    flag = flag_name(name)
    if loaded.origins[name] != flag:
        return []
    return [flag, without_password(getattr(loaded.settings, name))]
