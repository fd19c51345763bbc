"""`susracker copy`."""

from __future__ import annotations

from pathlib import Path

import click

from susracker.commands.progress import steps
from susracker.config import without_password
from susracker.errors import InputError
from susracker.plugins import open_store
from susracker.runtime.text import counted
from susracker.stores.sqlite.store import SCHEME
from susracker.stores.transfer import Contents, copy_store


@click.command("copy")
@click.argument("source", metavar="FROM")
@click.argument("target", metavar="TO")
def command(source: str, target: str) -> None:
    """Copy a whole store to another, and check that it arrived.

    FROM and TO are URLs of stores. TO must be empty, or hold what an earlier copy left: an
    interrupted copy resumes. Everything is copied except the ids of handled events, so a repeat of
    an event from before the copy counts again. Nothing else may write to TO. What a server writes
    to FROM meanwhile may be left out, so stop the server before you move to TO.

    \b
    Examples:
      susracker copy sqlite:///site.db mongodb://db1,db2,db3/susracker?replicaSet=rs0
      susracker copy mongodb://127.0.0.1/susracker sqlite:///copy.db
    """
    if source == target:
        raise InputError("FROM and TO are the same store")
    click.echo(f"copied, and both hold {told(copy_urls(source, target))}")


def copy_urls(source: str, target: str) -> Contents:
    """Copy a store to another, by their URLs.

    Raises:
        InputError: there is no original. To open it would create an empty one.
    """
    file = Path(source.removeprefix(SCHEME)).expanduser()
    if source.startswith(SCHEME) and not file.is_file():
        raise InputError(f"there is no store {without_password(source)}")
    with open_store(source) as original, open_store(target) as other, steps() as on_step:
        return copy_store(original, other, on_step)


def told(held: Contents) -> str:
    """What a store holds, in words."""
    return (
        f"{counted(held.criminals, 'criminal')}, {counted(held.photos, 'photo')}, "
        f"{counted(held.templates, 'template')}, {counted(held.sightings, 'sighting')}, "
        f"{counted(held.alerts, 'alert')} and {counted(held.cameras, 'camera')}; "
        f"SHA-256 {held.digest[:16]}"
    )
