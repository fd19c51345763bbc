"""Receivers of deliveries, each in a process of its own that can be killed at any moment.

A receiver writes the ids of what it takes to a file, a line for each message, before it says that
it has it.
"""

from __future__ import annotations

import email
import json
import re
import sys
import threading
from email.policy import default
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller

from tests.services.servers import Service

MARKED_LATE = " late"

ROOT = Path(__file__).parents[2]


class Ids:
    """A file of ids, whole lines only, for a receiver that is killed in the middle of one."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = path.open("a", encoding="utf-8")

    def add(self, text: str) -> None:
        """Write a line, which is in the hands of the system when this returns."""
        self._file.write(f"{text}\n")
        self._file.flush()

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def heard(path: Path) -> list[str]:
    """What a receiver has taken, in order."""
    return path.read_text(encoding="utf-8").splitlines() if path.exists() else []


def start(kind: str, folder: Path) -> tuple[Service, Path]:
    """A receiver in a process of its own, and its file."""
    file = folder / f"{kind}.ids"

    def command(port: int, _: Path) -> list[str]:
        program = (
            f"import sys; sys.path.insert(0, {str(ROOT)!r}); from tests.torture import receivers"
        )
        return [sys.executable, "-c", f"{program}; receivers.main()", kind, str(port), str(file)]

    return Service(command, folder / kind), file


def serve_web(port: int, ids: Ids) -> None:
    """Take CloudEvents until killed."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            event = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            assert event["id"] == self.headers["webhook-id"]
            ids.add(event["id"] + (MARKED_LATE if event["data"]["stale"] else ""))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *args: object) -> None:
            pass

    ThreadingHTTPServer(("127.0.0.1", port), Handler).serve_forever()


class Postbox:
    """A handler of aiosmtpd that takes every mail."""

    def __init__(self, ids: Ids) -> None:
        self._ids = ids

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        """Take one."""
        mail = email.message_from_bytes(envelope.content, policy=default)
        text = mail.get_body().get_content()
        found = re.search(r"Alert (\w+)", text)
        assert found
        self._ids.add(found[1] + (MARKED_LATE if "Late:" in text else ""))
        return "250 OK"


def main() -> None:
    """Receive until killed."""
    kind, port, file = sys.argv[1], int(sys.argv[2]), Ids(Path(sys.argv[3]))
    if kind == "web":
        serve_web(port, file)
    else:
        Controller(Postbox(file), "127.0.0.1", port).start()
        threading.Event().wait()
