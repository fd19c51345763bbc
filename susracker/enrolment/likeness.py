"""Whether photos are of one person."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from susracker.errors import FaceRefusedError
from susracker.models import Vectors
from susracker.watchlist.scoring import Scoring, normalise

ALIKE_SCORE = 0.5
"""The comparison score at which two photos count as photos of one person. Of LFW's photos (View 1,
training), 0.4% are unlike the only other photo of that person, and 0.2% unlike each of two or more
others; of five photos of five people, 3% are like one of the others."""


SEVERAL_PEOPLE = "several people"
"""The reason why photos of different faces are refused."""


def find_unlike(
    scoring: Scoring, photos: Vectors, enrolled: Vectors
) -> dict[int, FaceRefusedError]:
    """Find the photos of someone that show another face than the rest.

    Photos belong together if each is like another one of them. If the person has templates, those
    say who it is; if not, more than half of the photos must belong together.

    Args:
        photos: templates of photos that are to be enrolled as one person, shape (n, dimension).
        enrolled: the person's templates so far, shape (m, dimension).

    Returns:
        why not to enrol a photo, by its row in `photos`.
    """
    scores = _scores(scoring, np.concatenate([photos, enrolled]))
    groups = _groups(scores >= ALIKE_SCORE)
    own, others = groups[: len(photos)], groups[len(photos) :]
    accepted = set(others.tolist()) or _majority(own)
    if not accepted:
        refusal = _several_people(len(set(own.tolist())), len(own))
        return dict.fromkeys(range(len(own)), refusal)
    kept = np.isin(groups, list(accepted))
    return {
        row: _unlike(float(scores[row, kept].max()))
        for row in range(len(photos))
        if own[row] not in accepted
    }


def _scores(scoring: Scoring, vectors: Vectors) -> NDArray[np.float32]:
    """Comparison scores of all with all; of each with itself, minus infinity."""
    statistics = scoring.statistics(vectors)
    scores = normalise(vectors @ vectors.T, statistics, statistics)
    np.fill_diagonal(scores, -np.inf)
    return scores


def _groups(linked: NDArray[np.bool_]) -> NDArray[np.int_]:
    """Number the groups of rows that are linked, directly or through others."""
    groups = np.arange(len(linked))
    for row, other in np.argwhere(linked):
        groups[groups == groups[other]] = groups[row]
    return groups


def _majority(groups: NDArray[np.int_]) -> set[int]:
    """The group that more than half belong to, if there is one."""
    numbers, sizes = np.unique(groups, return_counts=True)
    return {int(number) for number in numbers[sizes * 2 > len(groups)]}


def _several_people(people: int, photos: int) -> FaceRefusedError:
    return FaceRefusedError(
        SEVERAL_PEOPLE, f"the {photos:,} photos of this person show {people:,} different faces"
    )


def _unlike(score: float) -> FaceRefusedError:
    return FaceRefusedError(
        "unlike the other photos",
        f"the face scores {score:.1f} against the person's other photos, {ALIKE_SCORE} is needed",
    )
