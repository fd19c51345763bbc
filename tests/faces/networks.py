"""Networks of the site's own, as small as they get: made here, and trained on nothing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

INPUT = {
    "size": "32",
    "channels": '"RGB"',
    "mean": "127.5",
    "scale": "0.0078125",
    "alignment": '"arcface"',
    "mirror": "true",
}


def input_text(**changed: str) -> str:
    """The TOML file of a network."""
    return "".join(f"{name} = {value}\n" for name, value in (INPUT | changed).items() if value)


def projection(side: int = 32, dimension: int = 16, **form) -> bytes:
    """A network that multiplies the pixels of a small picture with random numbers."""
    weights = np.random.default_rng(0).normal(size=(3 * 8 * 8, dimension)).astype(np.float32)
    kernel = side // 8
    nodes = [
        helper.make_node(
            "AveragePool", ["first"], ["small"], kernel_shape=[kernel] * 2, strides=[kernel] * 2
        ),
        helper.make_node("Flatten", ["small"], ["flat"]),
        helper.make_node("MatMul", ["flat", "weights"], ["out"]),
    ]
    return network(nodes, {"weights": weights}, ["n", dimension], side, **form)


def means(side: int = 32, **form) -> bytes:
    """A network that puts out the mean of what goes in, by channel."""
    nodes = [
        helper.make_node("GlobalAveragePool", ["first"], ["mean"]),
        helper.make_node("Flatten", ["mean"], ["out"]),
    ]
    return network(nodes, {}, ["n", 3], side, **form)


def network(
    nodes, weights, out, side, *, batch="n", channels_first=True, kind=TensorProto.FLOAT
) -> bytes:
    """A serialised network whose nodes make `out` of `first`, which has its channels first."""
    into = [
        helper.make_node("Cast", ["in"], ["numbers"], to=TensorProto.FLOAT),
        helper.make_node("Transpose", ["numbers"], ["first"], perm=[0, 3, 1, 2])
        if not channels_first
        else helper.make_node("Identity", ["numbers"], ["first"]),
    ]
    shape = [batch, 3, side, side] if channels_first else [batch, side, side, 3]
    graph = helper.make_graph(
        [*into, *nodes],
        "tiny",
        [helper.make_tensor_value_info("in", kind, shape)],
        [helper.make_tensor_value_info("out", TensorProto.FLOAT, out)],
        [numpy_helper.from_array(array, name) for name, array in weights.items()],
    )
    opset = [helper.make_opsetid("", 17)]
    model = helper.make_model(graph, opset_imports=opset, ir_version=8)
    onnx.checker.check_model(model)
    return model.SerializeToString()


def write(folder: Path, model: bytes, **changed: str) -> Path:
    """A network with its TOML file in a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "network.onnx"
    file.write_bytes(model)
    file.with_suffix(".toml").write_text(input_text(**changed))
    return file
