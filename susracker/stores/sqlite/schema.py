"""The tables of an SQLite store: how a file is recognised as one and brought up to date."""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path

from susracker.errors import StoreFormatError

APPLICATION_ID = 0x53555354
"""Marks a file as a susracker store, where `file(1)` looks for it: "SUST"."""

MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        # Times are whole microseconds since 1970 in UTC: they compare and come back exactly.
        """CREATE TABLE criminals (
            id TEXT PRIMARY KEY, name TEXT NOT NULL, age INTEGER, crimes TEXT NOT NULL,
            threat TEXT NOT NULL, status TEXT NOT NULL, case_reference TEXT, expires_at INTEGER,
            last_seen_at INTEGER, last_seen_camera TEXT, last_seen_location TEXT,
            created_at INTEGER NOT NULL
        ) WITHOUT ROWID""",
        "CREATE INDEX criminals_by_name ON criminals (name)",
        # Outlives the criminal: others have to hear of a removal, too.
        """CREATE TABLE revisions (
            criminal_id TEXT PRIMARY KEY, revision INTEGER NOT NULL UNIQUE
        ) WITHOUT ROWID""",
        """CREATE TABLE photos (
            number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE,
            criminal_id TEXT NOT NULL REFERENCES criminals ON DELETE CASCADE,
            digest TEXT NOT NULL UNIQUE, media_type TEXT NOT NULL
        )""",
        "CREATE INDEX photos_by_criminal ON photos (criminal_id)",
        """CREATE TABLE photo_contents (
            number INTEGER PRIMARY KEY REFERENCES photos ON DELETE CASCADE, content BLOB NOT NULL
        )""",
        # Clustered by criminal: all templates are read in one pass, without a sort.
        """CREATE TABLE templates (
            criminal_id TEXT NOT NULL REFERENCES criminals ON DELETE CASCADE,
            encoder_id TEXT NOT NULL, photo_id TEXT NOT NULL,
            eye_distance REAL NOT NULL, sharpness REAL NOT NULL, brightness REAL NOT NULL,
            detector_score REAL NOT NULL, vector BLOB NOT NULL,
            PRIMARY KEY (criminal_id, encoder_id, photo_id)
        ) WITHOUT ROWID""",
        # Counts templates without reading their vectors.
        "CREATE INDEX templates_by_encoder ON templates (encoder_id, criminal_id)",
        """CREATE TABLE sightings (
            criminal_id TEXT NOT NULL REFERENCES criminals ON DELETE CASCADE,
            occurred_at INTEGER NOT NULL, id TEXT NOT NULL, camera_id TEXT NOT NULL,
            camera_location TEXT NOT NULL, received_at INTEGER NOT NULL, distance REAL NOT NULL,
            score REAL NOT NULL, suppressed INTEGER NOT NULL,
            PRIMARY KEY (criminal_id, occurred_at, id)
        ) WITHOUT ROWID""",
        # The face is the last column: pages that hold only a face are not read without it.
        """CREATE TABLE alerts (
            seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, kind TEXT NOT NULL,
            event_type TEXT NOT NULL, camera_id TEXT NOT NULL, camera_location TEXT NOT NULL,
            occurred_at INTEGER NOT NULL, received_at INTEGER NOT NULL, criminal_id TEXT,
            name TEXT, distance REAL, score REAL, candidates TEXT NOT NULL, photo_id TEXT,
            status TEXT NOT NULL, face BLOB
        )""",
        "CREATE INDEX alerts_by_time ON alerts (occurred_at)",
        # Who is named in which alert, as match or as candidate: what a removal has to rewrite.
        """CREATE TABLE alert_people (
            criminal_id TEXT NOT NULL, seq INTEGER NOT NULL, PRIMARY KEY (criminal_id, seq)
        ) WITHOUT ROWID""",
        # The alerts of an event were stored at once: they are a range of `seq`.
        """CREATE TABLE events (
            camera_id TEXT NOT NULL, event_id TEXT NOT NULL, kind TEXT NOT NULL,
            received_at INTEGER NOT NULL, first_seq INTEGER, last_seq INTEGER,
            PRIMARY KEY (camera_id, event_id)
        ) WITHOUT ROWID""",
        "CREATE INDEX events_by_time ON events (received_at)",
        """CREATE TABLE cameras (
            id TEXT PRIMARY KEY, location TEXT NOT NULL, last_heard_at INTEGER NOT NULL,
            detections INTEGER NOT NULL, alerts INTEGER NOT NULL
        ) WITHOUT ROWID""",
    ),
    (
        """CREATE TABLE keys (
            id TEXT PRIMARY KEY, name TEXT NOT NULL, role TEXT NOT NULL, cameras TEXT NOT NULL,
            digest TEXT NOT NULL, created_at INTEGER NOT NULL, expires_at INTEGER,
            revoked_at INTEGER, last_used_at INTEGER
        ) WITHOUT ROWID""",
        # The name of a revoked key may be used again.
        "CREATE UNIQUE INDEX keys_by_name ON keys (name) WHERE revoked_at IS NULL",
        "CREATE TABLE secrets (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID",
        """CREATE TABLE audit (
            seq INTEGER PRIMARY KEY, at INTEGER NOT NULL, actor TEXT NOT NULL, role TEXT NOT NULL,
            address TEXT NOT NULL, action TEXT NOT NULL, subject TEXT NOT NULL,
            reason TEXT NOT NULL, detail TEXT NOT NULL, previous TEXT NOT NULL,
            digest TEXT NOT NULL
        )""",
        """CREATE TABLE audit_head (
            only INTEGER PRIMARY KEY CHECK (only = 1), first INTEGER NOT NULL,
            anchor TEXT NOT NULL, seq INTEGER NOT NULL, digest TEXT NOT NULL, at INTEGER NOT NULL,
            key_id TEXT NOT NULL, signature TEXT NOT NULL
        )""",
        """CREATE TABLE judgements (
            seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, alert_id TEXT NOT NULL,
            kind TEXT NOT NULL, verdict TEXT NOT NULL, reason TEXT NOT NULL, note TEXT NOT NULL,
            made_by TEXT NOT NULL, made_at INTEGER NOT NULL
        )""",
        "CREATE INDEX judgements_by_alert ON judgements (alert_id)",
        "CREATE INDEX judgements_by_time ON judgements (made_at)",
        """CREATE TABLE holds (
            alert_id TEXT PRIMARY KEY, reason TEXT NOT NULL, made_by TEXT NOT NULL,
            made_at INTEGER NOT NULL
        ) WITHOUT ROWID""",
        "CREATE INDEX alerts_by_status ON alerts (status, seq)",
        # How often something was forgotten: whoever keeps alerts in memory follows it.
        "CREATE TABLE forgotten (times INTEGER NOT NULL)",
        "INSERT INTO forgotten VALUES (0)",
        # Empty for a file that was never encrypted; see `susracker.stores.seals.Seals`.
        """CREATE TABLE seals (
            only INTEGER PRIMARY KEY CHECK (only = 1), present BLOB NOT NULL, before BLOB
        )""",
        # Days are counted since 1970 in UTC.
        """CREATE TABLE camera_days (
            camera_id TEXT NOT NULL, day INTEGER NOT NULL, detections INTEGER NOT NULL,
            searches INTEGER NOT NULL, alerts INTEGER NOT NULL, PRIMARY KEY (camera_id, day)
        ) WITHOUT ROWID""",
        # What is kept for a limited time is found by its time.
        "CREATE INDEX alerts_by_arrival ON alerts (received_at)",
        "CREATE INDEX faces_by_arrival ON alerts (received_at) WHERE face IS NOT NULL",
        "CREATE INDEX sightings_by_arrival ON sightings (received_at)",
        "CREATE INDEX audit_by_time ON audit (at)",
    ),
    (
        # For an hour, checkouts made files whose second step lacked some of the above.
        "CREATE INDEX IF NOT EXISTS alerts_by_status ON alerts (status, seq)",
        "CREATE TABLE IF NOT EXISTS forgotten (times INTEGER NOT NULL)",
        "INSERT INTO forgotten SELECT 0 WHERE NOT EXISTS (SELECT * FROM forgotten)",
        """CREATE TABLE IF NOT EXISTS seals (
            only INTEGER PRIMARY KEY CHECK (only = 1), present BLOB NOT NULL, before BLOB
        )""",
        """CREATE INDEX IF NOT EXISTS faces_by_arrival ON alerts (received_at)
            WHERE face IS NOT NULL""",
        "ALTER TABLE camera_days RENAME TO days_before",
        """CREATE TABLE camera_days (
            camera_id TEXT NOT NULL, day INTEGER NOT NULL, detections INTEGER NOT NULL,
            searches INTEGER NOT NULL, alerts INTEGER NOT NULL, PRIMARY KEY (camera_id, day)
        ) WITHOUT ROWID""",
        # `searches` is that of `own` where it has that column, and else that of `none`.
        """INSERT INTO camera_days SELECT camera_id, day, detections,
            (SELECT searches FROM days_before AS own
                WHERE own.camera_id = days.camera_id AND own.day = days.day),
            alerts FROM days_before AS days, (SELECT 0 AS searches) AS none""",
        "DROP TABLE days_before",
    ),
    (
        # `Alert.cooldown_key`; finds the newest alert that may hold another one back.
        """CREATE INDEX alerts_by_cooldown_key ON alerts (
            kind || char(31) || CASE kind WHEN 'face' THEN criminal_id ELSE event_type END
            || char(31) || camera_id
        )""",
    ),
    (
        # What alerts are looked up by; see `susracker.stores.sqlite.wanted`.
        "CREATE INDEX alerts_by_camera ON alerts (camera_id, seq)",
        "CREATE INDEX alerts_by_person ON alerts (criminal_id, seq)",
        "CREATE INDEX alerts_by_kind ON alerts (kind, seq)",
    ),
    (
        # NULL for a face: what is NULL is read without the face before it.
        "ALTER TABLE alerts ADD COLUMN details TEXT",
        "ALTER TABLE alerts ADD COLUMN activity TEXT",
        "UPDATE alerts SET activity = casefold(event_type) WHERE kind = 'activity'",
        "DROP INDEX IF EXISTS alerts_by_cooldown_key",
        """CREATE INDEX alerts_by_cooldown_key ON alerts (
            kind || char(31) || CASE kind WHEN 'face' THEN criminal_id ELSE activity END
            || char(31) || camera_id
        )""",
    ),
    (
        """CREATE TABLE plan (
            only INTEGER PRIMARY KEY CHECK (only = 1), digest TEXT NOT NULL,
            media_type TEXT NOT NULL, content BLOB NOT NULL
        )""",
        """CREATE TABLE places (
            camera_id TEXT PRIMARY KEY, x REAL NOT NULL, y REAL NOT NULL
        ) WITHOUT ROWID""",
    ),
    (
        """CREATE TABLE channels (
            name TEXT PRIMARY KEY, cursor INTEGER NOT NULL, revision INTEGER NOT NULL,
            holder TEXT NOT NULL, paused TEXT NOT NULL, problem TEXT NOT NULL,
            failures INTEGER NOT NULL, faults INTEGER NOT NULL, retry_at INTEGER,
            window_at INTEGER, in_window INTEGER NOT NULL, gathering_to INTEGER NOT NULL
        ) WITHOUT ROWID""",
        """CREATE TABLE dead_letters (
            channel TEXT NOT NULL, seq INTEGER NOT NULL, last_seq INTEGER NOT NULL,
            reason TEXT NOT NULL, failed_at INTEGER NOT NULL, again INTEGER NOT NULL,
            PRIMARY KEY (channel, seq)
        ) WITHOUT ROWID""",
    ),
    ("CREATE TABLE improvements (number INTEGER PRIMARY KEY, alert_id TEXT NOT NULL)",),
    (
        # The name as it is sorted and searched, upper and lower case alike: pages need an index.
        "ALTER TABLE criminals ADD COLUMN sort_name TEXT NOT NULL DEFAULT ''",
        "UPDATE criminals SET sort_name = casefold(name)",
        "CREATE INDEX criminals_by_sort_name ON criminals (sort_name)",
    ),
)
"""Statements that lead from one schema to the next; `user_version` says how many steps a file has
been through. Files of every step are in use: add a step, never change one."""

