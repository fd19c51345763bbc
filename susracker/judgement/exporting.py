"""Alerts with what people said about them, as rows for other programs."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TextIO

from susracker.errors import InputError
from susracker.judgement.judging import Judged
from susracker.models import Alert
from susracker.oversight import Judgement
from susracker.runtime.files import open_private

FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What a text begins with that a spreadsheet would run."""

Write = Callable[[Iterable[dict[str, Any]], TextIO], int]


def writer_for(file: Path) -> Write:
    """What writes rows in the format that the file's name asks for.

    Raises:
        InputError: it asks for none.
    """
    if file.suffix.lower() not in _WRITERS:
        raise InputError(f"{file} must end in {' or '.join(_WRITERS)}")
    return _WRITERS[file.suffix.lower()]


def alert_fields(alert: Alert) -> dict[str, Any]:
    """An alert without its face, by the names that it has over HTTP."""
    return {
        "id": alert.id,
        "seq": alert.seq,
        "kind": alert.kind,
        "event_type": alert.event_type,
        "camera_id": alert.camera_id,
        "camera_location": alert.camera_location,
        "occurred_at": alert.occurred_at.isoformat(),
        "received_at": alert.received_at.isoformat(),
        "criminal_id": alert.criminal_id,
        "name": alert.name,
        "score": alert.score,
        "distance": alert.distance,
        "fpir": fpir_of(alert),
        "status": alert.status,
        "details": alert.details,
    }


def fpir_of(alert: Alert) -> float | None:
    """How often a stranger would score as high; None for an activity."""
    return alert.candidates[0].fpir if alert.candidates else None


def row_of(judged: Judged) -> dict[str, Any]:
    """An alert as one row: with the newest review and outcome, and how many there are."""
    details = judged.alert.details
    return {
        **alert_fields(judged.alert),
        "details": details and json.dumps(details, ensure_ascii=False),
        **_newest("review", judged.reviews),
        **_newest("outcome", judged.outcomes),
    }


def save_face(judged: Judged, folder: Path) -> None:
    """Write the face of an alert, if it has one, as `<id>.jpg`.

    Raises:
        OSError: it cannot be written.
    """
    if judged.alert.face is not None:
        with open_private(folder / f"{judged.alert.id}.jpg", "wb") as opened:
            opened.write(judged.alert.face)


def _newest(kind: str, made: tuple[Judgement, ...]) -> dict[str, Any]:
    newest = made[-1] if made else None
    return {
        f"{kind}s": len(made),
        kind: newest and newest.verdict,
        f"{kind}_reason": newest and newest.reason,
        f"{kind}_note": newest and newest.note,
        f"{kind}_by": newest and newest.made_by,
        f"{kind}_at": newest and newest.made_at.isoformat(),
    }


def _write_csv(rows: Iterable[dict[str, Any]], opened: TextIO) -> int:
    number = 0
    written = csv.writer(opened, lineterminator="\n")
    for number, row in enumerate(rows, 1):
        if number == 1:
            written.writerow(row)
        written.writerow([_harmless(value) for value in row.values()])
    return number


def _write_json_lines(rows: Iterable[dict[str, Any]], opened: TextIO) -> int:
    return sum(bool(opened.write(json.dumps(row, ensure_ascii=False) + "\n")) for row in rows)


def _harmless(value: object) -> object:
    """A text with an apostrophe before what a spreadsheet would run as a formula."""
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA) else value


_WRITERS: dict[str, Write] = {".csv": _write_csv, ".jsonl": _write_json_lines}
