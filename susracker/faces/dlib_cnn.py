"""Converts dlib's CNN face detector from dlib's own weight file to ONNX.

The network is that of dlib's example `dnn_mmod_face_detection_ex.cpp` (King, "Max-margin object
detection", 2015): three convolutions of stride 2, three more, and one that makes the scores. The
file has batch normalisation between them, which is folded into the convolution before it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx

from susracker.errors import EncoderError
from susracker.faces.dlib_file import DlibFile, Weights
from susracker.faces.graph import MEAN_RGB, SCALE, Graph
from susracker.faces.network import PIXELS, SCORES, WINDOW

CONVOLUTIONS = (
    (3, 16, 5, 2, 0),
    (16, 32, 5, 2, 0),
    (32, 32, 5, 2, 0),
    (32, 45, 5, 1, 2),
    (45, 45, 5, 1, 2),
    (45, 45, 5, 1, 2),
    (45, 1, 9, 1, 4),
)
"""Channels in and out, width of the kernel, stride and padding of each convolution."""

EPSILON = 1e-4
"""What dlib adds to a variance before it takes the root."""

MULTIPLE = 16
"""Channels are filled up with zeros to a multiple of this, which fits a processor's registers."""

FIRST, LAST = "first", "last"
"""Names of the convolutions that stay exact in 8 bits: the first is faster so, and the last makes
the scores."""

QUANTISED = ("Conv", "Relu")
"""Operators that run in 8 bits."""

OPSET = 18
"""The first that has Col2Im."""


@dataclass(frozen=True, slots=True, eq=False)
class Convolution:
    """A convolution, with what follows it folded in.

    Attributes:
        kernels: shape (out, in, width, width).
        biases: shape (out,).
    """

    kernels: Weights
    biases: Weights
    stride: int
    padding: int


def build(weights: Path) -> onnx.ModelProto:
    """Build the network as a model from uint8[n, height, width, 3], R, G, B, to scores, float32[n,
    1, rows, columns], of windows that are 8 pixels apart.

    Raises:
        EncoderError: the file cannot be read, or is not dlib's face detector.
    """
    try:
        return _model(_read(DlibFile(weights.read_bytes())))
    except (OSError, IndexError, ValueError) as error:
        raise EncoderError(
            f"{weights} is not dlib's face detector ({error}): "
            "pip install --force-reinstall face_recognition_models"
        ) from error


def _read(file: DlibFile) -> list[Convolution]:
    _read_head(file)
    convolutions = []
    for number, form in enumerate(CONVOLUTIONS):
        convolution = _read_convolution(file, *form)
        _read_end(file, first=not number)
        if number < len(CONVOLUTIONS) - 1:
            convolution = _folded(convolution, *_read_normalisation(file))
            _read_end(file)
            file.expect(file.text(), "relu_")
            _read_end(file)
        convolutions.append(convolution)
    file.expect(file.left, 0)
    return convolutions


def _read_head(file: DlibFile) -> None:
    """The settings of the loss and of the input layer."""
    file.expect(file.integer(), 1)
    file.expect(file.text(), "loss_mmod_")
    file.expect(file.integers(3), [1, WINDOW, WINDOW])
    for _ in range(7):  # what training weighs, and how overlapping windows are told apart
        file.real()
    file.expect(file.integers(19), [2] * 18 + [3])
    file.expect(file.text(), "input_rgb_image_pyramid")
    means = tuple(round(file.real(), 3) for _ in range(3))
    file.expect(means, MEAN_RGB)


def _read_convolution(
    file: DlibFile, channels: int, filters: int, width: int, stride: int, padding: int
) -> Convolution:
    file.expect(file.text(), "con_4")
    weights = file.tensor()
    sizes = [filters, width, width, stride, stride, padding, padding]
    file.expect(file.integers(7), sizes)
    _read_aliases(file)
    for _ in range(4):  # rates of learning
        file.real()
    kernels = weights[:-filters].reshape(filters, channels, width, width)
    return Convolution(kernels, weights[-filters:], stride, padding)


