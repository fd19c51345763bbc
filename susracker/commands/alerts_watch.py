"""`susracker alerts watch`."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import asdict
from datetime import datetime

import click

from susracker.commands.alerts_options import FilterOf, filter_options
from susracker.commands.auditing import audited, note
from susracker.commands.options import LoadedSettings, json_option, settings_options
from susracker.commands.shown import fpir_text
from susracker.models import Alert
from susracker.plugins import open_existing_store_of
from susracker.runtime.text import on_one_line
from susracker.stores.base import Store
from susracker.stores.journal import AlertFilter

PAGE = 100


@click.command("watch")
@filter_options
@json_option
@settings_options("store", "follow_seconds", "audit_key")
@audited("alert.watch")
def watch_command(loaded: LoadedSettings, filter_of: FilterOf, as_json: bool) -> None:
    """Print alerts as they come, one line each, until Ctrl-C.

    With --json, each line is an object. The store is asked every `follow_seconds`, so this works
    beside a running server, whichever machine that is on.

    \b
    Examples:
      susracker alerts watch
      susracker alerts watch --camera gate-1 --kind face
      susracker alerts watch --json | jq .name
    """
    with open_existing_store_of(loaded.settings) as store:
        wanted = filter_of(store)
        note(loaded.settings, store, "alert.watch")
        after = store.last_seq()
        click.echo("waiting for alerts; Ctrl-C ends this", err=True)
        for alert in _alerts(store, wanted, after, loaded.settings.follow_seconds):
            click.echo(_json_line(alert) if as_json else _line(alert))


def _alerts(store: Store, wanted: AlertFilter, after: int, seconds: float) -> Iterator[Alert]:
    """Alerts after a `seq`, for ever."""
    while True:
        # Read before the alerts: none that comes meanwhile is passed over.
        last = store.last_seq()
        page = store.alerts(after, PAGE, before=last + 1, wanted=wanted, with_faces=False)
        yield from page
        after = page[-1].seq if len(page) == PAGE else last
        if after == last:
            time.sleep(seconds)


def _line(alert: Alert) -> str:
    about = alert.event_type if alert.kind == "activity" else alert.name or "(removed)"
    fpir = f", fpir {fpir_text(alert.candidates[0].fpir)}" if alert.candidates else ""
    where = f"{alert.camera_id} ({alert.camera_location})"
    told = on_one_line(f"{about}, {where}{fpir}")
    return f"{alert.occurred_at:%Y-%m-%d %H:%M:%S} UTC  {alert.id[:8]}  {told}"


def _json_line(alert: Alert) -> str:
    fields = {name: value for name, value in asdict(alert).items() if name != "face"}
    return json.dumps(fields, default=datetime.isoformat)
