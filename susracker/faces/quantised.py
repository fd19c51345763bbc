"""The recognition network in 8-bit arithmetic, which takes half the time.

Weights have 8 bits and a scale for each channel. Activations have 8 bits over the range seen on
development faces (`susracker/faces/data/…-ranges.json`, made by tools/make_ranges.py).
"""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any

import numpy as np
import onnx
from onnxruntime.quantization import CalibrationMethod, QuantType
from onnxruntime.quantization.calibrate import TensorsData
from onnxruntime.quantization.qdq_quantizer import QDQQuantizer

from susracker.errors import EncoderError

QUANTISED = ("Conv", "Add", "Relu", "MaxPool", "AveragePool")
"""Operators that run in 8 bits: all that cost time. The input and the last layer stay exact."""


def quantise(model: onnx.ModelProto, encoder_id: str) -> onnx.ModelProto:
    """Convert a network to 8 bits.

    Raises:
        EncoderError: there are no ranges for this encoder.
    """
    quantizer = QDQQuantizer(
        onnx.shape_inference.infer_shapes(model),
        per_channel=True,
        reduce_range=False,
        weight_qType=QuantType.QInt8,
        activation_qType=QuantType.QUInt8,
        tensors_range=TensorsData(CalibrationMethod.MinMax, _ranges(encoder_id)),
        nodes_to_quantize=[],
        nodes_to_exclude=[],
        op_types_to_quantize=list(QUANTISED),
        extra_options={},
    )
    quantizer.quantize_model()
    quantised: onnx.ModelProto = quantizer.model.model
    return quantised


def _ranges(encoder_id: str) -> dict[str, Any]:
    resource = files("susracker.faces") / "data" / f"{encoder_id}-ranges.json"
    if not resource.is_file():
        raise EncoderError(f"there are no 8-bit ranges for {encoder_id}: see tools/make_ranges.py")
    return {
        name: tuple(map(np.float32, ends))
        for name, ends in json.loads(resource.read_text()).items()
    }
