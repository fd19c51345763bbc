"""Results as JSON."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from susracker.benchmark.identification import Identification
from susracker.benchmark.labels import Labels
from susracker.benchmark.metrics import auc, equal_error_rate, fold_accuracies, tar_at_far
from susracker.benchmark.protocols import Comparisons
from susracker.benchmark.run import Result

FARS = (0.01, 0.001)


def result_record(result: Result, labels: Labels | None = None) -> dict[str, Any]:
    """Everything measured with one encoder. Intervals are of 95%; what could not be measured is
    None or an empty list."""
    return {
        "dataset": str(result.dataset.folder),
        "encoder": result.encoder,
        "photos": len(result.embedded),
        "people": len(result.dataset.people),
        "failure_to_enrol": result.failure_to_enrol,
        "faces_not_found": len(result.not_found),
        "unreadable": {str(photo): why for photo, why in result.unreadable.items()},
        "verification": result.comparisons and verification_record(result.comparisons),
        "identification": [
            identification_record(one)
            | ({"groups": list(group_records(one, labels))} if labels else {})
            for one in result.identifications
        ],
        "seconds_per_face": result.seconds,
        "notes": result.notes,
    }


def verification_record(comparisons: Comparisons) -> dict[str, Any]:
    """1:1."""
    genuine, impostors = comparisons.genuine, comparisons.impostors
    accuracies = fold_accuracies(comparisons.similarities, comparisons.same, comparisons.folds)
    return {
        "pairs": len(comparisons.similarities),
        "pairs_without_face": comparisons.lost,
        "accuracy": float(accuracies.mean()),
        "accuracy_std": float(accuracies.std()),
        "auc": auc(genuine, impostors),
        "eer": equal_error_rate(genuine, impostors),
        "tar_at_far": {str(rate): tar_at_far(genuine, impostors, rate) for rate in FARS},
    }


def identification_record(one: Identification) -> dict[str, Any]:
    """1:N."""
    return {
        "rule": one.rule,
        "enrolled": one.listed,
        "virtual": one.search.virtual,
        "photos_each": one.photos_each,
        "frames": one.frames,
        "mated_searches": len(one.search.mated),
        "stranger_searches": len(one.search.non_mated),
        "searches_without_face": one.search.not_found,
        "rank1": one.rank1(),
        "fnir_at_fpir": {str(rate): one.fnir_at_fpir(rate) for rate in one.fpirs},
        # At these rates, the threshold is that of no non-mated search at all.
        "too_few_strangers": [str(rate) for rate in one.fpirs if not one.can_tell(rate)],
        "target_fpir": one.target_fpir,
        "threshold": one.threshold if math.isfinite(one.threshold) else None,
        "realised_fpir": one.realised_fpir(),
        "realised_fnir": one.realised_fnir(),
        "intervals": {
            "rank1": one.rank1_interval(),
            "fnir_at_fpir": {str(rate): one.fnir_at_fpir_interval(rate) for rate in one.fpirs},
            "realised_fpir": one.realised_fpir_interval(),
            "realised_fnir": one.realised_fnir_interval(),
        },
    }


def group_records(one: Identification, labels: Labels) -> Iterator[dict[str, Any]]:
    """FPIR and FNIR of each group, at the rule's own threshold."""
    searches = zip(labels.among(one.search.non_mated), labels.among(one.search.mated), strict=True)
    for (column, group, non_mated), (_, _, mated) in searches:
        record: dict[str, Any] = {"column": column, "group": group}
        record["strangers"] = int(non_mated.sum())
        record["mated_searches"] = int(mated.sum())
        if non_mated.any():
            record["fpir"] = one.realised_fpir(non_mated)
            record["fpir_interval"] = one.realised_fpir_interval(non_mated)
        if mated.any():
            record["fnir"] = one.realised_fnir(mated)
            record["fnir_interval"] = one.realised_fnir_interval(mated)
        yield record
