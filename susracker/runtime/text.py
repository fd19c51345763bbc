"""Words for people."""

from __future__ import annotations


def counted(number: int, one: str, many: str | None = None) -> str:
    """A number of things, such as "1 photo" or "1,200 photos"."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"
