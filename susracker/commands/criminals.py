"""`susracker criminals`."""

from __future__ import annotations

import typing
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime, timezone
from typing import Any

import click
from rich.table import Table

from susracker.commands.auditing import Noting, audited, note, reason_option
from susracker.commands.criminals_edit import edit_command
from susracker.commands.criminals_photos import remove_photo_command
from susracker.commands.criminals_stats import stats_command
from susracker.commands.erase import erase_command
from susracker.commands.groups import CommandGroup
from susracker.commands.options import LoadedSettings, json_option, settings_options
from susracker.commands.shown import moment_text, plain_table, print_json, print_table
from susracker.commands.working import counting, working
from susracker.enrolment.inspection import photo_fields
from susracker.enrolment.lookup import find_criminals, find_named
from susracker.models import Criminal, Sighting, Status
from susracker.plugins import open_detector, open_encoder, open_existing_store_of
from susracker.retention.holds import refuse_if_held
from susracker.runtime.text import counted

SHORT_ID = 8
"""Fewest characters of an id in a table; it shows more where ids would look the same."""

SIGHTINGS_SHOWN = 5

LISTED = 20
"""How many of the people in a list the audit log names, by their ids: as the server does."""

QUALITIES = (
    ("eyes apart", "eye_distance"),
    ("sharpness", "sharpness"),
    ("brightness", "brightness"),
    ("detector", "detector_score"),
)
"""Column headings of a table, and the attributes of `Quality` that they show."""

people_argument = click.argument("people", metavar="ID_OR_NAME...", nargs=-1, required=True)


@click.group("criminals", cls=CommandGroup)
def command() -> None:
    """List, show, edit and remove enrolled people.

    You can type a person's name, or the ID or its beginning, wherever it says ID_OR_NAME. If that
    may be several people, they are listed with their IDs, and nothing is done. To show someone, a
    part of the name is enough.

    \b
    Examples:
      susracker criminals list --status wanted --name doe
      susracker criminals show doe
      susracker criminals edit "Jo Doe" --threat high
      susracker criminals set-status 3f9c2a81 apprehended
      susracker criminals remove 3f9c2a81 07d1e4c2 --yes
      susracker criminals remove-photo 3f9c2a81 b1946ac9
      susracker criminals erase 3f9c2a81 --reason "court order 12/26"
      susracker criminals stats
    """


command.add_command(stats_command)
command.add_command(edit_command)
command.add_command(remove_photo_command)
command.add_command(erase_command)


@command.command("list")
@click.option(
    "--status", type=click.Choice(typing.get_args(Status)), help="Only people with this status."
)
@click.option("--name", help="Only people with this text in their name; case does not matter.")
@json_option
@settings_options("store", "encoder", "audit_key")
@audited("criminal.list")
def list_command(
    loaded: LoadedSettings, status: str | None, name: str | None, as_json: bool
) -> None:
    """List enrolled people, by name.

    People without a template are not recognised.

    \b
    Examples:
      susracker criminals list
      susracker criminals list --status apprehended
      susracker criminals list --name doe --json
    """
    with open_existing_store_of(loaded.settings) as store:
        with working("reading the list"):
            everyone = store.criminals()
            templates = store.template_counts(open_encoder(loaded.settings.encoder).id)
        found = [
            one
            for one in everyone
            if (status is None or one.status == status)
            and (name is None or name.casefold() in one.name.casefold())
        ]
        note(loaded.settings, store, "criminal.list", detail=_listed(found, name))
    if as_json:
        rows = [asdict(one) | {"templates": templates.get(one.id, 0)} for one in found]
        print_json(rows)
    elif found:
        print_table(_people_table(found, templates, _shortener(one.id for one in everyone)))
    else:
        click.echo("nobody is enrolled" if not everyone else "nobody who is enrolled matches")


def _people_table(
    found: Sequence[Criminal], templates: Mapping[str, int], shorten: Callable[[str], str]
) -> Table:
    table = plain_table(
        "id", "name", "status", "threat", "case", "templates", "expires", "last seen"
    )
    table.columns[0].no_wrap = True
    for one in found:
        table.add_row(
            shorten(one.id),
            one.name,
            _status(one),
            one.threat,
            one.case_reference or "",
            str(templates.get(one.id, 0)),
            moment_text(one.expires_at),
            moment_text(one.last_seen_at),
        )
    return table


@command.command("show")
@click.argument("person", metavar="ID_OR_NAME")
@json_option
@settings_options("store", "detector", "audit_key")
@audited("criminal.show")
def show_command(loaded: LoadedSettings, person: str, as_json: bool) -> None:
    """Show one person, with their photos and newest sightings.

    ID_OR_NAME is a name or a part of one, or the beginning of an ID.

    For each photo: pixels between the eyes, sharpness, brightness, and the detector's score.

    \b
    Examples:
      susracker criminals show "Jo Doe"
      susracker criminals show 3f9c2a81 --json
    """
    detector = open_detector(loaded.settings.detector)
    max_pixels = int(loaded.settings.max_megapixels * 1e6)
    with open_existing_store_of(loaded.settings) as store:
        criminal = find_named(store, person)
        note(loaded.settings, store, "criminal.show", criminal.id)
        photo_ids = store.photo_ids(criminal.id)
        photos = []
        with counting("looking at photos", len(photo_ids)) as done:
            for one in photo_ids:
                photos.append(photo_fields(store.photo(one), max_pixels, detector))
                done()
        with working("reading sightings"):
            sightings = store.sightings(criminal.id)
    newest = sightings[: -SIGHTINGS_SHOWN - 1 : -1]
    if as_json:
        fields = asdict(criminal) | {
            "photos": photos,
            "sightings": len(sightings),
            "newest_sightings": [asdict(sighting) for sighting in newest],
        }
        print_json(fields)
        return
    print_table(_facts(criminal))
    if photos:
        print_table(_photos_table(photos))
    click.echo(counted(len(sightings), "sighting"))
    if newest:
        print_table(_sightings_table(newest))


