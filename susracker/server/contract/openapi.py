"""The description of all routes, by OpenAPI 3.1, from what each of them declares."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator
from http import HTTPStatus
from inspect import cleandoc
from typing import Any

from flask import Flask
from pydantic import BaseModel
from werkzeug.routing import Rule

from susracker.access.roles import ROLES, Permission
from susracker.server.access import declared
from susracker.server.body import MULTIPART
from susracker.server.contract.compreface import CompreFaceProblem
from susracker.server.contract.declaring import Contract, declared_contract
from susracker.server.contract.others import CameraError, Problem
from susracker.server.contract.schemas import Schema, Schemas, parameters
from susracker.server.parameters import EVERYWHERE, declared_parameters, is_tolerant
from susracker.server.problems import COMPREFACE, JSON, PROBLEM

API_VERSION = "1"
"""Grows when a client would have to change. A field or a route that is added is no such change."""

SECURITY: Schema = {
    "bearer": {"type": "http", "scheme": "bearer", "description": "A key, such as sus_…"},
    "header": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
    "session": {"type": "apiKey", "in": "cookie", "name": "susracker_session"},
}

HEADERS: dict[int, Schema] = {
    401: {"WWW-Authenticate": {"schema": {"type": "string"}}},
    429: {"Retry-After": {"schema": {"type": "integer"}, "description": "Seconds to wait."}},
    503: {"Retry-After": {"schema": {"type": "integer"}, "description": "Seconds to wait."}},
}

DESCRIPTION = """Detections of cameras, alerts, and the people who are looked for.

Before the first key is made, programs of the server's own machine need none. If a request fails,
the answer says in `error` what is wrong and what to do."""

BASED_ON = "The `ETag` of what the edit is based on: 412 if it was changed since."
AGAIN = "Any text, such as a UUID: a repeat with the same text and content changes nothing."
TAG: Schema = {"ETag": {"schema": {"type": "string"}}}

OPEN = ("public", "signed")
"""What routes declare that ask for no key."""

View = Callable[..., Any]


def openapi(app: Flask) -> Schema:
    """The description of an application's routes; those without a contract are left out."""
    schemas = Schemas()
    paths: Schema = {}
    for rule, method, view in documented(app):
        paths.setdefault(path_of(rule), {})[method.lower()] = _operation(rule, view, schemas)
    return {
        "openapi": "3.1.0",
        "info": {"title": "susracker", "version": API_VERSION, "description": DESCRIPTION},
        "servers": [{"url": "/"}],
        "paths": dict(sorted(paths.items())),
        "components": {"schemas": schemas.components, "securitySchemes": SECURITY},
    }


def documented(app: Flask) -> Iterator[tuple[Rule, str, View]]:
    """Each route that declares a contract, with its method."""
    for rule in app.url_map.iter_rules():
        view = app.view_functions[rule.endpoint]
        if declared_contract(view):
            for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
                yield rule, method, view


def path_of(rule: Rule) -> str:
    """The path of a route as OpenAPI writes it."""
    return re.sub(r"<(?:[^:<>]+:)?(\w+)>", r"{\1}", rule.rule)


def _operation(rule: Rule, view: View, schemas: Schemas) -> Schema:
    found = declared_contract(view) or Contract()
    summary, _, more = cleandoc(view.__doc__ or "").partition("\n\n")
    asked = declared(view)
    operation: Schema = {
        "operationId": rule.endpoint.replace(".", "_"),
        "tags": [rule.endpoint.partition(".")[0]],
        "summary": " ".join(summary.split()),
        "parameters": [*_path_parameters(rule), *_query(view), *_headers(found)],
        "responses": _responses(rule, view, found, schemas),
        "security": [] if asked in OPEN else [{name: []} for name in SECURITY],
    }
    if more:
        operation["description"] = more
    if isinstance(asked, Permission):
        operation["x-roles"] = [role for role, may in ROLES.items() if asked in may]
    if body := _body(found, schemas):
        operation["requestBody"] = body
    return operation


def _path_parameters(rule: Rule) -> list[Schema]:
    kind = {"type": "string", "minLength": 1}
    return [
        {"name": name, "in": "path", "required": True, "schema": kind}
        for name in sorted(rule.arguments)
    ]


def _query(view: View) -> list[Schema]:
    if is_tolerant(view):
        return []
    everywhere = [{"name": one, "in": "query", "schema": {"type": "string"}} for one in EVERYWHERE]
    return parameters(declared_parameters(view)) + everywhere


def _headers(found: Contract) -> Iterator[Schema]:
    kind = {"type": "string", "maxLength": 200}
    if found.if_match:
        yield {"name": "If-Match", "in": "header", "schema": kind, "description": BASED_ON}
    if found.idempotent:
        kind = kind | {"pattern": "^[!-~]+$"}
        yield {"name": "Idempotency-Key", "in": "header", "schema": kind, "description": AGAIN}


def _body(found: Contract, schemas: Schemas) -> Schema:
    kinds = {JSON: found.json, MULTIPART: found.form}
    content = {media: {"schema": schemas.reference(one)} for media, one in kinds.items() if one}
    return {"required": True, "content": content} if content else {}


def _responses(rule: Rule, view: View, found: Contract, schemas: Schemas) -> Schema:
    responses = {str(found.status): _answer(found, schemas)}
    if found.status == 200 and found.answer and "GET" in (rule.methods or ()):
        responses["304"] = {"description": "The client has it: If-None-Match", "headers": TAG}
    usual = _usual_problem(rule, view)
    for status in sorted({*_errors(rule, view, found), *found.errors, *found.problems}):
        models = {usual, found.problems.get(status, usual)}
        responses[str(status)] = _error(status, models, schemas)
    return responses


def _usual_problem(rule: Rule, view: View) -> type[BaseModel]:
    """What the errors of a route are that declares nothing else."""
    if declared(view) is Permission.SEND:
        return CameraError
    return CompreFaceProblem if rule.rule.startswith(COMPREFACE) else Problem


def _answer(found: Contract, schemas: Schemas) -> Schema:
    answer: Schema = {"description": HTTPStatus(found.status).phrase}
    content: Schema = {media: {"schema": {"type": "string"}} for media in found.media}
    if kinds := [schemas.reference(one) for one in (found.answer, found.unread) if one]:
        content[JSON] = {"schema": _any_of(kinds)}
    return answer | ({"content": content} if content else {})


def _errors(rule: Rule, view: View, found: Contract) -> Iterator[int]:
    """The errors that follow from what a route declares."""
    yield from (400, 403, 429, 503)
    if declared(view) not in OPEN:
        yield 401
    if rule.arguments:
        yield 404
    if found.json or found.form:
        yield from (408, 413)
    if found.if_match:
        yield from (409, 412)
    if found.idempotent:
        yield 422


def _error(status: int, models: Collection[type[BaseModel]], schemas: Schemas) -> Schema:
    content: dict[str, list[Schema]] = {}
    for model in sorted(models, key=lambda one: one.__name__):
        media = PROBLEM if issubclass(model, Problem) else JSON
        content.setdefault(media, []).append(schemas.reference(model))
    answer: Schema = {
        "description": HTTPStatus(status).phrase,
        "content": {media: {"schema": _any_of(kinds)} for media, kinds in content.items()},
    }
    return answer | ({"headers": HEADERS[status]} if status in HEADERS else {})


def _any_of(kinds: list[Schema]) -> Schema:
    return kinds[0] if len(kinds) == 1 else {"anyOf": kinds}
