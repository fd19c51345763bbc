"""Applications in the process of the test, without a socket."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from susracker import open_tracker
from susracker.server.app import create_app
from susracker.server.service import EXTENSION
from susracker.tracking.tracker import Tracker


class Client(FlaskClient):
    """Closes what it has sent: a large form is in a file."""

    def open(self, *args: Any, **kwargs: Any) -> TestResponse:
        answer = super().open(*args, **kwargs)
        answer.request.input_stream.close()
        return answer


@contextmanager
def site_tracker(folder: Path, **settings: Any) -> Iterator[Tracker]:
    """A tracker whose store, and whose key of the audit log, are in a folder."""
    files = {"store": f"sqlite:///{folder / 'site.db'}", "audit_key": str(folder / "audit-key.pem")}
    with open_tracker(**files | settings) as opened:
        yield opened


@contextmanager
def running_app(tracker: Tracker, *args: Any, **kwargs: Any) -> Iterator[Flask]:
    """An application that broadcasts, as under `serve`, and is closed at the end."""
    app = create_app(tracker, *args, **kwargs)
    app.test_client_class = Client
    with closing(app.extensions[EXTENSION]) as parts:
        parts.live.start()
        yield app
