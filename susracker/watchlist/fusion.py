"""One vector for all templates of a criminal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import compress, islice
from operator import ne

import numpy as np

from susracker.models import Vectors
from susracker.watchlist.scoring import MAX_TEMPLATE_COUNT


@dataclass(frozen=True, slots=True, eq=False)
class FusedTemplates:
    """Criminals with one vector each.

    Attributes:
        ids: n criminal ids, each once.
        vectors: unit length, shape (n, dimension), in the same order.
        template_counts: how many templates each vector was fused from; `MAX_TEMPLATE_COUNT` stands
            for more, too.
    """

    ids: list[str]
    vectors: Vectors
    template_counts: list[int]


def fuse(templates: Vectors) -> Vectors:
    """The mean direction of templates, shape (n, dimension), as a unit vector, shape
    (dimension,)."""
    total = templates.sum(axis=0)
    return np.asarray(total / np.linalg.norm(total), np.float32)


def fuse_all(criminal_ids: Sequence[str], templates: Vectors) -> FusedTemplates:
    """Fuse the templates of many criminals.

    Args:
        criminal_ids: the owner of each template; the rows of one criminal are adjacent.
        templates: unit length, shape (n, dimension). The result may share their memory.
    """
    if not criminal_ids:
        return FusedTemplates([], templates, [])
    changes = map(ne, islice(criminal_ids, 1, None), criminal_ids)
    starts = [0, *compress(range(1, len(criminal_ids)), changes)]
    if len(starts) == len(criminal_ids):
        return FusedTemplates(list(criminal_ids), templates, [1] * len(starts))
    ids = [criminal_ids[start] for start in starts]
    sums = np.add.reduceat(templates, starts)
    vectors = sums / np.linalg.norm(sums, axis=1, keepdims=True)
    counts = np.diff([*starts, len(criminal_ids)]).clip(max=MAX_TEMPLATE_COUNT)
    return FusedTemplates(ids, vectors, counts.tolist())
