"""A site's own panel, a page of another origin, with the official client and the script of
docs/http.md."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.server.conftest import node_client

__all__ = ["node_client"]

CLIENT = "node_modules/socket.io-client/dist/socket.io.js"

PAGE = (Path(__file__).parents[2] / "docs" / "http.md").read_text(encoding="utf-8")

(SCRIPT,) = re.findall(r"^```js\n(.*?new_alert.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


class Panel(BaseHTTPRequestHandler):
    """An empty page."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b"<!doctype html><title>A panel</title>")

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def panel() -> Iterator[str]:
    """A page's origin. A server serves the page: Chromium asks the user before a page of elsewhere,
    or one that the test makes up, may reach a server of this machine."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Panel) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://localhost:{server.server_port}"
        server.shutdown()


def test_a_panel_hears_each_alert_once_though_it_is_cut_off(
    panel: str, own_site, pages, node_client: Path
) -> None:
    site = own_site("--allowed-origins", panel, enrolled=False)
    heard: list[str] = []

    def see(kind: str) -> None:
        body = {"camera_id": "gate", "camera_location": "Gate", "event_type": kind}
        assert site.post("/activity_alert", json=body).status_code == 200

    def hear(message: Any) -> None:
        if message.type == "log":
            heard.append(message.text.split()[0])

    page = pages.open(panel)
    page.on("console", hear)
    page.add_script_tag(path=node_client.parent / CLIENT)
    page.add_script_tag(content=SCRIPT.replace("http://127.0.0.1:5000", site.url))
    page.wait_for_function("socket.connected")
    for kind in ("violence", "fire"):
        see(kind)
    page.wait_for_function("lastSeq === 2")
    page.evaluate("() => socket.io.engine.close()")
    see("smoke")
    page.wait_for_function("lastSeq === 3")
    see("fall")
    page.wait_for_function("lastSeq === 4")
    assert heard == ["1", "2", "3", "4"]
