"""People of different names whose enrolled faces are nearly the same."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

import numpy as np

from susracker.models import Criminal
from susracker.stores.base import Store
from susracker.watchlist.scoring import distance_of

LOOKALIKE_DISTANCE = 0.27
"""Among 2,100 people of LFW (View 1, training), 2.2 million pairs, 4 pairs of names are as near
(0.26: 1; 0.28: 9; 0.30: 36), and one of those is one person under two names; of the pairs of photos
of one person 37% are. A false warning costs a look. A copy of a photo that was saved anew is under
0.1."""

PROBES_AT_ONCE = 64
"""Bounds the memory that the comparison takes: 256 MB at a million templates."""


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
    store: Store, encoder_id: str, criminal_ids: Collection[str]
) -> list[Lookalike]:
    """The people among `criminal_ids` who look like someone enrolled under another name, each
    pair once, the nearest first."""
    pairs: dict[frozenset[str], tuple[str, str, float]] = {}
    for criminal_id, other_id, distance in _near_pairs(store, encoder_id, criminal_ids):
        pair = frozenset((criminal_id, other_id))
        if pair not in pairs or distance < pairs[pair][2]:
            pairs[pair] = (criminal_id, other_id, distance)
    people = {one.id: one for one in store.criminals({one for pair in pairs for one in pair})}
    found = [
        Lookalike(people[one], people[other], distance)
        for one, other, distance in pairs.values()
        # Who was removed meanwhile is nobody's double, and two of one name may well be one person.
        if {one, other} <= people.keys() and people[one].name != people[other].name
    ]
    return sorted(found, key=lambda pair: pair.distance)


def _near_pairs(
    store: Store, encoder_id: str, criminal_ids: Collection[str]
) -> Iterator[tuple[str, str, float]]:
    """Criminal, another one and their distance, wherever two templates are near.

    Not a matcher's search, which finds the nearest few of each, near or not.
    """
    probes = store.template_rows(encoder_id, criminal_ids)
    everyone = store.template_rows(encoder_id)
    least_similarity = 1 - LOOKALIKE_DISTANCE**2 / 2
    for start in range(0, len(probes.criminal_ids), PROBES_AT_ONCE):
        similarities = probes.vectors[start : start + PROBES_AT_ONCE] @ everyone.vectors.T
        for probe, row in np.argwhere(similarities >= least_similarity):
            one, other = probes.criminal_ids[start + probe], everyone.criminal_ids[row]
            if one != other:
                yield one, other, distance_of(float(similarities[probe, row]))
