"""Options for settings, made from `susracker.config.Settings`."""

from __future__ import annotations

import typing
from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

import click

from susracker.config import Settings, flag_name, variable_name
from susracker.loading import (
    CAMERA_KEY_VARIABLE,
    LoadedSettings,
    load_settings,
    unknown_variables,
)
from susracker.runtime.text import on_one_line

Function = TypeVar("Function", bound=Callable[..., Any])

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")

key_option = click.option(
    "--key",
    envvar=CAMERA_KEY_VARIABLE,
    help="Key for the server. Everyone on this machine can read it in the list of processes: the "
    f"variable is safer.  [{CAMERA_KEY_VARIABLE}]",
)


def settings_options(*names: str) -> Callable[[Function], Function]:
    """Add the flags of these settings to a command, and pass it all settings as `loaded`."""

    def decorate(function: Function) -> Function:
        @click.pass_context
        @wraps(function)
        def wrapper(ctx: click.Context, /, **values: Any) -> Any:
            flags = {name: values.pop(name) for name in names}
            for warning in unknown_variables():
                click.echo(on_one_line(warning), err=True)
            return function(loaded=load_settings(flags, ctx.find_root().obj), **values)

        command: Any = wrapper
        for name in reversed(names):
            command = _option(name)(command)
        return typing.cast(Function, command)

    return decorate


def _option(name: str) -> Callable[[Any], Any]:
    field = Settings.model_fields[name]
    choices = typing.get_args(field.annotation)
    kind: Any = click.Choice(choices) if choices else field.annotation
    flag: dict[str, Any] = {"is_flag": True, "default": None} if kind is bool else {}
    shown = "none" if field.default == "" else field.default
    default = "" if field.default_factory else f"default: {shown}; "
    return click.option(
        flag_name(name),
        name,
        type=kind,
        **flag,
        help=f"{field.description}  [{default}{variable_name(name)}]",
    )


__all__ = ["LoadedSettings", "json_option", "key_option", "settings_options"]
