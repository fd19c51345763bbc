"""`susracker alerts hold` and `susracker alerts release`."""

from __future__ import annotations

from datetime import datetime, timezone

import click

from susracker.commands.auditing import acting, audited, note, reason_option
from susracker.commands.options import LoadedSettings, settings_options
from susracker.judgement.finding import find_alert
from susracker.oversight import Hold
from susracker.plugins import open_existing_store_of
from susracker.retention.holds import check_reason


@click.command("hold")
@click.argument("alert_id", metavar="ID")
@click.option("--reason", required=True, help="Why, such as the case that it is needed for.")
@settings_options("store", "audit_key")
@audited("alert.hold")
def hold_command(loaded: LoadedSettings, alert_id: str, reason: str) -> None:
    """Keep an alert beyond its time, with its face and judgements, until it is released.

    People whom it names can neither be removed nor expire out of the store meanwhile.

    \b
    Examples:
      susracker alerts hold 3f9c2a81 --reason "court, case 12/26"
    """
    why, now = check_reason(reason), datetime.now(timezone.utc)
    with open_existing_store_of(loaded.settings) as store:
        hold = Hold(find_alert(store, alert_id).id, why, acting()["actor"], now)
        store.hold_alert(hold)
        note(loaded.settings, store, "alert.hold", hold.alert_id, hold.reason)
    click.echo(f"{hold.alert_id} is held")


@click.command("release")
@click.argument("alert_id", metavar="ID")
@reason_option
@settings_options("store", "audit_key")
@audited("alert.release")
def release_command(loaded: LoadedSettings, alert_id: str, reason: str) -> None:
    """End the hold of an alert: it is forgotten when its time has come.

    \b
    Examples:
      susracker alerts release 3f9c2a81 --reason "case 12/26 closed"
    """
    with open_existing_store_of(loaded.settings) as store:
        found = find_alert(store, alert_id).id
        store.release_alert(found)
        note(loaded.settings, store, "alert.release", found, reason)
    click.echo(f"{found} is no longer held")
