"""Options of commands that look at videos."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from susracker.edge.cutter import MARGIN, SMALLEST

Function = TypeVar("Function", bound=Callable[..., Any])


def video_options(function: Function) -> Function:
    """Which frames to look at, and how to cut faces out of them."""
    for option in (
        click.option(
            "--margin",
            type=click.FloatRange(0, 2),
            default=MARGIN,
            show_default=True,
            help="Margin around a face, as a share of its size; 0 cuts tight.",
        ),
        click.option(
            "--smallest",
            type=click.FloatRange(10),
            default=SMALLEST,
            show_default=True,
            help="Width of the smallest faces to find, in pixels; half the width takes four times "
            "as long.",
        ),
        click.option("--every", type=click.IntRange(1), help="Look at every N-th frame."),
        click.option(
            "--fps",
            type=click.FloatRange(0, min_open=True),
            default=5.0,
            show_default=True,
            help="How many frames a second to look at.",
        ),
    ):
        function = option(function)
    return function
