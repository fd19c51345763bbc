"""`susracker criminals edit`."""

from __future__ import annotations

from typing import Any

import click

from susracker.commands.auditing import Noting, audited, reason_option
from susracker.commands.criminal_fields import (
    field_options,
    force_option,
    given_fields,
    refuse_past,
)
from susracker.commands.options import LoadedSettings, settings_options
from susracker.enrolment.fields import edit_from_fields
from susracker.enrolment.lookup import find_criminals
from susracker.errors import InputError
from susracker.plugins import open_existing_store_of


@click.command("edit")
@click.argument("people", metavar="ID_OR_NAME...", nargs=-1, required=True)
@click.option("--name", help="Name of the person.")
@field_options
@force_option
@reason_option
@settings_options("store", "audit_key")
@audited("criminal.edit")
def edit_command(
    loaded: LoadedSettings,
    people: tuple[str, ...],
    force: bool,
    reason: str,
    **given: Any,
) -> None:
    """Change what is known of people; what you do not give stays as it is.

    An empty text leaves a field without a value: --case "" or --expires "".

    \b
    Examples:
      susracker criminals edit "Jo Doe" --threat high --crime robbery --crime arson
      susracker criminals edit 3f9c2a81 07d1e4c2 --expires 2026-12-31 --reason "warrant renewed"
      susracker criminals edit 3f9c2a81 --expires ""
    """
    fields = given_fields(given)
    if not fields:
        raise InputError("nothing to change: give at least one field, such as --threat high")
    if not force:
        refuse_past([fields])
    edit = edit_from_fields(fields)
    with open_existing_store_of(loaded.settings) as store:
        note_act = Noting(loaded.settings, store)
        for one in find_criminals(store, people):
            note_act("criminal.edit", one.id, reason, {"fields": sorted(edit), "photos": 0})
            store.edit_criminal(one.id, edit)
            click.echo(f"{one.id}  {one.name}: changed {', '.join(sorted(fields))}")
