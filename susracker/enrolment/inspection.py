"""Examines enrolled photos again."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from susracker.errors import FaceRefusedError, PictureError
from susracker.faces.detector import Detector
from susracker.models import Photo


def photo_fields(photo: Photo, max_pixels: int, detector: Detector) -> dict[str, Any]:
    """Describe a photo, and how well this version of susracker can recognise the face in it.

    Returns:
        values ready for JSON. Either `quality` or `refused`, the reason why the photo would not be
        enrolled now, is None.
    """
    fields = {
        "id": photo.id,
        "media_type": photo.media_type,
        "bytes": len(photo.content),
        "digest": photo.digest,
    }
    try:
        face = detector.enrolment_face_in_bytes(photo.content, max_pixels)
    except (PictureError, FaceRefusedError) as refusal:
        return fields | {"quality": None, "refused": str(refusal)}
    return fields | {"quality": asdict(face.quality), "refused": None}
