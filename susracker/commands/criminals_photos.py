"""`susracker criminals remove-photo`."""

from __future__ import annotations

import click

from susracker.commands.auditing import Noting, audited, reason_option
from susracker.commands.options import LoadedSettings, settings_options
from susracker.enrolment.lookup import find_criminal, find_photo
from susracker.plugins import open_existing_store_of
from susracker.retention.holds import refuse_if_shown
from susracker.runtime.text import counted


@click.command("remove-photo")
@click.argument("person", metavar="ID_OR_NAME")
@click.argument("typed", metavar="PHOTO...", nargs=-1, required=True)
@click.option("--yes", is_flag=True, help="Remove without asking.")
@reason_option
@settings_options("store", "audit_key")
@audited("criminal.remove_photo")
def remove_photo_command(
    loaded: LoadedSettings, person: str, typed: tuple[str, ...], yes: bool, reason: str
) -> None:
    """Remove photos of a person, with their templates. The person stays.

    `susracker criminals show` lists the photos with their IDs and quality; the beginning of an
    ID is enough. A running server follows within follow_seconds. Alerts that showed a photo stay,
    without it; a photo in a held alert is not removed. This cannot be undone, but the same file can
    be enrolled again.

    \b
    Examples:
      susracker criminals remove-photo "Jo Doe" b1946ac9 --reason "someone else"
      susracker criminals remove-photo 3f9c2a81 b1946ac9 591785b7 --yes
    """
    with open_existing_store_of(loaded.settings) as store:
        criminal = find_criminal(store, person)
        photos = list(dict.fromkeys(find_photo(store, criminal, one) for one in typed))
        for one in photos:
            refuse_if_shown(store, one)
        left = len(store.photo_ids(criminal.id)) - len(photos)
        after = counted(left, "photo") if left else "no photo, and is not recognised without one"
        click.echo(f"{criminal.id}  {criminal.name}: will have {after}")
        if not yes:
            click.confirm(f"Remove {counted(len(photos), 'photo')} for good?", abort=True)
        note_act = Noting(loaded.settings, store)
        for one in photos:
            note_act("criminal.remove_photo", criminal.id, reason, {"photo": one})
            store.remove_photo(criminal.id, one)
    click.echo(f"removed {counted(len(photos), 'photo')} of {criminal.name}")
