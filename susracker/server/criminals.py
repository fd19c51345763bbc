"""Who is enrolled: list, show, enrol, edit, remove; and where they were seen."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Annotated, Any

from flask import Blueprint, Response, jsonify, request, url_for
from flask.typing import ResponseReturnValue
from pydantic import BaseModel, Field

from susracker.access.roles import Permission
from susracker.enrolment.enroller import PreparedPhoto
from susracker.enrolment.fields import criminal_from_fields, edit_from_fields
from susracker.errors import (
    ConflictError,
    DuplicateError,
    FaceRefusedError,
    InputError,
    PictureError,
    PictureTooLargeError,
    StoreUnavailableError,
)
from susracker.models import Criminal, Sighting
from susracker.runtime.data_uri import decode_base64
from susracker.server.access import access
from susracker.server.audited import audited, describe, once_changed
from susracker.server.body import Form, form, from_json
from susracker.server.conditional import note_revision, precondition, revision_seen
from susracker.server.contract.declaring import contract
from susracker.server.contract.people import (
    CriminalEdit,
    CriminalEditForm,
    CriminalPage,
    CriminalShown,
    CriminalStored,
    NewCriminal,
    NewCriminalForm,
    Track,
)
from susracker.server.idempotency import Once, once
from susracker.server.paging import ListPage, paged
from susracker.server.parameters import takes
from susracker.server.service import Service, service
from susracker.server.wire import Moment, Name, criminal_fields, parse, sighting_fields
from susracker.tracking.tracker import Tracker

log = logging.getLogger(__name__)

blueprint = Blueprint("criminals", __name__)

ENROLMENT = "enrolment"
"""What enrolments wait as, beside the large pictures of cameras."""

WRONG_BODY = "the body must be a JSON object or a form"

SHOWN = 20
"""How many of the people in a list the audit log names, by their ids."""


class Page(BaseModel):
    """Which people are asked for; without a limit, all of them."""

    query: str = Field("", max_length=200)
    after: str | None = Field(None, max_length=64)
    limit: int | None = Field(None, ge=1, le=1000)


class TrackPage(ListPage):
    """Which sightings of a person are asked for.

    Attributes:
        since: earliest time at which they occurred.
        until: latest time at which they occurred.
    """

    camera_id: Name | None = None
    since: Moment | None = None
    until: Moment | None = None

    def wants(self, sighting: Sighting) -> bool:
        """Whether a sighting is one of those."""
        return (
            self.camera_id in (None, sighting.camera_id)
            and (self.since is None or sighting.occurred_at >= self.since)
            and (self.until is None or sighting.occurred_at <= self.until)
        )


class Terms(BaseModel):
    """On what terms a person is to be stored.

    Attributes:
        revision: the one that an edit is based on, if it names one.
        allow_unlike: store photos even if they show another face than the person's others.
    """

    revision: Annotated[int, Field(ge=0, lt=2**63)] | None = None
    allow_unlike: bool = False


@blueprint.get("/api/criminals")
@access(Permission.VIEW)
@audited("criminal.list")
@takes(Page)
@contract(CriminalPage, errors=(404,))
def list_criminals() -> ResponseReturnValue:
    """People by name, a page of them where a limit is given."""
    page = parse(Page, request.args)
    found = service().reads.call(_describe_page, service().tracker, page)
    describe(
        searched=bool(page.query), shown=len(found), first=[one["id"] for one in found[:SHOWN]]
    )
    is_last = page.limit is None or len(found) < page.limit
    return jsonify(criminals=found, next=None if is_last else found[-1]["id"])


@blueprint.get("/api/criminals/<criminal_id>")
@access(Permission.VIEW)
@audited("criminal.show", "criminal_id")
@contract(CriminalShown)
def show_criminal(criminal_id: str) -> ResponseReturnValue:
    """One person."""
    return _revised(service().reads.call(_describe, service().tracker, criminal_id))


@blueprint.get("/api/criminals/<criminal_id>/track")
@access(Permission.VIEW)
@audited("criminal.track", "criminal_id")
@takes(TrackPage)
@contract(Track)
def track(criminal_id: str) -> ResponseReturnValue:
    """A person's sightings across cameras, in the order in which they occurred."""
    page, store = parse(TrackPage, request.args), service().tracker.store
    name, found = service().reads.call(
        lambda: (store.criminal(criminal_id).name, store.sightings(criminal_id))
    )
    wanted = [one for one in found if page.wants(one)]
    shown = paged("sightings", wanted, page, lambda one: one.id, sighting_fields)
    return jsonify({"criminal_id": criminal_id, "name": name} | shown)


