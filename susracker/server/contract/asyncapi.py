"""The description of the Socket.IO events and of MQTT, by AsyncAPI 3, from the models of what they
carry."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, RootModel

from susracker.access.roles import ROLES, Permission
from susracker.models import AlertStatus
from susracker.server.contract.alerts import (
    ByType,
    CandidateShown,
    Judgements,
    NewAlert,
    Pictures,
    Shown,
)
from susracker.server.contract.mqtt import mqtt_channels, mqtt_messages, mqtt_operations
from susracker.server.contract.openapi import API_VERSION
from susracker.server.contract.schemas import Schema, Schemas

DESCRIPTION = """Alerts as they are raised, over Socket.IO on `/socket.io`, to every client that is
connected. With `auth: {last_seq: N}` a client is first sent everything that came after `N`; with
`auth: {key: "sus_…"}` it shows its key.

The channels `mqtt_…` are topics of a broker, for sites that name one in their settings."""


class AlertEventBase(Shown):
    """What `alert` has of both kinds."""

    camera_id: str
    camera_location: str
    timestamp: AwareDatetime


class FaceEvent(AlertEventBase, Pictures):
    """Someone on the watch-list was recognised, as panels have always been told."""

    alert_type: Literal[1]
    criminal_id: str | None
    name: str | None
    confidence: str | None


class ActivityEvent(AlertEventBase):
    """An activity, as panels have always been told. Its details are fields, too."""

    model_config = ConfigDict(extra="allow")

    alert_type: Literal[2]
    event_type: str


class AlertEvent(RootModel[Annotated[FaceEvent | ActivityEvent, ByType]]):
    """An alert with the fields that panels have always been sent."""


class AlertUpdated(Judgements):
    """Someone reviewed an alert or recorded an outcome: all that was said. Or later faces of its
    passage were better evidence: then that is here, too."""

    id: str
    seq: int
    status: AlertStatus
    confidence: str | None = None
    """This and what follows is sent with better evidence only."""
    distance: float | None = None
    score: float | None = None
    fpir: float | None = None
    candidates: list[CandidateShown] | None = None
    detected_face: str | None = None
    """JPEG in base64; null once it was forgotten."""


EVENTS: Mapping[str, type[BaseModel]] = {
    "alert": AlertEvent,
    "new_alert": NewAlert,
    "alert_updated": AlertUpdated,
}
"""What the server sends, by the name of the event."""


def asyncapi() -> Schema:
    """The description of everything that is sent to operators."""
    schemas = Schemas()
    messages = {name: _message(name, model, schemas) for name, model in EVENTS.items()}
    channel = {"$ref": "#/channels/live"}
    return {
        "asyncapi": "3.0.0",
        "info": {"title": "susracker", "version": API_VERSION, "description": DESCRIPTION},
        "defaultContentType": "application/json",
        "channels": {
            "live": {
                "address": "/socket.io",
                "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in messages},
                "x-roles": [role for role, may in ROLES.items() if Permission.VIEW in may],
            }
        }
        | mqtt_channels(),
        "operations": {
            f"send_{name}": {
                "action": "send",
                "channel": channel,
                "messages": [{"$ref": f"#/channels/live/messages/{name}"}],
            }
            for name in messages
        }
        | mqtt_operations(),
        "components": {
            "messages": messages | mqtt_messages(schemas),
            "schemas": schemas.components,
        },
    }


def _message(name: str, model: type[BaseModel], schemas: Schemas) -> Schema:
    return {
        "name": name,
        "summary": " ".join((model.__doc__ or "").split()),
        "payload": schemas.reference(model),
    }
