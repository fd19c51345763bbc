"""Faces for torture programs: two enrolled people, and strangers."""

from __future__ import annotations

from susracker.demo.portraits import stranger
from tests.server.conftest import COLLINS, HOPPER, enroll_both, face_crop, jpeg

__all__ = ["enroll_both", "strangers", "wanted"]


def wanted() -> dict[str, bytes]:
    """Tight crops of the two people of `enroll_both`, as JPEG."""
    return {"hopper": face_crop(HOPPER.portrait), "collins": face_crop(COLLINS.portrait)}


def strangers(count: int = 2) -> list[bytes]:
    """Crops of people who are not enrolled, as JPEG; at most 100."""
    return [jpeg(stranger(number)) for number in range(2, 2 + count)]