@blueprint.post("/api/criminals")
@access(Permission.MANAGE)
@audited("criminal.add")
@contract(
    CriminalShown,
    unread=CriminalStored,
    status=201,
    json=NewCriminal,
    form=NewCriminalForm,
    idempotent=True,
    errors=(409,),
)
def enroll() -> ResponseReturnValue:
    """Enrol a person, as JSON with `images` in base64, or as a form with files."""
    fields, images = sent_person()
    describe(photos=len(images))
    repeatable = once(fields, images)
    body = service().slow.call(
        ENROLMENT, _add_once, service(), fields, images, repeatable, once_changed()
    )
    describe(subject=body["id"])
    where = url_for(".show_criminal", criminal_id=body["id"])
    return _revised(body), 201, {"Location": where}


@blueprint.put("/api/criminals/<criminal_id>")
@access(Permission.MANAGE)
@audited("criminal.edit", "criminal_id")
@contract(
    CriminalShown,
    unread=CriminalStored,
    json=CriminalEdit,
    form=CriminalEditForm,
    if_match=True,
)
def edit(criminal_id: str) -> ResponseReturnValue:
    """Change the fields that are given and no others, and add the photos that are given.

    With a `revision`, only if nobody changed the person since.
    """
    fields, images = sent_person()
    describe(fields=sorted(fields.keys() - Terms.model_fields.keys()), photos=len(images))
    known, terms = _terms(fields)
    terms = terms.model_copy(update={"revision": revision_seen(terms.revision)})
    with precondition():
        edited = service().slow.call(
            ENROLMENT, _edit, service(), criminal_id, known, terms, images, once_changed()
        )
    return _revised(edited)


@blueprint.delete("/api/criminals/<criminal_id>")
@access(Permission.MANAGE)
@audited("criminal.remove", "criminal_id")
@contract(status=204, if_match=True)
def remove(criminal_id: str) -> ResponseReturnValue:
    """Forget a person, with all photos, templates and sightings; not while a held alert names
    them."""
    revision = revision_seen()
    with precondition():
        service().reads.call(_remove, service().tracker, criminal_id, revision, once_changed())
    return "", 204


def _revised(body: dict[str, Any]) -> Response:
    """A person, with an `ETag` that an edit may be based on."""
    if "revision" in body:
        note_revision(body["revision"])
    return jsonify(body)


def sent_person() -> tuple[dict[str, object], list[bytes]]:
    """The fields and the photos that a request carries, as JSON or as a form.

    Raises:
        InputError: it carries neither, or what is no picture in base64.
    """
    sent = form()
    return _from_form(sent) if sent else from_json(_from_json)


def _from_form(sent: Form) -> tuple[dict[str, object], list[bytes]]:
    if not sent.fields and not sent.files:
        raise InputError(WRONG_BODY)
    fields: dict[str, object] = dict(sent.first_fields())
    if "crimes" in fields:
        fields["crimes"] = sent.fields["crimes"]
    return fields, [content for several in sent.files.values() for content in several]


def _from_json(body: Any) -> tuple[dict[str, object], list[bytes]]:
    if not isinstance(body, dict):
        raise InputError(WRONG_BODY)
    images = body.pop("images", None) or []
    if not isinstance(images, list):
        raise InputError("images: must be a list of base64 strings")
    if "image" in body:
        images = [body.pop("image"), *images]
    return body, [_image(number, value) for number, value in enumerate(images, 1)]


def _image(number: int, value: object) -> bytes:
    try:
        return decode_base64(value)
    except ValueError as error:
        raise InputError(f"image {number}: {error}") from error


def _add_once(
    parts: Service,
    fields: Mapping[str, object],
    images: list[bytes],
    repeatable: Once | None,
    changed: Callable[[str], None],
) -> dict[str, Any]:
    """As `_add`, unless the same was added before: then as the person is now."""
    if repeatable is None:
        return _add(parts, fields, images, None, changed)
    if not _is_stored(parts, repeatable):
        try:
            return _add(parts, fields, images, repeatable.id, changed)
        except (ConflictError, DuplicateError):
            # It may have come twice at once.
            if not _is_stored(parts, repeatable):
                raise
    return _describe(parts.tracker, repeatable.id)


