"""`susracker alerts export`."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import click

from susracker.commands.alerts_options import FilterOf, filter_options
from susracker.commands.auditing import audited
from susracker.commands.auditing import note as note_act
from susracker.commands.options import LoadedSettings, settings_options
from susracker.commands.working import working
from susracker.errors import InputError
from susracker.judgement.exporting import row_of, save_face, writer_for
from susracker.judgement.finding import find_alerts
from susracker.judgement.judging import Judged, with_judgements
from susracker.plugins import open_existing_store_of
from susracker.runtime.files import make_private_folder, open_private
from susracker.runtime.text import counted
from susracker.stores.base import Store
from susracker.stores.journal import AlertFilter

AT_ONCE = 100


@click.command("export")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--reason", required=True, help="What the export is for.")
@filter_options
@click.option(
    "--pictures",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder to write the matched faces to, one JPEG for each alert, named by its id.",
)
@settings_options("store", "audit_key")
@audited("alert.export")
def export_command(
    loaded: LoadedSettings, file: Path, reason: str, filter_of: FilterOf, pictures: Path | None
) -> None:
    """Write alerts, with the newest review and outcome of each, to FILE.

    FILE ends in .csv, or in .jsonl for one JSON object per line. Only your account can read it.

    \b
    Examples:
      susracker alerts export june.csv --since 2026-06-01 --until 2026-06-30 --reason "report"
      susracker alerts export case.jsonl --criminal 3f9c2a81 --pictures case/ --reason "court"
    """
    write = writer_for(file)
    try:
        if pictures:
            make_private_folder(pictures)
        with (
            open_existing_store_of(loaded.settings) as store,
            open_private(file, "w", encoding="utf-8", newline="") as opened,
        ):
            pictured = {"pictures": pictures is not None}
            note_act(loaded.settings, store, "alert.export", reason=reason, detail=pictured)
            with working("exporting alerts"):
                number = write(_rows(store, filter_of(store), pictures), opened)
    except OSError as error:
        raise InputError(f"cannot write {error.filename or file}: {error.strerror}") from error
    click.echo(f"exported {counted(number, 'alert')} to {file}")


def _rows(store: Store, wanted: AlertFilter, pictures: Path | None) -> Iterator[dict[str, Any]]:
    for judged in _judged(store, wanted, with_faces=pictures is not None):
        if pictures:
            save_face(judged, pictures)
        yield row_of(judged)


def _judged(store: Store, wanted: AlertFilter, *, with_faces: bool) -> Iterator[Judged]:
    found = find_alerts(store, wanted, with_faces=with_faces)
    while page := list(islice(found, AT_ONCE)):
        yield from with_judgements(store, page)
