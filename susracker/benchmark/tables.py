"""Results as tables for a terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.table import Table

from susracker.benchmark.records import FARS


def verification_table(record: Mapping[str, Any]) -> Table:
    """1:1."""
    table = Table("1:1, pairs", "accuracy", "AUC", "EER", *(f"TAR at FAR {r:.1%}" for r in FARS))
    table.add_row(
        f"{record['pairs']:,}",
        f"{record['accuracy']:.2%} ± {record['accuracy_std']:.2%}",
        f"{record['auc']:.5f}",
        f"{record['eer']:.2%}",
        *(f"{record['tar_at_far'][str(rate)]:.2%}" for rate in FARS),
    )
    return table


def identification_table(records: Sequence[Mapping[str, Any]]) -> Table:
    """1:N, with a column for each experiment; intervals are of 95%."""
    table = Table("1:N", *(str(one["rule"]) for one in records))
    for title, key in (
        ("people enrolled", "enrolled"),
        ("of them virtual", "virtual"),
        ("photos each", "photos_each"),
        ("photos searched with", "frames"),
    ):
        table.add_row(title, *(f"{one[key]:,}" for one in records))
    for title, key in (("mated searches", "mated"), ("non-mated searches", "stranger")):
        table.add_row(title, *(f"{one[f'{key}_searches']:,}" for one in records))
    table.add_row("rank 1", *(_with_interval(one, "rank1") for one in records))
    for rate in records[0]["fnir_at_fpir"]:
        table.add_row(
            f"FNIR at FPIR {100 * float(rate):.2g}%", *(_fnir_at(one, rate) for one in records)
        )
    for title, key in (("target FPIR", "target_fpir"), ("threshold", "threshold")):
        table.add_row(
            title, *(f"{one[key]}" if one[key] is None else f"{one[key]:.3g}" for one in records)
        )
    for title, key in (("realised FPIR", "realised_fpir"), ("realised FNIR", "realised_fnir")):
        table.add_row(title, *(_with_interval(one, key) for one in records))
    return table


def _fnir_at(record: Mapping[str, Any], rate: str) -> str:
    shown = _with_interval(record, "fnir_at_fpir", rate)
    return f"{shown}; too few strangers to tell" if rate in record["too_few_strangers"] else shown


def _with_interval(record: Mapping[str, Any], key: str, rate: str | None = None) -> str:
    value, interval = record[key], record["intervals"][key]
    if rate is not None:
        value, interval = value[rate], interval[rate]
    return f"{value:.2%} ({interval[0]:.2%} to {interval[1]:.2%})"


def groups_table(record: Mapping[str, Any]) -> Table:
    """Error rates by group in one experiment; intervals are of 95%."""
    columns = ("group", "non-mated searches", "FPIR", "mated searches", "FNIR")
    table = Table(*columns, title=str(record["rule"]))
    for group in record["groups"]:
        table.add_row(
            f"{group['column']}: {group['group']}",
            f"{group['strangers']:,}",
            _group_rate(group, "fpir"),
            f"{group['mated_searches']:,}",
            _group_rate(group, "fnir"),
        )
    return table


def _group_rate(group: Mapping[str, Any], key: str) -> str:
    if key not in group:
        return "-"
    low, high = group[f"{key}_interval"]
    return f"{group[key]:.2%} ({low:.2%} to {high:.2%})"
