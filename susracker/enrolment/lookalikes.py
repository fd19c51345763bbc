"""Finds people with different names whose enrolled faces are nearly the same."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

import numpy as np

from susracker.models import Criminal
from susracker.stores.base import Store
from susracker.watchlist.scoring import Scoring

LOOKALIKE_DISTANCE = 0.27
"""Among the 2.2 million pairs of 2,100 people in LFW (View 1, training), 4 are as near (1 at 0.26,
9 at 0.28, 36 at 0.30), and one of the 4 is one person under two names. 37% of the pairs of photos
of the same person are as near. A false warning costs a glance. A copy of a photo that was saved
again is nearer than 0.1."""

PROBES_AT_ONCE = 64
"""Limits the memory that the comparison takes: 256 MB for a million templates."""


@dataclass(frozen=True, slots=True)
class Lookalike:
    """Two people whose faces are nearly the same.

    Attributes:
        distance: between their nearest templates; see `Scoring.distance_of`.
    """

    criminal: Criminal
    other: Criminal
    distance: float


def find_lookalikes(
    store: Store,
    encoder_id: str,
    scoring: Scoring,
    criminal_ids: Collection[str],
    compared: Collection[str] = (),
) -> list[Lookalike]:
    """Find the people among `criminal_ids` who look like someone enrolled under another name.

    Args:
        scoring: the encoder's.
        compared: people whose own pairs were found before: pairs with them are passed over.

    Returns:
        each pair once, the nearest first.
    """
    pairs: dict[frozenset[str], tuple[str, str, float]] = {}
    known = frozenset(compared)
    for criminal_id, other_id, distance in _near_pairs(store, encoder_id, scoring, criminal_ids):
        if other_id in known:
            continue
        pair = frozenset((criminal_id, other_id))
        if pair not in pairs or distance < pairs[pair][2]:
            pairs[pair] = (criminal_id, other_id, distance)
    people = {one.id: one for one in store.criminals({one for pair in pairs for one in pair})}
    found = [
        Lookalike(people[one], people[other], distance)
        for one, other, distance in pairs.values()
        # Someone may have been removed meanwhile; and people of the same name may be one person.
        if {one, other} <= people.keys() and people[one].name != people[other].name
    ]
    return sorted(found, key=lambda pair: pair.distance)


def _near_pairs(
    store: Store, encoder_id: str, scoring: Scoring, criminal_ids: Collection[str]
) -> Iterator[tuple[str, str, float]]:
    """Yield both criminals' ids and the distance for each two templates that are near.

    A matcher cannot do this: it finds a few nearest people for each, whether near or not.
    """
    probes = store.template_rows(encoder_id, criminal_ids)
    everyone = store.template_rows(encoder_id)
    least_similarity = 1 - (LOOKALIKE_DISTANCE / scoring.distance_scale) ** 2 / 2
    for start in range(0, len(probes.criminal_ids), PROBES_AT_ONCE):
        similarities = probes.vectors[start : start + PROBES_AT_ONCE] @ everyone.vectors.T
        for probe, row in np.argwhere(similarities >= least_similarity):
            one, other = probes.criminal_ids[start + probe], everyone.criminal_ids[row]
            if one != other:
                yield one, other, scoring.distance_of(float(similarities[probe, row]))
