"""Each stage is timed, and nothing falls between two of them."""

from __future__ import annotations

import numpy as np

from susracker.benchmark import speed
from susracker.faces import face as face_module
from susracker.faces.encoder import Encoder
from susracker.plugins import open_detector
from tests.pictures import HOPPER


class Still(Encoder):
    """Encodes in no time."""

    id, dimension = "still", 2

    def embed(self, chips):
        return np.ones((len(chips), 2), np.float32)


def test_alignment_is_part_of_detection(monkeypatch):
    clock = [0.0]
    align = face_module.chip_of

    def aligned_in_a_second(*given):
        clock[0] += 1
        return align(*given)

    monkeypatch.setattr(speed.time, "perf_counter", lambda: clock[0])
    monkeypatch.setattr(face_module, "chip_of", aligned_in_a_second)
    times = speed.seconds_per_face([HOPPER], open_detector(), Still())
    assert times == {"decode": 0, "detect": 1, "encode": 0}
