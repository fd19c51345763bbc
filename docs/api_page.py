"""The text of docs/api.md: every route, parameter, field, error, event and topic, from the API's
descriptions."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import closing
from http import HTTPStatus
from typing import Any

import susracker
from susracker.server.app import create_app
from susracker.server.contract.asyncapi import EVENTS, asyncapi
from susracker.server.contract.mqtt import TOPICS
from susracker.server.contract.openapi import openapi

INTRODUCTION = """# API reference

`make docs` makes this page from the same declarations as `GET /openapi.json` and
`GET /asyncapi.json`, and a test checks that it did. [HTTP and Socket.IO](http.md) explains what the
routes are for.

A field with `?` may be left out; `or null` is a value of its own. Errors have the fields of
`Problem`, or, where cameras post, of `CameraError`.
"""

Schema = dict[str, Any]


def api_page() -> str:
    """The text of docs/api.md."""
    document, sent = description(), asyncapi()
    parts = [INTRODUCTION, "## Routes\n"]
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            parts.append("\n".join(_route(f"{method.upper()} {path}", operation)) + "\n")
    parts += ["\n".join(_events(sent)), "\n".join(_topics(sent)), "## Objects\n"]
    schemas = document["components"]["schemas"] | sent["components"]["schemas"]
    parts += ["\n".join(_object(name, one)) + "\n" for name, one in sorted(schemas.items())]
    return "\n".join(parts)


def description() -> Schema:
    """The description of the API, from an application without a site."""
    with tempfile.TemporaryDirectory() as folder:
        tracker = susracker.open_tracker(store=f"sqlite:///{folder}/site.db")
        with closing(tracker):
            return openapi(create_app(tracker))


def _events(document: Schema) -> Iterator[str]:
    yield "## Socket.IO events\n\n| event | carries | |\n|---|---|---|"
    for name in EVENTS:
        message = document["components"]["messages"][name]
        yield f"| `{name}` | {_type(message['payload'])} | {message['summary']} |"
    yield ""


def _topics(document: Schema) -> Iterator[str]:
    yield "## Topics of MQTT\n"
    yield "The broker keeps the last message of those that are retained.\n"
    yield "| topic | carries | | |\n|---|---|---|---|"
    for name, topic in TOPICS.items():
        message = document["components"]["messages"][f"mqtt_{name}"]
        kept = "retained" if topic.retained else ""
        carries = f"{_type(message['payload'])} as `{topic.media}`"
        yield f"| `{topic.address}` | {carries} | {kept} | {message['summary']} |"
    yield ""


def _route(name: str, operation: Schema) -> Iterator[str]:
    yield f"### {name}\n"
    yield operation["summary"] + f" For {', '.join(operation.get('x-roles', ['everyone']))}.\n"
    if "description" in operation:
        yield operation["description"] + "\n"
    if operation["parameters"]:
        yield "| parameter | in | |\n|---|---|---|"
        for one in operation["parameters"]:
            yield f"| `{one['name']}` | {one['in']} | {_type(one['schema'])} |"
        yield ""
    for media, one in operation.get("requestBody", {}).get("content", {}).items():
        yield f"Takes {_type(one['schema'])} as `{media}`.\n"
    groups: dict[str, list[str]] = {}
    for status, answer in operation["responses"].items():
        groups.setdefault(_content(answer), []).append(f"{status} {HTTPStatus(int(status)).phrase}")
    for content, statuses in groups.items():
        yield f"- {', '.join(statuses)}{content}"


def _content(answer: Schema) -> str:
    content = answer.get("content", {})
    kinds = [f"{_type(one['schema'])} as `{media}`" for media, one in content.items()]
    return f": {', or '.join(kinds)}" if kinds else ""


def _object(name: str, schema: Schema) -> Iterator[str]:
    yield f"### {name}\n"
    yield " ".join(schema.get("description", "").split()) + "\n"
    if "properties" not in schema:
        yield f"Is {_type(schema)}.\n"
        return
    yield "| field | | |\n|---|---|---|"
    for field, one in schema["properties"].items():
        mark = "" if field in schema.get("required", []) else "?"
        text = " ".join(one.get("description", "").split())
        yield f"| `{field}`{mark} | {_type(one)} | {text} |"
    if schema.get("additionalProperties") is True:
        yield "\nOther fields may follow."


def _type(schema: Schema) -> str:
    """What a value is, in a few words."""
    for kind in ("anyOf", "oneOf"):
        if kind in schema:
            return " or ".join(_type(one) for one in schema[kind])
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    if "const" in schema or "enum" in schema:
        return ", ".join(f"`{one}`" for one in schema.get("enum", [schema.get("const")]))
    if schema.get("type") == "array":
        inner = schema.get("items") or {"anyOf": schema.get("prefixItems", [{}])[:1]}
        return f"list of {_type(inner)}"
    kind = schema.get("format") or schema.get("contentEncoding") or schema.get("type", "anything")
    return f"{kind}{_limits(schema)}"


def _limits(schema: Schema) -> str:
    names = {"minimum": "from", "maximum": "to", "maxLength": "up to", "default": "default"}
    told = [f"{word} {schema[name]}" for name, word in names.items() if name in schema]
    return f", {', '.join(told)}" if told else ""
