"""What a store holds, summed up, to compare it with another."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from dataclasses import asdict, dataclass, fields

import numpy as np

from susracker.models import Criminal, Photo, Sighting, Template

PAGE = 100


@dataclass(frozen=True, slots=True)
class Contents:
    """What a store holds, to compare it with another.

    Attributes:
        entries: of the audit log.
        digest: SHA-256 of all of it, in an order that does not depend on the store.
    """

    criminals: int
    photos: int
    templates: int
    sightings: int
    alerts: int
    cameras: int
    judgements: int
    holds: int
    keys: int
    entries: int
    channels: int
    digest: str


@dataclass(frozen=True, slots=True)
class Person:
    """All that a store holds of a criminal."""

    criminal: Criminal
    photos: list[Photo]
    templates: list[Template]
    sightings: list[Sighting]


class Tally:
    """Sums up records, which come in an order that does not depend on the store."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._digest = hashlib.sha256()

    def add(self, kind: str, record: object) -> None:
        """Count a record."""
        self._counts[kind] += 1
        self._digest.update(json.dumps([kind, record], default=str).encode())

    def add_person(self, person: Person) -> None:
        """Count someone, with photos, templates and sightings."""
        values = asdict(person.criminal)
        del values["revision"]  # each store has its own
        self.add("criminals", values)
        for photo in person.photos:
            digest = hashlib.sha256(photo.content).hexdigest()
            self.add("photos", [photo.id, photo.media_type, digest])
        for template in person.templates:
            self.add("templates", _template_fields(template))
        for sighting in person.sightings:
            self.add("sightings", asdict(sighting))

    def contents(self) -> Contents:
        """What was added."""
        kinds = [field.name for field in fields(Contents) if field.name != "digest"]
        counts = {kind: self._counts[kind] for kind in kinds}
        return Contents(**counts, digest=self._digest.hexdigest())


def _template_fields(template: Template) -> list[object]:
    vector = np.ascontiguousarray(template.vector, "<f4").tobytes().hex()
    return [template.photo_id, template.encoder_id, vector, asdict(template.quality)]
