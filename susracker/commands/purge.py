"""`susracker purge`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import datetime, timezone

import click
from rich.table import Table

from susracker.commands.auditing import acting, audit_log, audited, note, reason_option
from susracker.commands.options import LoadedSettings, json_option, settings_options
from susracker.commands.progress import steps
from susracker.commands.shown import print_json, print_table
from susracker.config import Settings
from susracker.plugins import open_existing_store_of
from susracker.retention.purge import SETTINGS, Purge
from susracker.runtime.text import counted


@click.command("purge")
@click.option("--dry-run", is_flag=True, help="Only say what would go.")
@click.option("--yes", is_flag=True, help="Forget without asking.")
@json_option
@reason_option
@settings_options("store", "audit_key", *SETTINGS.values())
@audited("purge")
def command(loaded: LoadedSettings, dry_run: bool, yes: bool, as_json: bool, reason: str) -> None:
    """Forget what was kept for longer than the settings allow.

    A server does the same once an hour. Held alerts stay, with their faces and judgements, and so
    do people whom a held alert names.

    \b
    Examples:
      susracker purge --dry-run
      susracker purge --yes
      susracker purge --keep-alerts-days 31 --keep-sightings-days 31 --yes
    """
    settings, now = loaded.settings, datetime.now(timezone.utc)
    with open_existing_store_of(settings) as store:
        purge = Purge(store, settings, audit_log(settings, store), who=acting())
        due = purge.count(now)
        forgotten: dict[str, int] = {}
        if not as_json:
            print_table(_table(settings, due))
        if not dry_run:
            if any(due.values()):
                if not yes:
                    click.confirm("Forget for good?", abort=True, err=as_json)
                note(settings, store, "purge", reason=reason, detail=due)
                forgotten = _forget(purge, now, due)
            store.scrub()
    if as_json:
        print_json({"due": due, "forgotten": forgotten})
    elif not any(getattr(settings, name) for name in SETTINGS.values()):
        click.echo("nothing is ever forgotten: set one of these settings, such as keep_alerts_days")
    elif not dry_run:
        click.echo(f"forgot {counted(sum(forgotten.values()), 'record')}")


def _forget(purge: Purge, now: datetime, due: Mapping[str, int]) -> dict[str, int]:
    forgotten: Counter[str] = Counter()
    with steps() as on_step:
        for kind, size in purge.batches(now):
            forgotten[kind] += size
            on_step(kind, forgotten[kind], due[kind])
    return dict(forgotten)


def _table(settings: Settings, due: Mapping[str, int]) -> Table:
    table = Table("what", "kept for", "setting", "to forget")
    for kind, name in SETTINGS.items():
        days = getattr(settings, name)
        kept = f"{days:g} days" if days else "no limit"
        table.add_row(kind, kept, name, f"{due[kind]:,}" if kind in due else "")
    return table
