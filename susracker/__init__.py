"""susracker: the central server of a camera network.

    import susracker

    with susracker.open_tracker(store="sqlite:///people.db") as tracker:
        outcome = tracker.handle(detection)
        for alert in outcome.alerts:
            print(alert.name, alert.camera_id)

Importing this package loads no model and opens no connection: a name is imported when it is used.
"""

from __future__ import annotations

import os
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from susracker.enrolment.enroller import Enroller
    from susracker.errors import SusrackerError
    from susracker.models import (
        Alert,
        Camera,
        Candidate,
        Criminal,
        Detection,
        Outcome,
        Photo,
        Quality,
        Sighting,
        Template,
    )
    from susracker.plugins import (
        open_cooldown,
        open_detector,
        open_encoder,
        open_matcher,
        open_store,
    )
    from susracker.tracking.tracker import Tracker, open_tracker

# ONNX Runtime (seen with 1.32) reports its use to Microsoft, unless this is set before its import.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

_HOMES = {
    "Enroller": "enrolment.enroller",
    "SusrackerError": "errors",
    "open_cooldown": "plugins",
    "open_detector": "plugins",
    "open_encoder": "plugins",
    "open_matcher": "plugins",
    "open_store": "plugins",
    "Tracker": "tracking.tracker",
    "open_tracker": "tracking.tracker",
} | dict.fromkeys(
    (
        "Alert",
        "Camera",
        "Candidate",
        "Criminal",
        "Detection",
        "Outcome",
        "Photo",
        "Quality",
        "Sighting",
        "Template",
    ),
    "models",
)

__all__ = [
    "Alert",
    "Camera",
    "Candidate",
    "Criminal",
    "Detection",
    "Enroller",
    "Outcome",
    "Photo",
    "Quality",
    "Sighting",
    "SusrackerError",
    "Template",
    "Tracker",
    "open_cooldown",
    "open_detector",
    "open_encoder",
    "open_matcher",
    "open_store",
    "open_tracker",
]


def __getattr__(name: str) -> object:
    if name == "__version__":
        from importlib.metadata import version  # 30 ms, which few need

        return version("susracker")
    if name not in _HOMES:
        raise AttributeError(f"module 'susracker' has no attribute {name!r}")
    return getattr(import_module(f"susracker.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return __all__
