"""The face of an alert, for those to whom a webhook gave a signed link."""

from __future__ import annotations

import time

from flask import Blueprint, Response, request
from flask.typing import ResponseReturnValue
from pydantic import BaseModel, Field
from werkzeug.exceptions import Gone

from susracker.access.links import Link
from susracker.errors import NotAllowedError, NotFoundError
from susracker.models import Alert
from susracker.server.access import signed
from susracker.server.audited import audited, describe
from susracker.server.contract.declaring import contract
from susracker.server.credentials import credentials
from susracker.server.identity import Identity
from susracker.server.parameters import takes
from susracker.server.service import service
from susracker.server.wire import parse

blueprint = Blueprint("pictures", __name__)


class Signed(BaseModel):
    """What a link says, and its signature."""

    receiver: str = Field(min_length=1, max_length=50)
    until: int = Field(ge=0, lt=2**63)
    signature: str = Field(min_length=1, max_length=100)


def holder() -> Identity:
    """Who was given the link that the current request is for.

    Raises:
        InputError: a part of the link is missing.
        NotAllowedError: it is not one of ours.
        Gone: it has ended.
    """
    said = parse(Signed, request.args)
    link = Link((request.view_args or {})["alert_id"], said.receiver, said.until)
    if not service().links.is_signed(link, said.signature):
        raise NotAllowedError("the link is not one of this server's: use it as it was sent")
    if link.until < time.time():
        raise Gone("the link has ended: GET /api/alerts/<id> with a key shows the face")
    return Identity(f"link for {link.receiver}", "link", credentials().address)


@blueprint.get("/api/alerts/<alert_id>/face")
@signed(holder)
@audited("alert.picture", "alert_id")
@takes(Signed)
@contract(media=("image/jpeg",), errors=(410,))
def face(alert_id: str) -> ResponseReturnValue:
    """The face of an alert, by a link that a webhook was sent; without a key."""
    found: Alert = service().reads.call(service().tracker.store.alert, alert_id)
    if found.face is None:
        raise NotFoundError("the alert has no face, or it was forgotten")
    describe(picture="face")
    return Response(found.face, mimetype="image/jpeg")
