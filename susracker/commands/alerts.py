"""`susracker alerts`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
from rich.table import Table

from susracker.commands.alerts_export import export_command
from susracker.commands.alerts_options import FilterOf, filter_options
from susracker.commands.alerts_stats import stats_command
from susracker.commands.alerts_watch import watch_command
from susracker.commands.auditing import audited
from susracker.commands.auditing import note as note_act
from susracker.commands.groups import CommandGroup
from susracker.commands.holds import hold_command, release_command
from susracker.commands.options import LoadedSettings, json_option, settings_options
from susracker.commands.shown import fpir_text, moment_text, print_json, print_table
from susracker.errors import InputError
from susracker.judgement.finding import find_alert
from susracker.judgement.judging import Judged, Judging, with_judgements
from susracker.judgement.rules import ENCOUNTERS, VERDICTS
from susracker.models import Alert
from susracker.oversight import Judgement
from susracker.plugins import open_existing_store_of
from susracker.runtime.account import actor
from susracker.runtime.files import open_private
from susracker.runtime.text import counted, on_one_line

SHORT_ID = 8
"""Characters of an id in a table; ids are random, so these are enough to tell alerts apart."""

id_argument = click.argument("alert_id", metavar="ID")
note_option = click.option("--note", default="", help="More about it, up to 2,000 characters.")
replaces_option = click.option(
    "--replaces",
    metavar="ID",
    help="Id of what you change, as `susracker alerts show` prints it; the history is kept.",
)


@click.group("alerts", cls=CommandGroup)
def command() -> None:
    """List, show, watch, review, sum up and export alerts.

    Instead of a whole ID you can type its beginning, if no other ID begins with it. Reviews made
    here are those of your account on this machine.

    \b
    Examples:
      susracker alerts list --status new
      susracker alerts watch
      susracker alerts show 3f9c2a81 --save-face face.jpg
      susracker alerts review 3f9c2a81 --verdict dismissed --reason "taller"
      susracker alerts outcome 3f9c2a81 "right person"
      susracker alerts stats
      susracker alerts export june.csv --since 2026-06-01 --reason "monthly report"
    """


command.add_command(watch_command)
command.add_command(stats_command)
command.add_command(export_command)
command.add_command(hold_command)
command.add_command(release_command)


@command.command("list")
@filter_options
@click.option(
    "--limit",
    type=click.IntRange(1),
    default=20,
    show_default=True,
    help="How many to list: the newest.",
)
@json_option
@settings_options("store", "audit_key")
@audited("alert.list")
def list_command(loaded: LoadedSettings, filter_of: FilterOf, limit: int, as_json: bool) -> None:
    """List alerts, the newest first, without their pictures.

    \b
    Examples:
      susracker alerts list
      susracker alerts list --status new --camera gate-1 --limit 100
      susracker alerts list --criminal 3f9c2a81 --since 2026-06-01 --json
    """
    with open_existing_store_of(loaded.settings) as store:
        found = store.alerts(
            limit=limit, newest_first=True, wanted=filter_of(store), with_faces=False
        )
        note_act(loaded.settings, store, "alert.list", detail={"shown": len(found)})
    if as_json:
        print_json([_fields(alert) for alert in found])
    elif found:
        print_table(_alerts_table(found))
    else:
        click.echo("no alert matches")


@command.command("show")
@id_argument
@click.option(
    "--save-face",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write the face that was matched to this file, as JPEG.",
)
@json_option
@settings_options("store", "audit_key")
@audited("alert.show")
def show_command(
    loaded: LoadedSettings, alert_id: str, save_face: Path | None, as_json: bool
) -> None:
    """Show one alert, with its candidates, reviews and outcomes.

    \b
    Examples:
      susracker alerts show 3f9c2a81
      susracker alerts show 3f9c2a81 --save-face face.jpg
      susracker alerts show 3f9c2a81 --json
    """
    with open_existing_store_of(loaded.settings) as store:
        (judged,) = with_judgements(store, [find_alert(store, alert_id)])
        note_act(loaded.settings, store, "alert.show", judged.alert.id)
    if save_face:
        _save_face(judged.alert, save_face)
    if as_json:
        print_json(_judged_fields(judged))
    else:
        _show(judged)


@command.command("review")
@id_argument
@click.option("--verdict", type=click.Choice(VERDICTS), required=True, help="What you see.")
@click.option("--reason", required=True, help="Why, in up to 200 characters.")
@note_option
@replaces_option
@settings_options("store", "review_required_by", "audit_key")
@audited("alert.review")
def review_command(
    loaded: LoadedSettings,
    alert_id: str,
    verdict: str,
    reason: str,
    note: str,
    replaces: str | None,
) -> None:
    """Confirm or dismiss an alert, or say that you cannot tell.

    \b
    Examples:
      susracker alerts review 3f9c2a81 --verdict confirmed --reason "same scar"
      susracker alerts review 3f9c2a81 --verdict dismissed --reason "taller" --note "see camera 2"
      susracker alerts review 3f9c2a81 --verdict unsure --reason "blurred" --replaces 77ab01c2
    """
    with open_existing_store_of(loaded.settings) as store:
        alert = find_alert(store, alert_id)
        judged = Judging(store, loaded.settings.review_required_by).review(
            alert.id,
            verdict=verdict,
            reason=reason,
            note=note,
            made_by=actor(),
            replaces=_whole_id(store.judgements([alert.id]), replaces),
        )
        note_act(
            loaded.settings, store, "alert.review", alert.id, reason, detail={"verdict": verdict}
        )
    click.echo(f"{judged.alert.id}  {_subject(judged.alert)}: {judged.alert.status}")


@command.command("outcome")
@id_argument
@click.argument("outcome", type=click.Choice(ENCOUNTERS))
@note_option
@replaces_option
@settings_options("store", "review_required_by", "audit_key")
@audited("alert.outcome")
def outcome_command(
    loaded: LoadedSettings, alert_id: str, outcome: str, note: str, replaces: str | None
) -> None:
    """Record what became of the encounter, however long after the alert.

    \b
    Examples:
      susracker alerts outcome 3f9c2a81 "right person" --note "arrested at gate 3"
      susracker alerts outcome 3f9c2a81 lost
      susracker alerts outcome 3f9c2a81 "wrong person" --replaces 77ab01c2
    """
    with open_existing_store_of(loaded.settings) as store:
        alert = find_alert(store, alert_id)
        Judging(store, loaded.settings.review_required_by).record_outcome(
            alert.id,
            outcome=outcome,
            note=note,
            made_by=actor(),
            replaces=_whole_id(store.judgements([alert.id]), replaces),
        )
        note_act(loaded.settings, store, "alert.outcome", alert.id, detail={"outcome": outcome})
    click.echo(f"{alert.id}  {_subject(alert)}: {outcome}")


def _whole_id(judgements: Sequence[Judgement], typed: str | None) -> str | None:
    """The id that begins with what was typed; what fits none or several is left as it is, and
    refused like any wrong id."""
    found = [one.id for one in judgements if typed and one.id.startswith(typed)]
    return found[0] if len(found) == 1 else typed


def _save_face(alert: Alert, file: Path) -> None:
    if alert.face is None:
        raise InputError("this alert has no face: it is an activity, or the person was removed")
    try:
        with open_private(file, "wb") as opened:
            opened.write(alert.face)
    except OSError as error:
        raise InputError(f"cannot write the face to {file}: {error.strerror}") from error


def _subject(alert: Alert) -> str:
    """Who or what an alert is about."""
    return alert.event_type if alert.kind == "activity" else alert.name or "(removed)"


def _alerts_table(alerts: Sequence[Alert]) -> Table:
    table = Table("id", "occurred (UTC)", "camera", "who or what", "fpir", "status", box=None)
    table.columns[0].no_wrap = table.columns[1].no_wrap = True
    for one in alerts:
        fpir = fpir_text(one.candidates[0].fpir) if one.candidates else ""
        at = f"{one.occurred_at:%Y-%m-%d %H:%M}"
        table.add_row(one.id[:SHORT_ID], at, one.camera_id, _subject(one), fpir, one.status)
    return table


def _show(judged: Judged) -> None:
    alert = judged.alert
    table = Table.grid(padding=(0, 2))
    for name, value in (
        ("id", alert.id),
        ("what", _subject(alert)),
        ("status", alert.status),
        ("camera", f"{alert.camera_id}, {alert.camera_location}"),
        ("occurred", moment_text(alert.occurred_at)),
        ("received", moment_text(alert.received_at)),
        ("seq", str(alert.seq)),
        *([("details", _details(alert))] if alert.details else []),
    ):
        table.add_row(name, value)
    print_table(table)
    if alert.candidates:
        print_table(_candidates_table(alert))
    for kind, made in (("review", judged.reviews), ("outcome", judged.outcomes)):
        click.echo(counted(len(made), kind))
        for one in made:
            _show_judgement(one)


def _details(alert: Alert) -> str:
    return on_one_line(json.dumps(alert.details, ensure_ascii=False))


def _candidates_table(alert: Alert) -> Table:
    table = Table("candidate", "name", "score", "distance", "fpir", box=None)
    for one in alert.candidates:
        numbers = (f"{one.score:.2f}", f"{one.distance:.2f}", fpir_text(one.fpir))
        table.add_row(one.criminal_id[:SHORT_ID], one.name, *numbers)
    return table


def _show_judgement(made: Judgement) -> None:
    why = f": {made.reason}" if made.reason else ""
    click.echo(f"  {made.id[:SHORT_ID]}  {moment_text(made.made_at)}  {made.verdict}{why}")
    click.echo(f"            by {made.made_by}")
    for line in made.note.splitlines():
        click.echo(f"            {line}")


def _fields(alert: Alert) -> dict[str, Any]:
    return {name: value for name, value in asdict(alert).items() if name != "face"}


def _judged_fields(judged: Judged) -> dict[str, Any]:
    return _fields(judged.alert) | {
        "reviews": [asdict(one) for one in judged.reviews],
        "outcomes": [asdict(one) for one in judged.outcomes],
    }
