"""`susracker audit`."""

from __future__ import annotations

import sys
import typing
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

import click

from susracker.access.audit import Act, AuditLog
from susracker.access.chain import to_fields
from susracker.access.export import all_entries, read_export, write_export
from susracker.access.signing import PublicKey, SigningKey, public_path
from susracker.access.verification import Verified, verify
from susracker.commands.auditing import acting, audited, note, reason_option, unaudited
from susracker.commands.groups import CommandGroup
from susracker.commands.options import LoadedSettings, json_option, settings_options
from susracker.commands.progress import progress_bar
from susracker.commands.shown import print_json
from susracker.errors import InputError
from susracker.oversight import AuditEntry, AuditHead
from susracker.plugins import open_existing_store_of
from susracker.runtime.files import open_private
from susracker.runtime.text import counted, on_one_line

MOMENT = click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"])

public_key_option = click.option(
    "--public-key",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Check the signature with this key.  [default: the one beside --audit-key]",
)


@click.group("audit", cls=CommandGroup)
def command() -> None:
    """Show, verify and export the log of who did what.

    Each change, and each look at a person, an alert or an export, is an entry. Entries are chained,
    and the last one is signed, so that none can be changed, dropped or moved unnoticed.

    \b
    Examples:
      susracker audit list --subject 3f9c2a81
      susracker audit verify
      susracker audit export audit.jsonl
      susracker audit verify audit.jsonl --public-key audit-key.pub.pem
    """


@command.command("list")
@click.option("--actor", help="Only entries of actors with this text in their name.")
@click.option("--action", help="Only actions that begin with this, such as criminal.")
@click.option("--subject", help="Only entries about ids that begin with this.")
@click.option(
    "--since",
    type=MOMENT,
    metavar="TIME",
    help="Only entries from this time on, such as 2026-12-31 or 2026-12-31T18:00, in local time.",
)
@click.option(
    "--until", type=MOMENT, metavar="TIME", help="Only entries before this time, in local time."
)
@click.option(
    "--limit",
    type=click.IntRange(1),
    default=100,
    show_default=True,
    help="How many to list: the newest.",
)
@json_option
@settings_options("store", "audit_key")
@audited("audit.list")
def list_command(
    loaded: LoadedSettings,
    actor: str | None,
    action: str | None,
    subject: str | None,
    since: datetime | None,
    until: datetime | None,
    limit: int,
    as_json: bool,
) -> None:
    """List the newest entries that match, oldest first.

    \b
    Examples:
      susracker audit list
      susracker audit list --action criminal.remove --since 2026-01-01
      susracker audit list --actor jo --json
    """

    def matches(entry: AuditEntry) -> bool:
        return (
            (actor or "") in entry.actor
            and entry.action.startswith(action or "")
            and entry.subject.startswith(subject or "")
            and (since is None or entry.at >= since.astimezone())
            and (until is None or entry.at < until.astimezone())
        )

    with open_existing_store_of(loaded.settings) as store:
        found = [entry for entry in all_entries(store) if matches(entry)][-limit:]
        note(loaded.settings, store, "audit.list", detail={"shown": len(found)})
    if as_json:
        print_json([to_fields(entry) for entry in found])
    elif found:
        for entry in found:
            _print(entry)
    else:
        click.echo("no entry matches")


@command.command("verify")
@click.argument("file", type=click.File("rb"), required=False)
@public_key_option
@settings_options("store", "audit_key")
@unaudited("shows no entry")
def verify_command(
    loaded: LoadedSettings, file: Iterable[bytes] | None, public_key: Path | None
) -> None:
    """Check that no entry was changed, dropped, added, moved or cut off.

    With FILE, an export is checked, which needs nothing but the public key. The exit status is 1 if
    something is wrong.

    \b
    Examples:
      susracker audit verify
      susracker audit verify audit.jsonl --public-key audit-key.pub.pem
    """
    key = PublicKey.load(public_key or public_path(Path(loaded.settings.audit_key)))
    if file is not None:
        _report(_verify_export(file, key), key)
        return
    with open_existing_store_of(loaded.settings) as store:
        head = store.audit_head()
        total = head.seq - head.first + 1 if head else None
        with progress_bar() as progress:
            entries = progress.track(all_entries(store), total, description="verifying")
            found = verify(entries, head, key)
    _report(found, key)


