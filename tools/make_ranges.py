"""Makes the ranges that the recognition network's 8-bit form needs.

    python tools/make_ranges.py ../shared/data/lfw-dev

The least and the highest number that each layer puts out, over one face in ten of a folder with one
folder of photos a person, written to `susracker/faces/data/<encoder>-ranges.json`.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx
from onnxruntime.quantization import CalibrationDataReader, CalibrationMethod
from onnxruntime.quantization.calibrate import create_calibrator

from susracker.benchmark.datasets import read_dataset
from susracker.benchmark.embedding import meant_face
from susracker.faces import dlib_resnet
from susracker.faces.detector import Detector
from susracker.faces.encoder import DlibEncoder
from susracker.faces.network import CHIPS
from susracker.faces.quantised import QUANTISED
from susracker.faces.weights import RECOGNITION, weights_file

DATA = Path(__file__).parent.parent / "susracker" / "faces" / "data"
FILE = DATA / f"{DlibEncoder.id}-ranges.json"


class Chips(CalibrationDataReader):
    """Aligned faces, one at a time."""

    def __init__(self, photos: list[Path]) -> None:
        self._chips = self._aligned(photos)

    def get_next(self) -> dict[str, np.ndarray] | None:
        return next(self._chips, None)

    def _aligned(self, photos: list[Path]) -> Iterator[dict[str, np.ndarray]]:
        detector = Detector()
        for photo in photos:
            face = meant_face(detector.find_in_bytes(photo.read_bytes()))
            if face:
                yield {CHIPS: face.chip[None]}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("faces", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "network.onnx"
        onnx.save(dlib_resnet.build(weights_file(RECOGNITION)), file)
        calibrator = create_calibrator(
            file, list(QUANTISED), f"{folder}/augmented.onnx", CalibrationMethod.MinMax
        )
        calibrator.collect_data(Chips(read_dataset(options.faces).photos[::10]))
        found = calibrator.compute_data().items()
    ranges = {
        name: [round(np.asarray(end).item(), 4) for end in data.range_value]
        for name, data in sorted(found)
    }
    FILE.write_text(json.dumps(ranges, indent=0) + "\n")
    print(f"{len(ranges)} ranges: {FILE}")


if __name__ == "__main__":
    main()
