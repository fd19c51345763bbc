"""Where the descriptions of the API are, for programs and for people."""

from __future__ import annotations

from collections.abc import Callable

from flask import Blueprint, Response, current_app, jsonify
from flask.typing import ResponseReturnValue

from susracker.server.access import public
from susracker.server.audited import unaudited
from susracker.server.contract.asyncapi import asyncapi
from susracker.server.contract.declaring import contract
from susracker.server.contract.openapi import openapi
from susracker.server.contract.others import Document
from susracker.server.contract.schemas import Schema

blueprint = Blueprint("contract", __name__)


@blueprint.get("/openapi.json")
@public
@unaudited("shows no person")
@contract(Document)
def openapi_document() -> ResponseReturnValue:
    """The routes, by OpenAPI 3.1."""
    return _once("openapi", lambda: openapi(current_app))


@blueprint.get("/asyncapi.json")
@public
@unaudited("shows no person")
@contract(Document)
def asyncapi_document() -> ResponseReturnValue:
    """The Socket.IO events and the topics of MQTT, by AsyncAPI 3."""
    return _once("asyncapi", asyncapi)


def _once(name: str, make: Callable[[], Schema]) -> Response:
    """A description, which is made when it is first asked for."""
    made = current_app.extensions
    if name not in made:
        made[name] = make()
    return jsonify(made[name])
