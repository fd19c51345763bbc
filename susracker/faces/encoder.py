"""Embeddings from aligned faces.

To add an encoder, register a class under the entry-point group `susracker.encoders` that implements
`Encoder`.
"""

from __future__ import annotations

import logging
import threading
from abc import ABC, abstractmethod
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dlib
import numpy as np
from numpy.typing import NDArray
from typing_extensions import Self

from susracker.errors import ConfigError, EncoderError
from susracker.faces.built import InexactNetworkError, load_network, sample_portrait
from susracker.faces.cache import cache_folder
from susracker.faces.face import Face
from susracker.faces.hog_detector import HogDetector
from susracker.faces.network import CHIP_SIZE, CHIPS, DIMENSION, FORMAT, INT8_FORMAT
from susracker.faces.weights import RECOGNITION, weights_file
from susracker.models import Picture, Vectors

if TYPE_CHECKING:
    import onnx

log = logging.getLogger(__name__)

Chips = NDArray[np.uint8]
"""Aligned faces, shape (n, chip_size, chip_size, 3), R, G, B."""

MAX_DIFFERENCE = 1e-5
"""Largest accepted difference from dlib's own embedding, whose largest number is about 0.4.
Rounding in another order gives 3e-7; wrong padding or channel order gives more than 0.01."""


MAX_INT8_DIFFERENCE = 0.03
"""The same for 8-bit arithmetic: two and a half times the largest difference seen on 200 faces.
Overflowing sums give more than 0.1."""


class Encoder(ABC):
    """A network that turns aligned faces into embeddings. Safe to use from any thread.

    What it computes for a chip does not depend on the other chips of a batch, except for rounding.

    Attributes:
        id: stamped on every template. Encoders with the same id make interchangeable templates.
        dimension: how many numbers an embedding has.
        chip_size: width and height of an aligned face, in pixels.
        mirrors: whether a template is also made of the mirror image.
    """

    id: str
    dimension: int
    chip_size: int = CHIP_SIZE
    mirrors: bool = True

    @classmethod
    def from_name(cls, name: str) -> Self:
        """Make the encoder that goes by a name, of which this class has the part before a colon.

        Raises:
            ConfigError: there is no such encoder, or a file that belongs to it is wrong.
        """
        if ":" in name:
            raise ConfigError(f"the encoder {name.partition(':')[0]} takes nothing after a colon")
        return cls()

    def align(self, face: Face) -> Picture:
        """The face as `embed` takes it, shape (chip_size, chip_size, 3): by default, as dlib aligns
        it."""
        return face.chip

    @abstractmethod
    def embed(self, chips: Chips) -> Vectors:
        """Compute the network's own output for n >= 1 chips.

        Returns:
            shape (n, dimension), not normalised.

        Raises:
            EncoderError: the network cannot be loaded.
        """

    def embed_fast(self, chips: Chips) -> Vectors:
        """Compute nearly the same as `embed`, faster if the encoder can. Never store the result.

        The cosine between an embedding and the exact one is at least 0.99.

        Raises:
            EncoderError: the network cannot be loaded.
        """
        return self.embed(chips)

    def encode(self, chips: Chips) -> Vectors:
        """Compute templates: the mean of each chip's embedding and, if the encoder mirrors, of its
        mirror image's.

        Both go through the network in one batch. For twice the arithmetic, the mirror image cuts
        misses of dlib's network from 10.8% to 3.4% at a false match rate of 0.1% (LFW, View 2).

        Returns:
            shape (n, dimension), each of unit length; shape (0, dimension) for no chips.

        Raises:
            EncoderError: the network cannot be loaded.
        """
        if not len(chips):
            return np.empty((0, self.dimension), np.float32)
        return self.encode_and_embed(chips)[0]

    def encode_and_embed(self, chips: Chips) -> tuple[Vectors, Vectors]:
        """Compute what `encode` and what `embed` give for n >= 1 chips, in one go.

        Raises:
            EncoderError: the network cannot be loaded.
        """
        views = self.embed(np.concatenate([chips, chips[:, :, ::-1]]) if self.mirrors else chips)
        sums = views[: len(chips)]
        if self.mirrors:
            sums = sums + views[len(chips) :]
        templates = np.asarray(sums / np.linalg.norm(sums, axis=1, keepdims=True), np.float32)
        return templates, views[: len(chips)]


