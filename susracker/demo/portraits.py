"""Faces for the demonstration, out of packages that are installed with it.

Two portraits in the public domain are the sample people. The strangers are thumbnails of real
faces, 25 pixels wide, which is what a face at the far end of a hall looks like.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from susracker.errors import MissingDriverError
from susracker.runtime.installed import installed_file

FACES_IN_SUBSET = 100
"""scikit-image's `lfw_subset`: so many faces, then as many patches without one."""

STRANGER_SIZE = 160


@dataclass(frozen=True, slots=True)
class SamplePerson:
    """A person of the demonstration, and a portrait of him."""

    name: str
    crime: str
    portrait: Path


def sample_people() -> list[SamplePerson]:
    """The two people who are enrolled.

    Raises:
        MissingDriverError: a package that carries a portrait is not installed.
    """
    return [
        SamplePerson(
            "Grace Hopper (sample)",
            "nothing: a sample",
            _carried("matplotlib", "mpl-data/sample_data/grace_hopper.jpg"),
        ),
        SamplePerson(
            "Eileen Collins (sample)",
            "nothing: a sample",
            _carried("skimage", "data/astronaut.png"),
        ),
    ]


def stranger(number: int) -> Image.Image:
    """The face of someone who is not enrolled.

    Raises:
        MissingDriverError: the package that carries it is not installed.
    """
    faces = np.load(_carried("skimage", "data/lfw_subset.npy"))[:FACES_IN_SUBSET]
    face = (faces[number % FACES_IN_SUBSET] * 255).astype(np.uint8)
    size = (STRANGER_SIZE, STRANGER_SIZE)
    return Image.fromarray(face).convert("RGB").resize(size, Image.Resampling.BICUBIC)


def _carried(package: str, path: str) -> Path:
    try:
        return installed_file(package, path)
    except FileNotFoundError as error:
        raise MissingDriverError(f"{error}: pip install 'susracker[demo]'") from error
