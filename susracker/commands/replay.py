"""`susracker replay`."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from susracker.commands.auditing import audited, note, reason_option
from susracker.commands.options import LoadedSettings, key_option, settings_options
from susracker.commands.replay_view import Watch, changes_table, seen_table
from susracker.commands.sampling import video_options
from susracker.commands.shown import print_table
from susracker.config import Settings
from susracker.edge.video import Sampling
from susracker.errors import ConfigError, InputError
from susracker.loading import load_settings, make_settings
from susracker.passwords import without_password
from susracker.plugins import open_existing_store_of
from susracker.replay.compare import Change, compare
from susracker.replay.faces import save_faces
from susracker.replay.post import Poster
from susracker.replay.results import (
    Result,
    add_step,
    is_results,
    read_results,
    settings_of,
    write_results,
)
from susracker.replay.run import Pace, open_replay_tracker, run
from susracker.replay.sources import FIRST_MOMENT, Scenery, Source, open_source
from susracker.replay.summary import outcome_counts, seen
from susracker.runtime.text import counted
from susracker.runtime.threads import one_core_a_thread


class Speed(click.ParamType):  # type: ignore[type-arg]
    """A factor, or max for no waiting."""

    name = "speed"

    def convert(self, value: Any, param: Any, ctx: Any) -> float:
        if isinstance(value, float):
            return value
        try:
            speed = math.inf if value == "max" else float(value)
        except ValueError:
            speed = 0
        if not speed > 0:
            self.fail(
                f"{value!r} is not a speed: give a number above 0, such as 10, or max", param, ctx
            )
        return speed


@dataclass(frozen=True, slots=True)
class Ran:
    """Results of a run, and the settings that produced them."""

    results: list[Result]
    settings: dict[str, Any]


@click.command("replay")
@click.argument("source")
@click.option("--camera", "camera_id", default="replay", show_default=True, help="Camera id.")
@click.option("--location", default="", help="Camera location, such as 'Main gate'.")
@click.option(
    "--start",
    type=click.DateTime(["%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S", "%Y-%m-%d"]),
    metavar="TIME",
    help="When the video or the first picture was taken, in UTC, such as 2026-01-31T22:00:00.  "
    "[default: 2000-01-01]",
)
@video_options
@click.option(
    "--speed",
    type=Speed(),
    help="1 for the original speed, 10 for ten times that, or max.  "
    "[default: max; with --server: 1]",
)
@click.option(
    "--server", "url", help="Post the detections to this running server, http://HOST:PORT."
)
@key_option
@click.option(
    "--json",
    "json_file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="File to write every outcome to, in order, one per line.",
)
@click.option(
    "--compare",
    "other",
    help="Compare with an earlier result, a settings file, or settings such as target_fpir=0.001.",
)
@click.option(
    "--fail-on-change", is_flag=True, help="Exit with status 1 if --compare finds a difference."
)
@click.option(
    "--save-faces",
    "faces_folder",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder for a picture of every match: the face beside the enrolment photo.",
)
@reason_option
@settings_options(
    "store",
    "detector",
    "encoder",
    "matcher",
    "cooldown_seconds",
    "target_fpir",
    "threshold_shift",
    "max_megapixels",
    "max_detection_megapixels",
    "workers",
    "audit_key",
)
@audited("replay")
def command(
    loaded: LoadedSettings,
    source: str,
    camera_id: str,
    location: str,
    start: datetime | None,
    fps: float,
    every: int | None,
    smallest: float,
    margin: float,
    speed: float | None,
    url: str | None,
    key: str | None,
    json_file: Path | None,
    other: str | None,
    fail_on_change: bool,
    faces_folder: Path | None,
    reason: str,
) -> None:
    """Run recorded detections again, on their original clock.

    SOURCE is a recording (made with susracker serve --record), a folder of pictures, a video file,
    the URL of a stream, or the number of a device. Faces are cut out of videos as an edge camera
    would.

    A replay uses the present watch-list, and writes nothing to its store but an entry of the audit
    log: sightings, alerts and cooldowns are the replay's own. The same source, watch-list and
    settings give the same --json file. With --server, detections are posted to a running server
    instead, which stores the results.

    \b
    Examples:
      susracker replay night/
      susracker replay clip.mp4 --camera gate-1 --save-faces faces/
      susracker replay night/ --json before.jsonl
      susracker replay night/ --compare before.jsonl --fail-on-change
      susracker replay night/ --compare target_fpir=0.001,cooldown_seconds=30
      susracker replay night/ --server http://127.0.0.1:5000 --speed 10
    """
    _check(url, other, fail_on_change, faces_folder)
    others = _other_settings(other, loaded.settings) if other else None
    one_core_a_thread()
    begin = start.replace(tzinfo=FIRST_MOMENT.tzinfo) if start else FIRST_MOMENT
    sampling, detector = Sampling(fps, every), loaded.settings.detector
    scenery = Scenery(camera_id, location, begin, margin, smallest, sampling, detector)
    if url:
        ran = _post(open_source(source, scenery), url, key, speed or 1.0)
    else:
        opened = open_source(source, scenery)
        _note(loaded.settings, reason, with_faces=faces_folder is not None)
        ran = _run(opened, loaded.settings, speed or math.inf, faces_folder)
    if json_file:
        write_results(json_file, ran.settings, ran.results)
    _summarise(ran)
    if other:
        changes = _changes(ran, other, others, lambda: open_source(source, scenery))
        _show_changes(changes)
        if changes and fail_on_change:
            raise click.exceptions.Exit(1)


def _check(url: str | None, other: str | None, fail_on_change: bool, faces: Path | None) -> None:
    """Find mistakes before a long run, not after it."""
    if fail_on_change and not other:
        raise InputError("--fail-on-change needs --compare")
    if url and (other or faces):
        raise InputError("--server cannot be combined with --compare or --save-faces")


def _note(settings: Settings, reason: str, *, with_faces: bool) -> None:
    """Note that people of the watch-list are shown, and whether their faces are saved."""
    with open_existing_store_of(settings) as store:
        note(settings, store, "replay", reason=reason, detail={"faces": with_faces})


def _run(source: Source, settings: Settings, speed: float, faces: Path | None) -> Ran:
    with open_replay_tracker(settings, source.began()) as tracker, Watch(source) as watch:
        results: list[Result] = []
        for step in run(tracker, source, settings.workers, Pace(speed)):
            result = add_step(results, step)
            if faces:
                save_faces(faces, step, tracker.store)
            if watch.show(result):
                break
        return Ran(results, settings_of(tracker))


def _post(source: Source, url: str, key: str | None, speed: float) -> Ran:
    results: list[Result] = []
    with Watch(source) as watch:
        poster = Poster(url, key, lambda: watch.is_interrupted)
        for result in poster.run(source, Pace(speed)):
            results.append(result)
            if watch.show(result):
                break
    if poster.refused:
        click.echo(f"the server refused {counted(poster.refused, 'detection')}", err=True)
    return Ran(sorted(results, key=lambda one: one.number), {"server": url})


def _changes(
    ran: Ran, other: str, settings: Settings | None, open_again: Callable[[], Source]
) -> list[Change]:
    """From an earlier result to this run, or from this run to one with other settings."""
    if settings is None:
        return compare(read_results(Path(other)), ran.results)
    return compare(ran.results, _run(open_again(), settings, math.inf, None).results)


def _other_settings(other: str, settings: Settings) -> Settings | None:
    """The settings that --compare names; None if it names an earlier result.

    Raises:
        ConfigError: it is neither a file nor settings, or a setting is wrong.
    """
    file = Path(other)
    if is_results(file):
        return None
    if file.is_file():
        return load_settings({"store": settings.store}, file).settings
    values: dict[str, Any] = settings.model_dump()
    for pair in other.split(","):
        name, equals, value = pair.partition("=")
        if not equals:
            shown = without_password(other)
            raise ConfigError(f"--compare {shown}: neither a file nor settings such as name=value")
        values[name.strip()] = value.strip()
    return make_settings(values)


def _summarise(ran: Ran) -> None:
    told = ", ".join(
        f"{count:,} {outcome}" for outcome, count in outcome_counts(ran.results).items()
    )
    detections = counted(len(ran.results), "detection")
    click.echo(f"{detections}: {told}" if told else detections)
    rows = seen(ran.results)
    if rows:
        print_table(seen_table(rows))
    else:
        click.echo("nobody was recognised")


def _show_changes(changes: list[Change]) -> None:
    if changes:
        print_table(changes_table(changes))
    told = Counter(change.kind for change in changes)
    click.echo(", ".join(f"{count:,} {kind}" for kind, count in told.items()) or "no change")
