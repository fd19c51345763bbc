"""Who was seen where, how often, from when to when."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from susracker.replay.results import Result


@dataclass(frozen=True, slots=True)
class Seen:
    """One criminal, or one activity, on one camera.

    Attributes:
        suppressed: sightings, or activities, that the cooldown held back.
        first, last: when, in the camera's time.
    """

    name: str
    camera_id: str
    sightings: int
    alerts: int
    suppressed: int
    first: str
    last: str


def outcome_counts(results: Iterable[Result]) -> Counter[str]:
    """How many detections had which outcome."""
    return Counter(result.outcome for result in results)


def seen(results: Sequence[Result]) -> list[Seen]:
    """Per criminal or activity and camera, in order of the first sighting."""
    moments: dict[tuple[str, str, str], list[tuple[str, bool]]] = {}
    for result in results:
        for who, name, suppressed in told(result):
            key = (who, name, result.camera_id)
            moments.setdefault(key, []).append((result.occurred_at, suppressed))
    return [
        Seen(
            name=name,
            camera_id=camera_id,
            sightings=len(found),
            alerts=sum(not suppressed for _, suppressed in found),
            suppressed=sum(suppressed for _, suppressed in found),
            first=min(moment for moment, _ in found),
            last=max(moment for moment, _ in found),
        )
        for (_, name, camera_id), found in moments.items()
    ]


def told(result: Result) -> list[tuple[str, str, bool]]:
    """Who or what there was, by id and name, and whether it was held back."""
    if result.matches:
        return [(one.criminal_id, one.name, one.suppressed) for one in result.matches]
    if result.event_type != "face" and result.outcome in ("alert", "cooldown"):
        return [("", result.event_type, result.outcome == "cooldown")]
    return []
