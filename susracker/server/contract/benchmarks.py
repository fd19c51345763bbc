"""The last benchmark, as it is answered."""

from __future__ import annotations

from pydantic import AwareDatetime

from susracker.server.contract.alerts import Shown


class RatesShown(Shown):
    """Error rates at the product's own threshold, each with its 95% interval."""

    enrolled: int
    photos_each: int
    frames: int
    """Faces of a person that each search fused."""
    stranger_searches: int
    realised_fpir: float
    realised_fpir_interval: tuple[float, float]
    mated_searches: int
    realised_fnir: float
    realised_fnir_interval: tuple[float, float]


class BenchmarkShown(Shown):
    """What was measured, when, and with which settings."""

    measured_at: AwareDatetime
    dataset: str
    """Name of the folder of photos."""
    people: int
    photos: int
    encoder: str
    detector: str
    target_fpir: float
    threshold_shift: float
    rates: list[RatesShown]
    other_settings: list[str]
    """Settings of this server that differ from those of the benchmark."""


class BenchmarkAnswer(Shown):
    """The last benchmark that was kept."""

    benchmark: BenchmarkShown | None
    """Null if none was."""