@command.command("remove")
@people_argument
@click.option("--yes", is_flag=True, help="Remove without asking.")
@reason_option
@settings_options("store", "audit_key")
@audited("criminal.remove")
def remove_command(loaded: LoadedSettings, people: tuple[str, ...], yes: bool, reason: str) -> None:
    """Remove people, with all their photos, templates and sightings.

    Alerts stay, as a record of what operators were told, without the face and the name; what people
    wrote about them stays, too. People whom a held alert names stay. This cannot be undone.
    To remove all that was written as well, and to be told what is out of reach, use erase; to stop
    looking for someone and keep the record, use set-status.

    \b
    Examples:
      susracker criminals remove "Jo Doe" --reason "warrant withdrawn"
      susracker criminals remove 3f9c2a81 07d1e4c2 --yes
    """
    with open_existing_store_of(loaded.settings) as store:
        found = find_criminals(store, people)
        for one in found:
            photos, sightings = len(store.photo_ids(one.id)), len(store.sightings(one.id))
            held = f"{counted(photos, 'photo')}, {counted(sightings, 'sighting')}"
            click.echo(f"{one.id}  {one.name}: {held}")
        if not yes:
            click.confirm("Remove for good?", abort=True)
        for one in found:
            refuse_if_held(store, one.id)
        note_act = Noting(loaded.settings, store)
        for one in found:
            note_act("criminal.remove", one.id, reason)
            store.remove_criminal(one.id)
    click.echo(f"removed {counted(len(found), 'person', 'people')}")


@command.command("set-status")
@people_argument
@click.argument("status", type=click.Choice(typing.get_args(Status)))
@reason_option
@settings_options("store", "audit_key")
@audited("criminal.edit")
def set_status_command(
    loaded: LoadedSettings, people: tuple[str, ...], status: Status, reason: str
) -> None:
    """Set people to wanted, or to apprehended, which stops the search for them.

    \b
    Examples:
      susracker criminals set-status "Jo Doe" apprehended --reason "arrested at gate 3"
      susracker criminals set-status 3f9c2a81 07d1e4c2 wanted
    """
    with open_existing_store_of(loaded.settings) as store:
        note_act = Noting(loaded.settings, store)
        for one in find_criminals(store, people):
            note_act("criminal.edit", one.id, reason, {"fields": ["status"], "photos": 0})
            store.edit_criminal(one.id, {"status": status})
            click.echo(f"{one.id}  {one.name}: {status}")


def _status(criminal: Criminal) -> str:
    is_over = criminal.status == "wanted" and not criminal.is_wanted(datetime.now(timezone.utc))
    return f"{criminal.status}, expired" if is_over else criminal.status


def _listed(found: Sequence[Criminal], name: str | None) -> dict[str, object]:
    """What the audit log says of a list, as the server's: not the name, which is a person's."""
    return {
        "searched": name is not None,
        "shown": len(found),
        "first": [one.id for one in found[:LISTED]],
    }


def _shortener(all_ids: Iterable[str]) -> Callable[[str], str]:
    """Cuts ids so short that each is still told from the others."""
    ids = set(all_ids)
    length = SHORT_ID
    while len({one[:length] for one in ids}) < len(ids):
        length += 1
    return lambda one: one[:length]


def _facts(criminal: Criminal) -> Table:
    table = Table.grid(padding=(0, 2))
    for name, value in asdict(criminal).items():
        if isinstance(value, datetime):
            value = moment_text(value)
        text = ", ".join(value) if isinstance(value, tuple) else value
        table.add_row(name.replace("_", " "), "" if text is None else str(text))
    return table


def _photos_table(photos: Sequence[dict[str, Any]]) -> Table:
    table = plain_table("photo", "type", "bytes", *(name for name, _ in QUALITIES))
    shorten = _shortener(photo["id"] for photo in photos)
    for photo in photos:
        quality = photo["quality"]
        measured = [f"{quality[key]:.1f}" for _, key in QUALITIES] if quality else []
        row = [shorten(photo["id"]), photo["media_type"], f"{photo['bytes']:,}", *measured]
        table.add_row(*row, *([] if quality else [photo["refused"]]))
    return table


def _sightings_table(sightings: Sequence[Sighting]) -> Table:
    table = plain_table("seen at", "camera", "location", "distance", "alert")
    for one in sightings:
        alert = "held back" if one.suppressed else "yes"
        where = (one.camera_id, one.camera_location)
        table.add_row(moment_text(one.occurred_at), *where, f"{one.distance:.2f}", alert)
    return table
