"""The results as one HTML file that needs no network."""

from __future__ import annotations

import base64
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from html import escape
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from susracker.benchmark.identification import Identification
from susracker.benchmark.plots import det_plot, name_of, roc_plot, score_plot
from susracker.benchmark.run import Result
from susracker.errors import InputError, PictureError
from susracker.faces.images import encode_jpeg, scaled_to
from susracker.faces.photos import decode_photo

FILE = "report.html"

WORST = 8
"""How many false matches and how many misses are shown."""

THUMBNAIL = 110
"""Length of the shorter side, in pixels."""

FACES_A_DAY = 10_000

STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; max-width: 68rem; margin: 2rem auto; padding: 0 1rem;
  overflow-wrap: break-word }
.table { overflow-x: auto }
table { border-collapse: collapse; margin: 1rem 0 }
td { padding: .2rem .7rem; text-align: right }
td:first-child { text-align: left }
.plots, .pairs { display: flex; flex-wrap: wrap; gap: 1rem } figure { margin: 0 }
figcaption { font-size: 12px; max-width: 15rem }
.plots svg { width: 100%; max-width: 32rem; height: auto }
.said { font-size: 17px; border-left: 4px solid #357; padding-left: 1rem }
"""


@dataclass(frozen=True, slots=True)
class Confusion:
    """A probe, and the enrolled photo that came first or should have."""

    probe: Path
    enrolled: Path
    name: str
    score: float


def write_report(
    folder: Path, results: Sequence[Result], records: Sequence[Mapping[str, Any]]
) -> Path:
    """Write the report into a folder, which is created if it does not exist.

    Raises:
        InputError: the folder cannot be written.
    """
    file = folder / FILE
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file.write_text(report(results, records), encoding="utf-8")
    except OSError as error:
        raise InputError(f"cannot write the report to {file}: {error}") from error
    return file


def report(results: Sequence[Result], records: Sequence[Mapping[str, Any]]) -> str:
    """The page."""
    first, made_at = results[0], datetime.now(timezone.utc)
    parts = [
        "<!doctype html><html lang='en'><meta charset='utf-8'>",
        "<meta name='viewport' content='width=device-width, initial-scale=1'>",
        f"<title>{escape(_title(first))}</title><style>{STYLE}</style>",
        f"<h1>{escape(_title(first))}</h1>",
        f"<p>{made_at:%Y-%m-%d %H:%M} UTC, susracker {version('susracker')}</p>",
        *_plain_words(results),
        *(f"<p>{escape(note)}</p>" for result in results for note in result.notes),
        *(_tables(record) for record in records),
        f"<div class='plots'>{''.join(_plots(results))}</div>",
        *_worst(first),
        "</html>",
    ]
    return "\n".join(parts)


def in_plain_words(one: Identification) -> str:
    """What the error rates mean to an operator, as intervals of 95%."""
    alerts = [rate * FACES_A_DAY for rate in one.realised_fpir_interval()]
    missed = [rate * 100 for rate in one.realised_fnir_interval()]
    searched = "faces" if one.frames == 1 else f"passages of {one.frames} faces"
    photos = "one photo" if one.photos_each == 1 else f"up to {one.photos_each} photos"
    virtual = f" ({one.search.virtual:,} of them virtual)" if one.search.virtual else ""
    return (
        f"With {one.listed:,} people enrolled{virtual}, {photos} each, and {FACES_A_DAY:,} "
        f"{searched} of strangers a day, expect between {_from_to(*alerts)} false alerts a day "
        f"({_of(one.realised_fpir(), len(one.search.non_mated))} searches for people who are not "
        f"enrolled raised one), and between {_from_to(*missed)} of 100 {searched} of wanted people "
        f"missed ({_of(one.realised_fnir(), len(one.search.mated))} searches missed; rule "
        f"{one.rule}). These are 95% intervals, and hold for photos like these."
    )


def _from_to(low: float, high: float) -> str:
    return f"{math.floor(low):,} and {math.ceil(high):,}"


def _of(rate: float, searches: int) -> str:
    return f"{rate * searches:,.0f} of {searches:,}"


def _title(result: Result) -> str:
    return f"Recognition on {result.dataset.folder.name}"


def _plain_words(results: Sequence[Result]) -> Iterator[str]:
    for result in results:
        for one in result.identifications:
            yield f"<p class='said'>{escape(in_plain_words(one))}</p>"


def _tables(record: Mapping[str, Any]) -> str:
    plain = {
        key: value for key, value in record.items() if isinstance(value, (str, int, float))
    } | {f"seconds to {key}": value for key, value in record["seconds_per_face"].items()}
    parts = [f"<h2>{escape(record['encoder'])}</h2>", _table(plain)]
    if record["verification"]:
        parts += ["<h3>1:1</h3>", _table(record["verification"])]
    for one in record["identification"]:
        intervals = one["intervals"]
        rows = {key: value for key, value in one.items() if key not in ("intervals", "groups")}
        parts += ["<h3>1:N</h3>", _table(rows, intervals)]
        if "groups" in one:
            parts += ["<h3>Groups</h3>", *(_table(group) for group in one["groups"])]
    return "\n".join(parts)


def _table(values: Mapping[str, Any], intervals: Mapping[str, Any] | None = None) -> str:
    rows = []
    for key, value in values.items():
        within = (intervals or {}).get(key)
        if isinstance(value, Mapping):
            for rate, one in value.items():
                rows.append(_row(f"{key} {rate}", one, within and within[rate]))
        else:
            rows.append(_row(key, value, within))
    return f"<div class='table'><table>{''.join(rows)}</table></div>"


def _row(key: str, value: Any, within: Any) -> str:
    interval = f"{within[0]:.4f} to {within[1]:.4f}" if within else ""
    shown = f"{value:.4f}" if isinstance(value, float) else str(value)
    label = key.replace("_", " ")
    return f"<tr><td>{escape(label)}<td>{escape(shown)}<td>{interval}</tr>"


def _plots(results: Sequence[Result]) -> Iterator[str]:
    if any(result.comparisons for result in results):
        yield f"<figure>{roc_plot(results)}</figure>"
    if any(result.identifications for result in results):
        yield f"<figure>{det_plot(results)}</figure>"
    for result in results:
        for one in result.identifications:
            caption = f"<figcaption>{escape(name_of(result, one))}</figcaption>"
            yield f"<figure>{score_plot(one)}{caption}</figure>"


def _worst(result: Result) -> Iterator[str]:
    for one in result.identifications[:1]:
        yield f"<h2>Worst false matches</h2><p>{escape(name_of(result, one))}."
        yield "Left someone who is not enrolled, right the enrolled person who came first.</p>"
        yield _gallery(worst_false_matches(one))
        yield "<h2>Worst misses</h2>"
        yield "<p>Left the probe, right the enrolment photo of the same person.</p>"
        yield _gallery(worst_misses(one))


def worst_false_matches(one: Identification) -> list[Confusion]:
    """The non-mated searches with the highest scores, highest first; a virtual person who came
    first has no photo to show."""
    trial = one.trials[0]
    enrolled = list(one.search.enrolled.items())
    found = []
    highest = np.argsort(-trial.non_mated_scores)
    real = highest[trial.non_mated_first[highest] < len(enrolled)]
    for index in real[:WORST]:
        name, photos = enrolled[trial.non_mated_first[index]]
        probe = one.search.non_mated[trial.non_mated[index]]
        found.append(Confusion(probe, photos[0], name, float(trial.non_mated_scores[index])))
    return found


def worst_misses(one: Identification) -> list[Confusion]:
    """The mated searches that missed, lowest best score first."""
    trial = one.trials[0]
    enrolled = list(one.search.enrolled.items())
    scores = trial.mated_scores
    missed = np.flatnonzero(~(trial.correct & (scores >= trial.threshold)))
    found = []
    for index in missed[np.argsort(scores[missed])][:WORST]:
        name, photos = enrolled[one.search.owners[index]]
        found.append(Confusion(one.search.mated[index], photos[0], name, float(scores[index])))
    return found


def _gallery(confusions: Sequence[Confusion]) -> str:
    figures = [
        f"<figure>{_thumbnail(one.probe)}{_thumbnail(one.enrolled)}<figcaption>"
        f"{escape(one.probe.name)} and {escape(one.name)}, best score {one.score:.2f}"
        "</figcaption></figure>"
        for one in confusions
    ]
    return f"<div class='pairs'>{''.join(figures) or 'None.'}</div>"


def _thumbnail(photo: Path) -> str:
    try:
        picture = scaled_to(decode_photo(photo.read_bytes()), THUMBNAIL)
    except (OSError, PictureError):
        return f"<span>{escape(photo.name)} cannot be read</span>"
    data = base64.b64encode(encode_jpeg(picture, 80)).decode()
    return f"<img alt='{escape(photo.name, quote=True)}' src='data:image/jpeg;base64,{data}'>"
