"""`susracker alerts stats`."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import click
from rich.table import Table

from susracker.commands.auditing import audited, note
from susracker.commands.options import LoadedSettings, json_option, settings_options
from susracker.commands.shown import print_json, print_table
from susracker.commands.working import working
from susracker.judgement.rates import percent
from susracker.judgement.stats import Group, Stats, alert_stats, stats_record
from susracker.models import NEW
from susracker.plugins import open_existing_store_of

PEOPLE_SHOWN = 10
NAME_WIDTH = 16

STATUSES = (NEW, "confirmed", "dismissed", "unsure")
"""What a table has columns for; JSON counts those that are to be confirmed, too."""

day_type = click.DateTime(["%Y-%m-%d"])


@click.command("stats")
@click.option(
    "--since",
    type=day_type,
    metavar="DATE",
    help="Only what arrived on this day or later, in UTC, such as 2026-12-31.",
)
@click.option(
    "--until",
    type=day_type,
    metavar="DATE",
    help="Only what arrived on this day or before it, in UTC.",
)
@json_option
@settings_options("store", "target_fpir", "audit_key")
@audited("alert.stats")
def stats_command(
    loaded: LoadedSettings, since: datetime | None, until: datetime | None, as_json: bool
) -> None:
    """Sum up what became of alerts, beside the false alert rate that was promised.

    A search is a passage that was compared with the watch-list; with passage_seconds = 0, a face.
    The false alert rate is the share of searches whose alert was dismissed, with its 95% interval
    (Wilson). The promised rate is target_fpir. Alerts that the cooldown held back are not counted.

    \b
    Examples:
      susracker alerts stats
      susracker alerts stats --since 2026-06-01 --until 2026-06-30
      susracker alerts stats --json
    """
    days = [moment and moment.date() for moment in (since, until)]
    with open_existing_store_of(loaded.settings) as store:
        with working("reading alerts"):
            stats = alert_stats(store, loaded.settings.target_fpir, *days)
        note(loaded.settings, store, "alert.stats")
    if as_json:
        print_json(stats_record(stats))
        return
    _show(stats)


def _show(stats: Stats) -> None:
    _show_groups(stats)
    click.echo()
    click.echo(f"promised false alert rate: {percent(stats.promised)}")
    if (rate := stats.total.rate) and rate.undecided:
        click.echo(
            f"if every undecided alert ({rate.undecided:,}) were false: {percent(rate.highest)}"
        )
    click.echo(_response(stats.total))
    for warning in stats.warnings():
        click.secho(f"warning: {warning}", fg="yellow")


def _show_groups(stats: Stats) -> None:
    most = list(stats.people.values())[:PEOPLE_SHOWN]
    print_table(_table("", [stats.total]))
    for name, groups in (
        ("camera", stats.cameras.values()),
        ("week", stats.weeks.values()),
        ("person", most),
        ("activity", stats.activities.values()),
    ):
        if groups:
            click.echo()
            print_table(_table(name, groups))
    if len(stats.people) > len(most):
        click.echo(f"and {len(stats.people) - len(most):,} more people: see --json")


def _table(name: str, groups: Iterable[Group]) -> Table:
    table = Table(box=None, padding=(0, 1, 0, 0))
    table.add_column(name, max_width=NAME_WIDTH)
    for heading in ("alerts", "new", "conf.", "dism.", "unsure", "searches"):
        table.add_column(heading, justify="right")
    table.add_column("false alert rate")
    for one in groups:
        counts = [one.alerts, *(one.by_status[status] for status in STATUSES), one.searches]
        table.add_row(one.name, *(f"{count:,}" for count in counts), _rate(one))
    return table


def _rate(group: Group) -> str:
    rate = group.rate
    if rate is None:
        return "no searches"
    low, high = rate.interval
    return f"{percent(rate.rate)} ({100 * low:.2g}-{100 * high:.2g})"


def _response(total: Group) -> str:
    median, slow = total.response(50), total.response(90)
    if median is None or slow is None:
        return "first review: none yet"
    return f"first review: half within {_duration(median)}, 90% within {_duration(slow)}"


def _duration(seconds: float) -> str:
    for size, unit in ((86_400, "days"), (3600, "hours"), (60, "minutes")):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} seconds"
