"""`ETag`, `If-None-Match` and `If-Match` (RFC 9110, 13): answers that a client has already are not
sent again, and edits are of what it saw."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from contextlib import contextmanager

from flask import Flask, Response, g, request
from werkzeug.exceptions import PreconditionFailed

from susracker.errors import ConflictError, HeldError, InputError
from susracker.server.contract.declaring import declared_contract

IF_MATCH = "If-Match"

_TAG = re.compile(r"(\d{1,18})-[0-9a-f]+")


def tag_answers(app: Flask) -> None:
    """Give answers in JSON an `ETag`, and refuse `If-Match` where it would have no effect."""

    @app.before_request
    def check() -> None:
        view = app.view_functions.get(request.endpoint or "")
        found = declared_contract(view) if view else None
        if found and not found.if_match and IF_MATCH in request.headers:
            raise InputError(f"this route takes no {IF_MATCH}")

    @app.after_request
    def tag(answer: Response) -> Response:
        is_look = request.method in ("GET", "HEAD") and answer.status_code == 200
        if not answer.is_json or not (is_look or "revision" in g):
            return answer
        if not answer.get_etag()[0]:
            answer.set_etag(_tag(answer.get_data()))
        if is_look:
            answer.make_conditional(request)
        return answer


def note_revision(revision: int) -> None:
    """Make the revision of what is answered a part of its `ETag`, for `If-Match`."""
    g.revision = revision


def revision_seen(named: int | None = None) -> int | None:
    """The revision that an edit is based on: by `If-Match`, or as the request names it otherwise.

    Raises:
        InputError: both are given, and differ.
        PreconditionFailed: `If-Match` holds no tag of this server.
    """
    if IF_MATCH not in request.headers or request.headers[IF_MATCH].strip() == "*":
        return named
    # Werkzeug reads an empty tag as None.
    found = [_TAG.fullmatch(tag or "") for tag in request.if_match.as_set()]
    revisions = {int(one[1]) for one in found if one}
    if len(revisions) != 1:
        raise PreconditionFailed(f"{IF_MATCH} must be the ETag of the person, as it was answered")
    (revision,) = revisions
    if named not in (None, revision):
        raise InputError(f"revision and {IF_MATCH} differ: send one of them")
    return revision


@contextmanager
def precondition() -> Iterator[None]:
    """Answer a conflict with 412 if it is one with `If-Match`, and not with a hold."""
    try:
        yield
    except HeldError:
        raise
    except ConflictError as error:
        if IF_MATCH in request.headers:
            raise PreconditionFailed(str(error)) from error
        raise


def _tag(body: bytes) -> str:
    digest = hashlib.sha256(body).hexdigest()[:32]
    return f"{g.revision}-{digest}" if "revision" in g else digest
