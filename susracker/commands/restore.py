"""`susracker restore`."""

from __future__ import annotations

from pathlib import Path

import click

from susracker.commands.auditing import audited, note, reason_option
from susracker.commands.copy import copy_urls, told
from susracker.commands.new_stores import is_missing, say_created
from susracker.commands.options import LoadedSettings, settings_options
from susracker.errors import InputError
from susracker.passwords import without_password
from susracker.plugins import open_store_of


@click.command("restore")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@reason_option
@settings_options("store", "audit_key")
@audited("store.restore")
def command(loaded: LoadedSettings, file: Path, reason: str) -> None:
    """Restore a backup into an empty store, and check it.

    An encrypted backup needs the data key that it was made with, and the store gets the same key:
    to give it another, use `susracker copy --from-key OLD --to-key NEW`.

    Keys that were revoked since the backup are valid again: revoke them once more. The audit log
    goes on from where it was, and needs the key that it is signed with (--audit-key).

    \b
    Examples:
      susracker restore site-2026-01-31.susracker --store sqlite:///new.db
      susracker restore site.susracker --store mongodb://127.0.0.1/susracker
    """
    if not file.is_file():
        raise InputError(f"there is no backup {file}")
    store, data_key = loaded.settings.store, loaded.settings.data_key
    is_new = is_missing(loaded.settings)
    held = copy_urls((f"sqlite:///{file.absolute()}", data_key), (store, data_key))
    if is_new:
        say_created(loaded.settings)
    click.echo(f"{without_password(store)} holds {told(held)}")
    with open_store_of(loaded.settings) as restored:
        note(loaded.settings, restored, "store.restore", reason=reason, detail={"from": file.name})
