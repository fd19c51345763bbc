"""What deliveries cost: one server without a channel, and one with a webhook and MQTT.

    python benchmarks/channels.py
    python benchmarks/channels.py --enrolled 1000 --connections 4 --seconds 5 --rounds 12

Both are susracker on the same people and get the same tight crops in short bursts, in turns. The
receivers are on the same machine. Needs mosquitto.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from access import arguments, bursts, copied, show, show_ratios
from galleries import real_faces, sqlite_gallery
from processes import free_port, susracker

from susracker.plugins import open_store

SETTINGS = """
[channels.hook]
kind = "webhook"
url = "http://127.0.0.1:{web}/hook"
secrets = ["whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX"]
allow_private = true

[channels.broker]
kind = "mqtt"
url = "mqtt://127.0.0.1:{broker}"

[[rules]]
to = ["hook", "broker"]
"""

RECEIVER = """
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer

class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *args):
        pass

HTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""


def main() -> None:
    options = arguments(__doc__)
    options.work.mkdir(parents=True, exist_ok=True)
    enrolled, posted = real_faces(options.faces)
    crops = [face.crop for face in posted]
    plain_store = sqlite_gallery(options.work, options.enrolled, enrolled)
    store = copied(plain_store, options.work / "channels.db")
    logs = (options.work / "plain.log", options.work / "channels.log")
    with (
        susracker(plain_store, logs[0]) as without,
        receivers(options.work),
        susracker(store, logs[1]) as with_channels,
    ):
        pairs = list(bursts(without, with_channels, crops, options))
    show("without", [theirs for theirs, _ in pairs])
    show("with channels", [ours for _, ours in pairs])
    show_ratios(pairs)
    with open_store(store) as opened:
        delivered = {one.name: one.cursor for one in opened.channels()}
        print(f"delivered, by channel: {delivered}, of {opened.last_seq()}")


@contextmanager
def receivers(work: Path) -> Iterator[None]:
    """A web server and a broker, and the settings that name them, for what is started meanwhile."""
    web, broker = free_port(), free_port()
    config = work / "mosquitto.conf"
    config.write_text(f"listener {broker} 127.0.0.1\nallow_anonymous true\n")
    file = work / "channels.toml"
    file.write_text(SETTINGS.format(web=web, broker=broker))
    mosquitto = shutil.which("mosquitto") or "/usr/sbin/mosquitto"
    programs = [[sys.executable, "-c", RECEIVER, str(web)], [mosquitto, "-c", str(config)]]
    processes = [subprocess.Popen(one, stderr=subprocess.DEVNULL) for one in programs]
    os.environ["SUSRACKER_CONFIG"] = str(file)
    time.sleep(1)
    try:
        yield
    finally:
        for process in processes:
            process.terminate()
            process.wait()


if __name__ == "__main__":
    main()
