"""Looking again at a photo that is enrolled."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from susracker.errors import FaceRefusedError, PictureError
from susracker.faces.detector import Detector
from susracker.models import Photo


def photo_fields(photo: Photo, max_pixels: int) -> dict[str, Any]:
    """A photo, and how well its face can be recognised, as this version of susracker sees it."""
    fields = {
        "id": photo.id,
        "media_type": photo.media_type,
        "bytes": len(photo.content),
        "digest": photo.digest,
    }
    try:
        face = Detector().enrolment_face_in_bytes(photo.content, max_pixels)
    except (PictureError, FaceRefusedError) as refusal:
        return fields | {"quality": None, "refused": str(refusal)}
    return fields | {"quality": asdict(face.quality), "refused": None}
