"""Rectangles in a picture."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle, in pixels of the picture; `right` and `bottom` lie just outside it.

    A detector's box may extend beyond the picture.
    """

    left: float
    top: float
    right: float
    bottom: float

    @property
    def width(self) -> float:
        """Width in pixels."""
        return self.right - self.left

    @property
    def height(self) -> float:
        """Height in pixels."""
        return self.bottom - self.top

    def overlap(self, other: Box) -> float:
        """Return the intersection over union, 0 to 1."""
        width = min(self.right, other.right) - max(self.left, other.left)
        height = min(self.bottom, other.bottom) - max(self.top, other.top)
        shared = max(0.0, width) * max(0.0, height)
        return shared / (self.width * self.height + other.width * other.height - shared)

    def mapped(self, scale: float, shift: float = 0.0) -> Box:
        """Return this box moved right and down by `shift` pixels, and then scaled."""
        left, top, right, bottom = (
            (edge + shift) * scale for edge in (self.left, self.top, self.right, self.bottom)
        )
        return Box(left, top, right, bottom)


@dataclass(frozen=True, slots=True)
class Found:
    """A box that a detector found, with its score."""

    box: Box
    score: float
