"""`susracker find`."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import asdict
from pathlib import Path

import click
from rich.table import Table

from susracker.commands.auditing import audited, note, reason_option
from susracker.commands.options import LoadedSettings, json_option, settings_options
from susracker.commands.photo_files import PHOTO, read_photo
from susracker.commands.shown import fpir_text, plain_table, print_json, print_table
from susracker.commands.working import working
from susracker.config import Settings
from susracker.errors import InputError, PictureError
from susracker.faces.photos import decode_photo
from susracker.plugins import refuse_missing_store
from susracker.runtime.clock import utc_now
from susracker.runtime.text import on_one_line
from susracker.tracking.recogniser import Search
from susracker.tracking.tracker import Tracker

SHORT_ID = 8


@click.command("find")
@click.argument("photo", type=PHOTO)
@json_option
@reason_option
@settings_options("store", "encoder", "target_fpir", "audit_key")
@audited("criminal.find")
def command(loaded: LoadedSettings, photo: Path, as_json: bool, reason: str) -> None:
    """Search the watch-list for the faces in a photo.

    For each face, the largest first: the five wanted people who resemble it most, with scores. The
    first one is a match if its score reaches the threshold for a single face. `fpir` is the share
    of strangers who would score as high. Nothing is kept of the photo.

    \b
    Examples:
      susracker find visitor.jpg
      susracker find visitor.jpg --json --reason "case 12/26"
    """
    content = read_photo(photo)
    # A look must neither move a shared index nor hold alerts back.
    alone = loaded.settings.model_copy(update={"matcher": "exact", "cooldown": "memory"})
    threshold, found = _search(alone, content, photo, reason)
    if as_json:
        print_json({"threshold": threshold, "faces": [asdict(one) for one in found]})
        return
    for number, one in enumerate(found, 1):
        click.echo(_title(number, len(found), one, threshold))
        if one.candidates:
            print_table(_candidates(one))
    if not found:
        click.echo(f"no face was found in {photo}")


def _search(
    settings: Settings, content: bytes, photo: Path, reason: str
) -> tuple[float | None, Sequence[Search]]:
    """The threshold, None if nobody can be matched, and what was found."""
    refuse_missing_store(settings.store)
    with closing(Tracker.from_settings(settings)) as tracker:
        now = utc_now()
        with working("reading the watch-list"):
            tracker.watchlist.refresh(now)
        try:
            picture = decode_photo(content, tracker.max_pixels)
        except PictureError as error:
            raise InputError(f"{photo}: {error}") from error
        found = tracker.recogniser.search_picture(picture, now)
        seen = sorted({one.criminal_id for face in found for one in face.candidates})
        detail = {"faces": len(found), "shown": seen}
        note(settings, tracker.store, "criminal.find", reason=reason, detail=detail)
        return (tracker.watchlist.threshold if len(tracker.watchlist) else None), found


def _title(number: int, faces: int, one: Search, threshold: float | None) -> str:
    which = f"face {number} of {faces}, {one.box.width:.0f} pixels wide: "
    if threshold is None:
        return which + "nobody on the watch-list can be matched"
    if one.is_match:
        return which + f"matches {on_one_line(one.candidates[0].name)}"
    return which + f"matches nobody, as no score reaches the threshold of {threshold:.2f}"


def _candidates(found: Search) -> Table:
    table = plain_table("id", "name", "score", "distance", "fpir")
    for one in found.candidates:
        numbers = f"{one.score:.2f}", f"{one.distance:.2f}", fpir_text(one.fpir)
        table.add_row(one.criminal_id[:SHORT_ID], one.name, *numbers)
    return table
