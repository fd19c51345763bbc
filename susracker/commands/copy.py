"""`susracker copy`."""

from __future__ import annotations

import click

from susracker.commands.progress import steps
from susracker.errors import InputError
from susracker.plugins import open_store
from susracker.stores.transfer import Contents, copy_store


@click.command("copy")
@click.argument("source", metavar="FROM")
@click.argument("target", metavar="TO")
def command(source: str, target: str) -> None:
    """Copy a whole store to another, and check that it arrived.

    FROM and TO are URLs of stores. TO must be empty, or hold what an earlier copy left: an
    interrupted copy resumes. Everything is copied but the ids of handled events, so a repeat of an
    event from before the copy counts again. Nobody else may write to TO; what a server writes to
    FROM meanwhile may be left out, so stop it before you move to TO.

    \b
    Examples:
      susracker copy sqlite:///site.db mongodb://db1,db2,db3/susracker?replicaSet=rs0
      susracker copy mongodb://127.0.0.1/susracker sqlite:///copy.db
    """
    if source == target:
        raise InputError("FROM and TO are the same store")
    click.echo(f"copied, and both hold {told(copy_urls(source, target))}")


def copy_urls(source: str, target: str) -> Contents:
    """Copy a store to another, by their URLs."""
    with open_store(source) as original, open_store(target) as other, steps() as on_step:
        return copy_store(original, other, on_step)


def told(held: Contents) -> str:
    """What a store holds, in words."""
    return (
        f"{held.criminals:,} criminals, {held.photos:,} photos, {held.templates:,} templates, "
        f"{held.sightings:,} sightings, {held.alerts:,} alerts and {held.cameras:,} cameras; "
        f"SHA-256 {held.digest[:16]}"
    )
