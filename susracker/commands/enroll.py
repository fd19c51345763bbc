"""`susracker enroll`."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import click
from rich.progress import Progress

from susracker.commands.auditing import Noting, audited, reason_option
from susracker.commands.criminal_fields import (
    field_options,
    force_option,
    given_fields,
    refuse_past,
)
from susracker.commands.hints import to_type
from susracker.commands.new_stores import open_or_create
from susracker.commands.options import LoadedSettings, json_option, settings_options
from susracker.commands.progress import progress_bar
from susracker.config import Settings
from susracker.enrolment.enroller import Enroller
from susracker.enrolment.fields import criminal_from_fields, edit_from_fields
from susracker.enrolment.job import enroll_people
from susracker.enrolment.lists import write_example
from susracker.enrolment.lookalikes import find_lookalikes
from susracker.enrolment.lookup import find_criminal
from susracker.enrolment.report import Refusal, Report, refused
from susracker.enrolment.shown_faces import ShownFaces
from susracker.enrolment.sources import (
    Person,
    Sources,
    find_people,
    find_people_by_file,
    find_photos,
)
from susracker.enrolment.summary import Summary, bad_rows_text, summary_fields, summary_lines
from susracker.enrolment.writer import Written
from susracker.errors import InputError
from susracker.models import Criminal
from susracker.plugins import open_detector, open_encoder
from susracker.runtime.interruption import Interruption
from susracker.runtime.threads import one_core_a_thread
from susracker.stores.base import Store
from susracker.watchlist.scoring import load_scoring


@click.command("enroll")
@click.argument("paths", metavar="PATH...", nargs=-1, type=click.Path(path_type=Path))
@click.option("--name", help="Name of the person; all photos are then of this one person.")
@click.option("--id", "criminal_id", help="ID of an enrolled person; the photos are added to them.")
@field_options
@force_option
@click.option(
    "--each-file",
    is_flag=True,
    help="Each file is of another person, named after the file: Jo_Doe.jpg, Jo_Doe_2.jpg.",
)
@click.option(
    "--allow-unlike",
    is_flag=True,
    help="Enrol photos even if they show another face than the person's other photos.",
)
@click.option(
    "--show-faces",
    metavar="DIR",
    type=click.Path(path_type=Path, file_okay=False),
    help="Write a crop of each face that was enrolled to this folder.",
)
@click.option(
    "--skip-bad", is_flag=True, help="Enrol the good rows of a list, and say which are bad."
)
@click.option(
    "--template",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Write an example of a list in CSV to this file, and enrol nobody.",
)
@json_option
@reason_option
@settings_options("store", "detector", "encoder", "workers", "max_megapixels", "audit_key")
@audited("criminal.add", "criminal.edit")
def command(
    loaded: LoadedSettings,
    paths: tuple[Path, ...],
    criminal_id: str | None,
    force: bool,
    each_file: bool,
    allow_unlike: bool,
    show_faces: Path | None,
    skip_bad: bool,
    template: Path | None,
    as_json: bool,
    reason: str,
    **given: Any,
) -> None:
    """Put people on the watch-list.

    PATH is a photo, a folder with the photos of one person, a folder of such folders, or a list in
    CSV or JSON with the columns photo, name, age, crimes, threat, status, case, expires. A folder
    is named after the person, with underscores for spaces.

    A list has one row for each photo; only photo and name are needed. CSV is as spreadsheets save
    it: UTF-8 or Unicode text, with commas, semicolons or tabs between cells. Put semicolons or
    commas between crimes. If rows are bad, all of them are listed and nobody is enrolled; with
    --skip-bad the good ones are.

    Photos are JPEG, PNG, WebP, BMP, GIF, TIFF, AVIF or, after pip install 'susracker[heic]', HEIC.
    Each must show one face, and all photos of a person the same one. If someone with the same
    name (and case, if you give one) is enrolled, the photos are added to them. Photos that are
    enrolled already are skipped, so you can simply repeat an interrupted run. Exit status 1 if
    nothing could be enrolled.

    \b
    Examples:
      susracker enroll jo.jpg --name "Jo Doe" --threat high --crime robbery
      susracker enroll Jo_Doe/                    photos of one person
      susracker enroll people/                    a folder with one folder per person
      susracker enroll photos/ --each-file        a folder with one photo per person
      susracker enroll --template people.csv      an example of a list
      susracker enroll people.csv --skip-bad
      susracker enroll people.csv --json --show-faces enrolled/
      susracker enroll new.jpg --id 3f9c2a81 --expires 2026-12-31
    """
    if template:
        _write_template(loaded, template, paths)
        return
    sources = _sources(paths, given_fields(given), criminal_id is not None, each_file)
    if sources.bad_rows and not skip_bad:
        raise InputError(bad_rows_text(sources.bad_rows))
    sources.refused += sources.bad_rows
    if not force:
        refuse_past(person.fields for person in sources.people)
    one_core_a_thread()
    with open_or_create(loaded.settings) as store, Interruption() as interruption:
        if criminal_id is not None:
            _direct(sources, find_criminal(store, criminal_id))
        note_act = Noting(loaded.settings, store)
        shown = ShownFaces(show_faces, _max_pixels(loaded.settings)) if show_faces else None
        on_write = partial(_tell, note_act, reason, shown)
        run = _enroll(store, loaded.settings, sources, interruption, on_write, allow_unlike)
    if as_json:
        click.echo(json.dumps(summary_fields(run), indent=2))
    else:
        click.echo("\n".join(summary_lines(run)))
    if run.interrupted or not run.report.people:
        click.get_current_context().exit(interruption.exit_status if run.interrupted else 1)


def _write_template(loaded: LoadedSettings, path: Path, others: Sequence[Path]) -> None:
    if others:
        raise InputError("--template enrols nobody: leave out the other paths")
    write_example(path)
    enroll = to_type(loaded, "enroll", str(path))
    click.echo(f"wrote {path}: fill in your people, then run {enroll}")


def _sources(
    paths: Sequence[Path], fields: dict[str, object], by_id: bool, each_file: bool
) -> Sources:
    if not paths:
        raise InputError(
            "name photos, folders or lists, or --template FILE for an example of a list"
        )
    named = by_id or "name" in fields
    if named and each_file:
        raise InputError("--each-file names people after their files: leave out --name and --id")
    if each_file:
        sources = find_people_by_file(paths, fields)
    elif named:
        if not by_id:
            criminal_from_fields(fields)
        sources = Sources([Person(fields, find_photos(paths))])
    else:
        sources = find_people(paths, fields)
    if (
        not sources.refused
        and not sources.bad_rows
        and not any(person.photos for person in sources.people)
    ):
        raise InputError(f"there is no photo in {', '.join(map(str, paths))}")
    return sources


def _direct(sources: Sources, criminal: Criminal) -> None:
    """Let the photos be of someone who is enrolled."""
    for person in sources.people:
        person.criminal_id = criminal.id
        edit_from_fields(person.fields)


def _enroll(
    store: Store,
    settings: Settings,
    sources: Sources,
    interruption: Interruption,
    on_write: Callable[[Written], None],
    allow_unlike: bool,
) -> Summary:
    encoder = open_encoder(settings.encoder)
    scoring = load_scoring(encoder.id)
    detector = open_detector(settings.detector)
    enroller = Enroller(store, encoder, detector, _max_pixels(settings))
    report = Report(refused=list(sources.refused))
    began = time.monotonic()
    with progress_bar() as progress:
        encoded = _catch_up(enroller, settings.workers, report, progress, interruption)
        photos = sum(len(person.photos) for person in sources.people)
        task = progress.add_task("enrolling", total=photos)
        enroll_people(
            enroller,
            sources.people,
            report,
            workers=settings.workers,
            allow_unlike=allow_unlike,
            on_photo=lambda: progress.advance(task),
            on_write=on_write,
            stopped=lambda: bool(interruption),
        )
    return Summary(
        report=report,
        lookalikes=find_lookalikes(store, encoder.id, scoring, report.people),
        encoded=encoded,
        seconds=time.monotonic() - began,
        interrupted=bool(interruption),
    )


def _tell(note_act: Noting, reason: str, shown: ShownFaces | None, written: Written) -> None:
    """Note what was stored in the audit log, and show the faces where that is asked for."""
    action = "criminal.add" if written.is_new else "criminal.edit"
    detail = {"fields": list(written.fields), "photos": len(written.photos)}
    note_act(action, written.criminal.id, reason, detail)
    if shown:
        shown.write(written)


def _max_pixels(settings: Settings) -> int:
    return int(settings.max_megapixels * 1e6)


def _catch_up(
    enroller: Enroller,
    workers: int,
    report: Report,
    progress: Progress,
    interruption: Interruption,
) -> int:
    """Make the templates that the encoder lacks of stored photos; how many were made."""
    missing = len(enroller.store.photos_without_template(enroller.encoder.id))
    if not missing:
        return 0
    task = progress.add_task("encoding stored photos", total=missing)

    def on_photo(photo_id: str, refusal: Refusal | None) -> None:
        progress.advance(task)
        if refusal:
            report.refused.append(refused(f"photo {photo_id}", refusal))

    return enroller.encode_missing(on_photo, workers=workers, stopped=lambda: bool(interruption))
