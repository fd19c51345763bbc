"""Puts an ONNX graph together, node by node."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

Shape = Sequence[str | int | None]

MEAN_RGB, SCALE = (122.782, 117.001, 104.298), 1 / 256
"""The mean that the input layer of dlib's networks subtracts, and the factor that it then
multiplies by."""

IR_VERSION = 9
"""Old enough for every supported version of ONNX Runtime."""


class Graph:
    """The nodes and constants of a network that is being built. A value is known by its name."""

    def __init__(self) -> None:
        self._nodes: list[Any] = []
        self._constants: list[Any] = []

    def pixels(self, name: str) -> str:
        """The input, uint8[n, height, width, 3], R, G, B, as dlib's networks see it: float32[n, 3,
        height, width], normalised."""
        x = self.node("Cast", name, to=TensorProto.FLOAT)
        x = self.node("Transpose", x, perm=[0, 3, 1, 2])
        mean = np.array(MEAN_RGB, np.float32).reshape(1, 3, 1, 1)
        x = self.node("Sub", x, self.constant(mean))
        return self.node("Mul", x, self.constant(np.array(SCALE, np.float32)))

    def column_pairs(self, name: str, side: int) -> str:
        """The input, uint8[n, side, side, 3], R, G, B, as float32[n, 6, side, side / 2], from 0 to
        1 with no mean subtracted: each place has the colours of two columns.

        Arithmetic of 8 bits takes them as they are, and reads longer runs of them.
        """
        shape = self.constant(np.array([0, side, side // 2, 6], np.int64))
        x = self.node("Transpose", self.node("Reshape", name, shape), perm=[0, 3, 1, 2])
        scale = self.constant(np.array(SCALE, np.float32))
        zero = self.constant(np.array(0, np.uint8))
        return self.node("DequantizeLinear", x, scale, zero)

    def constant(self, values: NDArray[Any]) -> str:
        """Add a constant."""
        name = f"constant_{len(self._constants)}"
        self._constants.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name

    def node(self, operator: str, *inputs: str, **attributes: Any) -> str:
        """Add a node, and return the name of its output."""
        output = f"value_{len(self._nodes)}"
        self._nodes.append(helper.make_node(operator, inputs, [output], **attributes))
        return output

    def model(
        self, name: str, inputs: tuple[str, Shape], outputs: tuple[str, Shape], opset: int
    ) -> onnx.ModelProto:
        """The finished model, whose output is the last node's."""
        self._nodes[-1].output[0] = outputs[0]
        graph = helper.make_graph(
            self._nodes,
            name,
            [helper.make_tensor_value_info(inputs[0], TensorProto.UINT8, list(inputs[1]))],
            [helper.make_tensor_value_info(outputs[0], TensorProto.FLOAT, list(outputs[1]))],
            self._constants,
        )
        return helper.make_model(
            graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=IR_VERSION
        )
