"""`susracker benchmark --from-reviews`."""

from __future__ import annotations

import math
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Any

import click
import numpy as np
from click.core import ParameterSource

from susracker.benchmark.metrics import Numbers
from susracker.commands.criminals_stats import present_watchlist
from susracker.config import Settings
from susracker.errors import InputError
from susracker.judgement.rates import FalseAlertRate, percent
from susracker.judgement.threshold import Proposal, ReviewedScores, reviewed_scores
from susracker.loading import FILE_NAME, write_setting
from susracker.plugins import open_existing_store_of

ALLOWED = {"from_reviews", "since", "apply_shift", "json_file", "store", "target_fpir", "matcher"}
"""Parameters of the command that can be combined with --from-reviews."""


def refuse_others(ctx: click.Context) -> None:
    """Refuse what means nothing to a measurement of reviews.

    Raises:
        InputError: such an option or argument was typed.
    """
    given = [
        param.opts[0]
        for param in ctx.command.params
        if param.name not in ALLOWED
        and ctx.get_parameter_source(param.name or "") is ParameterSource.COMMANDLINE
    ]
    if given:
        raise InputError(f"--from-reviews cannot be combined with {given[0]}")


def measure_reviews(
    settings: Settings, since: date | None
) -> tuple[dict[str, Any], Proposal | None]:
    """Print what reviews say about the threshold. Returns it as JSON, and a better threshold.

    Raises:
        InputError: nobody can be matched, or no searches were counted.
    """
    with open_existing_store_of(settings) as store:
        threshold = present_watchlist(store, settings).threshold
        scores = reviewed_scores(store, since)
    if not math.isfinite(threshold):
        raise InputError("nobody is on the watch-list, so there is no threshold to measure")
    rate = scores.rate_at(threshold)
    _show(rate, scores, threshold, settings)
    proposal, refused = _propose(scores, threshold, settings)
    _show_proposal(proposal, refused, rate, settings.target_fpir)
    record = {
        "threshold": threshold,
        "threshold_shift": settings.threshold_shift,
        "promised_fpir": settings.target_fpir,
        "searches": rate.searches,
        "dismissed": rate.dismissed,
        "confirmed": _reaching(scores.confirmed, threshold),
        "undecided": rate.undecided,
        "false_alert_rate": rate.rate,
        "interval": rate.interval,
        "highest_rate": rate.highest,
        "highest_interval": rate.highest_interval,
        "proposal": proposal and asdict(proposal),
        "no_proposal_because": refused,
    }
    return record, proposal


def write_shift(shift: float, measured_on: str, file: Path | None) -> None:
    """Set `threshold_shift` in the settings file, and say so.

    Raises:
        ConfigError: the file cannot be read or written.
    """
    before = write_setting("threshold_shift", shift, file)
    click.echo(
        f"threshold_shift = {shift} in {file or FILE_NAME}, previously "
        f"{'not set' if before is None else before}; measured on {measured_on}; takes effect when "
        "susracker serve restarts"
    )


def _propose(
    scores: ReviewedScores, threshold: float, settings: Settings
) -> tuple[Proposal | None, str | None]:
    try:
        shift, promised = settings.threshold_shift, settings.target_fpir
        return scores.propose(threshold, shift, promised), None
    except InputError as error:
        return None, str(error)


def _show(
    rate: FalseAlertRate, scores: ReviewedScores, threshold: float, settings: Settings
) -> None:
    (low, high), (_, highest) = rate.interval, rate.highest_interval
    click.echo(
        f"threshold {threshold:.3f} (threshold_shift {settings.threshold_shift:g}),"
        f" {rate.searches:,} searches"
    )
    click.echo(
        f"alerts that reach it: {rate.dismissed:,} dismissed,"
        f" {_reaching(scores.confirmed, threshold):,} confirmed, {rate.undecided:,} neither"
    )
    click.echo(
        f"false alert rate: {percent(rate.rate)} ({percent(low)} to {percent(high)}); if all that"
        f" is neither were false: {percent(rate.highest)} (up to {percent(highest)})"
    )
    click.echo(f"promised: {percent(settings.target_fpir)}")


def _show_proposal(
    proposal: Proposal | None, refused: str | None, rate: FalseAlertRate, promised: float
) -> None:
    if proposal is None:
        click.echo(f"no other threshold_shift is proposed: {refused}")
        return
    remaining = proposal.false_alerts / rate.searches
    click.echo(
        f"proposed: threshold_shift = {proposal.shift:g}, which leaves {proposal.false_alerts:,}"
        f" of the false alerts ({percent(remaining)}) and loses {proposal.lost:,} confirmed ones"
    )
    if rate.interval[0] <= promised:
        click.echo("the promise lies within the interval: the difference may be chance")


def _reaching(scores: Numbers, threshold: float) -> int:
    return int(np.sum(scores >= threshold))