@command.command("export")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, allow_dash=True))
@reason_option
@settings_options("store", "audit_key")
@audited("audit.export")
def export_command(loaded: LoadedSettings, file: Path, reason: str) -> None:
    """Write all entries to FILE, one line of JSON each; the last line is the signed head.

    \b
    Examples:
      susracker audit export audit.jsonl --reason "yearly audit"
      susracker audit export - | gzip > audit.jsonl.gz
    """
    with open_existing_store_of(loaded.settings) as store:
        note(loaded.settings, store, "audit.export", reason=reason)
        if str(file) == "-":
            write_export(store, sys.stdout.buffer)
            return
        with _new_file(file) as output:
            count = write_export(store, output)
    click.echo(f"{counted(count, 'entry', 'entries')} written to {file}")


@command.command("public-key")
@settings_options("audit_key")
@unaudited("the public key is no secret")
def public_key_command(loaded: LoadedSettings) -> None:
    """Print the key that the log is verified with, to hand to whoever audits it.

    \b
    Examples:
      susracker audit public-key > audit-key.pub.pem
    """
    key = PublicKey.load(public_path(Path(loaded.settings.audit_key)))
    click.echo(key.pem().decode(), nl=False)


@command.command("new-key")
@click.option("--reason", required=True, help="Why; noted in the log.")
@settings_options("store", "audit_key")
@audited("audit.new_key")
def new_key_command(loaded: LoadedSettings, reason: str) -> None:
    """Sign with the key in --audit-key from now on, after the previous key was lost or stolen.

    An entry says so. What was signed with the previous key can still be checked on earlier exports.

    \b
    Examples:
      susracker audit new-key --audit-key new-key.pem --reason "the disk of the key failed"
    """
    with open_existing_store_of(loaded.settings) as store:
        head = store.audit_head()
        detail = {"before": head.key_id if head else None}
        key = SigningKey.load_or_make(Path(loaded.settings.audit_key))
        log = AuditLog(store, key)
        log.take_over(Act(**acting(), action="audit.new_key", reason=reason, detail=detail))
    click.echo(f"the audit log is signed with {loaded.settings.audit_key} from now on")


def _verify_export(lines: Iterable[bytes], key: PublicKey) -> Verified:
    with progress_bar() as progress:
        records = list(progress.track(read_export(lines), description="reading"))
    if not records or not isinstance(records[-1], AuditHead):
        entries = [one for one in records if isinstance(one, AuditEntry)]
        return Verified(["the last line, with the signed head, is missing"], len(entries))
    if any(isinstance(one, AuditHead) for one in records[:-1]):
        raise InputError("the file has two heads: it is not one export")
    entries = [one for one in records if isinstance(one, AuditEntry)]
    with progress_bar() as progress:
        return verify(progress.track(entries, description="verifying"), records[-1], key)


def _report(found: Verified, key: PublicKey) -> None:
    for problem in found.problems:
        click.echo(problem)
    if found.problems:
        raise click.ClickException(
            f"the audit log is not whole: {counted(len(found.problems), 'problem')} in "
            f"{counted(found.entries, 'entry', 'entries')}"
        )
    if not found.entries:
        raise click.ClickException("the audit log is empty: there is nothing that was signed")
    click.echo(f"{counted(found.entries, 'entry', 'entries')}, whole, signed by the key {key.id}")
    if found.unsigned:
        click.echo(f"the newest {found.unsigned} are chained, but not signed yet")


def _new_file(path: Path) -> typing.Any:
    try:
        return open_private(path, "wb")
    except OSError as error:
        raise InputError(f"cannot write {path}: {error.strerror}") from error


def _print(entry: AuditEntry) -> None:
    when = entry.at.astimezone().strftime("%Y-%m-%d %H:%M:%S")
    subject = f" {entry.subject}" if entry.subject else ""
    reason = f": {entry.reason}" if entry.reason else ""
    click.echo(on_one_line(f"{entry.seq:>6}  {when}  {entry.action}{subject}{reason}"))
    address = f" from {entry.address}" if entry.address else ""
    click.echo(on_one_line(f"        by {entry.actor}{address}"))
