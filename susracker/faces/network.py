"""The form of dlib's networks, for those who use them and those who build them."""

from __future__ import annotations

CHIP_SIZE, DIMENSION = 150, 128
CHIPS, EMBEDDINGS = "chips", "embeddings"
"""Names of the recognition network's input and of its output."""

FORMAT = "2"
"""Change this when `dlib_resnet.build` makes a different model from the same weights."""

INT8_FORMAT = "int8-1"
"""Change this whenever quantisation changes, so that models in the cache are rebuilt."""

WINDOW = 80
"""Width and height in pixels of the window in which the detection network looks for a face."""

PIXELS, SCORES = "pixels", "scores"
"""Names of the detection network's input and of its output."""

DETECTOR_FORMAT = "2"
"""Change this when `dlib_cnn.build` makes a different model from the same weights."""
