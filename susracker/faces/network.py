"""The form of dlib's recognition network, for those who use it and those who build it."""

from __future__ import annotations

CHIP_SIZE, DIMENSION = 150, 128
CHIPS, EMBEDDINGS = "chips", "embeddings"
"""Names of the model's input and of its output."""

FORMAT = "1"
"""Change this when `dlib_resnet.build` makes a different model from the same weights."""

INT8_FORMAT = "int8-1"
"""Change this whenever quantisation changes, so that models in the cache are rebuilt."""
