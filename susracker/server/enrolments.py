"""Many people at once: who is in a list, and each enrolled by the rules of `susracker enroll`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from functools import partial
from pathlib import Path
from typing import Annotated, Any

from flask import Blueprint, Response, json, jsonify
from flask.typing import ResponseReturnValue
from pydantic import BaseModel, Field

from susracker.access.roles import Permission
from susracker.enrolment.enroller import photo_digest
from susracker.enrolment.fields import criminal_from_fields, past_expiry
from susracker.enrolment.job import prepare_photo
from susracker.enrolment.lists import LIST_SUFFIXES, ListedPerson, parse_list
from susracker.enrolment.lookalikes import find_lookalikes
from susracker.enrolment.report import EnrolledPerson, Refused, Report
from susracker.enrolment.sources import Person
from susracker.enrolment.writer import Result, Writer, Written
from susracker.errors import InputError
from susracker.server.access import access
from susracker.server.audited import audited, describe, once_changed, unaudited
from susracker.server.body import form, from_json
from susracker.server.contract.declaring import contract
from susracker.server.contract.enrolments import (
    Enrolled,
    ListRead,
    Lookalikes,
    NothingEnrolled,
    SentList,
)
from susracker.server.contract.people import NewCriminal, NewCriminalForm
from susracker.server.criminals import ENROLMENT, follow_store, sent_person, shown_people
from susracker.server.problems import PROBLEM, problem
from susracker.server.service import Service, service
from susracker.server.wire import parse
from susracker.tracking.tracker import Tracker
from susracker.watchlist.scoring import load_scoring

blueprint = Blueprint("enrolments", __name__)

MAX_LIST = 2_000_000
"""Bytes of a list at most: some 20,000 rows, which take a thread about a second."""

MAX_COMPARED = 1000
"""People who are compared with everyone in one request: with 100,000 enrolled, a second's work."""

MAX_COMPARED_BEFORE = 8000
"""People of earlier requests: as many as a body in JSON holds beside the others."""

MAX_PAIRS = 100
"""Pairs in an answer, with both records of each."""

ADDED, KNOWN, REFUSED = "added", "enrolled already", "refused"
"""What becomes of a photo."""


Id = Annotated[str, Field(max_length=64)]


class Compared(BaseModel):
    """People to compare with everyone who is enrolled."""

    criminal_ids: Annotated[list[Id], Field(min_length=1, max_length=MAX_COMPARED)]
    """Those of nobody are passed over."""
    compared: Annotated[list[Id], Field(max_length=MAX_COMPARED_BEFORE)] = []
    """Those of earlier requests, where one does not hold them all. Their pairs were answered then,
    and are passed over now."""


class Likeness(BaseModel):
    """Whether to store photos that show another face than the person's others."""

    allow_unlike: bool = False


@dataclass(frozen=True, slots=True)
class Done:
    """What became of a person and their photos.

    Attributes:
        person: None where every photo was refused.
        photos: what became of each, in order.
        written: what was stored; None if nothing was.
    """

    person: EnrolledPerson | None
    photos: list[dict[str, Any]]
    written: Written | None


@blueprint.post("/api/enrolments/list")
@access(Permission.MANAGE)
@unaudited("stores nothing, and shows nobody who is enrolled")
@contract(ListRead, form=SentList)
def read() -> ResponseReturnValue:
    """Who is in a list in CSV or JSON, and which of its rows are wrong. Nothing is stored."""
    name, data = _sent_list()
    return jsonify(service().slow.call(ENROLMENT, _read, name, data))


@blueprint.post("/api/enrolments")
@access(Permission.MANAGE)
@audited("criminal.add")
@contract(
    Enrolled,
    json=NewCriminal,
    form=NewCriminalForm,
    errors=(409,),
    problems={400: NothingEnrolled},
)
def enroll() -> ResponseReturnValue:
    """Enrol a person by the rules of `susracker enroll`, or add to one who is enrolled.

    Who has the same name, and the same case reference if one is given, is the same person. Photos
    that are enrolled already are passed over, and those that are refused do not hold up the others.
    If all are refused, nothing is stored.
    """
    fields, images = sent_person()
    done = service().slow.call(ENROLMENT, _enroll, service(), fields, images, once_changed())
    _note(done)
    if done.person is None:
        shown = problem(400, _why_nothing(done.photos)) | {"photos": done.photos}
        return Response(json.dumps(shown), 400, content_type=PROBLEM)
    person = done.person
    return jsonify(
        id=person.id,
        name=person.name,
        is_new=person.is_new,
        is_edited=person.is_edited,
        photos=done.photos,
    )


@blueprint.post("/api/enrolments/lookalikes")
@access(Permission.MANAGE)
@audited("criminal.compare", is_look=True)
@contract(Lookalikes, json=Compared)
def lookalikes() -> ResponseReturnValue:
    """Who of some people looks like someone enrolled under another name.

    `susracker enroll` says the same at its end. Ask once for all who were enrolled.
    """
    asked = from_json(partial(parse, Compared))
    ids = asked.criminal_ids
    found = service().slow.call(ENROLMENT, _lookalikes, service().tracker, asked)
    shown = {pair[side]["id"] for pair in found["pairs"] for side in ("criminal", "other")}
    describe(compared=len(ids), shown=sorted(shown))
    return jsonify(found)


