"""`susracker restore`."""

from __future__ import annotations

from pathlib import Path

import click

from susracker.commands.auditing import note
from susracker.commands.copy import copy_urls, told
from susracker.commands.options import LoadedSettings, settings_options
from susracker.config import without_password
from susracker.errors import InputError
from susracker.plugins import open_store


@click.command("restore")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@settings_options("store", "audit_key")
def command(loaded: LoadedSettings, file: Path) -> None:
    """Restore a backup into an empty store, and check it.

    Keys that were revoked since the backup are valid again: revoke them once more. The audit log
    goes on from where it was, and needs the key that it is signed with (--audit-key).

    \b
    Examples:
      susracker restore site-2026-01-31.susracker --store sqlite:///new.db
      susracker restore site.susracker --store mongodb://127.0.0.1/susracker
    """
    if not file.is_file():
        raise InputError(f"there is no backup {file}")
    store = loaded.settings.store
    held = copy_urls(f"sqlite:///{file.absolute()}", store)
    click.echo(f"{without_password(store)} holds {told(held)}")
    with open_store(store) as restored:
        note(loaded.settings, restored, "store.restore", detail={"from": file.name})
