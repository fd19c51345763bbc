"""Rows of 8-bit codes, a quarter of the memory to read, and how far off they can be.

A row `x` is kept as `centre + scale * code`, with the error `e`. A probe `p` is written with two
digits a number: `p = coarse * first + fine * second + f`. Then

    x·p = centre·p + scale * (coarse * code·first + fine * code·second) + scale * code·f + e·p

where the products of whole numbers are exact, and the last two terms are at most
`|scale * code| |f| + |e| |p|` (Cauchy and Schwarz). Whoever may be among the nearest is then looked
at in full, so that what a search returns is what it would return without codes.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray
from onnx import TensorProto, helper

from susracker.models import Vectors

ROWS_AT_ONCE = 16_384
"""Their products with a few probes stay in the processor's cache until they are similarities."""

ROOM = 1.1
"""How much further codes reach than the rows that they were made for."""

TINY = float(np.finfo(np.float32).tiny)
LEVELS = 255
MIDDLE = 128

DIGIT = 64
"""Largest digit of a probe: processors without VNNI add two products in 16 bits, and would stop at
32,767; 2 x 255 x 64 is less (ONNX Runtime's documentation of U8S8 matrix products)."""

ROUNDING = np.float32(1e-5)
"""More than the rounding of 32-bit numbers adds up to: their sums are of a few hundred terms, each
under 1 and good to 6e-8."""

OPSET = 13
IR_VERSION = 9


class Codes:
    """Codes of the rows of an array.

    Centre and scale are those of the rows that it is made of. Rows that are put later may lie
    outside what the codes reach; that makes the bound wider, and never wrong.
    """

    def __init__(self, rows: Vectors, capacity: int, rows_at_once: int = ROWS_AT_ONCE) -> None:
        self._rows_at_once = rows_at_once
        self._centre = rows.mean(axis=0)
        parts = _parts(len(rows), rows_at_once)
        reach = max(float(np.abs(rows[part] - self._centre).max()) for part in parts)
        self._scale = np.float32(2 * ROOM * max(reach, TINY) / LEVELS)
        self._codes = np.empty((capacity, rows.shape[1]), np.uint8)
        self._longest = self._worst = np.float32(0)
        for part in parts:
            self.put(part.start, rows[part])

    def put(self, start: int, rows: Vectors) -> None:
        """Set the codes of the rows from `start` on."""
        offsets = rows - self._centre
        codes = np.clip(np.rint(offsets / self._scale) + MIDDLE, 0, LEVELS).astype(np.uint8)
        self._codes[start : start + len(rows)] = codes
        coded = (codes.astype(np.float32) - MIDDLE) * self._scale
        self._longest = max(self._longest, _longest(coded))
        self._worst = max(self._worst, _longest(offsets - coded))

    def move(self, to: NDArray[np.intp], at: NDArray[np.intp]) -> None:
        """Copy the codes of some rows to others."""
        self._codes[to] = self._codes[at]

    def resize(self, capacity: int) -> None:
        """Make room for so many rows."""
        self._codes = resized(self._codes, capacity, min(capacity, len(self._codes)))

    def similarities(
        self, probes: Vectors, count: int
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Similarities to the first `count` rows, shape (probes, count), and by how much any of
        them may be off, shape (probes,)."""
        digits, steps, left = _written(probes)
        # Of all probes the first digits, then of all the second.
        turned = np.ascontiguousarray(digits.reshape(-1, digits.shape[2]).T)
        worth = np.concatenate([np.diag(self._scale * one) for one in steps], axis=1)
        found = np.empty((len(probes), count), np.float32)
        for part in _parts(count, self._rows_at_once):
            inputs = {"codes": self._codes[part], "digits": turned, "worth": worth}
            found[:, part] = _session().run(None, inputs)[0]
        middle = worth @ (MIDDLE * turned.sum(axis=0, dtype=np.float32))
        found += (probes @ self._centre - middle)[:, None]
        lengths = np.linalg.norm(probes, axis=1)
        return found, ROUNDING + self._longest * left + self._worst * lengths


def resized(array: NDArray[Any], capacity: int, count: int) -> NDArray[Any]:
    """An array with room for `capacity` rows, and the first `count` of another."""
    larger = np.empty((capacity, *array.shape[1:]), array.dtype)
    larger[:count] = array[:count]
    return larger


def _parts(count: int, size: int) -> list[slice]:
    return [slice(start, min(start + size, count)) for start in range(0, count, size)]


def _longest(rows: Vectors) -> np.float32:
    return np.float32(np.linalg.norm(rows, axis=1).max(initial=0))


def _written(
    probes: Vectors,
) -> tuple[NDArray[np.int8], NDArray[np.float32], NDArray[np.float32]]:
    """Digits of shape (2, n, dimension), what a one of each is worth, shape (2, n), and the length
    of what is left, shape (n,)."""
    most = np.maximum(np.abs(probes).max(axis=1), TINY)
    coarse = most / DIGIT
    first = np.rint(probes / coarse[:, None])
    rest = probes - first * coarse[:, None]
    fine = coarse / (2 * DIGIT)
    second = np.rint(rest / fine[:, None])
    left = np.linalg.norm(rest - second * fine[:, None], axis=1)
    return np.stack([first, second]).astype(np.int8), np.stack([coarse, fine]), left


@cache
def _session() -> onnxruntime.InferenceSession:
    """Digits times codes, times what they are worth: numpy has no product of whole numbers that
    uses the processor's own instructions."""
    of = helper.make_tensor_value_info
    graph = helper.make_graph(
        [
            helper.make_node("MatMulInteger", ["codes", "digits"], ["products"]),
            helper.make_node("Cast", ["products"], ["numbers"], to=TensorProto.FLOAT),
            helper.make_node("Gemm", ["worth", "numbers"], ["similarities"], transB=1),
        ],
        "similarities",
        [
            of("codes", TensorProto.UINT8, [None, None]),
            of("digits", TensorProto.INT8, [None, None]),
            of("worth", TensorProto.FLOAT, [None, None]),
        ],
        [of("similarities", TensorProto.FLOAT, [None, None])],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)])
    model.ir_version = IR_VERSION
    onnx.checker.check_model(model)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
