"""An operator's side, for programs: alerts as they come, reviews, and the watch-list."""

from __future__ import annotations

import base64
import time
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

from susracker.client.records import (
    Told,
    to_alert,
    to_camera,
    to_criminal,
    to_sighting,
    to_told,
)
from susracker.client.requesting import Requesting
from susracker.errors import ServerUnavailableError
from susracker.models import Alert, AlertKind, Camera, Criminal, Sighting, Status, Threat
from susracker.oversight import Encounter, Verdict
from susracker.runtime.closing import Closing

PATIENCE = 60.0
"""Seconds for which a request is repeated while the server is unavailable."""

PAGE = 100


class Operator(Closing):
    """Looks up alerts and people on a server, and judges and edits them. For one thread.

    While the server is unavailable or busy, requests are repeated; what they change, they change
    once.

    Args:
        key: sent as `Authorization: Bearer KEY`.
        ca: a file of certificates, as PEM, of the authority that signed the server's; by default
            those that browsers trust.
        patience: for how many seconds a request is repeated.

    Every method raises:
        InputError: the server says what is wrong with the request.
        KeyRequiredError: there is no key, or one that is wrong, expired or revoked.
        NotAllowedError: the key's role may not do this.
        NotFoundError: there is no such alert or person.
        ConflictError: someone else was faster; nothing was changed.
        ServerUnavailableError: there was no answer for `patience` seconds.
    """

    def __init__(
        self,
        url: str,
        key: str | None = None,
        *,
        ca: str | Path | None = None,
        patience: float = PATIENCE,
    ) -> None:
        self._http = Requesting(url, key, patience, ca)

    def close(self) -> None:
        """Close the connection."""
        self._http.close()

    # -- alerts ------------------------------------------------------------------------------------

    def alerts(
        self,
        after: int | None = None,
        *,
        follow: bool = True,
        every: float = 1.0,
        kind: AlertKind | None = None,
        camera_id: str | None = None,
        criminal_id: str | None = None,
    ) -> Iterator[Alert]:
        """Alerts in the order of `seq`, without their pictures, each once.

        To resume, keep the `seq` of the last alert that you have handled, and give it as `after`.
        While the server is unavailable, this waits.

        Args:
            after: only alerts with a greater `seq`; None for those that come from now on.
            follow: wait for more at the end, for ever.
            every: seconds between two looks for more.
        """
        wanted = {"kind": kind, "camera_id": camera_id, "criminal_id": criminal_id}
        seq = after
        while True:
            try:
                if seq is None:
                    seq = self._page(0, {}, limit=1)["last_seq"]
                page = self._page(seq, wanted)
            except ServerUnavailableError:
                if not follow:
                    raise
                time.sleep(every)
                continue
            for shown in page["alerts"]:
                yield to_alert(shown)
                seq = shown["seq"]
            if len(page["alerts"]) < PAGE:
                if not follow:
                    return
                time.sleep(every)

    def alert(self, alert_id: str) -> Told:
        """An alert with its face, and with what was said about it."""
        return to_told(self._http.ask("GET", _path("alerts", alert_id)))

    def review(
        self,
        alert_id: str,
        verdict: Verdict,
        reason: str,
        *,
        note: str = "",
        replaces: str | None = None,
    ) -> Told:
        """Review an alert.

        Args:
            replaces: id of the review that is changed, which must be the newest.
        """
        said = {"verdict": verdict, "reason": reason, "note": note, "replaces": replaces}
        return to_told(self._http.ask("POST", _path("alerts", alert_id, "review"), json=said))

    def record_outcome(
        self, alert_id: str, outcome: Encounter, *, note: str = "", replaces: str | None = None
    ) -> Told:
        """Record what became of an encounter."""
        said = {"outcome": outcome, "note": note, "replaces": replaces}
        return to_told(self._http.ask("POST", _path("alerts", alert_id, "outcome"), json=said))

    def cameras(self) -> list[Camera]:
        """What is known of each camera, by id."""
        return [to_camera(one) for one in self._http.ask("GET", "/api/cameras")["cameras"]]

    # -- the watch-list ----------------------------------------------------------------------------

    def people(self, query: str = "") -> Iterator[Criminal]:
        """People by name.

        Args:
            query: part of a name or case reference, or the start of an id.
        """
        after: str | None = None
        while True:
            asked = {"query": query, "limit": PAGE, "after": after}
            page = self._http.ask("GET", "/api/criminals", params=asked)
            yield from (to_criminal(one) for one in page["criminals"])
            after = page["next"]
            if after is None:
                return

    def person(self, criminal_id: str) -> Criminal:
        """One person."""
        return to_criminal(self._http.ask("GET", _path("criminals", criminal_id)))

    def track(self, criminal_id: str) -> list[Sighting]:
        """A person's sightings across cameras, in the order in which they occurred."""
        found = self._http.ask("GET", _path("criminals", criminal_id, "track"))
        return [to_sighting(criminal_id, one) for one in found["sightings"]]

    def add_person(
        self,
        name: str,
        photos: Iterable[bytes] = (),
        *,
        age: int | None = None,
        crimes: Iterable[str] = (),
        threat: Threat = "medium",
        status: Status = "wanted",
        case_reference: str | None = None,
        expires_at: datetime | None = None,
        allow_unlike: bool = False,
    ) -> str:
        """Put someone on the watch-list. Returns their id.

        Args:
            photos: encoded pictures; if one is refused, nobody is added.
            expires_at: from this moment on the person is not matched any more.
            allow_unlike: enrol the photos even if their faces are unlike.
        """
        person = {
            "name": name,
            "age": age,
            "crimes": list(crimes),
            "threat": threat,
            "status": status,
            "case_reference": case_reference,
            "expires_at": expires_at.astimezone().isoformat() if expires_at else None,
            "images": _encoded(photos),
            "allow_unlike": allow_unlike,
        }
        return str(self._http.ask("POST", "/api/criminals", json=person)["id"])

    def edit_person(
        self,
        criminal_id: str,
        changes: dict[str, Any],
        photos: Iterable[bytes] = (),
        *,
        revision: int | None = None,
    ) -> None:
        """Change the fields of a person that are named, and add photos.

        Args:
            changes: fields by name, as for `add_person`.
            revision: of the person whom the edit is based on: `ConflictError` if they were changed
                since.
        """
        edit = {**changes, "images": _encoded(photos), "revision": revision}
        if isinstance(until := edit.get("expires_at"), datetime):
            edit["expires_at"] = until.astimezone().isoformat()
        self._http.ask("PUT", _path("criminals", criminal_id), json=edit)

    def remove_person(self, criminal_id: str) -> None:
        """Forget a person, with photos, templates and sightings."""
        self._http.ask("DELETE", _path("criminals", criminal_id))

    def _page(self, after: int, wanted: dict[str, str | None], limit: int = PAGE) -> Any:
        asked = {"after": after, "limit": limit, **wanted}
        return self._http.ask("GET", "/api/alerts", params=asked)


def _path(*parts: str) -> str:
    return "/api/" + "/".join(quote(part, safe="") for part in parts)


def _encoded(photos: Iterable[bytes]) -> list[str]:
    return [base64.b64encode(photo).decode() for photo in photos]