class DlibReferenceEncoder(Encoder):
    """dlib's recognition network, run by dlib: slow, but the reference for the other encoders."""

    id = "dlib-resnet-v1"
    dimension = DIMENSION

    def __init__(self) -> None:
        # A network keeps its activations: two threads in the same one would mix their faces.
        self._lock = threading.Lock()

    def embed(self, chips: Chips) -> Vectors:
        with self._lock:
            faces = [np.ascontiguousarray(chip) for chip in chips]
            return np.array(self._network.compute_face_descriptor(faces), np.float32)

    @cached_property
    def _network(self) -> Any:
        file = weights_file(RECOGNITION)
        try:
            return dlib.face_recognition_model_v1(str(file))
        except RuntimeError as error:
            raise EncoderError(f"dlib cannot read {file}: {error}") from error


class DlibEncoder(Encoder):
    """dlib's recognition network, run by ONNX Runtime.

    The first use builds the model from dlib's weight file, compares it with dlib on a real face,
    and keeps it in the cache folder.

    Args:
        cache: folder for the model; the user's cache directory by default.
        weights: dlib's weight file; the one in `face_recognition_models` by default.
    """

    id = DlibReferenceEncoder.id
    dimension = DIMENSION

    max_difference = MAX_DIFFERENCE
    format = FORMAT

    def __init__(self, cache: Path | None = None, weights: Path | None = None) -> None:
        self._cache = cache or cache_folder()
        self._weights = weights
        self._loading = threading.Lock()
        self._session: Any = None

    def embed(self, chips: Chips) -> Vectors:
        if self._session is None:
            with self._loading:
                self._session = self._session or self._load()
        embeddings: Vectors = self._session.run(None, {CHIPS: chips})[0]
        return embeddings

    def embed_fast(self, chips: Chips) -> Vectors:
        return self._fast.embed(chips)

    @cached_property
    def _fast(self) -> DlibInt8Encoder:
        return DlibInt8Encoder(self._cache, self._weights)

    def _load(self) -> Any:
        weights = self._weights or weights_file(RECOGNITION)
        name = f"{self.id}-{self.format}"
        return load_network(self._cache, name, weights, self._build, self._check)

    def _check(self, session: Any) -> None:
        _compare_with_dlib(session, self.max_difference)

    def _build(self, weights: Path) -> onnx.ModelProto:
        # The package `onnx` takes 0.1 s to import, and only building needs it.
        from susracker.faces import dlib_resnet

        return dlib_resnet.build(weights)


class DlibInt8Encoder(DlibEncoder):
    """The same in 8-bit arithmetic, in half the time. Its templates go with those of the exact
    network, and `DlibEncoder.embed_fast` uses it.

    On processors whose 8-bit arithmetic is inexact, such as those without AVX-512 VNNI or AVX-VNNI,
    it logs a warning and uses the exact network.
    """

    max_difference = MAX_INT8_DIFFERENCE
    format = f"{FORMAT}-{INT8_FORMAT}"

    def embed_fast(self, chips: Chips) -> Vectors:
        return self.embed(chips)

    def _build(self, weights: Path) -> onnx.ModelProto:
        from susracker.faces import quantised

        return quantised.quantise(super()._build(weights), self.id)

    def _load(self) -> Any:
        try:
            return super()._load()
        except InexactNetworkError as error:
            log.warning("using the exact network, at half the speed: %s", error)
            return DlibEncoder(self._cache, self._weights)._load()


def _compare_with_dlib(session: Any, max_difference: float) -> None:
    """Raise InexactNetworkError if the model's embeddings of a real face differ from dlib's."""
    chip = HogDetector().enrolment_face(sample_portrait()).chip
    chips = np.stack([chip, chip[:, ::-1]])
    ours = session.run(None, {CHIPS: chips})[0]
    difference = float(np.abs(ours - DlibReferenceEncoder().embed(chips)).max())
    if not difference < max_difference:
        raise InexactNetworkError(
            f"the ONNX network differs from dlib's by {difference:.2g}, more than "
            f"{max_difference:g}: use --encoder dlib-reference, and report this as a bug"
        )
