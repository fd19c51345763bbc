"""`susracker criminals stats`."""

from __future__ import annotations

import json
import math
from collections import Counter
from contextlib import closing
from datetime import datetime, timezone
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from susracker.commands.auditing import unaudited
from susracker.commands.options import LoadedSettings, json_option, settings_options
from susracker.commands.working import working
from susracker.config import Settings
from susracker.plugins import open_encoder, open_existing_store_of, open_matcher
from susracker.stores.base import Store
from susracker.watchlist.looks import LOOKS, ONLY
from susracker.watchlist.scoring import MAX_TEMPLATE_COUNT, load_scoring
from susracker.watchlist.watchlist import WatchList

OTHER_TARGETS = (0.1, 0.01, 0.001)
"""Other values of `target_fpir`, to compare."""

OPERATING_POINTS = (0.01, 0.001, 1 / 6000)
"""The usual default, and what forces that run live face recognition state: 1/1,000 by their own
rules, and 1/6,000 as measured by NPL (2023)."""

PASSAGES = 10_000


@click.command("stats")
@json_option
@settings_options("store", "encoder", "target_fpir", "passage_seconds")
@unaudited("shows no person")
def stats_command(loaded: LoadedSettings, as_json: bool) -> None:
    """Show how many people are enrolled, and the thresholds that follow from it.

    A face whose score reaches the threshold is a match. Of the searches for people who are not
    enrolled, a share of target_fpir reaches it. The more templates someone has, the better they can
    be told apart from others. A passage is looked at up to four times, and each look has a part of
    the target: half, a quarter, and twice an eighth.

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
        if name == "operating_points":
            continue
        table.add_row(name.replace("_", " ").replace("watch list", "watch-list"), _shown(value))
    Console().print(table)
    Console().print(_points_table(facts["operating_points"]))


def _points_table(points: list[dict[str, Any]]) -> Table:
    looks = len(points[0]["thresholds"])
    titles = [f"look {number}" for number in range(1, looks + 1)] if looks > 1 else ["threshold"]
    table = Table("target FPIR", *titles, f"false alerts in {PASSAGES:,} strangers, at most")
    for point in points:
        thresholds = (_shown(one) for one in point["thresholds"])
        table.add_row(f"{point['target_fpir']:g}", *thresholds, f"{point['false_alerts']:g}")
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
        "threshold": _finite(watchlist.threshold),
        "threshold_by_target_fpir": {
            str(target): _finite(watchlist.threshold_for(target)) for target in OTHER_TARGETS
        },
        "operating_points": operating_points(watchlist, settings),
    }


def operating_points(watchlist: WatchList, settings: Settings) -> list[dict[str, Any]]:
    """What some targets, and the present one, mean for the present watch-list.

    `thresholds` are those of the looks at a passage, the first of one face, or that of the only
    look without passages. `false_alerts` are those to expect in 10,000 passages of strangers, at
    most.
    """
    looks = LOOKS if settings.passage_seconds else (ONLY,)
    return [
        {
            "target_fpir": round(target, 6),
            "thresholds": [
                _finite(watchlist.threshold_for(look.share * target, look.probes)) for look in looks
            ],
            "false_alerts": round(PASSAGES * target, 2),
        }
        for target in sorted({*OPERATING_POINTS, settings.target_fpir}, reverse=True)
    ]


def _finite(threshold: float) -> float | None:
    return round(threshold, 3) if math.isfinite(threshold) else None
