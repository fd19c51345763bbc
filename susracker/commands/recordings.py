"""`susracker recordings`."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import click

from susracker.commands.auditing import audited, note, reason_option, unaudited
from susracker.commands.groups import CommandGroup
from susracker.commands.options import LoadedSettings, json_option, settings_options
from susracker.commands.progress import progress_bar
from susracker.commands.shown import plain_table, print_table
from susracker.commands.working import working
from susracker.config import Settings
from susracker.plugins import open_detector, open_encoder, open_existing_store_of
from susracker.recording.edit import anonymise, cut, merge, write_new
from susracker.recording.format import Recorded, is_recording
from susracker.recording.reader import Recording, segments, size_of, span
from susracker.runtime.text import counted
from susracker.runtime.threads import one_core_a_thread

FOLDER = click.Path(path_type=Path, file_okay=False)
MOMENT = click.DateTime(["%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S", "%Y-%m-%d"])


@click.group("recordings", cls=CommandGroup)
def command() -> None:
    """List, show, cut, merge and anonymise recordings.

    `susracker serve --record DIR` makes recordings: each accepted detection with its picture,
    strangers' faces included. Copies are noted in the audit log of the store.
    """


@command.command("list")
@click.argument("folder", type=FOLDER, default=".")
@json_option
@unaudited("shows no person")
def list_(folder: Path, as_json: bool) -> None:
    """List the recordings in a folder, with their sizes and times.

    \b
    Examples:
      susracker recordings list
      susracker recordings list /var/lib/susracker/recordings --json
    """
    with working("reading recordings"):
        found = [
            _facts(one)
            for one in [folder, *sorted(folder.glob("*"))]
            if one.is_dir() and is_recording(one)
        ]
    if as_json:
        click.echo(json.dumps(found, indent=2))
        return
    if not found:
        click.echo(f"there are no recordings in {folder}")
        return
    table = plain_table("recording", "detections", "MB", "from", "to")
    for one in found:
        table.add_row(
            one["folder"],
            f"{one['detections']:,}",
            f"{one['bytes'] / 1e6:,.1f}",
            _short(one["from"]),
            _short(one["to"]),
        )
    print_table(table)


@command.command("show")
@click.argument("recording", type=FOLDER)
@json_option
@unaudited("shows no person")
def show(recording: Path, as_json: bool) -> None:
    """Show the cameras, kinds of events and times of a recording.

    \b
    Examples:
      susracker recordings show night/
      susracker recordings show night/ --json
    """
    opened = Recording(recording)
    with working("reading the recording"):
        counts = Counter((one.detection.camera_id, one.detection.event_type) for one in opened)
    rows = [
        {"camera_id": camera, "event_type": kind, "detections": count}
        for (camera, kind), count in sorted(counts.items())
    ]
    if as_json:
        with working("reading the recording"):
            facts = _facts(recording)
        click.echo(json.dumps(facts | {"left_out": opened.left_out, "events": rows}, indent=2))
        return
    click.echo(recording)
    table = plain_table("camera", "event", "detections")
    for row in rows:
        table.add_row(str(row["camera_id"]), str(row["event_type"]), f"{row['detections']:,}")
    print_table(table)
    if opened.left_out:
        click.echo(f"left out {counted(opened.left_out, 'damaged detection')}", err=True)


@command.command("cut")
@click.argument("recording", type=FOLDER)
@click.argument("new", type=FOLDER)
@click.option(
    "--from",
    "begin",
    type=MOMENT,
    metavar="TIME",
    help="Only detections received at this time or later, in UTC.",
)
@click.option(
    "--to",
    "end",
    type=MOMENT,
    metavar="TIME",
    help="Only detections received before this time, in UTC.",
)
@click.option(
    "--camera", "cameras", multiple=True, help="Only detections of this camera. Can be repeated."
)
@reason_option
@settings_options("store", "audit_key")
@audited("recording.cut")
def cut_(
    loaded: LoadedSettings,
    recording: Path,
    new: Path,
    begin: datetime | None,
    end: datetime | None,
    cameras: tuple[str, ...],
    reason: str,
) -> None:
    """Copy part of a recording to a new one.

    \b
    Examples:
      susracker recordings cut night/ hour/ --from 2026-01-31T22:00:00 --to 2026-01-31T23:00:00
      susracker recordings cut night/ gate/ --camera gate-1 --camera gate-2
    """
    source = Recording(recording)
    _note(loaded.settings, "recording.cut", new, reason)
    _write(new, cut(source, _utc(begin), _utc(end), frozenset(cameras)), None)


@command.command("merge")
@click.argument("recordings", type=FOLDER, nargs=-1, required=True)
@click.argument("new", type=FOLDER)
@reason_option
@settings_options("store", "audit_key")
@audited("recording.merge")
def merge_(loaded: LoadedSettings, recordings: tuple[Path, ...], new: Path, reason: str) -> None:
    """Join recordings into a new one, sorted by when each detection was received.

    Recordings may overlap: a detection that is in several of them is taken once.

    \b
    Examples:
      susracker recordings merge node-a/ node-b/ both/
    """
    sources = [Recording(one) for one in recordings]
    _note(loaded.settings, "recording.merge", new, reason)
    _write(new, merge(sources), sum(map(len, sources)))


@command.command("anonymise")
@click.argument("recording", type=FOLDER)
@click.argument("new", type=FOLDER)
@reason_option
@settings_options("store", "detector", "encoder", "workers", "audit_key")
@audited("recording.anonymise")
def anonymise_(loaded: LoadedSettings, recording: Path, new: Path, reason: str) -> None:
    """Copy a recording with embeddings in place of pictures.

    The copy has no faces to look at, and can be replayed with the same encoder. Embeddings are
    biometric data all the same: they identify enrolled people.

    \b
    Examples:
      susracker recordings anonymise night/ night-without-faces/
    """
    one_core_a_thread()
    source = Recording(recording)
    settings = loaded.settings
    parts = open_detector(settings.detector), open_encoder(settings.encoder)
    _note(settings, "recording.anonymise", new, reason)
    _write(new, anonymise(source, *parts, settings.workers), len(source))


def _short(moment: str | None) -> str:
    """A time in UTC that fits into a table."""
    return f"{datetime.fromisoformat(moment):%Y-%m-%d %H:%M:%S}" if moment else ""


def _utc(moment: datetime | None) -> datetime | None:
    return moment.replace(tzinfo=timezone.utc) if moment else None


def _note(settings: Settings, action: str, new: Path, reason: str) -> None:
    """Note, in the audit log of the store, that pictures are copied."""
    with open_existing_store_of(settings) as store:
        note(settings, store, action, reason=reason, detail={"to": str(new)})


def _write(new: Path, detections: Iterable[Recorded], total: int | None) -> None:
    with progress_bar() as progress:
        task = progress.add_task("writing", total=total)
        count = write_new(new, detections, lambda: progress.advance(task))
    click.echo(f"{counted(count, 'detection')} in {new}")


def _facts(folder: Path) -> dict[str, Any]:
    recording = Recording(folder)
    times = span(recording)
    return {
        "folder": str(folder),
        "detections": len(recording),
        "bytes": sum(map(size_of, segments(folder))),
        "from": times[0].isoformat() if times else None,
        "to": times[1].isoformat() if times else None,
    }
