"""Errors as JSON, by RFC 9457; what cameras post is answered as it always was."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import Any

JSON, PROBLEM = "application/json", "application/problem+json"

CAMERA_PATHS = frozenset({"/face_upload", "/activity_alert", "/api/detections"})
"""Where cameras post: some compare the whole answer, and some its Content-Type."""

COMPREFACE = "/api/v1/recognition"
"""What the paths of programs for CompreFace begin with; these look for `message`."""


def problem(status: int, message: str, /, **more: object) -> dict[str, Any]:
    """An error, with more members; clients from before RFC 9457 look for `error`."""
    return more | {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": message,
        "error": message,
    }


def refusal(path: str, status: int, message: str, /, **more: object) -> tuple[bytes, str]:
    """The body of an error that is answered on a path, and its Content-Type.

    Args:
        more: further members of the body, where it is a problem of RFC 9457.
    """
    if path in CAMERA_PATHS:
        return json.dumps({"error": message}).encode(), JSON
    if path.startswith(COMPREFACE):
        more["message"] = message
    return json.dumps(problem(status, message, **more)).encode(), PROBLEM
