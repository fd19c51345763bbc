"""`susracker backup`."""

from __future__ import annotations

from pathlib import Path

import click

from susracker.commands.auditing import audited, reason_option
from susracker.commands.copy import copy_noted, told
from susracker.commands.options import LoadedSettings, settings_options
from susracker.errors import InputError


@click.command("backup")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@reason_option
@settings_options("store", "audit_key")
@audited("store.backup")
def command(loaded: LoadedSettings, file: Path, reason: str) -> None:
    """Copy the store to one file, and check it.

    The file is itself a store, an SQLite file: you can serve it and look into it. It holds all that
    the store holds, faces, templates, keys and the audit log included, so keep it just as safe. If
    the store is encrypted, so is the backup, with the same data key, which it does not hold. The
    file NAME-templates, which a server may keep beside an SQLite store, is not needed. The server
    may keep running: a backup of an SQLite store shows the moment at which it began; in MongoDB,
    each person and each alert is as it was when it was read.

    \b
    Examples:
      susracker backup site-2026-01-31.susracker
      susracker backup site.susracker --store mongodb://127.0.0.1/susracker
    """
    if file.exists():
        raise InputError(f"{file} exists already: name a new file, or remove it")
    part = file.with_name(file.name + ".part")
    part.unlink(missing_ok=True)
    store, data_key = loaded.settings.store, loaded.settings.data_key
    ends = (store, data_key), (f"sqlite:///{part.absolute()}", data_key)
    held = copy_noted(loaded.settings, "store.backup", reason, *ends)
    part.rename(file)
    click.echo(f"{file} holds {told(held)}")
