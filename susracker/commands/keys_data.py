"""`susracker keys new-data-key` and `rotate-data`: the key that the store is encrypted with."""

from __future__ import annotations

from collections import Counter
from contextlib import closing
from pathlib import Path

import click

from susracker.commands.auditing import audited, note, reason_option, unaudited
from susracker.commands.options import LoadedSettings, settings_options
from susracker.commands.progress import steps
from susracker.config import Settings
from susracker.errors import ConfigError, InputError
from susracker.passwords import without_password
from susracker.plugins import open_existing_store_of, refuse_missing_store, store_backend
from susracker.runtime.text import counted
from susracker.stores.data_key import create_data_key, sealer_of
from susracker.stores.rotation import rotate
from susracker.stores.sealing import PlainSealer, Sealer

ROTATE = "store.rotate_data"


@click.command("new-data-key")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@unaudited("opens no store")
def new_data_key_command(file: Path) -> None:
    """Make a data key: what photos, templates and faces in the store are encrypted with.

    The file holds 32 random bytes as base64, and only you can read it. A new store is encrypted
    if data_key names the file when the store is first opened; encrypt one that holds people with
    `susracker keys rotate-data`. Without the key, photos, templates and faces are lost: keep a copy
    of it apart from the backups.

    \b
    Examples:
      susracker keys new-data-key /etc/susracker/data.key
      susracker keys new-data-key data.key && SUSRACKER_DATA_KEY=data.key susracker serve
    """
    sealer = create_data_key(file)
    click.echo(
        f"{file} holds a new data key, {sealer.key_id}: keep a copy of it in a safe place, then "
        f"set data_key to the file"
    )


@click.command("rotate-data")
@click.option(
    "--to",
    "to_file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="File of the new data key.",
)
@click.option("--off", is_flag=True, help="Do not encrypt the store any more.")
@reason_option
@settings_options("store", "data_key", "audit_key")
@audited(ROTATE)
def rotate_data_command(
    loaded: LoadedSettings, to_file: Path | None, off: bool, reason: str
) -> None:
    """Encrypt all photos, templates and faces in the store with another data key.

    The present key is the setting data_key; the new one is in the file of --to. With neither --to
    nor --off, a store that is not encrypted yet is encrypted with data_key. Stop all servers first:
    they cannot write any more once this has begun. If it is interrupted, give the same command
    again; to undo it, swap the keys.

    \b
    Examples:
      SUSRACKER_DATA_KEY=data.key susracker keys rotate-data    encrypt a plain store
      susracker keys rotate-data --to new.key                   then set data_key to new.key
      susracker keys rotate-data --off                          then unset data_key
    """
    before, after = _keys(loaded.settings.data_key, to_file, off)
    url = loaded.settings.store
    refuse_missing_store(url)
    with closing(store_backend(url).open_vault(url)) as vault, steps() as on_step:
        changed = rotate(vault, before, after, on_step)
    _note(_set_to(loaded.settings, to_file, off=off), after, reason)
    click.echo(f"{without_password(url)} {_told(after)}: {_counted(changed)}")
    if to_file:
        click.echo(
            f"now set data_key to {to_file}, and start the servers; keep the old key: earlier "
            "backups need it"
        )
    elif off:
        click.echo("now unset data_key, and start the servers")


def _set_to(settings: Settings, to_file: Path | None, *, off: bool) -> Settings:
    """The settings as they have to be afterwards."""
    data_key = "" if off else str(to_file or settings.data_key)
    return settings.model_copy(update={"data_key": data_key})


def _note(settings: Settings, after: Sealer, reason: str) -> None:
    """Note it afterwards: a store whose rotation was interrupted cannot be opened before."""
    with open_existing_store_of(settings) as store:
        note(settings, store, ROTATE, reason=reason, detail={"data_key": after.key_id})


def _keys(data_key: str, to_file: Path | None, off: bool) -> tuple[Sealer, Sealer]:
    """The present key, and the new one."""
    if to_file and off:
        raise InputError("--to and --off exclude each other")
    if to_file:
        return sealer_of(data_key), sealer_of(str(to_file))
    if not data_key:
        raise ConfigError(
            "data_key is not set: make a key with `susracker keys new-data-key FILE`, and set "
            "data_key to the file"
        )
    keys = PlainSealer(), sealer_of(data_key)
    return keys[::-1] if off else keys


def _told(after: Sealer) -> str:
    return f"is encrypted with the data key {after.key_id}" if after.key_id else "is not encrypted"


def _counted(changed: Counter[str]) -> str:
    kinds = ("photo", "template", "face")
    found = [counted(changed[f"{kind}s"], kind) for kind in kinds]
    return f"{found[0]}, {found[1]} and {found[2]} changed"
