"""A recognition network of the site's own, in a file of ONNX with a TOML file beside it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from typing_extensions import Self

from susracker.errors import ConfigError, EncoderError
from susracker.faces.alignment import aligned, chip_of
from susracker.faces.built import ORT_ERRORS, open_session
from susracker.faces.encoder import Chips, Encoder
from susracker.faces.face import Face
from susracker.faces.network_input import NetworkInput, parse_input
from susracker.models import Picture, Vectors
from susracker.runtime.files import expanded

FORMAT = b"1"
"""Change this when the same two files lead to other templates."""

KINDS = {"tensor(float)": np.float32, "tensor(float16)": np.float16, "tensor(uint8)": np.uint8}
"""Types of input that are understood, by ONNX Runtime's name."""


class OnnxEncoder(Encoder):
    """A network in a file, which the TOML file of the same name says how to feed.

    The network's first output is the embedding. The id is a digest of both files: whatever changes
    in them makes another encoder.

    Raises:
        ConfigError: a file is missing, or one does not fit the other; the message says what to do.
    """

    def __init__(self, file: Path) -> None:
        beside = file.with_suffix(".toml")
        network, text = _read(file, "the network"), _read(beside, "what the network takes")
        self._input = parse_input(_decoded(text, beside), beside)
        self._file = file
        self.id = f"onnx-{_digest(FORMAT, network, text)}"
        self.chip_size = self._input.size
        self.mirrors = self._input.mirror
        self._session = _opened(file, network)
        self._name, self._kind, shape = _only_input(file, self._session)
        self._at_once, self._channels_first = _order(file, shape, self._input)
        if self._kind is np.uint8 and not self._input.is_plain:
            raise ConfigError(f"{file} takes whole numbers: {beside} must say mean = 0, scale = 1")
        self.dimension = self._measured_dimension()

    @classmethod
    def from_name(cls, name: str) -> Self:
        """Open the network of a name such as `onnx:FILE`."""
        _, _, file = name.partition(":")
        if not file:
            raise ConfigError("the encoder onnx needs a network: give onnx:FILE")
        return cls(expanded(file))

    def align(self, face: Face) -> Picture:
        points, size = self._input.points, self._input.size
        if points is None:
            return chip_of(face.picture, face.landmarks, face.light, size)
        return aligned(face.picture, face.landmarks, face.light, size, points)

    def embed(self, chips: Chips) -> Vectors:
        try:
            made = [self._run(some) for some in self._batches(self._fed(chips))]
        except ORT_ERRORS as error:
            raise EncoderError(f"{self._file} failed: {error}") from error
        embeddings = np.asarray(np.concatenate(made), np.float32)
        lengths = np.linalg.norm(embeddings, axis=1)
        if not np.isfinite(lengths).all() or not lengths.all():
            raise EncoderError(
                f"{self._file} makes no embedding of some face, but zeros or what is no number: "
                "export it again, with numbers of 32 bits"
            )
        return embeddings

    def _fed(self, chips: Chips) -> Any:
        numbers = self._input.numbers_of(chips).astype(self._kind)
        return numbers.transpose(0, 3, 1, 2) if self._channels_first else numbers

    def _batches(self, numbers: Any) -> Iterator[Any]:
        at_once = self._at_once or len(numbers)
        for start in range(0, len(numbers), at_once):
            yield np.ascontiguousarray(numbers[start : start + at_once])

    def _run(self, numbers: Any) -> Any:
        return self._session.run(None, {self._name: numbers})[0]

    def _measured_dimension(self) -> int:
        """How many numbers come out for two grey pictures, which shows whether both do."""
        grey = np.full((2, self.chip_size, self.chip_size, 3), 127, np.uint8)
        try:
            shapes = {np.shape(self._run(some)) for some in self._batches(self._fed(grey))}
        except ORT_ERRORS as error:
            raise ConfigError(
                f"{self._file} fails with {2 if self._at_once is None else 1} pictures of "
                f"{self.chip_size} pixels: export it for any number of them, or for one ({error})"
            ) from error
        (shape,) = shapes
        if len(shape) != 2 or shape[0] != (self._at_once or 2) or shape[1] < 2:
            raise ConfigError(
                f"{self._file} puts out numbers of shape {list(shape)}: its first output must be "
                "the embedding, of shape [faces, numbers]"
            )
        return int(shape[1])


