"""Commands that one command tells people to type next."""

from __future__ import annotations

import shlex

import click
from click.core import ParameterSource

from susracker.config import flag_name, variable_name
from susracker.loading import LoadedSettings
from susracker.passwords import without_password


def to_type(loaded: LoadedSettings, *words: str) -> str:
    """A command for the same settings file and store: what was typed of them is typed again.

    A store's URL that holds a password is not shown: the shell puts in what its variable holds.
    """
    root = click.get_current_context().find_root()
    command = ["susracker"]
    if root.get_parameter_source("config") is ParameterSource.COMMANDLINE:
        command += ["--config", str(root.params["config"])]
    store = typed(loaded, "store")
    if store and without_password(loaded.settings.store) != loaded.settings.store:
        return f'{shlex.join([*command, *words])} {flag_name("store")} "${variable_name("store")}"'
    return shlex.join([*command, *words, *store])


def typed(loaded: LoadedSettings, name: str) -> list[str]:
    """The option of a setting, and its value without a password, if it was typed."""
    flag = flag_name(name)
    if loaded.origins[name] != flag:
        return []
    return [flag, without_password(getattr(loaded.settings, name))]
