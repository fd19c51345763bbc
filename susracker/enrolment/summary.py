"""Describes a run of enrolment, as JSON and as text."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from itertools import groupby
from typing import Any

from susracker.enrolment.likeness import SEVERAL_PEOPLE
from susracker.enrolment.lookalikes import Lookalike
from susracker.enrolment.report import EnrolledPerson, Refused, Report
from susracker.runtime.text import counted

PEOPLE_LISTED = 10
"""People are listed one by one if there are at most this many; JSON lists all."""

LOOKALIKES_LISTED = 30
"""How many of the nearest pairs are listed; JSON lists all."""


ADVICE = {
    "in no person's folder": "put each photo into a folder named after its person; or, if the files"
    " are named after people, type susracker enroll FILE… --each-file",
    "no such file": "the paths in a list start from the folder of the list",
    "no face": "turn a photo that lies on its side upright, or take one that shows the face from"
    " the front, larger and sharper",
    "too large": "add --max-megapixels with a higher limit, or save smaller copies",
    SEVERAL_PEOPLE: "if each file is of another person, name that folder alone and add --each-file;"
    " if all are of one person, add --allow-unlike",
    "unlike the other photos": "add --allow-unlike if they are photos of that person all the same",
}
"""What to do about refusals, by their reason."""


BAD_ROWS_LISTED = 50
"""How many bad rows an error lists: the rest is easier to find once these are right."""


@dataclass(frozen=True, slots=True)
class Summary:
    """A run of enrolment.

    Attributes:
        encoded: how many stored photos got a template by a new encoder.
        seconds: how long the run took.
        interrupted: whether it ended before the last photo.
    """

    report: Report
    lookalikes: list[Lookalike]
    encoded: int
    seconds: float
    interrupted: bool


def summary_fields(run: Summary) -> dict[str, Any]:
    """Return the whole summary, ready for JSON."""
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
    """Yield the summary as lines for a person to read."""
    report = run.report
    people = [person for person in report.people.values() if person.photos]
    new = sum(person.is_new for person in people)
    yield (
        f"enrolled {counted(report.photos, 'photo')} of {counted(len(people), 'person', 'people')}"
        f" ({new:,} new) in {run.seconds:.1f} s"
    )
    edited = sum(person.is_edited and not person.is_new for person in report.people.values())
    if edited:
        yield f"edited: {counted(edited, 'person', 'people')}"
    if report.already_there:
        yield f"already enrolled: {counted(report.already_there, 'photo')}"
    if run.encoded:
        yield f"encoded again: {counted(run.encoded, 'stored photo')}"
    if len(report.people) <= PEOPLE_LISTED:
        yield from map(_person_line, report.people.values())
    if report.refused:
        yield f"refused {len(report.refused):,}:"
        yield from _refused_lines(report.refused)
    if run.lookalikes:
        yield f"look alike, perhaps one person under two names: {len(run.lookalikes):,}"
        yield from map(_lookalike_line, run.lookalikes[:LOOKALIKES_LISTED])
        if len(run.lookalikes) > LOOKALIKES_LISTED:
            yield "  … --json lists all"
    if run.interrupted:
        yield "interrupted: the above is stored; run the same command again to do the rest"


def _person_line(person: EnrolledPerson) -> str:
    told = ["new"] if person.is_new else []
    told += ["edited"] if person.is_edited else []
    told += [f"{counted(person.photos, 'photo')} added"] if person.photos else []
    told += [f"{person.already_there:,} already there"] if person.already_there else []
    return f"  {person.id}  {person.name}: {', '.join(told)}"


def _refused_lines(refusals: list[Refused]) -> Iterator[str]:
    """List refusals by reason, the most frequent first."""
    groups: dict[str, list[Refused]] = defaultdict(list)
    for refusal in refusals:
        groups[refusal.reason].append(refusal)
    for reason, group in sorted(groups.items(), key=lambda item: -len(item[1])):
        yield f"  {reason}: {len(group):,}"
        yield from _by_person(group) if reason == SEVERAL_PEOPLE else map(_refused_line, group)
        if reason in ADVICE:
            yield f"    {ADVICE[reason]}"


def _by_person(group: list[Refused]) -> Iterator[str]:
    """One line for all photos of each person whose photos show several people."""
    for _, same in groupby(group, key=lambda one: (one.person, one.detail)):
        first, *others = same
        if others:
            folders = {os.path.join(os.path.dirname(one.path), "") for one in (first, *others)}
            first = replace(first, path=first.person if len(folders) > 1 else folders.pop())
        yield _refused_line(first)


def _refused_line(refusal: Refused) -> str:
    # A file's name may not be valid text; show as much of it as can be read.
    path = refusal.path.encode(errors="replace").decode()
    return f"    {path}" + (f": {refusal.detail}" if refusal.detail else "")


def _lookalike_line(pair: Lookalike) -> str:
    return (
        f"  {pair.distance:.2f}  {pair.criminal.name} ({pair.criminal.id})"
        f" and {pair.other.name} ({pair.other.id})"
    )


def bad_rows_text(bad_rows: list[Refused]) -> str:
    """Say which rows of lists are bad, and what to do about them."""
    shown = [f"  {one.path}: {one.detail}" for one in bad_rows[:BAD_ROWS_LISTED]]
    more = ["  …"] if len(bad_rows) > BAD_ROWS_LISTED else []
    advice = "correct them, or add --skip-bad to enrol the others"
    return "\n".join([f"{counted(len(bad_rows), 'bad row')}: {advice}", *shown, *more])
