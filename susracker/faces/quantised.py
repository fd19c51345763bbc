"""dlib's networks in 8-bit arithmetic, which takes half the time.

Weights have 8 bits and a scale for each channel. Activations have 8 bits over the range seen on
development photos (`susracker/faces/data/…-ranges.json`, made by tools/make_ranges.py).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from importlib.resources import files
from typing import Any

import numpy as np
import onnx
from onnxruntime.quantization import CalibrationMethod, QuantType
from onnxruntime.quantization.calibrate import TensorsData
from onnxruntime.quantization.qdq_quantizer import QDQQuantizer

from susracker.errors import EncoderError

QUANTISED = ("Conv", "Add", "Relu", "MaxPool", "AveragePool")
"""Operators of the recognition network that run in 8 bits: all that cost time. Its input and its
last layer stay exact."""


def quantise(
    model: onnx.ModelProto,
    name: str,
    operators: Sequence[str] = QUANTISED,
    exact: Sequence[str] = (),
) -> onnx.ModelProto:
    """Convert a network to 8 bits.

    Args:
        name: the encoder's id, or the detector's name, whose ranges are used.
        exact: names of nodes that stay as they are.

    Raises:
        EncoderError: there are no ranges for this network.
    """
    quantizer = QDQQuantizer(
        onnx.shape_inference.infer_shapes(model),
        per_channel=True,
        reduce_range=False,
        weight_qType=QuantType.QInt8,
        activation_qType=QuantType.QUInt8,
        tensors_range=TensorsData(CalibrationMethod.MinMax, _ranges(name)),
        nodes_to_quantize=[],
        nodes_to_exclude=list(exact),
        op_types_to_quantize=list(operators),
        extra_options={},
    )
    quantizer.quantize_model()
    quantised: onnx.ModelProto = quantizer.model.model
    return quantised


def _ranges(name: str) -> dict[str, Any]:
    resource = files("susracker.faces") / "data" / f"{name}-ranges.json"
    if not resource.is_file():
        raise EncoderError(f"there are no 8-bit ranges for {name}: see tools/make_ranges.py")
    return {
        value: tuple(map(np.float32, ends))
        for value, ends in json.loads(resource.read_text()).items()
    }