PAGE_SIZE = 16_384
"""Bytes. Some twenty templates fit into a page of this size, five into SQLite's usual one, which
makes reading all of them a third slower."""

RETRY_PAUSE = 0.02


def prepare_file(connection: sqlite3.Connection, path: Path, patience: float) -> None:
    """Make a file a store of the present schema, whoever else does so at the same time.

    Args:
        connection: to the file, which may be empty; it knows the function `casefold`.
        path: what to call the file where it is wrong.
        patience: seconds to wait for another process that holds the file.

    Raises:
        StoreFormatError: it is something else, or of a newer schema; it is left as it is.
        sqlite3.Error: it cannot be read or written.
    """
    _check(connection, path)
    connection.execute(f"PRAGMA page_size = {PAGE_SIZE}")
    _switch_to_wal(connection, patience)
    connection.execute("BEGIN IMMEDIATE")
    try:
        version = _check(connection, path)
        for statements in MIGRATIONS[version:]:
            for statement in statements:
                connection.execute(statement)
        # Written even where nothing changes: a file that is read-only fails here, not later.
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")
        if version < len(MIGRATIONS):
            connection.execute("COMMIT")
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")


def _check(connection: sqlite3.Connection, path: Path) -> int:
    """How many steps the file has been through."""
    # One statement, and so one state of the file, while another process may be creating it.
    application_id, version, tables = connection.execute(
        "SELECT application_id, user_version, (SELECT count(*) FROM sqlite_master)"
        " FROM pragma_application_id, pragma_user_version"
    ).fetchone()
    if application_id == 0 and version == 0 and tables == 0:
        return 0
    if application_id != APPLICATION_ID:
        raise StoreFormatError(f"{path} is another program's database: name another file")
    if version > len(MIGRATIONS):
        raise StoreFormatError(f"{path} was written by a newer susracker: install the newest")
    return int(version)


def _switch_to_wal(connection: sqlite3.Connection, patience: float) -> None:
    """Turn the write-ahead log on. SQLite does not wait for others here as it does elsewhere."""
    deadline = time.monotonic() + patience
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > deadline:
                raise
            time.sleep(RETRY_PAUSE)
