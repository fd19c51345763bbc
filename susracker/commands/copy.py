"""`susracker copy`."""

from __future__ import annotations

import click

from susracker.commands.auditing import audited, note, reason_option
from susracker.commands.options import LoadedSettings, settings_options
from susracker.commands.progress import steps
from susracker.config import Settings
from susracker.errors import ConfigError, InputError
from susracker.passwords import without_password
from susracker.plugins import open_store, refuse_missing_store
from susracker.runtime.text import counted
from susracker.stores.base import Store
from susracker.stores.tally import Contents
from susracker.stores.transfer import copy_store


@click.command("copy")
@click.argument("source", metavar="FROM")
@click.argument("target", metavar="TO")
@click.option(
    "--from-key", help="File of the data key of FROM, or `off`.  [default: the setting data_key]"
)
@click.option(
    "--to-key", help="File of the data key of TO, or `off`.  [default: the setting data_key]"
)
@reason_option
@settings_options("audit_key")
@audited("store.copy")
def command(
    loaded: LoadedSettings,
    source: str,
    target: str,
    from_key: str | None,
    to_key: str | None,
    reason: str,
) -> None:
    """Copy a whole store to another, and check that it arrived.

    FROM and TO are URLs of stores. TO must be empty, or hold what an earlier copy left: an
    interrupted copy resumes. Keys and the audit log are copied, too, and the audit log of FROM says
    who copied it. Left out are the ids of handled events, so a repeat of an event from before the
    copy counts again, and the secret that signs sessions, so people sign in again. Nothing else may
    write to TO. What a server writes to FROM meanwhile may be left out, so stop the server before
    you move to TO.

    Photos, templates and faces are decrypted with the data key of FROM, and encrypted with that of
    TO.

    \b
    Examples:
      susracker copy sqlite:///site.db 'mongodb://db1,db2,db3/susracker?replicaSet=rs0'
      susracker copy mongodb://127.0.0.1/susracker sqlite:///copy.db
      susracker copy sqlite:///plain.db sqlite:///sealed.db --from-key off --to-key data.key
    """
    if source == target:
        raise InputError("FROM and TO are the same store")
    keys = [_key(one, loaded.settings.data_key) for one in (from_key, to_key)]
    ends = (source, keys[0]), (target, keys[1])
    held = copy_noted(loaded.settings, "store.copy", reason, *ends)
    click.echo(f"copied, and both hold {told(held)}")


def copy_noted(
    settings: Settings,
    action: str,
    reason: str,
    source: tuple[str, str],
    target: tuple[str, str],
) -> Contents:
    """Copy a store to another, each by its URL and its data key, and note it in the original
    before.

    Raises:
        InputError: there is no original.
        ConfigError: the audit log of the original is signed by another key.
    """
    refuse_missing_store(source[0])
    with _opened(*source) as original:
        note(settings, original, action, reason=reason, detail={"to": without_password(target[0])})
    return copy_urls(source, target)


def copy_urls(source: tuple[str, str], target: tuple[str, str]) -> Contents:
    """Copy a store to another, each by its URL and its data key.

    Raises:
        InputError: there is no original.
    """
    refuse_missing_store(source[0])
    with _opened(*source) as original, _opened(*target) as other, steps() as on_step:
        return copy_store(original, other, on_step)


def _key(given: str | None, data_key: str) -> str:
    if given is None:
        return data_key
    return "" if given == "off" else given


def _opened(url: str, data_key: str) -> Store:
    try:
        return open_store(url, data_key)
    except ConfigError as error:
        # There are two: say which.
        raise ConfigError(f"{without_password(url)}: {error}") from error


def told(held: Contents) -> str:
    """What a store holds, in words."""
    return (
        f"{counted(held.criminals, 'criminal')}, {counted(held.photos, 'photo')}, "
        f"{counted(held.templates, 'template')}, {counted(held.sightings, 'sighting')}, "
        f"{counted(held.alerts, 'alert')}, {counted(held.cameras, 'camera')}, "
        f"{counted(held.judgements, 'judgement')}, {counted(held.holds, 'hold')}, "
        f"{counted(held.keys, 'key')} and "
        f"{counted(held.entries, 'entry', 'entries')} of the audit log; "
        f"SHA-256 {held.digest[:16]}"
    )
