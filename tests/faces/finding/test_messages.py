"""What a server and a process that finds faces for it send each other."""

from __future__ import annotations

import io
from collections.abc import Sequence

import numpy as np
import pytest

from susracker.errors import EncoderError, PictureError, PictureTooLargeError
from susracker.faces.boxes import Box
from susracker.faces.built import InexactNetworkError
from susracker.faces.face import Face
from susracker.faces.finding.finder import MAX_FACES, EmbeddedFace
from susracker.faces.finding.messages import (
    Found,
    MalformedAnswerError,
    read_answer,
    receive,
    send,
    send_found,
    send_problem,
)
from susracker.faces.light import Light
from susracker.models import Quality

RANDOM = np.random.default_rng(7)


def bytes_of(*shape: int) -> np.ndarray:
    return RANDOM.integers(0, 256, shape, np.uint8)


def faces(count: int) -> list[EmbeddedFace]:
    picture = bytes_of(90, 70, 3)
    return [
        EmbeddedFace(
            face=Face(
                picture,
                Box(number + 0.1, 2.2, 33.3, 44.4),
                RANDOM.normal(size=(5, 2)).astype(np.float32),
                RANDOM.normal(),
                Light(1.7, is_noisy=bool(number % 2)),
            ),
            quality=Quality(30.1, 200.2, 99.9, 0.3),
            chip=bytes_of(112, 112, 3),
            vector=RANDOM.normal(size=128).astype(np.float32),
        )
        for number in range(count)
    ]


def answered(found: Found) -> Found:
    stream = io.BytesIO()
    send_found(stream, found)
    stream.seek(0)
    return read_answer(receive(stream))


def assert_same(ours: Sequence[EmbeddedFace], theirs: Sequence[EmbeddedFace]) -> None:
    for our, their in zip(ours, theirs, strict=True):
        arrays = [
            (our.face.picture, their.face.picture),
            (our.face.landmarks, their.face.landmarks),
            (our.chip, their.chip),
            (our.vector, their.vector),
        ]
        for one, other in arrays:
            assert one.dtype == other.dtype
            assert np.array_equal(one, other)
        fields = [(one.face.box, one.face.score, one.face.light) for one in (our, their)]
        assert fields[0] == fields[1]
        assert our.quality == their.quality


@pytest.mark.parametrize("count", [0, 1, 3])
def test_faces_arrive_as_they_were_sent(count):
    found = Found(faces(count), 2, 0.125)
    back = answered(found)
    assert_same(found.faces, back.faces)
    assert (back.calls, back.seconds) == (2, 0.125)


def test_arrays_that_are_parts_of_others_arrive_whole():
    (one,) = faces(1)
    wide = bytes_of(90, 140, 3)
    part = Face(wide[:, ::2], one.face.box, one.face.landmarks, one.face.score)
    found = Found([EmbeddedFace(part, one.quality, one.chip[::-1], one.vector)], 1, 0.0)
    assert_same(found.faces, answered(found).faces)


def test_what_is_kept_of_a_face_does_not_keep_its_picture():
    (one,) = answered(Found(faces(1), 1, 0.0)).faces
    assert one.chip.base is None
    assert one.vector.base is None


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (PictureError("damaged"), PictureError),
        (PictureTooLargeError("9 pixels"), PictureTooLargeError),
        (EncoderError("no weights"), EncoderError),
        (InexactNetworkError("differs"), EncoderError),
    ],
)
def test_errors_arrive_as_what_callers_know(error, kind):
    stream = io.BytesIO()
    send_problem(stream, error)
    stream.seek(0)
    with pytest.raises(kind) as raised:
        read_answer(receive(stream))
    assert type(raised.value) is kind
    assert str(raised.value) == str(error)


@pytest.mark.parametrize("length", [0, 3, 8, 10])
def test_a_message_that_ends_early_is_none(length):
    stream = io.BytesIO()
    send(stream, b"abc", b"defg")
    with pytest.raises(EOFError):
        receive(io.BytesIO(stream.getvalue()[:length]))
    assert receive(io.BytesIO(stream.getvalue())) == b"abcdefg"


def test_each_face_keeps_the_picture_that_it_is_in():
    found = Found(faces(1) + faces(2), 1, 0.0)
    assert_same(found.faces, answered(found).faces)


def test_numbers_may_be_of_numpy():
    (one,) = faces(1)
    box = Box(*np.array([1, 2, 3, 4], np.float32))
    face = Face(one.face.picture, box, one.face.landmarks, np.float32(0.5))
    found = Found([EmbeddedFace(face, one.quality, one.chip, one.vector)], 1, 0.0)
    assert_same(found.faces, answered(found).faces)


def message(count: int) -> bytearray:
    """An answer with so many faces."""
    stream = io.BytesIO()
    send_found(stream, Found(faces(count), 1, 0.0))
    stream.seek(0)
    return receive(stream)


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"no line",
        b"no JSON\n",
        b"[]\n",
        b"{}\n",
        b"\xff\n",
        b"[" * 60_000 + b"\n",
        b" " * 100_000 + b"{}\n",
        b'{"problem": "a", "kind": "SystemExit"}\n',
        b'{"faces": [{}], "arrays": []}\n',
        b'{"faces": [], "arrays": [["|O", [1]]]}\n12345678',
        b'{"faces": [], "arrays": [["|u1", [100000000000]]]}\n',
        b'{"faces": [], "arrays": [], "calls": "many", "seconds": 0}\n',
        message(2)[:-1],
        message(MAX_FACES + 1),
    ],
)
def test_whatever_else_is_answered_is_malformed(answer):
    with pytest.raises(MalformedAnswerError):
        read_answer(bytearray(answer))


def test_a_message_may_be_refused_before_it_is_read():
    stream = io.BytesIO()
    send(stream, b"abc", b"defg")
    assert receive(io.BytesIO(stream.getvalue()), 7) == b"abcdefg"
    with pytest.raises(MalformedAnswerError):
        receive(io.BytesIO(stream.getvalue()[:8]), 6)
