"""Makes the ranges that the 8-bit forms of dlib's networks need.

    python tools/make_ranges.py encoder ../shared/data/lfw-dev
    python tools/make_ranges.py detector ../shared/data/lfw-dev

The least and the highest number that each layer puts out, over one photo in ten of a folder with
one folder of photos a person, written to `susracker/faces/data/<network>-ranges.json`.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import onnx
from onnxruntime.quantization import CalibrationDataReader, CalibrationMethod
from onnxruntime.quantization.calibrate import create_calibrator

from susracker.benchmark.datasets import read_dataset
from susracker.benchmark.embedding import meant_face
from susracker.faces import dlib_cnn, dlib_resnet, quantised
from susracker.faces.cnn import DETECTION, framed
from susracker.faces.encoder import DlibEncoder
from susracker.faces.hog_detector import HogDetector
from susracker.faces.images import decode, scaled_to
from susracker.faces.network import CHIPS, PIXELS
from susracker.faces.weights import DETECTION as DETECTION_FILE
from susracker.faces.weights import RECOGNITION, weights_file

DATA = Path(__file__).parent.parent / "susracker" / "faces" / "data"

SIDES = (87, 122, 174, 250)
"""Pixels to which photos are scaled for the detector, which sees each face in several sizes."""


class Inputs(CalibrationDataReader):
    """What goes into a network, one at a time."""

    def __init__(self, inputs: Iterator[dict[str, np.ndarray]]) -> None:
        self._inputs = inputs

    def get_next(self) -> dict[str, np.ndarray] | None:
        return next(self._inputs, None)


def chips(photos: list[Path]) -> Iterator[dict[str, np.ndarray]]:
    """Aligned faces."""
    detector = HogDetector()
    for photo in photos:
        face = meant_face(detector.find_in_bytes(photo.read_bytes()))
        if face:
            yield {CHIPS: face.chip[None]}


def pictures(photos: list[Path]) -> Iterator[dict[str, np.ndarray]]:
    """Whole photos, each in several sizes."""
    for photo in photos:
        picture = decode(photo.read_bytes())
        for side in SIDES:
            yield {PIXELS: framed(scaled_to(picture, side))[None]}


def ranges(
    model: onnx.ModelProto, operators: Sequence[str], inputs: Iterator[dict[str, np.ndarray]]
) -> dict[str, list[float]]:
    """The least and the highest number of each value, by its name."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "network.onnx"
        onnx.save(model, file)
        calibrator = create_calibrator(
            file, list(operators), f"{folder}/augmented.onnx", CalibrationMethod.MinMax
        )
        calibrator.collect_data(Inputs(inputs))
        found = calibrator.compute_data().items()
    return {
        name: [round(np.asarray(end).item(), 8) for end in data.range_value]
        for name, data in sorted(found)
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("network", choices=["encoder", "detector"])
    parser.add_argument("photos", type=Path)
    options = parser.parse_args()
    photos = read_dataset(options.photos).photos[::10]
    if options.network == "encoder":
        model, name = dlib_resnet.build(weights_file(RECOGNITION)), DlibEncoder.id
        found = ranges(model, quantised.QUANTISED, chips(photos))
    else:
        model, name = dlib_cnn.build(weights_file(DETECTION_FILE)), DETECTION
        found = ranges(model, dlib_cnn.QUANTISED, pictures(photos))
    file = DATA / f"{name}-ranges.json"
    file.write_text(json.dumps(found, indent=0) + "\n")
    print(f"{len(found)} ranges: {file}")


if __name__ == "__main__":
    main()
