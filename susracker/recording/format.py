"""A recording on disk: a folder of segments, each a file of lines beside its pictures.

night/
  recording.json            {"format": "susracker recording", "version": 1}
  00000001/                 a segment; the oldest are removed first
    detections.jsonl        one detection a line
    0000001.jpg             the picture of the first line
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from susracker.errors import RecordingError
from susracker.models import Detection, Vectors
from susracker.runtime.files import write_whole

NAME, VERSION = "susracker recording", 1
HEADER_FILE, LINES_FILE = "recording.json", "detections.jsonl"

DAMAGE = (ValueError, KeyError, TypeError, OverflowError, RecursionError)
"""What is raised by JSON that is damaged, or says something else than is expected."""


@dataclass(frozen=True, slots=True, eq=False)
class Embeddings:
    """What an anonymised recording keeps instead of a picture.

    Attributes:
        encoder_id: the encoder that made them.
        vectors: of each face, unit length, shape (n, dimension).
    """

    encoder_id: str
    vectors: Vectors


@dataclass(frozen=True, slots=True, eq=False)
class Recorded:
    """A detection, and when the server received it."""

    detection: Detection
    received_at: datetime
    embeddings: Embeddings | None = None


def write_header(folder: Path) -> None:
    """Mark a folder as a recording."""
    header = {"format": NAME, "version": VERSION}
    write_whole(folder / HEADER_FILE, (json.dumps(header) + "\n").encode())


def check_header(folder: Path) -> None:
    """Raise a `RecordingError` unless a folder is a recording of this version."""
    try:
        header = json.loads((folder / HEADER_FILE).read_text(encoding="utf-8"))
        name, version = header["format"], int(header["version"])
    except (OSError, *DAMAGE) as error:
        raise RecordingError(f"{folder} is not a susracker recording") from error
    if name != NAME:
        raise RecordingError(f"{folder} is not a susracker recording")
    if version > VERSION:
        raise RecordingError(
            f"{folder} is a recording of version {version}; this susracker reads up to {VERSION}: "
            "upgrade it"
        )


def is_recording(folder: Path) -> bool:
    """Whether a folder is marked as a recording."""
    return (folder / HEADER_FILE).is_file()


def is_empty(folder: Path) -> bool:
    """Whether nothing is in a folder but headers that a crash left half-written."""
    return all(one.match(f"{HEADER_FILE}.*.new") for one in folder.iterdir())


def to_line(recorded: Recorded, picture_name: str | None) -> str:
    """A line of a segment, without its newline."""
    detection = recorded.detection
    fields: dict[str, Any] = {
        "received_at": recorded.received_at.isoformat(),
        "camera_id": detection.camera_id,
        "camera_location": detection.camera_location,
        "event_type": detection.event_type,
        "occurred_at": detection.occurred_at.isoformat(),
    }
    if detection.event_id is not None:
        fields["event_id"] = detection.event_id
    if detection.details is not None:
        fields["details"] = detection.details
    if detection.track_id is not None:
        fields["track_id"] = detection.track_id
    if picture_name is not None and detection.picture is not None:
        fields |= {"picture": picture_name, "bytes": len(detection.picture)}
    if recorded.embeddings is not None:
        vectors = np.ascontiguousarray(recorded.embeddings.vectors, "<f4")
        fields["encoder"] = recorded.embeddings.encoder_id
        fields["embeddings"] = [base64.b64encode(one.tobytes()).decode() for one in vectors]
    return json.dumps(fields, ensure_ascii=False)


def from_line(line: str, segment: Path) -> Recorded:
    """The detection of a line, with its picture.

    Raises:
        RecordingError: the line or its picture is damaged or missing.
    """
    try:
        fields = json.loads(line)
        detection = Detection(
            camera_id=_text(fields["camera_id"]),
            camera_location=_text(fields["camera_location"]),
            event_type=_text(fields["event_type"]),
            occurred_at=_moment(fields["occurred_at"]),
            event_id=_text(fields["event_id"]) if "event_id" in fields else None,
            details=dict(fields["details"]) if "details" in fields else None,
            track_id=_text(fields["track_id"]) if "track_id" in fields else None,
        )
        received = _moment(fields["received_at"])
        embeddings = _embeddings(fields)
    except DAMAGE as error:
        raise RecordingError(f"a line is damaged: {error}") from error
    if "picture" in fields:
        picture = _picture(segment / Path(str(fields["picture"])).name, fields.get("bytes"))
        detection = replace(detection, picture=picture)
    return Recorded(detection, received, embeddings)


def received_at(line: str) -> datetime:
    """When the detection of a line was received.

    Raises:
        RecordingError: the line is damaged.
    """
    return arrival(line)[0]


def arrival(line: str) -> tuple[datetime, str | None]:
    """When the detection of a line was received, and the name of its picture's file, if any.

    Raises:
        RecordingError: the line is damaged.
    """
    try:
        fields = json.loads(line)
        received = _moment(fields["received_at"])
        picture = fields.get("picture")
    except DAMAGE as error:
        raise RecordingError(f"a line is damaged: {error}") from error
    return received, None if picture is None else Path(str(picture)).name


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is not a text")
    return value


def _moment(value: object) -> datetime:
    moment = datetime.fromisoformat(_text(value))
    if moment.tzinfo is None:
        raise ValueError(f"{value!r} has no time zone")
    return moment


def _embeddings(fields: dict[str, Any]) -> Embeddings | None:
    if "embeddings" not in fields:
        return None
    rows = [np.frombuffer(base64.b64decode(one), "<f4") for one in fields["embeddings"]]
    vectors = np.stack(rows) if rows else np.empty((0, 0), np.float32)
    return Embeddings(str(fields["encoder"]), vectors.astype(np.float32))


def _picture(file: Path, size: object) -> bytes:
    try:
        content = file.read_bytes()
    except (OSError, ValueError) as error:  # ValueError: no file can have that name
        reason = error.strerror if isinstance(error, OSError) else "that is no name of a file"
        raise RecordingError(f"the picture {file.name!r} is missing: {reason}") from error
    if len(content) != size:
        raise RecordingError(f"the picture {file.name} is cut off")
    return content
