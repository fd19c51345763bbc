"""The main figures of the last benchmark, for those who look at the numbers of the server."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError

from susracker.benchmark.rules import AS_NORM
from susracker.benchmark.run import Plan
from susracker.errors import ConfigError, InputError
from susracker.runtime.files import USUAL_MODE, write_whole

REALISED = ("realised_fpir", "realised_fnir")


class KeptRates(BaseModel):
    """Error rates at the product's own threshold, each with its 95% interval.

    Attributes:
        frames: faces of a person that each search fused.
    """

    model_config = ConfigDict(extra="forbid")

    enrolled: int
    photos_each: int
    frames: int
    stranger_searches: int
    realised_fpir: float
    realised_fpir_interval: tuple[float, float]
    mated_searches: int
    realised_fnir: float
    realised_fnir_interval: tuple[float, float]


class Kept(BaseModel):
    """What was measured, when, and with which settings.

    Attributes:
        dataset: name of the folder of photos.
    """

    model_config = ConfigDict(extra="forbid")

    measured_at: AwareDatetime
    dataset: str
    people: int
    photos: int
    encoder: str
    detector: str
    target_fpir: float
    threshold_shift: float
    rates: list[KeptRates]


def keep(file: Path, record: Mapping[str, Any], plan: Plan, measured_at: datetime) -> None:
    """Write the main figures of a benchmark, in place of those of the last one.

    Args:
        record: as `result_record` makes it.

    Raises:
        InputError: nothing was measured with the product's rule, or the file cannot be written.
    """
    rates = [_rates(one) for one in record["identification"] if one["rule"] == AS_NORM]
    if not rates:
        raise InputError(f"there is nothing to keep: 1:N was not measured by the rule {AS_NORM}")
    kept = Kept(
        measured_at=measured_at,
        dataset=Path(record["dataset"]).resolve().name,
        people=record["people"],
        photos=record["photos"],
        encoder=record["encoder"],
        detector=plan.detector,
        target_fpir=plan.target_fpir,
        threshold_shift=plan.threshold_shift,
        rates=rates,
    )
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        write_whole(file, (kept.model_dump_json(indent=2) + "\n").encode(), USUAL_MODE)
    except OSError as error:
        raise InputError(f"cannot write {file}: {error.strerror}") from error


def read_kept(file: Path) -> Kept | None:
    """The main figures of the last benchmark; None if none was kept.

    Raises:
        ConfigError: the file cannot be read, or holds something else.
    """
    try:
        return Kept.model_validate_json(file.read_bytes())
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ConfigError(f"cannot read benchmark_file {file}: {error.strerror}") from error
    except ValidationError as error:
        raise ConfigError(
            f"benchmark_file {file} is no result of a benchmark: run susracker benchmark --keep"
        ) from error


def _rates(measured: Mapping[str, Any]) -> KeptRates:
    named = {name: measured.get(name) for name in KeptRates.model_fields}
    intervals = {f"{name}_interval": measured["intervals"][name] for name in REALISED}
    return KeptRates.model_validate(named | intervals)
