"""Exact products of 8-bit codes and the digits of probes.

numpy has no fast product of 8-bit integers. For one probe NumKong's takes two thirds of the time of
ONNX Runtime's, which is the faster one for several (docs/performance.md has the figures).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numkong
import numpy as np
import onnxruntime
from numpy.typing import NDArray

from susracker.models import Vectors

DIGIT = 64
"""Largest digit of a probe, positive or negative. Processors without VNNI add two of ONNX Runtime's
products in 16 bits and saturate at 32,767; 2 x 255 x 64 is less (see its documentation of U8S8
matrix products)."""

DIGITS_AT_ONCE = 4
"""NumKong takes longer for three rows of digits than for four."""

OPSET = 13
IR_VERSION = 9

Product = Callable[[NDArray[np.uint8]], Vectors]


def product(digits: NDArray[np.int8], worth: Vectors) -> Product:
    """A function of codes, shape (rows, dimension), that gives `worth @ (digits @ codes.T)`.

    The inner product is exact, the outer one is rounded as 32-bit numbers are.

    Args:
        digits: from -`DIGIT` to `DIGIT`, shape (digits, dimension), two for each probe.
        worth: what they are worth to each probe, shape (probes, digits).
    """
    return _of_one(digits, worth) if len(worth) == 1 else _of_many(digits, worth)


def _of_one(digits: NDArray[np.int8], worth: Vectors) -> Product:
    # NumKong takes codes and digits of one type: unsigned ones, from which a last row takes what
    # was added to all others.
    shifted = np.zeros((DIGITS_AT_ONCE, digits.shape[1]), np.uint8)
    shifted[: len(digits) + 1] = DIGIT
    shifted[: len(digits)] += digits.view(np.uint8)
    values = np.zeros(DIGITS_AT_ONCE, np.float32)
    values[: len(digits)] = worth[0]
    values[len(digits)] = -worth[0].sum()
    packed = numkong.dots_pack(shifted)
    return lambda codes: (
        np.asarray(numkong.dots_packed(codes, packed)).astype(np.float32) @ values
    )[None]


def _of_many(digits: NDArray[np.int8], worth: Vectors) -> Product:
    session = onnx_session()
    inputs = {"digits": np.ascontiguousarray(digits.T), "worth": worth}

    def similarities(codes: NDArray[np.uint8]) -> Vectors:
        found: Vectors = session.run(None, {"codes": codes} | inputs)[0]
        return found

    return similarities


@cache
def onnx_session() -> onnxruntime.InferenceSession:
    """Multiplies codes by digits, and the products by the digits' values."""
    # Only long watch-lists have codes, and the package takes 0.1 s to import.
    import onnx
    from onnx import TensorProto, helper

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
