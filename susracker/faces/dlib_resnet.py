"""Converts dlib's recognition network from dlib's own weight file to ONNX.

For each layer with weights, the file holds a string such as `con_4`, `affine_` or `fc_2`, and a
tensor. A convolution has a bias. An affine layer is gamma followed by beta, and is folded into the
convolution before it. The network is that of dlib's example `dnn_face_recognition_ex.cpp`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx

from susracker.errors import EncoderError
from susracker.faces.dlib_file import DlibFile, Weights
from susracker.faces.graph import MEAN_RGB, SCALE, Graph
from susracker.faces.network import CHIP_SIZE, CHIPS, DIMENSION, EMBEDDINGS

STAGES = ((32, 3, False), (64, 4, True), (128, 3, True), (256, 3, True), (256, 1, True))
"""For each stage: channels, blocks, and whether the first block halves the picture."""

LAYER = re.compile(rb"\x01\x05con_\d|\x01\x07affine_|\x01\x04fc_\d")
OPSET = 17
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
        kind, file = match.group()[2:5], DlibFile(data, match.end())
        if kind == b"fc_":
            file.integers(2)
        yield kind, file.tensor()


class _Builder:
    """Adds the nodes one by one, and takes the weights in the layers' order."""

    def __init__(self, layers: list[tuple[bytes, Weights]]) -> None:
        self._layers = layers
        self._graph = Graph()
        self._node, self._constant = self._graph.node, self._graph.constant

    def model(self) -> onnx.ModelProto:
        x = self._node("Relu", self._first_convolution())
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
        return self._graph.model(
            "dlib_face_recognition_resnet_model_v1",
            (CHIPS, ["n", CHIP_SIZE, CHIP_SIZE, 3]),
            (EMBEDDINGS, ["n", DIMENSION]),
            OPSET,
        )

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

    def _first_convolution(self) -> str:
        """That of the input, by pairs of columns. The mean goes into the biases, for no pixel is
        padded."""
        channels, filters, size = 3, 32, 7
        kernels, bias = self._folded(channels, filters, size)
        mean = np.array(MEAN_RGB, np.float32) * np.float32(SCALE)
        bias = bias - kernels.sum(axis=(2, 3)) @ mean
        pairs = np.pad(kernels, [(0, 0), (0, 0), (0, 0), (0, 1)])
        pairs = pairs.reshape(filters, channels, size, (size + 1) // 2, 2)
        pairs = pairs.transpose(0, 4, 1, 2, 3).reshape(filters, 2 * channels, size, -1)
        x = self._graph.column_pairs(CHIPS, CHIP_SIZE)
        return self._conv(x, pairs, bias, strides=[2, 1], padding=0)

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
        return self._conv(x, *self._folded(channels, filters, size), [stride] * 2, padding)

    def _folded(self, channels: int, filters: int, size: int) -> tuple[Weights, Weights]:
        """The kernels and biases of a convolution and of the affine layer after it."""
        weights, affine = self._take(b"con"), self._take(b"aff")
        kernels, bias = weights[:-filters], weights[-filters:]
        gamma, beta = affine[:filters], affine[filters:]
        kernels = kernels.reshape(filters, channels, size, size) * gamma[:, None, None, None]
        return kernels, bias * gamma + beta

    def _conv(
        self, x: str, kernels: Weights, bias: Weights, strides: list[int], padding: int
    ) -> str:
        return self._node(
            "Conv",
            x,
            self._constant(kernels),
            self._constant(bias),
            kernel_shape=list(kernels.shape[2:]),
            strides=strides,
            pads=[padding] * 4,
        )

    def _take(self, kind: bytes) -> Weights:
        found, weights = self._layers.pop(0)
        if found != kind:
            raise ValueError(f"it has a layer {found!r} where {kind!r} belongs")
        return weights


def _halved(side: int, kernel: int) -> int:
    """Return a picture's side after a kernel of stride 2 without padding."""
    return (side - kernel) // 2 + 1
