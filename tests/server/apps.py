"""Applications in the process of the test, without a socket."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

from flask import Flask

from susracker.server.app import create_app
from susracker.server.service import EXTENSION
from susracker.tracking.tracker import Tracker


@contextmanager
def running_app(tracker: Tracker, *args: Any, **kwargs: Any) -> Iterator[Flask]:
    """An application that broadcasts, as under `serve`, and is closed at the end."""
    app = create_app(tracker, *args, **kwargs)
    with closing(app.extensions[EXTENSION]) as parts:
        parts.live.start()
        yield app
