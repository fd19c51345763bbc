"""What became of each detection, in a file that is the same byte for byte in two like runs."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from susracker.errors import InputError
from susracker.replay.run import Step
from susracker.tracking.recogniser import Match
from susracker.tracking.tracker import Tracker

NAME, VERSION = "susracker replay", 1

DIGITS = 6


@dataclass(frozen=True, slots=True)
class Recognised:
    """Someone who was recognised in a detection.

    Attributes:
        suppressed: whether the cooldown held the alert back.
        candidates: ids of the match and the next best, best first.
    """

    criminal_id: str
    name: str
    score: float
    distance: float
    fpir: float
    suppressed: bool
    candidates: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a detection.

    Attributes:
        number: from 1.
        outcome: "alert", "cooldown", "no match", "no face", "repeat", or "unreadable".
    """

    number: int
    camera_id: str
    camera_location: str
    event_type: str
    occurred_at: str
    outcome: str
    matches: tuple[Recognised, ...]


def result_of(step: Step) -> Result:
    """What is kept of a step."""
    detection = step.recorded.detection
    outcome = step.outcome.kind if step.outcome else _without_outcome(step)
    sightings = step.outcome.sightings if step.outcome else ()
    matches = step.recognition.matches if step.recognition and sightings else ()
    return Result(
        number=step.number,
        camera_id=detection.camera_id,
        camera_location=detection.camera_location,
        event_type=detection.event_type,
        occurred_at=detection.occurred_at.isoformat(),
        outcome=outcome,
        matches=tuple(
            _recognised(match, suppressed=sighting.suppressed)
            for match, sighting in zip(matches, sightings, strict=True)
        ),
    )


def add_step(results: list[Result], step: Step) -> Result:
    """Add the result of a step to those before it, or to that of the same detection, if its passage
    matched only when it had ended. Returns the result of the step alone."""
    result = result_of(step)
    if step.number > len(results):
        results.append(result)
        return result
    before = results[step.number - 1]
    results[step.number - 1] = replace(
        before,
        outcome="alert" if before.outcome == "alert" else result.outcome,
        matches=before.matches + result.matches,
    )
    return result


def settings_of(tracker: Tracker) -> dict[str, Any]:
    """What decided on the results besides the watch-list."""
    settings = tracker.settings
    return {
        "detector": settings.detector,
        "encoder": settings.encoder,
        "target_fpir": settings.target_fpir,
        "threshold_shift": settings.threshold_shift,
        "cooldown_seconds": settings.cooldown_seconds,
        "passage_seconds": settings.passage_seconds,
        "watchlist": len(tracker.watchlist),
        "threshold": round(tracker.watchlist.threshold, DIGITS),
    }


def write_results(file: Path, settings: Mapping[str, Any], results: Iterable[Result]) -> None:
    """Write a header, then one line for each detection, in order.

    Raises:
        InputError: the file cannot be written.
    """
    header = {"format": NAME, "version": VERSION, "settings": dict(settings)}
    try:
        with file.open("w", encoding="utf-8", newline="\n") as lines:
            lines.write(json.dumps(header, ensure_ascii=False) + "\n")
            for result in results:
                lines.write(json.dumps(asdict(result), ensure_ascii=False) + "\n")
    except OSError as error:
        raise InputError(f"cannot write results to {file}: {error.strerror}") from error


def is_results(file: Path) -> bool:
    """Whether a file holds results, by how it begins."""
    try:
        with file.open("rb") as lines:
            return NAME.encode() in lines.readline(1000)
    except OSError:
        return False


def read_results(file: Path) -> list[Result]:
    """Results of an earlier run.

    Raises:
        InputError: the file is damaged, or of a newer version.
    """
    try:
        header, *lines = file.read_text(encoding="utf-8").splitlines()
        version = int(json.loads(header)["version"])
        if version > VERSION:
            raise InputError(f"{file} has version {version}; this susracker reads up to {VERSION}")
        return [_from_fields(json.loads(line)) for line in lines]
    except (OSError, ValueError, KeyError, TypeError, OverflowError, RecursionError) as error:
        raise InputError(f"{file} is damaged, or is not the result of a replay: {error}") from error


def _from_fields(fields: dict[str, Any]) -> Result:
    matches = (one | {"candidates": tuple(one["candidates"])} for one in fields["matches"])
    return Result(**fields | {"matches": tuple(Recognised(**one) for one in matches)})


def _without_outcome(step: Step) -> str:
    return step.problem if step.problem == "repeat" else "unreadable"


def _recognised(match: Match, *, suppressed: bool) -> Recognised:
    first = match.candidates[0]
    return Recognised(
        criminal_id=first.criminal_id,
        name=first.name,
        score=round(first.score, DIGITS),
        distance=round(first.distance, DIGITS),
        fpir=round(first.fpir, DIGITS),
        suppressed=suppressed,
        candidates=tuple(one.criminal_id for one in match.candidates),
    )