def _is_stored(parts: Service, repeatable: Once) -> bool:
    found = parts.tracker.store.find_criminals(repeatable.start)
    return repeatable.is_among(one.id for one in found)


def _add(
    parts: Service,
    fields: Mapping[str, object],
    images: list[bytes],
    criminal_id: str | None,
    changed: Callable[[str], None],
) -> dict[str, Any]:
    """Store a new person with all of the photos, or nothing where one is refused."""
    known, terms = _terms(fields)
    criminal = criminal_from_fields(known)
    criminal = replace(criminal, id=criminal_id or criminal.id)
    parts.enroller.add(criminal, _prepare_all(parts, criminal.id, images, terms))
    changed(criminal.id)
    follow_store(parts.tracker)
    return _describe_stored(parts.tracker, criminal.id)


def _edit(
    parts: Service,
    criminal_id: str,
    known: Mapping[str, object],
    terms: Terms,
    images: list[bytes],
    changed: Callable[[str], None],
) -> dict[str, Any]:
    """Change a person and add all of the photos, or do nothing where one is refused."""
    parts.tracker.store.criminal(criminal_id)  # before the work of preparing photos
    edit = edit_from_fields(known)
    prepared = _prepare_all(parts, criminal_id, images, terms)
    parts.enroller.edit(criminal_id, edit, prepared, revision=terms.revision)
    changed(criminal_id)
    follow_store(parts.tracker)
    return _describe_stored(parts.tracker, criminal_id)


def _terms(fields: Mapping[str, object]) -> tuple[dict[str, object], Terms]:
    """The fields of a person, and those that say on what terms to store them."""
    given = {name: fields[name] for name in Terms.model_fields if name in fields}
    return {name: value for name, value in fields.items() if name not in given}, parse(Terms, given)


def _prepare_all(
    parts: Service, criminal_id: str, images: list[bytes], terms: Terms
) -> list[PreparedPhoto]:
    prepared = [_prepare(parts, number, image) for number, image in enumerate(images, 1)]
    unlike = {} if terms.allow_unlike else parts.enroller.unlike(criminal_id, prepared)
    for place, refusal in sorted(unlike.items()):
        advice = "send allow_unlike to enrol it all the same"
        raise InputError(f"image {place + 1}: {refusal}; {advice}") from refusal
    return prepared


def _prepare(parts: Service, number: int, image: bytes) -> PreparedPhoto:
    try:
        prepared = parts.enroller.prepare(image)
    except PictureTooLargeError as error:
        raise InputError(f"image {number}: {error}; the setting max_megapixels says so") from error
    except (PictureError, FaceRefusedError) as error:
        raise InputError(f"image {number}: {error}") from error
    owner = parts.tracker.store.photo_owner(prepared.digest)
    if owner is not None:
        raise DuplicateError(f"image {number} is enrolled already, as a photo of {owner!r}")
    return prepared


def _remove(
    tracker: Tracker, criminal_id: str, revision: int | None, changed: Callable[[str], None]
) -> None:
    tracker.store.remove_criminal(criminal_id, revision=revision)
    changed(criminal_id)
    follow_store(tracker)


def follow_store(tracker: Tracker) -> None:
    """Match by what was just stored. If that fails, the tracker tries again by itself; a client
    that tried again would store it twice."""
    with suppress(StoreUnavailableError):
        tracker.refresh()


def _describe_stored(tracker: Tracker, criminal_id: str) -> dict[str, Any]:
    """Someone who was just stored: only their id if the store cannot be read at present. A client
    that was told of a failure would store them twice."""
    try:
        return _describe(tracker, criminal_id)
    except StoreUnavailableError as error:
        log.warning("someone was stored, but cannot be read back at present: %s", error)
        return {"id": criminal_id}


def _describe(tracker: Tracker, criminal_id: str) -> dict[str, Any]:
    return shown_people(tracker, [tracker.store.criminal(criminal_id)])[0]


def _describe_page(tracker: Tracker, page: Page) -> list[dict[str, Any]]:
    found = tracker.store.find_criminals(page.query, page.after, page.limit)
    return shown_people(tracker, found)


def shown_people(tracker: Tracker, criminals: list[Criminal]) -> list[dict[str, Any]]:
    """People in the order given, as the API shows them."""
    ids = [criminal.id for criminal in criminals]
    photos = tracker.store.photo_ids_of(ids)
    templates = tracker.store.template_counts(tracker.encoder.id, ids)
    return [criminal_fields(one, photos[one.id], templates.get(one.id, 0)) for one in criminals]
