"""Reads settings from flags, the environment and `susracker.toml`, and writes to that file."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import tomlkit
from pydantic import ValidationError

from susracker.config import ENV_PREFIX, Settings, flag_name, variable_name
from susracker.errors import ConfigError
from susracker.passwords import without_password
from susracker.runtime.files import USUAL_MODE, expanded, write_whole

FILE_NAME = "susracker.toml"
SECRET = "data_key"  # nosec B105
"""The setting that may be a key itself, and not the path of one."""

TABLES = ("channels", "rules")
"""Tables of the settings file that say which alerts are delivered where; `susracker.delivery.rules`
checks them."""

CONFIG_VARIABLE, CAMERA_KEY_VARIABLE = f"{ENV_PREFIX}CONFIG", f"{ENV_PREFIX}CAMERA_KEY"
"""Variables that are no settings: the settings file, and the key that a camera sends."""


@dataclass(frozen=True, slots=True)
class LoadedSettings:
    """Settings, and the origin of each value.

    Attributes:
        origins: by field name: "--port", "SUSRACKER_PORT", the file's path, or "default".
        tables: what the file says about deliveries, unchecked: `TABLES` that it has.
    """

    settings: Settings
    origins: Mapping[str, str]
    tables: Mapping[str, Any] = field(default_factory=dict)


def load_settings(
    flags: Mapping[str, Any] | None = None, file: Path | None = None
) -> LoadedSettings:
    """Merge flags, environment, file and defaults; the first that has a value wins.

    Args:
        flags: by field name; None means that a flag was not given.
        file: a TOML file that must exist; by default `susracker.toml` in the working directory, if
            it exists.

    Raises:
        ConfigError: a value fails its check, a key is unknown, or the file cannot be read.
    """
    path = expanded(file or FILE_NAME)
    in_file = _read_file(path, required=file is not None)
    tables = {name: in_file.pop(name) for name in TABLES if name in in_file}
    layers = [
        ({k: v for k, v in (flags or {}).items() if v is not None}, flag_name),
        (_read_environment(), variable_name),
        (in_file, lambda name: str(path)),
    ]
    values: dict[str, Any] = {}
    origins = dict.fromkeys(Settings.model_fields, "default")
    for layer, origin in layers:
        for name in layer.keys() - values.keys():
            values[name] = layer[name]
            origins[name] = origin(name)
    return LoadedSettings(make_settings(values, origins), origins, tables)


def make_settings(values: Mapping[str, Any], origins: Mapping[str, str] | None = None) -> Settings:
    """Make settings from values by name, and from defaults.

    Args:
        origins: where each value came from, for the message if one is wrong.

    Raises:
        ConfigError: a value fails its check, or a name is unknown.
    """
    try:
        return Settings(**values)
    except ValidationError as error:
        raise ConfigError(_describe(error, origins or {})) from error


def write_setting(name: str, value: float | int | str, file: Path | None = None) -> object:
    """Set a key of a settings file; comments and other keys stay as they are.

    Args:
        file: by default `susracker.toml` in the working directory; created if it is missing.

    Returns:
        The previous value, or None.

    Raises:
        ConfigError: the file cannot be read or written.
    """
    path = expanded(file or FILE_NAME)
    try:
        text = path.read_text(encoding="utf-8") if path.exists() else ""
        document = tomlkit.parse(text)
        before = document.get(name)
        document[name] = value
        write_whole(path, tomlkit.dumps(document).encode(), USUAL_MODE)
    except (OSError, ValueError) as error:
        raise ConfigError(f"cannot write {name} = {value} to {path}: {error}") from error
    return before


def shown_setting(name: str, value: object) -> object:
    """A setting as it may be shown: `***` in place of passwords and keys."""
    if name == SECRET and value and not os.path.isfile(os.path.expanduser(str(value))):
        return "***"  # the key itself, perhaps with a slip
    return without_password(value) if isinstance(value, str) else value


def unknown_variables() -> list[str]:
    """What to tell of each variable that looks like a setting and is none; never its value."""
    known = {variable_name(name) for name in Settings.model_fields}
    known |= {CONFIG_VARIABLE, CAMERA_KEY_VARIABLE}
    names = sorted(name for name in os.environ if name.upper().startswith(ENV_PREFIX))
    return [_told(name, known) for name in names if name.upper() not in known]


def _told(name: str, known: Collection[str]) -> str:
    ends = [one.removeprefix(ENV_PREFIX) for one in known]
    nearest = get_close_matches(name.upper().removeprefix(ENV_PREFIX), ends, n=1)
    hint = (
        f"did you mean {ENV_PREFIX}{nearest[0]}?"
        if nearest
        else "susracker settings lists those there are"
    )
    return f"the variable {name} is no setting, and is ignored: {hint}"


def _read_environment() -> dict[str, str]:
    """Settings by name; the names of variables may be in lower case, too."""
    values = {name.upper(): value for name, value in os.environ.items()}
    variables = {name: variable_name(name) for name in Settings.model_fields}
    return {name: values[its] for name, its in variables.items() if its in values}


def _read_file(path: Path, *, required: bool) -> dict[str, Any]:
    if not path.exists():
        if required:
            raise ConfigError(f"there is no settings file {path}")
        return {}
    try:
        return tomlkit.parse(path.read_text(encoding="utf-8")).unwrap()
    except (OSError, ValueError) as error:
        raise ConfigError(f"cannot read the settings in {path}: {error}") from error


def _advice(name: str) -> str:
    nearest = get_close_matches(name, (*Settings.model_fields, *TABLES), n=1)
    meant = f"did you mean {nearest[0]!r}? " if nearest else ""
    return f": {meant}`susracker settings` lists those there are"


def _describe(error: ValidationError, origins: Mapping[str, str]) -> str:
    problems = []
    for problem in error.errors():
        name = str(problem["loc"][0])
        if problem["type"] == "extra_forbidden":
            problems.append(f"no setting is called {name!r}{_advice(name)}")
        else:
            origin = f" ({origins[name]})" if name in origins else ""
            value = without_password(repr(shown_setting(name, problem["input"])))
            message = problem["msg"].removeprefix("Value error, ")
            problems.append(f"{name} = {value}{origin}: {message.lower()}")
    return "; ".join(problems)