def _read_normalisation(file: DlibFile) -> tuple[Weights, Weights]:
    """The factor and the summand of each channel."""
    file.expect(file.text(), "bn_con2")
    gamma, beta = np.split(file.tensor(), 2)
    _read_aliases(file)
    for _ in range(2):  # mean and deviation of the last batch of training
        file.tensor()
    mean, variance = file.tensor(), file.tensor()
    file.integers(2)
    for _ in range(4):
        file.real()
    file.expect(round(file.real(), 9), EPSILON)
    factor = gamma / np.sqrt(variance + EPSILON)
    return factor, beta - factor * mean


def _read_aliases(file: DlibFile) -> None:
    """Where in the tensor each part of it lies."""
    for _ in range(2):
        file.expect(file.integer(), 1)
        file.integers(4)


def _read_end(file: DlibFile, *, first: bool = False) -> None:
    """What follows each layer: flags, and three empty tensors."""
    file.skip(3)
    for _ in range(3):
        file.expect(file.tensor().size, 0)
    if first:
        file.expect(file.integer(), 1)


def _folded(convolution: Convolution, factor: Weights, summand: Weights) -> Convolution:
    return Convolution(
        convolution.kernels * factor[:, None, None, None],
        convolution.biases * factor + summand,
        convolution.stride,
        convolution.padding,
    )


def _model(convolutions: list[Convolution]) -> onnx.ModelProto:
    graph = Graph()
    # Bytes are turned faster than floats.
    x = graph.node("Transpose", PIXELS, perm=[0, 3, 1, 2])
    x = graph.node("Cast", x, to=onnx.TensorProto.FLOAT)
    convolutions = [_of_bytes(convolutions[0]), *convolutions[1:]]
    for number, convolution in enumerate(convolutions[:-1]):
        name = "" if number else FIRST
        x = graph.node("Relu", _convolution(graph, x, _filled(convolution), name))
    _scores(graph, x, convolutions[-1])
    return graph.model(
        "mmod_human_face_detector",
        (PIXELS, ["n", "height", "width", 3]),
        (SCORES, ["n", 1, "rows", "columns"]),
        OPSET,
    )


def _of_bytes(convolution: Convolution) -> Convolution:
    """The first convolution, for pixels that are not normalised. It has no padding, for which 0
    would be another colour."""
    kernels = convolution.kernels * np.float32(SCALE)
    mean = np.array(MEAN_RGB, np.float32).reshape(1, 3, 1, 1)
    biases = convolution.biases - (kernels * mean).sum(axis=(1, 2, 3))
    return Convolution(kernels, biases, convolution.stride, convolution.padding)


def _filled(convolution: Convolution) -> Convolution:
    """The same with zeros for channels, up to the next multiple, but for a picture's three."""
    filters, channels = convolution.kernels.shape[:2]
    more = [-count % MULTIPLE if count > 3 else 0 for count in (filters, channels)]
    return Convolution(
        np.pad(convolution.kernels, [(0, more[0]), (0, more[1]), (0, 0), (0, 0)]),
        np.pad(convolution.biases, (0, more[0])),
        convolution.stride,
        convolution.padding,
    )


def _convolution(graph: Graph, x: str, convolution: Convolution, name: str) -> str:
    return graph.node(
        "Conv",
        x,
        graph.constant(convolution.kernels),
        graph.constant(convolution.biases),
        name=name,
        kernel_shape=list(convolution.kernels.shape[2:]),
        strides=[convolution.stride] * 2,
        pads=[convolution.padding] * 4,
    )


def _scores(graph: Graph, x: str, convolution: Convolution) -> str:
    """The last convolution, which has one filter, as a product for each of its 81 places and their
    sum: exactly the same, in half the time."""
    _, channels, width, _ = convolution.kernels.shape
    places = convolution.kernels[0, :, ::-1, ::-1].reshape(channels, width * width)
    kernels = np.pad(places, [(0, -channels % MULTIPLE), (0, 0)]).T[:, :, None, None]
    shape = graph.node("Shape", x, start=2)
    x = graph.node("Conv", x, graph.constant(kernels), kernel_shape=[1, 1], name=LAST)
    x = graph.node("Reshape", x, graph.constant(np.array([0, width * width, -1], np.int64)))
    sides = graph.constant(np.array([width, width], np.int64))
    x = graph.node("Col2Im", x, shape, sides, pads=[convolution.padding] * 4)
    return graph.node("Add", x, graph.constant(convolution.biases))
