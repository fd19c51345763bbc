"""How much faster the network is on ONNX Runtime than in dlib, on one core, in one run.

    python benchmarks/encoder.py
    python benchmarks/encoder.py --rounds 20 --json encoder.json

Milliseconds a face: the median of the rounds, of both taking turns, so that a noisy machine is
noisy for both.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import time
from pathlib import Path

import numpy as np

from susracker.demo.portraits import sample_people
from susracker.faces.encoder import DlibEncoder, DlibReferenceEncoder
from susracker.plugins import open_detector

BATCHES = (1, 16)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--json", type=Path, help="write the numbers to this file")
    options = parser.parse_args()
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    chips = real_chips(max(BATCHES))
    results = {batch: compare(chips[:batch], options.rounds) for batch in BATCHES}
    print(f"{'batch':>5} {'dlib':>9} {'onnx':>9} {'ratio':>7}   (ms a face, one core)")
    for batch, row in results.items():
        print(f"{batch:>5} {row['dlib_ms']:>9.2f} {row['onnx_ms']:>9.2f} {row['ratio']:>6.1f}x")
    if options.json:
        options.json.write_text(json.dumps(results, indent=2))


def real_chips(count: int) -> np.ndarray:
    """Aligned chips of the two sample portraits, in turn."""
    detector = open_detector()
    faces = [detector.find_in_bytes(one.portrait.read_bytes())[0].chip for one in sample_people()]
    return np.stack([faces[number % len(faces)] for number in range(count)])


def compare(chips: np.ndarray, rounds: int) -> dict[str, float]:
    encoders = {"dlib": DlibReferenceEncoder(), "onnx": DlibEncoder()}
    times: dict[str, list[float]] = {name: [] for name in encoders}
    for encoder in encoders.values():
        encoder.embed(chips)
    for _ in range(rounds):
        for name, encoder in encoders.items():
            started = time.perf_counter()
            encoder.embed(chips)
            times[name].append(1000 * (time.perf_counter() - started) / len(chips))
    dlib_ms, onnx_ms = (statistics.median(times[name]) for name in encoders)
    return {"dlib_ms": dlib_ms, "onnx_ms": onnx_ms, "ratio": dlib_ms / onnx_ms}


if __name__ == "__main__":
    main()