def _read(file: Path, what: str) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise ConfigError(
            f"cannot read {what} in {file}: {error.strerror}; onnx:FILE needs FILE, which ends in "
            ".onnx, and a .toml of the same name beside it (see docs/encoders.md)"
        ) from error


def _decoded(text: bytes, file: Path) -> str:
    try:
        return text.decode()
    except UnicodeDecodeError as error:
        raise ConfigError(f"{file} is no TOML: {error}") from error


def _digest(*parts: bytes) -> str:
    """64 bits that depend on each part."""
    each = b"".join(hashlib.sha256(part).digest() for part in parts)
    return hashlib.sha256(each).hexdigest()[:16]


def _opened(file: Path, network: bytes) -> Any:
    try:
        session = open_session(network)
    except ORT_ERRORS as error:
        raise ConfigError(
            f"{file} is no network that ONNX Runtime can open: {error}. It must be one file, with "
            "its weights inside"
        ) from error
    # Other files could change without another id, and ONNX Runtime looks for them in the folder
    # where the program was started.
    if others := _other_files(network):
        raise ConfigError(
            f"{file} has weights in other files ({', '.join(map(repr, others))}): save it as one "
            "file, with onnx.save_model(onnx.load(FILE), FILE)"
        )
    return session


def _other_files(network: bytes) -> list[str]:
    """The files that a network's weights are in, but for its own."""
    tensors = _tensors(onnx.ModelProto.FromString(network))
    entries = (entry for tensor in tensors for entry in tensor.external_data)
    return sorted({entry.value for entry in entries if entry.key == "location"})


def _tensors(message: Any) -> Iterator[onnx.TensorProto]:
    """All tensors in a part of a network, those of nodes, functions and inner graphs included."""
    if isinstance(message, onnx.TensorProto):
        yield message
        return
    for field, value in message.ListFields():
        if field.type == field.TYPE_MESSAGE:
            for inner in [value] if hasattr(value, "ListFields") else value:
                yield from _tensors(inner)


def _only_input(file: Path, session: Any) -> tuple[str, Any, Sequence[Any]]:
    """Name, type and shape of what the network takes."""
    inputs = session.get_inputs()
    if len(inputs) != 1 or inputs[0].type not in KINDS or len(inputs[0].shape) != 4:
        found = ", ".join(f"{one.name}: {one.type} {one.shape}" for one in inputs)
        raise ConfigError(
            f"{file} takes {found or 'nothing'}: a network takes one batch of pictures, with four "
            f"dimensions and of type {', '.join(KINDS)}"
        )
    return inputs[0].name, KINDS[inputs[0].type], inputs[0].shape


def _order(file: Path, shape: Sequence[Any], wanted: NetworkInput) -> tuple[int | None, bool]:
    """How many pictures the network takes at once, None for any number; and whether a picture's
    channels come before its rows."""
    count, *rest = [one if isinstance(one, int) and one > 0 else None for one in shape]
    first = rest[0] == 3
    sides = rest[1:] if first else rest[:2]
    if not first and rest[2] != 3:
        raise ConfigError(
            f"{file} takes pictures of shape {list(shape)}, which does not say where the three "
            "channels are: export it as [faces, 3, rows, columns] or [faces, rows, columns, 3]"
        )
    if any(side not in (wanted.size, None) for side in sides):
        raise ConfigError(
            f"{file} takes pictures of {sides[1]} x {sides[0]} pixels, and the file beside it says "
            f"size = {wanted.size}"
        )
    if count not in (1, None):
        raise ConfigError(
            f"{file} takes {count} pictures at once: export it for any number of them"
        )
    return count, first
