"""Words for people."""

from __future__ import annotations


def counted(number: int, one: str, many: str | None = None) -> str:
    """A number of things, such as "1 photo" or "1,200 photos"."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def on_one_line(text: str) -> str:
    """A text that anyone may have written, without characters that could steer a terminal."""
    return "".join(one if one.isprintable() else "?" for one in text)
