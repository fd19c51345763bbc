"""What a server and a process that finds faces for it send each other.

A message is its length, and then its bytes. A question is a picture, as the camera sent it. An
answer is a line of JSON, and then the numbers of its arrays. No pickle: whoever breaks into the
process by a picture can only answer that there are other faces in it.
"""

from __future__ import annotations

import json
import math
import struct
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from susracker.errors import EncoderError, PictureError, PictureTooLargeError
from susracker.faces.boxes import Box
from susracker.faces.face import Face
from susracker.faces.finding.finder import MAX_FACES, EmbeddedFace
from susracker.faces.light import Light
from susracker.models import Quality

LENGTH = struct.Struct("!Q")

ERRORS = {one.__name__: one for one in (PictureTooLargeError, PictureError, EncoderError)}
"""What an answer may say instead of faces; what is a kind of another one comes first."""

HEAD_BYTES = 1 << 16
"""The line of an answer may be so long at most. Those of `MAX_FACES` faces take a quarter."""

MALFORMED = (IndexError, KeyError, OverflowError, RecursionError, TypeError, ValueError)
"""What Python and NumPy raise for an answer that is none."""

Bytes = bytes | bytearray | memoryview


class MalformedAnswerError(ValueError):
    """An answer is none: the process that sent it does not do what it should."""


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """The faces that were found.

    Attributes:
        calls: how often the network was called for them.
        seconds: how long these calls took in all.
    """

    faces: Sequence[EmbeddedFace]
    calls: int
    seconds: float


def send(stream: IO[bytes], *parts: Bytes) -> None:
    """Send a message, made of these parts.

    Raises:
        OSError: nobody reads it any more.
    """
    # At once, for each write wakes the reader.
    stream.write(b"".join((LENGTH.pack(sum(map(len, parts))), *parts)))
    stream.flush()


def receive(stream: IO[bytes], at_most: int = sys.maxsize) -> bytearray:
    """Wait for a message.

    Raises:
        EOFError: nobody will send one any more.
        MalformedAnswerError: it is longer than `at_most` bytes.
    """
    (length,) = LENGTH.unpack(_exactly(stream, LENGTH.size))
    if length > at_most:
        raise MalformedAnswerError(f"{length} bytes")
    return _exactly(stream, length)


def send_found(stream: IO[bytes], found: Found) -> None:
    """Answer with faces of one picture.

    Raises:
        OSError: nobody reads it any more.
    """
    faces = found.faces
    pictures = {id(one.face.picture): one.face.picture for one in faces}  # most often one
    numbers = {key: number for number, key in enumerate(pictures)}
    arrays: list[NDArray[Any]] = list(pictures.values())
    for one in faces:
        arrays += one.face.landmarks, one.chip, one.vector
    head = {
        "calls": found.calls,
        "seconds": found.seconds,
        "faces": [_described(one, numbers[id(one.face.picture)]) for one in faces],
        "arrays": [[array.dtype.str, array.shape] for array in arrays],
    }
    blocks = [np.ascontiguousarray(array).reshape(-1).view(np.uint8).data for array in arrays]
    send(stream, json.dumps(head, default=float).encode() + b"\n", *blocks)


def send_problem(stream: IO[bytes], error: EncoderError | PictureError) -> None:
    """Answer why there are no faces.

    Raises:
        OSError: nobody reads it any more.
    """
    kind = next(name for name, one in ERRORS.items() if isinstance(error, one))
    send(stream, json.dumps({"problem": str(error), "kind": kind}).encode() + b"\n")


def read_answer(message: bytearray) -> Found:
    """The faces that an answer tells of.

    Raises:
        EncoderError: as `Finder.find` raises it.
        MalformedAnswerError: it is no answer.
        PictureError: as `Finder.find` raises it.
    """
    try:
        return _read(message)
    except MALFORMED as error:
        raise MalformedAnswerError(str(error)) from error


def _read(message: bytearray) -> Found:
    end = message.index(b"\n", 0, HEAD_BYTES) + 1
    head = json.loads(message[:end])
    if "problem" in head:
        raise ERRORS[head["kind"]](head["problem"])
    if len(head["faces"]) > MAX_FACES:
        raise ValueError("too many faces")
    arrays = _arrays(memoryview(message)[end:], head["arrays"])
    first = len(arrays) - 3 * len(head["faces"])  # the pictures come before it
    faces = [
        _face(fields, arrays[fields["picture"]], *arrays[start : start + 3])
        for start, fields in zip(range(first, len(arrays), 3), head["faces"], strict=True)
    ]
    return Found(faces, int(head["calls"]), float(head["seconds"]))


def _exactly(stream: IO[bytes], length: int) -> bytearray:
    data = bytearray(length)
    if stream.readinto(data) < length:  # type: ignore[attr-defined]
        raise EOFError
    return data


def _described(one: EmbeddedFace, picture: int) -> dict[str, Any]:
    return {
        "picture": picture,
        "box": _fields(one.face.box),
        "score": one.face.score,
        "light": _fields(one.face.light),
        "quality": _fields(one.quality),
    }


def _fields(one: Box | Light | Quality) -> dict[str, float]:
    # `asdict` takes as long as all the rest, for it copies what fields may hold.
    return {name: getattr(one, name) for name in one.__slots__}


def _face(
    fields: dict[str, Any], picture: Any, landmarks: Any, chip: Any, vector: Any
) -> EmbeddedFace:
    face = Face(picture, Box(**fields["box"]), landmarks, fields["score"], Light(**fields["light"]))
    # Copies, for they are kept, and would keep the whole message.
    return EmbeddedFace(face, Quality(**fields["quality"]), chip.copy(), vector.copy())


def _arrays(data: memoryview, described: Sequence[tuple[str, Sequence[int]]]) -> list[Any]:
    arrays, start = [], 0
    for kind, shape in described:
        count = math.prod(shape)
        array = np.frombuffer(data, np.dtype(kind), count, start).reshape(shape)
        arrays.append(array)
        start += array.nbytes
    return arrays
