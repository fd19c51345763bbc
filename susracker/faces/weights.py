"""Finds dlib's trained models."""

from __future__ import annotations

from pathlib import Path

from susracker.errors import EncoderError
from susracker.runtime.installed import installed_file

DETECTION = "mmod_human_face_detector.dat"
RECOGNITION = "dlib_face_recognition_resnet_model_v1.dat"
LANDMARKS = "shape_predictor_5_face_landmarks.dat"


def weights_file(name: str) -> Path:
    """Return the path of a model file in the package `face_recognition_models`.

    The package is not imported, because that needs `pkg_resources`, which Python no longer has.

    Raises:
        EncoderError: the package or the file is missing.
    """
    try:
        return installed_file("face_recognition_models", f"models/{name}")
    except FileNotFoundError as error:
        raise EncoderError(f"{error}: pip install --force-reinstall face_recognition_models") from (
            error
        )
