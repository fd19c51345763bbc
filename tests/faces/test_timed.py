"""An encoder that is timed is the same encoder to whoever uses it."""

from __future__ import annotations

from typing import Any, cast

import numpy as np

from susracker.faces.encoder import Chips, Encoder
from susracker.faces.face import Face
from susracker.faces.timed import TimedEncoder
from susracker.models import Picture, Vectors


class Small(Encoder):
    """Looks at 8 x 8 pixels, and at no mirror image."""

    id, dimension, chip_size, mirrors = "small", 3, 8, False

    def align(self, face: Face) -> Picture:
        return np.full((8, 8, 3), 7, np.uint8)

    def embed(self, chips: Chips) -> Vectors:
        return chips.reshape(len(chips), -1)[:, :3].astype(np.float32)


def test_it_aligns_and_encodes_as_the_encoder_does():
    small, timed = Small(), TimedEncoder(Small())
    nobody = cast(Any, None)
    chips = np.arange(2 * 8 * 8 * 3, dtype=np.uint8).reshape(2, 8, 8, 3)
    attributes = ("id", "dimension", "chip_size", "mirrors")
    assert [getattr(timed, one) for one in attributes] == [
        getattr(small, one) for one in attributes
    ]
    np.testing.assert_array_equal(timed.align(nobody), small.align(nobody))
    for name in ("embed", "embed_fast", "encode"):
        np.testing.assert_array_equal(getattr(timed, name)(chips), getattr(small, name)(chips))
    assert timed.calls == 3
    assert timed.seconds > 0
    assert timed.encode(chips[:0]).shape == (0, 3)
    assert timed.calls == 3
