"""What a run of enrolment has to tell, as JSON and as text."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from susracker.enrolment.lookalikes import Lookalike
from susracker.enrolment.report import EnrolledPerson, Refused, Report

PEOPLE_LISTED = 10
"""Up to so many people, each is listed with the id; JSON has all."""

LOOKALIKES_LISTED = 30
"""So many, the nearest, are listed; JSON has all."""


@dataclass(frozen=True, slots=True)
class Summary:
    """A run of enrolment.

    Attributes:
        encoded: how many stored photos got the template that a new encoder lacked.
        seconds: how long it took.
        interrupted: whether it was ended before all photos were reached.
    """

    report: Report
    lookalikes: list[Lookalike]
    encoded: int
    seconds: float
    interrupted: bool


def summary_fields(run: Summary) -> dict[str, Any]:
    """All of it, for JSON."""
    return {
        "enrolled_photos": run.report.photos,
        "already_there": run.report.already_there,
        "encoded_anew": run.encoded,
        "people": [asdict(person) for person in run.report.people.values()],
        "refused": [asdict(refusal) for refusal in run.report.refused],
        "looks_like": [
            {
                "criminal_id": pair.criminal.id,
                "name": pair.criminal.name,
                "other_id": pair.other.id,
                "other_name": pair.other.name,
                "distance": pair.distance,
            }
            for pair in run.lookalikes
        ],
        "seconds": run.seconds,
        "interrupted": run.interrupted,
    }


def summary_lines(run: Summary) -> Iterator[str]:
    """All of it, for a person to read."""
    report = run.report
    people = [person for person in report.people.values() if person.photos]
    new = sum(person.is_new for person in people)
    yield (
        f"enrolled {_count(report.photos, 'photo')} of {_count(len(people), 'person', 'people')}"
        f" ({new:,} new) in {run.seconds:.1f} s"
    )
    if report.already_there:
        yield f"enrolled before: {_count(report.already_there, 'photo')}"
    if run.encoded:
        yield f"encoded anew: {_count(run.encoded, 'photo')} of the store"
    if len(report.people) <= PEOPLE_LISTED:
        yield from map(_person_line, report.people.values())
    if report.refused:
        yield f"refused {len(report.refused):,}:"
        yield from _refused_lines(report.refused)
    if run.lookalikes:
        yield f"look alike, one person under two names? {len(run.lookalikes):,}:"
        yield from map(_lookalike_line, run.lookalikes[:LOOKALIKES_LISTED])
        if len(run.lookalikes) > LOOKALIKES_LISTED:
            yield "  …and less near ones: --json lists all"
    if run.interrupted:
        yield "interrupted: what is said above is stored; the same command again does the rest"


def _count(number: int, one: str, many: str | None = None) -> str:
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def _person_line(person: EnrolledPerson) -> str:
    told = ["new"] if person.is_new else []
    told += ["edited"] if person.is_edited else []
    told += [f"{_count(person.photos, 'photo')} added"] if person.photos else []
    told += [f"{person.already_there:,} there before"] if person.already_there else []
    return f"  {person.id}  {person.name}: {', '.join(told)}"


def _refused_lines(refusals: list[Refused]) -> Iterator[str]:
    """By reason, the most frequent first."""
    groups: dict[str, list[Refused]] = defaultdict(list)
    for refusal in refusals:
        groups[refusal.reason].append(refusal)
    for reason, group in sorted(groups.items(), key=lambda item: -len(item[1])):
        yield f"  {reason}: {len(group):,}"
        for refusal in group:
            # A file's name may be no text at all; then at least its neighbours can be read.
            path = refusal.path.encode(errors="replace").decode()
            yield f"    {path}" + (f": {refusal.detail}" if refusal.detail else "")


def _lookalike_line(pair: Lookalike) -> str:
    return (
        f"  {pair.distance:.2f}  {pair.criminal.name} ({pair.criminal.id})"
        f" and {pair.other.name} ({pair.other.id})"
    )
