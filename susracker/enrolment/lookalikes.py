"""People of different names whose enrolled faces are nearly the same."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from susracker.models import Criminal
from susracker.plugins import open_matcher
from susracker.scoring import distance_of, is_match
from susracker.stores.base import Store

LOOKALIKE_DISTANCE = 0.30

NEIGHBOURS = 4
"""How many of the nearest people to look through for one of another name, besides the person."""


@dataclass(frozen=True, slots=True)
class Lookalike:
    """A person whose face is nearly that of another.

    Attributes:
        distance: between their nearest templates, 0 to 2.
    """

    criminal: Criminal
    other: Criminal
    distance: float


def find_lookalikes(
    store: Store, encoder_id: str, dimension: int, criminal_ids: Collection[str]
) -> list[Lookalike]:
    """The people among `criminal_ids` who look like someone enrolled under another name, each
    pair once, the nearest first."""
    pairs: dict[frozenset[str], tuple[str, str, float]] = {}
    for criminal_id, other_id, distance in _near_pairs(store, encoder_id, dimension, criminal_ids):
        pair = frozenset((criminal_id, other_id))
        if pair not in pairs or distance < pairs[pair][2]:
            pairs[pair] = (criminal_id, other_id, distance)
    ids = {one for pair in pairs for one in pair}
    people = {one.id: one for one in store.criminals(ids)}
    found = [
        Lookalike(people[one], people[other], distance)
        for one, other, distance in pairs.values()
        # Who was removed meanwhile is nobody's double, and two of one name may well be one person.
        if {one, other} <= people.keys() and people[one].name != people[other].name
    ]
    return sorted(found, key=lambda pair: pair.distance)


def _near_pairs(
    store: Store, encoder_id: str, dimension: int, criminal_ids: Collection[str]
) -> Iterator[tuple[str, str, float]]:
    """Criminal, another one and their distance, where it is small."""
    probes = store.template_rows(encoder_id, criminal_ids)
    if not probes.criminal_ids:
        return
    everyone = store.template_rows(encoder_id)
    matcher = open_matcher("exact", dimension)
    matcher.load(everyone.criminal_ids, everyone.vectors)
    results = matcher.search(probes.vectors, 1 + NEIGHBOURS)
    for criminal_id, neighbours in zip(probes.criminal_ids, results, strict=True):
        for neighbour in neighbours:
            distance = distance_of(neighbour.similarity)
            if neighbour.criminal_id != criminal_id and is_match(distance, LOOKALIKE_DISTANCE):
                yield criminal_id, neighbour.criminal_id, distance
