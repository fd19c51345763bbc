"""`susracker track`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from itertools import groupby

import click
from rich.table import Table

from susracker.commands.auditing import audited, note
from susracker.commands.options import LoadedSettings, json_option, settings_options
from susracker.commands.shown import moment_text, plain_table, print_json, print_table
from susracker.commands.working import working
from susracker.enrolment.lookup import find_named
from susracker.models import Sighting
from susracker.plugins import open_existing_store_of
from susracker.runtime.text import counted, on_one_line


@click.command("track")
@click.argument("id_or_name")
@json_option
@settings_options("store", "audit_key")
@audited("criminal.track")
def command(loaded: LoadedSettings, id_or_name: str, as_json: bool) -> None:
    """Show where a person was seen, camera by camera.

    ID_OR_NAME is a name or a part of one, or the beginning of an ID. Sightings that follow each
    other on one camera are one line; --json has each sighting.

    \b
    Examples:
      susracker track "Jo Doe"
      susracker track 3f9c2a81 --json
    """
    with open_existing_store_of(loaded.settings) as store:
        person = find_named(store, id_or_name)
        note(loaded.settings, store, "criminal.track", person.id)
        with working("reading sightings"):
            sightings = store.sightings(person.id)
    if as_json:
        found = [asdict(one) for one in sightings]
        print_json({"criminal_id": person.id, "name": person.name, "sightings": found})
        return
    click.echo(f"{person.id}  {on_one_line(person.name)}: {counted(len(sightings), 'sighting')}")
    if sightings:
        print_table(_stays(sightings))


def _stays(sightings: Sequence[Sighting]) -> Table:
    table = plain_table("from", "to", "camera", "location", "sightings", "alerts")
    for (camera, location), several in groupby(
        sightings, lambda one: (one.camera_id, one.camera_location)
    ):
        stay = list(several)
        alerts = sum(not one.suppressed for one in stay)
        times = moment_text(stay[0].occurred_at), moment_text(stay[-1].occurred_at)
        table.add_row(*times, camera, location, f"{len(stay):,}", f"{alerts:,}")
    return table
