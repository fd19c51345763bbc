"""`susracker criminals stats`."""

from __future__ import annotations

import json
from collections import Counter
from contextlib import closing
from datetime import datetime, timezone
from typing import Any

import click
from rich.table import Table

from susracker.commands.auditing import unaudited
from susracker.commands.options import LoadedSettings, json_option, settings_options
from susracker.commands.shown import plain_table, print_table
from susracker.commands.working import working
from susracker.config import Settings
from susracker.plugins import open_encoder, open_existing_store_of, open_matcher
from susracker.runtime.text import counted
from susracker.stores.base import Store
from susracker.watchlist.operating import PASSAGES, extrapolation, finite
from susracker.watchlist.scoring import MAX_TEMPLATE_COUNT, load_scoring
from susracker.watchlist.watchlist import WatchList

OTHER_TARGETS = (0.1, 0.01, 0.001)
"""Other values of `target_fpir`, to compare."""


@click.command("stats")
@json_option
@settings_options("store", "encoder", "target_fpir", "passage_seconds")
@unaudited("shows no person")
def stats_command(loaded: LoadedSettings, as_json: bool) -> None:
    """Show how many people are enrolled, and the thresholds that follow from it.

    A face whose score reaches the threshold is a match. Of the searches for people who are not
    enrolled, a share of target_fpir reaches it. The more templates someone has, the better they can
    be told apart from others. A passage is looked at up to four times, and each look has a part of
    the target: a fifth, then a tenth each; the last look at a passage has the rest.

    How many wanted people are missed was measured on about 800 people; the more people are
    enrolled, the more are missed. If your watch-list is longer than those measured, a note says so.

    \b
    Examples:
      susracker criminals stats
      susracker criminals stats --target-fpir 0.001 --json
    """
    with open_existing_store_of(loaded.settings) as store, working("reading the watch-list"):
        facts = watchlist_stats(store, loaded.settings)
    if as_json:
        click.echo(json.dumps(facts, indent=2))
        return
    table = Table.grid(padding=(0, 2))
    for name, value in facts.items():
        if name in ("operating_points", "extrapolation"):
            continue
        table.add_row(name.replace("_", " ").replace("watch list", "watch-list"), _shown(value))
    print_table(table)
    click.echo()
    print_table(_points_table(facts["operating_points"]))
    click.echo()
    if any(point["measured_fnir"] for point in facts["operating_points"]):
        print_table(_misses_table(facts["operating_points"]))
        click.echo("measured on photos of different days; frames of one passage gain less")
    else:
        click.echo("missed people were not measured with this encoder: see susracker benchmark")
    if facts["extrapolation"]:
        click.echo(f"Note: {facts['extrapolation']}.")


def _points_table(points: list[dict[str, Any]]) -> Table:
    looks = len(points[0]["thresholds"])
    titles = [f"look {number}" for number in range(1, looks + 1)] if looks > 1 else ["threshold"]
    lasts = len(points[0]["last_look_thresholds"])
    titles += [f"last of {counted(number, 'face')}" for number in range(1, lasts + 1)]
    table = plain_table("target FPIR", *titles, f"false alerts in {PASSAGES:,}, at most")
    for point in points:
        thresholds = (_shown(one) for one in (*point["thresholds"], *point["last_look_thresholds"]))
        table.add_row(f"{point['target_fpir']:g}", *thresholds, f"{point['false_alerts']:g}")
    return table


def _misses_table(points: list[dict[str, Any]]) -> Table:
    table = plain_table("target FPIR", "photos", "faces", "wanted people missed", "enrolled")
    for point in points:
        for one in point["measured_fnir"]:
            names = (one["photos"], one["probes"], f"{one['fnir']:.1%}", one["enrolled"])
            table.add_row(f"{point['target_fpir']:g}", *map(str, names))
    return table


def _shown(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key}: {_shown(one)}" for key, one in value.items()) or "none"
    return "none" if value is None else str(value)


def present_watchlist(store: Store, settings: Settings) -> WatchList:
    """The watch-list of this moment, of which only the numbers can be asked for."""
    encoder = open_encoder(settings.encoder)
    with closing(open_matcher(settings.matcher, encoder.dimension)) as matcher:
        watchlist = WatchList(
            store,
            encoder.id,
            matcher,
            load_scoring(encoder.id),
            settings.target_fpir,
            settings.threshold_shift,
        )
        watchlist.refresh(datetime.now(timezone.utc))
    return watchlist


def watchlist_stats(store: Store, settings: Settings) -> dict[str, Any]:
    """Numbers of people and templates, and thresholds; None while nobody is matched."""
    watchlist = present_watchlist(store, settings)
    everyone = store.criminals()
    return {
        "criminals": len(everyone),
        "by_status": dict(Counter(criminal.status for criminal in everyone)),
        "on_the_watch_list": len(watchlist),
        "by_templates": {
            f"{number}{' or more' if number == MAX_TEMPLATE_COUNT else ''}": count
            for number, count in watchlist.counts.items()
        },
        "target_fpir": settings.target_fpir,
        "threshold_shift": settings.threshold_shift,
        "threshold": finite(watchlist.threshold),
        "threshold_by_target_fpir": {
            str(target): finite(watchlist.threshold_for(target)) for target in OTHER_TARGETS
        },
        "operating_points": [
            point.fields()
            for point in watchlist.operating_points(has_passages=settings.passage_seconds > 0)
        ],
        "extrapolation": extrapolation(len(watchlist)),
    }
