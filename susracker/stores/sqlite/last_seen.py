"""Where people were last seen, in an SQLite file."""

from __future__ import annotations

import sqlite3

from susracker.models import Alert, Sighting
from susracker.stores.sqlite.rows import to_row


def move_last_seen(connection: sqlite3.Connection, seen: Sighting | Alert) -> None:
    """Move `last_seen_*` of the person forward; it never moves back."""
    connection.execute(
        "UPDATE criminals SET last_seen_at = :occurred_at, last_seen_camera = :camera_id,"
        " last_seen_location = :camera_location WHERE id = :criminal_id"
        " AND (last_seen_at IS NULL OR last_seen_at < :occurred_at)",
        to_row(seen),
    )
