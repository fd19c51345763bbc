"""`susracker camera`."""

from __future__ import annotations

import logging
import time
from collections.abc import Generator
from datetime import datetime, timezone
from pathlib import Path

import click

from susracker.client import Camera
from susracker.client.camera import CLOSE_SECONDS
from susracker.client.delivery import Waits
from susracker.commands.auditing import unaudited
from susracker.commands.options import key_option
from susracker.commands.sampling import video_options
from susracker.edge.cutter import FaceCutter
from susracker.edge.video import Frame, Sampling, frames, is_live
from susracker.errors import InputError
from susracker.passwords import without_password
from susracker.runtime.background import until
from susracker.runtime.interruption import Interruption
from susracker.runtime.text import counted
from susracker.runtime.threads import one_core_a_thread

log = logging.getLogger(__name__)

STOP_SECONDS = 1.0
"""How long to go on sending events after Ctrl-C or SIGTERM."""


@click.command("camera")
@click.argument("source")
@click.option("--server", "url", required=True, help="URL of the server, http://HOST:PORT.")
@click.option("--camera", "camera_id", default="camera-1", show_default=True, help="Camera id.")
@click.option("--location", default="", help="Camera location, such as 'Main gate'.")
@key_option
@click.option(
    "--ca",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Certificates of the authority that signed the server's, as PEM.  [default: those that "
    "browsers trust]",
)
@click.option(
    "--spool",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder in which faces wait while the server is unavailable.  [default: in memory]",
)
@click.option(
    "--spool-mb",
    type=click.FloatRange(1),
    help="How many megabytes may wait; beyond that, the oldest are dropped.",
)
@video_options
@unaudited("opens no store")
def command(
    source: str,
    url: str,
    camera_id: str,
    location: str,
    key: str | None,
    ca: Path | None,
    spool: Path | None,
    spool_mb: float | None,
    fps: float,
    every: int | None,
    smallest: float,
    margin: float,
) -> None:
    """Act as an edge camera: find faces in a video and post them to a server.

    SOURCE is a video file, which is played at its own speed, the URL of a stream, or the number of
    a device. A stream that breaks is opened again. Faces that cannot be sent wait, and are sent in
    order, with their original times, when the server is back. On Ctrl-C or SIGTERM the command
    sends what it can within a second, and stops.

    \b
    Examples:
      susracker camera 0 --server http://server:5000 --camera gate-1 --location "Main gate"
      susracker camera rtsp://10.0.0.7/main --server http://server:5000 --spool /var/spool/gate
      susracker camera 0 --server https://server:5000 --ca site-ca.pem
      susracker camera clip.mp4 --server http://127.0.0.1:5000 --fps 2
    """
    logging.basicConfig(level="INFO", format="%(asctime)s %(levelname)s %(message)s")
    one_core_a_thread()
    sampling = Sampling(fps, every)
    cutter = FaceCutter(margin, smallest)
    faces = 0
    with (
        Camera(url, camera_id, location, key=key, ca=ca, spool=spool, spool_mb=spool_mb) as camera,
        Interruption() as stopped,
    ):
        found = _endless(source, sampling) if is_live(source) else _paced(source, sampling)
        for frame in until(lambda: bool(stopped), found):
            at = datetime.now(timezone.utc)
            for face in cutter.cut(frame.picture):
                camera.send_face(face, at)
                faces += 1
        camera.close(STOP_SECONDS if stopped else CLOSE_SECONDS)
    counts = camera.counts
    click.echo(
        f"{counted(faces, 'face')} seen: {counts.sent} sent, {counts.refused} refused, "
        f"{counts.dropped} dropped, {counts.waiting} waiting"
    )


def _paced(source: str, sampling: Sampling) -> Generator[Frame, None, None]:
    """A file's frames, at the speed at which they were filmed."""
    began = time.monotonic()
    for frame in frames(source, sampling):
        time.sleep(max(0.0, began + frame.seconds - time.monotonic()))
        yield frame


def _endless(source: str, sampling: Sampling) -> Generator[Frame, None, None]:
    """A stream's frames. Whenever it breaks it is opened again, but the first time it must open."""
    yield from frames(source, sampling)
    waits = Waits()
    while True:
        seconds = waits.next(0)
        log.warning("%s broke; opening it again in %.1f s", without_password(source), seconds)
        time.sleep(seconds)
        try:
            for frame in frames(source, sampling):
                waits.succeeded()
                yield frame
        except InputError as error:
            log.warning("%s", error)
