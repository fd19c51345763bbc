"""`susracker criminals erase`."""

from __future__ import annotations

from collections.abc import Iterator

import click

from susracker.commands.auditing import audited, note
from susracker.commands.options import LoadedSettings, settings_options
from susracker.config import Settings
from susracker.enrolment.lookup import find_criminal
from susracker.errors import InputError, NotFoundError
from susracker.plugins import open_existing_store_of
from susracker.recording.reach import out_of_reach, recorded
from susracker.retention.erasure import INSTEAD, Erased, Traces, erase, traces_of
from susracker.retention.holds import refuse_if_held
from susracker.runtime.text import counted
from susracker.stores.base import Store

ERASE = "criminal.erase"

LISTED = 20
"""How many pictures of a recording are listed at most."""


@click.command("erase")
@click.argument("person", metavar="ID_OR_NAME")
@click.option("--reason", required=True, help="Why, for the audit log: do not name the person.")
@click.option("--despite-holds", is_flag=True, help="End the holds of alerts that name them.")
@click.option("--yes", is_flag=True, help="Erase without asking.")
@settings_options("store", "record", "record_days", "audit_key")
@audited(ERASE)
def erase_command(
    loaded: LoadedSettings, person: str, reason: str, despite_holds: bool, yes: bool
) -> None:
    """Erase a person everywhere, and say what is out of reach.

    As `criminals remove`, this removes all photos, templates and sightings, wipes the copy of
    templates beside an SQLite database, and takes the face, the name and the link to the person out
    of alerts. Beyond that, erase empties the notes of judgements of those alerts, and reasons in
    which the name occurs; it notes the ID and the reason in the audit log; it empties SQLite's
    write-ahead log, and fails if it cannot: then run it again with the whole ID. It ends with what
    it cannot reach. A running server follows within follow_seconds.

    Use remove for a mistake in the list, and erase for a legal duty. Both refuse while an alert
    that names the person is held; erase does it all the same with --despite-holds.

    \b
    Examples:
      susracker criminals erase 3f9c2a81 --reason "court order 12/26"
      susracker criminals erase 3f9c2a81 --reason "court order 12/26" --yes
    """
    settings = loaded.settings
    if not reason.strip():
        raise InputError("--reason is empty: say why, without naming the person")
    with open_existing_store_of(settings) as store:
        try:
            criminal = find_criminal(store, person)
        except NotFoundError:
            if not _was_erased(store, person):
                raise
            _scrub_again(store, person)
            return
        if not despite_holds:
            # Before it is noted: the log would have an erasure that never was.
            refuse_if_held(store, criminal.id, INSTEAD)
        traces = traces_of(store, criminal.id)
        click.echo(f"{criminal.id}  {criminal.name}: {_told(traces)}")
        if not yes:
            click.confirm("Erase for good?", abort=True)
        note(settings, store, ERASE, criminal.id, reason)
        erased = erase(store, criminal, despite_holds=despite_holds)
        _tell(erased)
        store.scrub()
    for line in _out_of_reach(settings, erased.traces):
        click.echo(line)


def _scrub_again(store: Store, criminal_id: str) -> None:
    store.scrub()
    click.echo(f"{criminal_id} was erased before; the database's log is empty now")


def _was_erased(store: Store, criminal_id: str) -> bool:
    after = 0
    while page := store.audit(after):
        if any((one.action, one.subject) == (ERASE, criminal_id) for one in page):
            return True
        after = page[-1].seq
    return False


def _told(traces: Traces) -> str:
    parts = [
        counted(traces.photos, "photo"),
        counted(traces.templates, "template"),
        counted(traces.sightings, "sighting"),
        counted(len(traces.alerts), "alert"),
    ]
    return ", ".join(parts) + (f", {traces.held} of them held" if traces.held else "")


def _tell(erased: Erased) -> None:
    traces = erased.traces
    click.echo(
        f"erased {counted(traces.photos, 'photo')}, {counted(traces.templates, 'template')} and "
        f"{counted(traces.sightings, 'sighting')}; what is left of "
        f"{counted(len(traces.alerts), 'alert')} names nobody"
    )
    if erased.judgements:
        click.echo(f"emptied what was written in {counted(erased.judgements, 'judgement')}")
    if erased.holds:
        click.echo(f"ended {counted(erased.holds, 'hold')}")


def _out_of_reach(settings: Settings, traces: Traces) -> Iterator[str]:
    yield "not reached, and so yours to look after:"
    for line in out_of_reach(settings):
        yield click.wrap_text(line, 100, initial_indent="  ", subsequent_indent="  ")
    if settings.record:
        told, pictures = recorded(settings, traces)
        yield f"  {told}{':' if pictures else ''}"
        for path in pictures[:LISTED]:
            yield f"    {path}"
        if len(pictures) > LISTED:
            yield f"    and {len(pictures) - LISTED} more"