def _note(done: Done) -> None:
    """Say in the audit log what was done, as the command does."""
    if done.person is not None:
        written = done.written
        is_new = written is not None and written.is_new
        describe(
            subject=done.person.id,
            action="criminal.add" if is_new else "criminal.edit",
            fields=list(written.fields) if written else [],
            photos=len(written.photos) if written else 0,
        )


def _sent_list() -> tuple[Path, bytes]:
    sent = form()
    files = [content for several in sent.files.values() for content in several] if sent else []
    if sent is None or len(files) != 1:
        raise InputError("send a form with one file, and its name as `name`")
    name = Path(Path(sent.first_fields().get("name", "")).name)
    if name.suffix.lower() not in LIST_SUFFIXES:
        raise InputError("name: the name of the list's file, which ends in .csv or .json")
    if len(files[0]) > MAX_LIST:
        raise InputError(f"{name} is larger than {MAX_LIST:,} bytes: divide it")
    return name, files[0]


def _read(name: Path, data: bytes) -> dict[str, Any]:
    people, bad = parse_list(data, name)
    now = datetime.now(timezone.utc)
    past = {id(one): problem for one in people if (problem := past_expiry(one.fields, now))}
    late = [_bad_row(str(one.fields["name"]), past[id(one)]) for one in people if id(one) in past]
    return {
        "people": [_listed(one) for one in people if id(one) not in past],
        "bad_rows": [*(_bad_row(one.path, one.detail) for one in bad), *late],
    }


def _listed(one: ListedPerson) -> dict[str, Any]:
    return {"fields": one.fields, "photos": [str(path) for path in one.photos]}


def _bad_row(where: str, what: str) -> dict[str, str]:
    return {"where": where, "problem": what}


def _lookalikes(tracker: Tracker, asked: Compared) -> dict[str, Any]:
    encoder_id = tracker.encoder.id
    found = find_lookalikes(
        tracker.store, encoder_id, load_scoring(encoder_id), asked.criminal_ids, asked.compared
    )
    pairs = found[:MAX_PAIRS]
    people = {one.id: one for pair in pairs for one in (pair.criminal, pair.other)}
    shown = {one["id"]: one for one in shown_people(tracker, list(people.values()))}
    return {
        "pairs": [
            {
                "criminal": shown[pair.criminal.id],
                "other": shown[pair.other.id],
                "distance": pair.distance,
            }
            for pair in pairs
        ],
        "left_out": len(found) - len(pairs),
    }


def _enroll(
    parts: Service,
    fields: Mapping[str, object],
    images: Sequence[bytes],
    changed: Callable[[str], None],
) -> Done:
    terms = {name: fields[name] for name in Likeness.model_fields if name in fields}
    known = {name: value for name, value in fields.items() if name not in terms}
    criminal_from_fields(known)  # before the work of preparing photos
    if not images:
        raise InputError("images: at least one photo is needed")
    report, writes = Report(), list[Written]()

    def on_write(written: Written) -> None:
        changed(written.criminal.id)
        writes.append(written)

    allow_unlike = parse(Likeness, terms).allow_unlike
    writer = Writer(parts.enroller, report, on_write, allow_unlike=allow_unlike)
    if results := list(_prepared(parts, images, report)):
        writer.write(Person(known, []), results)
        follow_store(parts.tracker)
    person = next(iter(report.people.values()), None)
    written = writes[0] if writes else None
    return Done(person, list(_fates(images, report, written)), written)


def _prepared(parts: Service, images: Sequence[bytes], report: Report) -> Iterator[Result]:
    """The photos that can be enrolled, by their numbers; the others are reported."""
    for number, image in enumerate(images, 1):
        fate = prepare_photo(parts.enroller, str(number), image)
        if isinstance(fate, Refused):
            report.refused.append(fate)
        else:
            yield str(number), fate


def _fates(
    images: Sequence[bytes], report: Report, written: Written | None
) -> Iterator[dict[str, Any]]:
    refusals = {one.path: one for one in report.refused}
    fresh = {one.digest for one in written.photos} if written else set()
    for number, image in enumerate(images, 1):
        if refusal := refusals.get(str(number)):
            why = ": ".join(filter(None, (refusal.reason, refusal.detail)))
            yield {"fate": REFUSED, "why": why}
        elif (digest := photo_digest(image)) in fresh:
            fresh.remove(digest)
            yield {"fate": ADDED, "why": None}
        else:
            yield {"fate": KNOWN, "why": None}


def _why_nothing(photos: Sequence[Mapping[str, Any]]) -> str:
    return "; ".join(f"image {number}: {one['why']}" for number, one in enumerate(photos, 1))
