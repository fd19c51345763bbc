"""What cameras saw, in MongoDB."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import islice
from math import inf

from pymongo import errors

from susracker.errors import DuplicateError, RecentAlertError, StoreUnavailableError
from susracker.models import Alert, Camera, CameraDay, Event, Outcome, Sighting
from susracker.runtime.clock import to_microseconds
from susracker.stores.base import Journal
from susracker.stores.journal import EVERY_ALERT, AlertFilter
from susracker.stores.mongo.database import LAST_ALERT, Database, NextNumber, again_while_taken
from susracker.stores.mongo.documents import (
    DAY_COUNTS,
    OWN,
    Document,
    camera_day_key,
    event_key,
    key_is,
    outcome_document,
    to_alert,
    to_camera,
    to_camera_day,
    to_document,
    to_sighting,
    unique_key,
)
from susracker.stores.mongo.forgetting import forget_in_outcome, known_among, take_back
from susracker.stores.mongo.improvements import MongoImprovements
from susracker.stores.mongo.judgements import with_statuses
from susracker.stores.mongo.retention import MongoRetention
from susracker.stores.mongo.wanted import outcomes_between, outcomes_wanted
from susracker.stores.refusals import event_was_handled, no_alert, no_criminal, refuse_recent

WITHOUT_FACES = {"alerts.face": 0}

TAKEN_BACK = "taken_back"
"""Set, in memory only, of an outcome that was taken back: id of the person who was removed."""

MOVES_LAST_SEEN = "moves_last_seen"
"""Set, in memory only, of each outcome: whether it moves `last_seen_*` of who was sighted."""

log = logging.getLogger(__name__)


class MongoJournal(MongoImprovements, MongoRetention, Journal):
    """See `Journal`."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self._seq = NextNumber()
        self._unsettled: list[Document] = []
        with database.errors_mapped():
            self._finish_forgetting()
        self._settle_judgements()

    def record(
        self,
        sightings: Sequence[Sighting],
        alerts: Sequence[Alert],
        event: Event | None = None,
        *,
        cooldown: timedelta = timedelta(),
        moves_last_seen: bool = True,
    ) -> tuple[Alert, ...]:
        with self._db.turn:
            with self._db.errors_mapped():
                outcome = self._insert_outcome(sightings, alerts, event, cooldown)
            outcome[MOVES_LAST_SEEN] = moves_last_seen
            self._unsettled.append(outcome)
            self._settle()
            if outcome.get(TAKEN_BACK):
                raise no_criminal(outcome[TAKEN_BACK])
            return self._to_alerts(outcome)

    def put_alert(self, alert: Alert) -> None:
        with self._db.turn, self._db.errors_mapped():
            try:
                self._db.guard.check()
                stored = outcome_document(unique_key(), [alert], [], None, self._db.sealer)
                self._db.outcomes.insert_one(stored)
            except errors.DuplicateKeyError as error:
                raise DuplicateError(
                    f"there is already an alert with the seq {alert.seq}"
                ) from error

    def event_outcome(self, camera_id: str, event_id: str) -> Outcome | None:
        statuses = self._unsettled_statuses()
        for found in self._db.read(self._db.outcomes, {"event": event_key(camera_id, event_id)}):
            return Outcome(found["kind"], tuple(with_statuses(self._to_alerts(found), statuses)))
        return None

    def forget_events(self, before: datetime) -> None:
        old = {"is_event": True, "received_at": {"$lt": to_microseconds(before)}}
        with self._db.turn, self._db.errors_mapped():
            # Of most events nothing is left but their ids.
            self._db.outcomes.delete_many(old | {"alerts": [], "sightings": []})
            for found in self._db.read(self._db.outcomes, old, {"_id": 1}):
                forgotten = {"$set": {"event": unique_key(), "is_event": False}}
                self._db.outcomes.update_one({"_id": found["_id"]}, forgotten)

    def alert(self, alert_id: str) -> Alert:
        statuses = self._unsettled_statuses()
        for found in self._db.read(self._db.outcomes, {"alerts.id": alert_id}):
            alerts = with_statuses(self._to_alerts(found), statuses)
            return next(one for one in alerts if one.id == alert_id)
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
        if limit <= 0:
            return []
        statuses = self._unsettled_statuses()
        what = outcomes_between(after, before) | outcomes_wanted(wanted, statuses)
        direction = -1 if newest_first else 1
        with (
            self._db.errors_mapped(),
            self._db.outcomes.find(what, None if with_faces else WITHOUT_FACES) as found,
        ):
            pages = found.sort("first_seq", direction).batch_size(limit)
            alerts = (
                one
                for page in pages
                for one in with_statuses(self._to_alerts(page), statuses)[::direction]
            )
            upper = inf if before is None else before
            chosen = (one for one in alerts if after < one.seq < upper and wanted.matches(one))
            return list(islice(chosen, limit))

    def alerts_since(self, occurred_since: datetime) -> list[Alert]:
        recent = {"newest_alert_at": {"$gte": to_microseconds(occurred_since)}}
        statuses = self._unsettled_statuses()
        found = self._alerts_of(self._db.read(self._db.outcomes, recent, WITHOUT_FACES))
        alerts = with_statuses(found, statuses)
        chosen = [alert for alert in alerts if alert.occurred_at >= occurred_since]
        return sorted(chosen, key=lambda alert: alert.seq)

    def last_seq(self) -> int:
        with self._db.errors_mapped():
            newest = self._db.outcomes.find_one(
                {"last_seq": {"$gt": 0}}, {"last_seq": 1}, sort=[("last_seq", -1)]
            )
            return max(int(newest["last_seq"]) if newest else 0, self._db.floor(LAST_ALERT))

    def sightings(self, criminal_id: str) -> list[Sighting]:
        pages = self._db.read(self._db.outcomes, {"sighted": criminal_id}, {"sightings": 1})
        found = (to_sighting(one) for page in pages for one in page["sightings"])
        theirs = [one for one in found if one.criminal_id == criminal_id]
        return sorted(theirs, key=lambda one: (one.occurred_at, one.id))

    def count_cameras(self, cameras: Sequence[Camera], days: Sequence[CameraDay] = ()) -> None:
        with self._db.turn, self._db.errors_mapped():
            for camera in cameras:
                values = to_document(camera)
                counts = {name: values[name] for name in ("detections", "alerts")}
                place = {name: values[name] for name in ("location", "last_heard_at")}
                self._db.cameras.update_one(
                    {"_id": camera.id}, {"$inc": counts, "$setOnInsert": place}, upsert=True
                )
                older = {"_id": camera.id, "last_heard_at": {"$lt": values["last_heard_at"]}}
                self._db.cameras.update_one(older, {"$set": place})
            for day in days:
                counts = {name: getattr(day, name) for name in DAY_COUNTS}
                key = {"_id": camera_day_key(day)}
                self._db.camera_days.update_one(key, {"$inc": counts}, upsert=True)

    def cameras(self) -> list[Camera]:
        found = self._db.read(self._db.cameras, {})
        return sorted(map(to_camera, found), key=lambda camera: camera.id)

    def camera_days(self) -> list[CameraDay]:
        found = map(to_camera_day, self._db.read(self._db.camera_days, {}))
        return sorted(found, key=lambda day: (day.camera_id, day.day))

    def _alerts_of(self, outcomes: Sequence[Document]) -> list[Alert]:
        return [alert for page in outcomes for alert in self._to_alerts(page)]

    def _to_alerts(self, outcome: Document) -> tuple[Alert, ...]:
        """The alerts of an outcome, whose faces may have been left out."""
        return tuple(to_alert({"face": None, **one}, self._db.sealer) for one in outcome["alerts"])

    # -- parts of a write --------------------------------------------------------------------

    def _insert_outcome(
        self,
        sightings: Sequence[Sighting],
        alerts: Sequence[Alert],
        event: Event | None,
        cooldown: timedelta,
    ) -> Document:
        key = event_key(event.camera_id, event.event_id) if event else unique_key()
        self._db.guard.check()

        def insert_next() -> Document:
            if event and self._db.outcomes.find_one({"event": key}, {"_id": 1}):
                raise event_was_handled(event)
            first = self._seq.next(self.last_seq) if alerts else 0
            # Only now: what is stored from here on takes the number that this outcome is to have,
            # and then all of this is done again.
            try:
                refuse_recent(alerts, cooldown, self._newest_like)
            except RecentAlertError as error:
                self._refuse_unsettled(error.recent.values())
                raise
            numbered = tuple(replace(one, seq=first + place) for place, one in enumerate(alerts))
            outcome = outcome_document(key, numbered, sightings, event, self._db.sealer)
            # This is the moment at which all of it is stored.
            outcome["_id"] = self._db.outcomes.insert_one(outcome).inserted_id
            self._seq.taken(first + len(alerts) - 1 if alerts else None)
            return outcome

        return again_while_taken(insert_next, self._seq.forget)

    def _newest_like(self, alert: Alert) -> Alert | None:
        """The newest alert with the same cooldown key, without its face."""
        key = alert.cooldown_key
        found = self._db.unconfirmed_outcomes.find_one(
            {"cooldown_keys": key}, WITHOUT_FACES, sort=[("first_seq", -1)]
        )
        same = [one for one in self._to_alerts(found) if one.cooldown_key == key] if found else []
        return max(same, key=lambda one: one.seq, default=None)

    def _refuse_unsettled(self, alerts: Iterable[Alert]) -> None:
        """Let no alert hold others back that is about to be taken back.

        Whether it is cannot be told from one of which a removal will leave the rest. So the person
        is taken out here, and the next look finds what has become of the alert.

        Raises:
            NotFoundError: someone who was sighted with one of the alerts was removed.
        """
        for alert in alerts:
            outcome = self._db.outcomes.find_one({"alerts.id": alert.id})
            if outcome is None:
                raise no_alert(alert.id)
            matched = _matched(outcome)
            if removed := matched - known_among(self._db, matched):
                forget_in_outcome(self._db, outcome, removed)
                raise no_criminal(min(removed))

    def _settle(self) -> None:
        """Do what follows from outcomes that are stored.

        They are stored, whatever happens here: what cannot be done now is done with the next.
        """
        try:
            with self._db.errors_mapped():
                while self._unsettled:
                    self._take_back_the_removed(self._unsettled[0])
                    if self._unsettled[0][MOVES_LAST_SEEN]:
                        for sighting in self._unsettled[0]["sightings"]:
                            self._move_last_seen(to_sighting(sighting))
                    self._unsettled.pop(0)
        except StoreUnavailableError as error:
            log.warning(
                "cannot finish the work after a stored detection; trying again with the next: %s",
                error,
            )

    def _take_back_the_removed(self, outcome: Document) -> None:
        """Leave nothing behind about people who were removed.

        A removal marks the person first, and then takes them out of what was seen. So either it
        found this outcome, or the mark is found here.
        """
        matched = _matched(outcome)
        named = {*matched, *outcome["named"]}
        removed = named - known_among(self._db, named)
        if removed & matched:
            if take_back(self._db, outcome, removed):
                outcome[TAKEN_BACK] = min(removed & matched)
        elif removed:
            forget_in_outcome(self._db, outcome, removed)
        for criminal_id in sorted(removed):
            # Whoever read the outcome meanwhile reads it again.
            self._db.bump_revision(criminal_id)

    def _move_last_seen(self, sighting: Sighting) -> None:
        moment = to_microseconds(sighting.occurred_at)
        before = [{f"{OWN}.last_seen_at": None}, {f"{OWN}.last_seen_at": {"$lt": moment}}]
        seen = {
            f"{OWN}.last_seen_at": moment,
            f"{OWN}.last_seen_camera": sighting.camera_id,
            f"{OWN}.last_seen_location": sighting.camera_location,
        }
        if not sighting.suppressed:
            # What a panel shows moves with alerts, not with every frame that someone is in.
            seen["last_seen_date"] = sighting.occurred_at
            seen["last_seen_location"] = sighting.camera_location
        self._db.criminals.update_one(
            key_is(sighting.criminal_id) | {"$or": before}, {"$set": seen}
        )


def _matched(outcome: Document) -> set[str]:
    """Ids of the people who were sighted, or whom an alert is about."""
    return {*outcome["sighted"], *(one["criminal_id"] for one in outcome["alerts"])} - {None}
