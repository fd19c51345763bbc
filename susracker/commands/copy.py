"""`susracker copy`."""

from __future__ import annotations

from pathlib import Path

import click

from susracker.commands.auditing import note
from susracker.commands.options import LoadedSettings, settings_options
from susracker.commands.progress import steps
from susracker.config import Settings, without_password
from susracker.errors import InputError
from susracker.plugins import open_store
from susracker.runtime.text import counted
from susracker.stores.sqlite.store import SCHEME
from susracker.stores.tally import Contents
from susracker.stores.transfer import copy_store


@click.command("copy")
@click.argument("source", metavar="FROM")
@click.argument("target", metavar="TO")
@settings_options("audit_key")
def command(loaded: LoadedSettings, source: str, target: str) -> None:
    """Copy a whole store to another, and check that it arrived.

    FROM and TO are URLs of stores. TO must be empty, or hold what an earlier copy left: an
    interrupted copy resumes. Keys and the audit log are copied, too, and the audit log of FROM says
    who copied it. Left out are the ids of handled events, so a repeat of an event from before the
    copy counts again, and the secret that signs sessions, so people sign in again. Nothing else may
    write to TO. What a server writes to FROM meanwhile may be left out, so stop the server before
    you move to TO.

    \b
    Examples:
      susracker copy sqlite:///site.db mongodb://db1,db2,db3/susracker?replicaSet=rs0
      susracker copy mongodb://127.0.0.1/susracker sqlite:///copy.db
    """
    if source == target:
        raise InputError("FROM and TO are the same store")
    click.echo(
        f"copied, and both hold {told(copy_noted(loaded.settings, 'store.copy', source, target))}"
    )


def copy_noted(settings: Settings, action: str, source: str, target: str) -> Contents:
    """Copy a store to another, by their URLs, and note it in the original before.

    Raises:
        InputError: there is no original. To open it would create an empty one.
        ConfigError: the audit log of the original is signed by another key.
    """
    _refuse_missing(source)
    with open_store(source) as original:
        note(settings, original, action, detail={"to": without_password(target)})
    return copy_urls(source, target)


def copy_urls(source: str, target: str) -> Contents:
    """Copy a store to another, by their URLs.

    Raises:
        InputError: there is no original. To open it would create an empty one.
    """
    _refuse_missing(source)
    with open_store(source) as original, open_store(target) as other, steps() as on_step:
        return copy_store(original, other, on_step)


def told(held: Contents) -> str:
    """What a store holds, in words."""
    return (
        f"{counted(held.criminals, 'criminal')}, {counted(held.photos, 'photo')}, "
        f"{counted(held.templates, 'template')}, {counted(held.sightings, 'sighting')}, "
        f"{counted(held.alerts, 'alert')}, {counted(held.cameras, 'camera')}, "
        f"{counted(held.keys, 'key')} and "
        f"{counted(held.entries, 'entry', 'entries')} of the audit log; "
        f"SHA-256 {held.digest[:16]}"
    )


def _refuse_missing(source: str) -> None:
    file = Path(source.removeprefix(SCHEME)).expanduser()
    if source.startswith(SCHEME) and not file.is_file():
        raise InputError(f"there is no store {without_password(source)}")
