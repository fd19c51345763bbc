"""Converts dlib's recognition network from dlib's own weight file to ONNX.

For each layer with weights, the file holds a string such as `con_4`, `affine_` or `fc_2`, and a
tensor: version 2, four sizes, then float32 numbers. An integer is one byte that holds the number of
bytes and, in its top bit, the sign, followed by those bytes, lowest first. A convolution has a
bias. An affine layer is gamma followed by beta, and is folded into the convolution before it. The
network is that of dlib's example `dnn_face_recognition_ex.cpp`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from susracker.errors import EncoderError
from susracker.faces.network import CHIP_SIZE, CHIPS, DIMENSION, EMBEDDINGS

Weights = NDArray[np.float32]

MEAN_RGB, SCALE = (122.782, 117.001, 104.298), 1 / 256
"""The mean that dlib's input layer subtracts, and the factor that it then multiplies by."""

STAGES = ((32, 3, False), (64, 4, True), (128, 3, True), (256, 3, True), (256, 1, True))
"""For each stage: channels, blocks, and whether the first block halves the picture."""

TENSOR_VERSION = 2
LAYER = re.compile(rb"\x01\x05con_\d|\x01\x07affine_|\x01\x04fc_\d")
OPSET, IR_VERSION = 17, 9
"""Old enough for every supported version of ONNX Runtime."""


def build(weights: Path) -> onnx.ModelProto:
    """Build the network as a model from uint8[n, 150, 150, 3], R, G, B, to float32[n, 128].

    Raises:
        EncoderError: the file cannot be read, or is not dlib's recognition network.
    """
    try:
        layers = list(_layers(weights.read_bytes()))
        return _Builder(layers).model()
    except (OSError, IndexError, ValueError) as error:
        raise EncoderError(
            f"{weights} is not dlib's recognition network ({error}): "
            "pip install --force-reinstall face_recognition_models"
        ) from error


def _layers(data: bytes) -> Iterator[tuple[bytes, Weights]]:
    """Read each layer's kind ("con", "aff" or "fc_") and weights, from input to output."""
    for match in LAYER.finditer(data):
        kind, position = match.group()[2:5], match.end()
        if kind == b"fc_":
            for _ in ("outputs", "inputs"):
                _, position = _integer(data, position)
        version, position = _integer(data, position)
        if version != TENSOR_VERSION:
            raise ValueError(f"it has a tensor of version {version}")
        count = 1
        for _ in range(4):
            size, position = _integer(data, position)
            count *= size
        yield kind, np.frombuffer(data, "<f4", count, position)


def _integer(data: bytes, position: int) -> tuple[int, int]:
    """Read an integer; return it and the position after it."""
    length, negative = data[position] & 0x7F, data[position] & 0x80
    end = position + 1 + length
    value = int.from_bytes(data[position + 1 : end], "little")
    return (-value if negative else value), end


class _Builder:
    """Adds the nodes one by one, and takes the weights in the layers' order."""

    def __init__(self, layers: list[tuple[bytes, Weights]]) -> None:
        self._layers = layers
        self._nodes: list[Any] = []
        self._constants: list[Any] = []

    def model(self) -> onnx.ModelProto:
        x = self._input()
        x = self._node("Relu", self._convolution(x, 3, 32, size=7, stride=2, padding=0))
        x = self._node("MaxPool", x, kernel_shape=[3, 3], strides=[2, 2])
        side = _halved(_halved(CHIP_SIZE, 7), 3)
        channels = 32
        for wider, blocks, halves in STAGES:
            for number in range(blocks):
                if halves and not number:
                    x, side = self._halving_block(x, channels, wider, side)
                else:
                    x = self._block(x, wider)
                channels = wider
        x = self._node("Flatten", self._node("GlobalAveragePool", x))
        self._node("MatMul", x, self._constant(self._take(b"fc_").reshape(channels, DIMENSION)))
        if self._layers:
            raise ValueError(f"it has {len(self._layers)} layers too many")
        return self._finished()

    def _input(self) -> str:
        x = self._node("Cast", CHIPS, to=TensorProto.FLOAT)
        x = self._node("Transpose", x, perm=[0, 3, 1, 2])
        mean = np.array(MEAN_RGB, np.float32).reshape(1, 3, 1, 1)
        x = self._node("Sub", x, self._constant(mean))
        return self._node("Mul", x, self._constant(np.array(SCALE, np.float32)))

    def _block(self, x: str, channels: int) -> str:
        y = self._node("Relu", self._convolution(x, channels, channels))
        y = self._convolution(y, channels, channels)
        return self._node("Relu", self._node("Add", y, x))

    def _halving_block(self, x: str, channels: int, wider: int, side: int) -> tuple[str, int]:
        y = self._node("Relu", self._convolution(x, channels, wider, stride=2, padding=0))
        y = self._convolution(y, wider, wider)
        shortcut = self._node("AveragePool", x, kernel_shape=[2, 2], strides=[2, 2])
        sides = _halved(side, 3), _halved(side, 2)
        y = self._padded(y, 0, max(sides) - sides[0])
        shortcut = self._padded(shortcut, wider - channels, max(sides) - sides[1])
        return self._node("Relu", self._node("Add", y, shortcut)), max(sides)

    def _padded(self, x: str, channels: int, pixels: int) -> str:
        """Add zeros after the last channel, on the right and at the bottom, as dlib does."""
        if not channels and not pixels:
            return x
        pads = np.array([0, 0, 0, 0, 0, channels, pixels, pixels], np.int64)
        return self._node("Pad", x, self._constant(pads))

    def _convolution(
        self,
        x: str,
        channels: int,
        filters: int,
        *,
        size: int = 3,
        stride: int = 1,
        padding: int = 1,
    ) -> str:
        weights, affine = self._take(b"con"), self._take(b"aff")
        kernels, bias = weights[:-filters], weights[-filters:]
        gamma, beta = affine[:filters], affine[filters:]
        kernels = kernels.reshape(filters, channels, size, size) * gamma[:, None, None, None]
        return self._node(
            "Conv",
            x,
            self._constant(kernels),
            self._constant(bias * gamma + beta),
            kernel_shape=[size, size],
            strides=[stride, stride],
            pads=[padding] * 4,
        )

    def _take(self, kind: bytes) -> Weights:
        found, weights = self._layers.pop(0)
        if found != kind:
            raise ValueError(f"it has a layer {found!r} where {kind!r} belongs")
        return weights

    def _constant(self, values: NDArray[Any]) -> str:
        name = f"constant_{len(self._constants)}"
        self._constants.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name

    def _node(self, operator: str, *inputs: str, **attributes: Any) -> str:
        output = f"value_{len(self._nodes)}"
        self._nodes.append(helper.make_node(operator, inputs, [output], **attributes))
        return output

    def _finished(self) -> onnx.ModelProto:
        self._nodes[-1].output[0] = EMBEDDINGS
        shape: list[str | int | None] = ["n", CHIP_SIZE, CHIP_SIZE, 3]
        graph = helper.make_graph(
            self._nodes,
            "dlib_face_recognition_resnet_model_v1",
            [helper.make_tensor_value_info(CHIPS, TensorProto.UINT8, shape)],
            [helper.make_tensor_value_info(EMBEDDINGS, TensorProto.FLOAT, ["n", DIMENSION])],
            self._constants,
        )
        return helper.make_model(
            graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION
        )


def _halved(side: int, kernel: int) -> int:
    """Return a picture's side after a kernel of stride 2 without padding."""
    return (side - kernel) // 2 + 1
