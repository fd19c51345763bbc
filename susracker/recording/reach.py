"""What an erasure does not reach: copies elsewhere, and a recording of detections."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from susracker.config import Settings
from susracker.recording.reader import pictures_near
from susracker.retention.erasure import Traces

TOLERANCE = 2.0
"""Seconds: a recording's time of arrival is that of the sighting, but for what queued between."""


def out_of_reach(settings: Settings) -> Iterator[str]:
    """What someone who erased a person has to look after, a sentence each."""
    yield (
        "backups and copies made before now hold the person until you delete them; after a restore,"
        " erase the person again by the same ID"
    )
    yield "files of `susracker alerts export` hold the name for as long as you keep them"
    if settings.store.startswith("mongodb"):
        yield "MongoDB's journal and oplog hold what was removed until they are overwritten"
    yield "spools of cameras hold faces that wait to be sent: they are deleted once sent"
    yield "disks, snapshots and caches of the operating system may keep blocks of deleted files"


def recorded(settings: Settings, traces: Traces) -> tuple[str, list[Path]]:
    """What a recording may show of a person who was erased, and the pictures of that time."""
    pictures = pictures_near(Path(settings.record), traces.seen_at, TOLERANCE)
    if not pictures:
        return f"the recording in {settings.record} has no detection of the time of a sighting", []
    days = f"{settings.record_days:g} days"
    return f"the recording in {settings.record} may show the person, for up to {days}", pictures
