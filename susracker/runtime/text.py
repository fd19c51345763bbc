"""Words for people."""

from __future__ import annotations

from datetime import timedelta


def counted(number: int, one: str, many: str | None = None) -> str:
    """A number of things, such as "1 photo" or "1,200 photos"."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def span_text(span: timedelta) -> str:
    """A span of time in its largest unit, such as "5 min" or "3 days"; below zero it is "0 s"."""
    seconds = max(0, int(span.total_seconds()))
    if seconds < 60:
        return f"{seconds} s"
    if seconds < 3600:
        return f"{seconds // 60} min"
    return f"{seconds // 3600} h" if seconds < 48 * 3600 else counted(seconds // 86400, "day")


def on_one_line(text: str) -> str:
    """A text that anyone may have written, without characters that could steer a terminal."""
    return "".join(one if one.isprintable() else "?" for one in text)
