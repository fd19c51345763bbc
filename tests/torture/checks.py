"""Whether everything that was answered is there once, and nothing that must not be."""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from collections import Counter
from collections.abc import Iterable, Mapping
from contextlib import closing
from itertools import pairwise
from pathlib import Path
from typing import Any

from susracker.models import Alert
from susracker.server.detections import MESSAGES
from susracker.stores.base import Store
from tests.torture.clerks import Clerk, Person, Reviewer
from tests.torture.figures import Figures
from tests.torture.load import Ledger, Operator
from tests.torture.site import Site
from tests.torture.traces import files_holding, stranger_parts

PAGE = 500


def integrity(file: Path) -> str:
    """What SQLite says of a copy of a file and its log: opening the file itself would mend it."""
    with tempfile.TemporaryDirectory() as folder:
        for part in file.parent.glob(f"{file.name}*"):
            if not part.name.endswith("-shm"):
                shutil.copy(part, folder)
        with closing(sqlite3.connect(Path(folder) / file.name)) as connection:
            try:
                rows = connection.execute("PRAGMA integrity_check").fetchall()
            except sqlite3.DatabaseError as error:
                return str(error)
    return "; ".join(row[0] for row in rows)


def all_alerts(store: Store) -> list[Alert]:
    """All alerts of a store by `seq`, without faces."""
    found: list[Alert] = []
    while page := store.alerts(found[-1].seq if found else 0, PAGE, with_faces=False):
        found += page
    return found


def check_cameras(
    store: Store, ledger: Ledger, alerts: list[Alert], cooldown_seconds: float, figures: Figures
) -> None:
    """Whether everything that cameras were told is in the store, and nothing twice."""
    stored = {alert.id for alert in alerts}
    lost = [one for one in ledger.alert_ids() if one not in stored]
    figures.promise(f"alerts lost, of {len(ledger.alert_ids())} answered", len(lost), not lost)
    other = [event for event, body in ledger.answered if not _agrees(store, event, body)]
    figures.promise("events that would be answered in another way now", len(other), not other)
    doubled = doubles(alerts, cooldown_seconds)
    figures.promise(f"doubled, of {len(alerts)} alerts in the store", len(doubled), not doubled)


def _agrees(store: Store, event_id: str, body: Mapping[str, Any]) -> bool:
    outcome = store.event_outcome(event_id.rpartition("-")[0], event_id)
    if outcome is None or MESSAGES[outcome.kind] != body["message"]:
        return False
    told = [body["match"]["id"]] if "match" in body else []
    return [alert.id for alert in outcome.alerts[:1]] == told


def doubles(alerts: Iterable[Alert], seconds: float) -> list[Alert]:
    """Alerts that occurred within the cooldown's span of another one of the same key.

    One whose person was removed since has no key.
    """
    by_key: dict[str, list[Alert]] = {}
    for alert in alerts:
        if alert.criminal_id is not None:
            by_key.setdefault(alert.cooldown_key, []).append(alert)
    found = []
    for several in by_key.values():
        several.sort(key=lambda alert: alert.occurred_at)
        for earlier, later in pairwise(several):
            if (later.occurred_at - earlier.occurred_at).total_seconds() < seconds:
                found.append(later)
    return found


def check_operators(operators: list[Operator], alerts: list[Alert], figures: Figures) -> None:
    """Whether each operator heard each alert once, in the order of `seq`."""
    expected = [alert.id for alert in alerts]
    wrong = [_difference(one.ids(), expected) for one in operators if one.ids() != expected]
    told = "; ".join(wrong) or f"all {len(operators)} heard all {len(expected)} in order"
    figures.promise("operators", told, not wrong)


def _difference(heard: list[str], expected: list[str]) -> str:
    missed, known = set(expected) - set(heard), set(heard)
    return f"{len(missed)} missed, {len(heard) - len(known)} twice, of {len(expected)}"


def check_reviews(store: Store, reviewer: Reviewer, figures: Figures) -> None:
    """Whether each answered review is there, and no review twice."""
    answered = reviewer.answered
    kept = store.judgements({alert_id for alert_id, _ in answered})
    told = Counter((one.alert_id, one.reason) for one in kept)
    lost = [one for one in answered if one not in told]
    twice = [one for one, times in told.items() if times > 1]
    figures.promise(f"reviews lost, of {len(answered)} answered", len(lost), not lost)
    figures.promise("reviews twice", len(twice), not twice)


def check_people(store: Store, clerk: Clerk, figures: Figures) -> None:
    """Whether each enrolment, edit and removal that was answered holds."""
    people = clerk.people
    wrong = [name for name, person in people.items() if not _holds(store, name, person)]
    figures.promise(f"people not as answered, of {len(people)} enrolled", len(wrong), not wrong)
    names = Counter(one.name for one in store.criminals())
    twice = [name for name in people if names[name] > 1]
    figures.promise("people enrolled twice", len(twice), not twice)


def _holds(store: Store, name: str, person: Person) -> bool:
    found = store.criminals_named(name)
    if person.status == "removed" or (person.status == "removing" and not found):
        return not found and not store.photo_ids_of([person.id]).get(person.id)
    [one] = found
    photos = store.photo_ids_of([one.id])[one.id]
    whole = len(photos) == 1 and len(store.templates(one.id)) == 1
    return whole and one.id == person.id and one.case_reference in person.cases


def check_audit(site: Site, figures: Figures) -> None:
    """Whether `susracker audit verify` finds the chain whole."""
    done = site.command("audit", "verify", "--store", site.store_url)
    told = (done.stdout or done.stderr).strip().splitlines()[-1]
    figures.promise("audit chain", told, done.returncode == 0)


def check_traces(folder: Path, pictures: Iterable[bytes], figures: Figures) -> None:
    """Whether nothing of strangers' pictures is in any file."""
    parts = [part for picture in pictures for part in stranger_parts(picture)]
    found = sorted(str(path.relative_to(folder)) for path in files_holding(folder, parts))
    told = ", ".join(found) or f"none, of {len(parts)} parts looked for"
    figures.promise("files with a part of a stranger's picture", told, not found)
