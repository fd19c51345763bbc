"""What cameras saw, in an SQLite file."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from susracker.models import Alert, Camera, CameraDay, Event, Outcome, Sighting
from susracker.runtime.clock import to_microseconds
from susracker.stores.base import Journal
from susracker.stores.journal import EVERY_ALERT, AlertFilter
from susracker.stores.refusals import event_was_handled, no_alert, no_criminal, refuse_recent
from susracker.stores.sealing import Sealer
from susracker.stores.sqlite.database import Database
from susracker.stores.sqlite.improvements import SqliteImprovements
from susracker.stores.sqlite.judgements import SqliteJudgements
from susracker.stores.sqlite.known import known_among, note_people
from susracker.stores.sqlite.last_seen import move_last_seen
from susracker.stores.sqlite.retention import SqliteRetention
from susracker.stores.sqlite.rows import (
    columns,
    insert,
    to_record,
    to_row,
)
from susracker.stores.sqlite.wanted import condition

_SIGHTING, _CAMERA, _DAY, _ALERT = (columns(kind) for kind in (Sighting, Camera, CameraDay, Alert))
_ALERT_WITHOUT_FACE = _ALERT.replace("face", "NULL")
_COOLDOWN_KEY = (
    "kind || char(31) || CASE kind WHEN 'face' THEN criminal_id ELSE activity END"
    " || char(31) || camera_id"
)
"""`Alert.cooldown_key`, exactly as the index `alerts_by_cooldown_key` has it: SQLite would not look
up another expression there."""

NO_BOUND = 2**63 - 1
"""SQLite's largest number."""


