"""`susracker cameras`."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime, timezone

import click

from susracker.commands.auditing import unaudited
from susracker.commands.options import LoadedSettings, json_option, settings_options
from susracker.commands.shown import moment_text, plain_table, print_json, print_table
from susracker.plugins import open_existing_store_of
from susracker.runtime.text import span_text


@click.command("cameras")
@json_option
@settings_options("store")
@unaudited("shows no person")
def command(loaded: LoadedSettings, as_json: bool) -> None:
    """Show when each camera was last heard from, and what it sent.

    The camera that has been silent for longest is the first.

    \b
    Examples:
      susracker cameras
      susracker cameras --json
    """
    with open_existing_store_of(loaded.settings) as store:
        found = sorted(store.cameras(), key=lambda one: one.last_heard_at)
    if as_json:
        print_json([asdict(one) for one in found])
        return
    if not found:
        click.echo("no camera has sent anything yet")
        return
    now = datetime.now(timezone.utc)
    table = plain_table("camera", "location", "last heard from", "ago", "detections", "alerts")
    for one in found:
        ago = span_text(now - one.last_heard_at)
        counts = f"{one.detections:,}", f"{one.alerts:,}"
        table.add_row(one.id, one.location, moment_text(one.last_heard_at), ago, *counts)
    print_table(table)
