"""The last benchmark, for those who judge alerts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from flask import Blueprint, jsonify
from flask.typing import ResponseReturnValue

from susracker.access.roles import Permission
from susracker.benchmark.kept import Kept, read_kept
from susracker.config import Settings
from susracker.server.access import access
from susracker.server.audited import unaudited
from susracker.server.contract.benchmarks import BenchmarkAnswer
from susracker.server.contract.declaring import contract
from susracker.server.service import Service, service

blueprint = Blueprint("benchmarks", __name__)

COMPARED = ("detector", "target_fpir", "threshold_shift")
"""Settings with which a benchmark must have been made to say something of this server."""


@blueprint.get("/api/benchmark")
@access(Permission.VIEW)
@unaudited("shows no person")
@contract(BenchmarkAnswer)
def benchmark() -> ResponseReturnValue:
    """What `susracker benchmark --keep` measured last; null if it was never run."""
    return jsonify(benchmark=service().reads.call(_read, service()))


def _read(parts: Service) -> dict[str, Any] | None:
    settings = parts.tracker.settings
    kept = read_kept(Path(settings.benchmark_file))
    if kept is None:
        return None
    other = _differences(kept, settings, parts.tracker.encoder.id)
    return kept.model_dump(mode="json") | {"other_settings": other}


def _differences(kept: Kept, settings: Settings, encoder: str) -> list[str]:
    found = [name for name in COMPARED if getattr(kept, name) != getattr(settings, name)]
    return found if kept.encoder == encoder else ["encoder", *found]
