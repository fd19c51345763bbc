"""Faces for the demo, from packages that are installed with it.

The sample people are two portraits in the public domain. The strangers are thumbnails of real
faces, 25 pixels wide, like faces at the far end of a hall.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from susracker.errors import MissingDriverError
from susracker.runtime.installed import installed_file

FACES_IN_SUBSET = 100
"""How many faces scikit-image's `lfw_subset` begins with; as many patches without a face follow."""

STRANGER_SIZE = 160


@dataclass(frozen=True, slots=True)
class SamplePerson:
    """A person in the demo, with a portrait of them."""

    name: str
    crime: str
    portrait: Path


def sample_people() -> list[SamplePerson]:
    """Return the two people who are enrolled.

    Raises:
        MissingDriverError: a package that contains a portrait is not installed.
    """
    return [
        SamplePerson(
            "Grace Hopper (sample)",
            "nothing: a sample",
            _from_package("matplotlib", "mpl-data/sample_data/grace_hopper.jpg"),
        ),
        SamplePerson(
            "Eileen Collins (sample)",
            "nothing: a sample",
            _from_package("skimage", "data/astronaut.png"),
        ),
    ]


def stranger(number: int) -> Image.Image:
    """Return the face of someone who is not enrolled, 160 pixels wide and high.

    Raises:
        MissingDriverError: the package that contains it is not installed.
    """
    faces = np.load(_from_package("skimage", "data/lfw_subset.npy"))[:FACES_IN_SUBSET]
    face = (faces[number % FACES_IN_SUBSET] * 255).astype(np.uint8)
    size = (STRANGER_SIZE, STRANGER_SIZE)
    return Image.fromarray(face).convert("RGB").resize(size, Image.Resampling.BICUBIC)


def _from_package(package: str, path: str) -> Path:
    try:
        return installed_file(package, path)
    except FileNotFoundError as error:
        raise MissingDriverError(f"{error}: pip install 'susracker[demo]'") from error
