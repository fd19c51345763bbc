"""What a network takes, as the TOML file beside it says."""

from __future__ import annotations

from typing import Literal

import numpy as np
import tomlkit
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from susracker.errors import ConfigError
from susracker.faces.alignment import ARCFACE, ARCFACE_SIZE, Points

Channels = tuple[float, float, float]
Point = tuple[float, float]
FivePoints = tuple[Point, Point, Point, Point, Point]


class NetworkInput(BaseModel):
    """What a recognition network takes. What goes in is `(pixel - mean) * scale`, with pixels from
    0 to 255. The description of a field says what it must be."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    size: int = Field(ge=16, le=1024, description="width and height in pixels, 16 to 1024")
    channels: Literal["RGB", "BGR"] = Field(description='"RGB" or "BGR"')
    mean: float | Channels = Field(description="a number, or three in the order of the channels")
    scale: float | Channels = Field(description="a number, or three in the order of the channels")
    alignment: Literal["arcface", "dlib"] | FivePoints = Field(
        description='"arcface", "dlib", or five points as [x, y] in pixels: the eye on the left of '
        "the picture, the other, the tip of the nose, the corners of the mouth"
    )
    mirror: bool = Field(description="true or false: whether to add the mirror image")

    @property
    def points(self) -> Points | None:
        """Where the points of `ARCFACE` lie in a picture; None for dlib's alignment."""
        if self.alignment == "dlib":
            return None
        if self.alignment == "arcface":
            return ARCFACE * self.size / ARCFACE_SIZE
        return np.array(self.alignment, np.float64)

    def numbers_of(self, chips: NDArray[np.uint8]) -> NDArray[np.float32]:
        """What goes in for aligned faces, shape (n, size, size, 3), R, G, B; the same shape."""
        ordered = chips if self.channels == "RGB" else chips[..., ::-1]
        shifted = ordered - np.array(self.mean, np.float32)
        return np.asarray(shifted * np.array(self.scale, np.float32), np.float32)

    @property
    def is_plain(self) -> bool:
        """Whether pixels go in as they are."""
        return not np.any(self.mean) and bool(np.all(np.array(self.scale) == 1))


def parse_input(text: str, where: object) -> NetworkInput:
    """Read a TOML file's text.

    Args:
        where: the file, for messages.

    Raises:
        ConfigError: it is no TOML, or does not say all that is needed.
    """
    try:
        values = tomlkit.parse(text).unwrap()
    except ValueError as error:
        raise ConfigError(f"{where} is no TOML: {error}") from error
    try:
        return NetworkInput(**values)
    except ValidationError as error:
        wrong = dict.fromkeys(str(one["loc"][0]) for one in error.errors())
        told = "; ".join(_told(name, values) for name in wrong)
        raise ConfigError(f"{where}: {told}") from error


def _told(name: str, values: dict[str, object]) -> str:
    if name not in NetworkInput.model_fields:
        return f"there is no {name!r}; there are: {', '.join(NetworkInput.model_fields)}"
    found = f"{name} = {values[name]!r}" if name in values else f"{name} is missing"
    return f"{found}: it must be {NetworkInput.model_fields[name].description}"