class SqliteJournal(SqliteJudgements, SqliteImprovements, SqliteRetention, Journal):
    """See `Journal`."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def record(
        self,
        sightings: Sequence[Sighting],
        alerts: Sequence[Alert],
        event: Event | None = None,
        *,
        cooldown: timedelta = timedelta(),
        moves_last_seen: bool = True,
    ) -> tuple[Alert, ...]:
        with self._db.writing() as connection:
            if event:
                _refuse_repeat(connection, event)
            alerts = _known_only(connection, sightings, alerts)
            refuse_recent(alerts, cooldown, partial(_newest_like, connection))
            for sighting in sightings:
                insert(connection, "sightings", to_row(sighting))
                if moves_last_seen:
                    move_last_seen(connection, sighting)
            sealer = self._db.sealer
            stored = tuple(_insert_alert(connection, alert, sealer) for alert in alerts)
            if event:
                _insert_event(connection, event, stored)
        return stored

    def put_alert(self, alert: Alert) -> None:
        with self._db.writing() as connection:
            _insert_alert(connection, alert, self._db.sealer, alert.seq)

    def event_outcome(self, camera_id: str, event_id: str) -> Outcome | None:
        sql = "SELECT kind, first_seq, last_seq FROM events WHERE camera_id = ? AND event_id = ?"
        for kind, first, last in self._db.rows(sql, camera_id, event_id):
            return Outcome(kind, tuple(self._alerts("seq BETWEEN ? AND ?", first, last)))
        return None

    def forget_events(self, before: datetime) -> None:
        with self._db.writing() as connection:
            connection.execute(
                "DELETE FROM events WHERE received_at < ?", (to_microseconds(before),)
            )

    def alert(self, alert_id: str) -> Alert:
        for alert in self._alerts("id = ?", alert_id):
            return alert
        raise no_alert(alert_id)

    def alerts(
        self,
        after: int = 0,
        limit: int = 100,
        *,
        before: int | None = None,
        newest_first: bool = False,
        wanted: AlertFilter = EVERY_ALERT,
        with_faces: bool = True,
    ) -> list[Alert]:
        which, values = condition(wanted)
        return self._alerts(
            f"seq > ? AND seq < ? AND {which}",
            after,
            NO_BOUND if before is None else before,
            *values,
            chosen=_ALERT if with_faces else _ALERT_WITHOUT_FACE,
            order="seq DESC" if newest_first else "seq",
            limit=max(limit, 0),
        )

    def alerts_since(self, occurred_since: datetime) -> list[Alert]:
        # Asked like this, SQLite finds the few by their time, and does not walk through all by seq.
        recent = "seq IN (SELECT seq FROM alerts WHERE occurred_at >= ?)"
        return self._alerts(recent, to_microseconds(occurred_since), chosen=_ALERT_WITHOUT_FACE)

    def last_seq(self) -> int:
        return self._db.last_number("alerts")

    def sightings(self, criminal_id: str) -> list[Sighting]:
        sql = f"SELECT {_SIGHTING} FROM sightings WHERE criminal_id = ? ORDER BY occurred_at, id"
        return [to_record(Sighting, row) for row in self._db.rows(sql, criminal_id)]

    def count_cameras(self, cameras: Sequence[Camera], days: Sequence[CameraDay] = ()) -> None:
        with self._db.writing() as connection:
            for camera in cameras:
                _count_camera(connection, camera)
            for day in days:
                _count_day(connection, day)

    def cameras(self) -> list[Camera]:
        rows = self._db.rows(f"SELECT {_CAMERA} FROM cameras ORDER BY id")
        return [to_record(Camera, row) for row in rows]

    def camera_days(self) -> list[CameraDay]:
        rows = self._db.rows(f"SELECT {_DAY} FROM camera_days ORDER BY camera_id, day")
        return [to_record(CameraDay, row) for row in rows]

    def _alerts(
        self,
        where: str,
        *values: Any,
        chosen: str = _ALERT,
        order: str = "seq",
        limit: int = -1,
    ) -> list[Alert]:
        # To SQLite, a limit of -1 is none.
        sql = f"SELECT {chosen} FROM alerts WHERE {where} ORDER BY {order} LIMIT ?"
        rows = self._db.rows(sql, *values, limit)
        return [self._db.sealer.open_alert(to_record(Alert, row)) for row in rows]


# -- inside a write ------------------------------------------------------------------------------


def _refuse_repeat(connection: sqlite3.Connection, event: Event) -> None:
    sql = "SELECT * FROM events WHERE camera_id = ? AND event_id = ?"
    if connection.execute(sql, (event.camera_id, event.event_id)).fetchone():
        raise event_was_handled(event)


def _newest_like(connection: sqlite3.Connection, alert: Alert) -> Alert | None:
    """The newest alert with the same cooldown key, without its face."""
    sql = f"SELECT {_ALERT_WITHOUT_FACE} FROM alerts WHERE {_COOLDOWN_KEY} = ?"
    found = connection.execute(f"{sql} ORDER BY seq DESC LIMIT 1", (alert.cooldown_key,)).fetchone()
    return to_record(Alert, found) if found else None


def _known_only(
    connection: sqlite3.Connection, sightings: Sequence[Sighting], alerts: Sequence[Alert]
) -> list[Alert]:
    """The alerts, without candidates who were removed since they were found.

    Raises:
        NotFoundError: someone who was sighted, or whom an alert is about, was removed.
    """
    matched = {sighting.criminal_id for sighting in sightings}
    matched.update(alert.criminal_id for alert in alerts if alert.criminal_id is not None)
    compared = {one.criminal_id for alert in alerts for one in alert.candidates}
    known = known_among(connection, matched | compared)
    for criminal_id in sorted(matched - known):
        raise no_criminal(criminal_id)
    return [
        replace(alert, candidates=tuple(c for c in alert.candidates if c.criminal_id in known))
        for alert in alerts
    ]


def _insert_alert(
    connection: sqlite3.Connection, alert: Alert, sealer: Sealer, seq: int | None = None
) -> Alert:
    """Store an alert, and return it with its `seq`: by default the next."""
    # In the form that the cooldown compares: SQLite's own functions fold ASCII only.
    activity = alert.event_type.casefold() if alert.kind == "activity" else None
    values = to_row(sealer.seal_alert(alert)) | {"seq": seq, "activity": activity}
    added = insert(connection, "alerts", values)
    stored = replace(alert, seq=int(added.lastrowid or 0))
    note_people(connection, stored)
    return stored


def _insert_event(connection: sqlite3.Connection, event: Event, alerts: Sequence[Alert]) -> None:
    seqs = [alert.seq for alert in alerts]
    ends = {"first_seq": min(seqs, default=None), "last_seq": max(seqs, default=None)}
    insert(connection, "events", to_row(event) | ends)


def _count_camera(connection: sqlite3.Connection, camera: Camera) -> None:
    insert(
        connection,
        "cameras",
        to_row(camera),
        "ON CONFLICT (id) DO UPDATE SET detections = detections + excluded.detections,"
        " alerts = alerts + excluded.alerts,"
        " location = iif(excluded.last_heard_at > last_heard_at, excluded.location, location),"
        " last_heard_at = max(last_heard_at, excluded.last_heard_at)",
    )


def _count_day(connection: sqlite3.Connection, day: CameraDay) -> None:
    insert(
        connection,
        "camera_days",
        to_row(day),
        "ON CONFLICT (camera_id, day) DO UPDATE SET detections = detections + excluded.detections,"
        " searches = searches + excluded.searches, alerts = alerts + excluded.alerts",
    )
