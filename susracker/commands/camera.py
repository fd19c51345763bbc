"""`susracker camera`."""

from __future__ import annotations

import logging
import signal
import time
from collections.abc import Generator, Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import click

from susracker.client import Camera
from susracker.client.camera import CLOSE_SECONDS, MEMORY_MB, SPOOL_MB, Counts
from susracker.client.delivery import Waits
from susracker.commands.auditing import unaudited
from susracker.commands.options import LoadedSettings, key_option, settings_options
from susracker.commands.progress import live_line
from susracker.commands.sampling import video_options
from susracker.edge.best import BestFaces
from susracker.edge.cutter import FaceCutter
from susracker.edge.tracks import Tracks
from susracker.edge.video import Frame, Sampling, frames, is_live
from susracker.errors import InputError
from susracker.faces.quality import weight_of
from susracker.passwords import without_password
from susracker.plugins import open_detector
from susracker.runtime.background import until
from susracker.runtime.clock import utc_now
from susracker.runtime.interruption import INTERRUPTED, Interruption
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
    help="How many megabytes may wait; beyond that, the oldest are dropped.  [default: "
    f"{SPOOL_MB} in a spool, {MEMORY_MB} in memory]",
)
@video_options
@settings_options("detector")
@unaudited("opens no store")
def command(
    loaded: LoadedSettings,
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
    a device. A stream that breaks or cannot be reached is tried again until it can be read. Faces
    that cannot be sent wait, and are sent in order, with their original times, when the server is
    back. Faces are followed from frame to frame and sent with the id of their track, so that the
    server decides on them together. The first face of a track is sent at once, then one every 0.35
    seconds, and also those that are clearly sharper or larger than the one before.

    On Ctrl-C or SIGTERM the command sends what it can within a second, says how many faces were
    sent, and stops. The exit status is 1 if faces were refused or dropped, and 130 after Ctrl-C.

    \b
    Examples:
      susracker camera 0 --server http://server:5000 --camera gate-1 --location "Main gate"
      susracker camera rtsp://10.0.0.7/main --server http://server:5000 --spool /var/spool/gate
      susracker camera 0 --server https://server:5000 --ca site-ca.pem
      susracker camera clip.mp4 --server http://127.0.0.1:5000 --fps 2
    """
    one_core_a_thread()
    cutter = FaceCutter(margin, smallest, open_detector(loaded.settings.detector))
    seen = Seen()
    with (
        Camera(url, camera_id, location, key=key, ca=ca, spool=spool, spool_mb=spool_mb) as camera,
        Interruption() as stopped,
        live_line(lambda: _told(seen, camera.counts)),
    ):
        # Not before: what is logged goes above the line.
        logging.basicConfig(level="INFO", format="%(asctime)s %(levelname)s %(message)s")
        taken = (_endless if is_live(source) else _paced)(source, Sampling(fps, every))
        _send_faces(until(lambda: bool(stopped), taken), cutter, camera, seen)
        camera.close(STOP_SECONDS if stopped else CLOSE_SECONDS)
    click.echo(_told(seen, camera.counts))
    if stopped.signal == signal.SIGINT:
        raise click.exceptions.Exit(INTERRUPTED)
    if camera.counts.refused or camera.counts.dropped:
        click.echo("some faces did not reach the server: see the messages above", err=True)
        raise click.exceptions.Exit(1)


@dataclass
class Seen:
    """What a camera has seen so far."""

    frames: int = 0
    faces: int = 0
    left_out: int = 0


def _send_faces(taken: Iterable[Frame], cutter: FaceCutter, camera: Camera, seen: Seen) -> None:
    """Follow faces from frame to frame, and send those that add something to their tracks."""
    tracks, best = Tracks(), BestFaces()
    for frame in taken:
        at = utc_now()
        seen.frames += 1
        found = cutter.find(frame.picture)
        seen.faces += len(found)
        ids = tracks.follow([face.box for face in found], frame.seconds)
        for face, track_id in zip(found, ids, strict=True):
            if best.adds(track_id, weight_of(face.quality), frame.seconds):
                camera.send_face(cutter.jpeg(face), at, track_id)
            else:
                seen.left_out += 1


def _told(seen: Seen, counts: Counts) -> str:
    left_out = f"; {seen.left_out:,} no better than one just sent" if seen.left_out else ""
    return (
        f"{counted(seen.faces, 'face')} in {counted(seen.frames, 'frame')}: {counts.sent:,} sent, "
        f"{counts.refused:,} refused, {counts.dropped:,} dropped, {counts.waiting:,} waiting"
        f"{left_out}"
    )


def _paced(source: str, sampling: Sampling) -> Generator[Frame, None, None]:
    """A file's frames, at the speed at which they were filmed."""
    began = time.monotonic()
    for frame in frames(source, sampling):
        time.sleep(max(0.0, began + frame.seconds - time.monotonic()))
        yield frame


def _endless(source: str, sampling: Sampling) -> Generator[Frame, None, None]:
    """A stream's frames. Whenever it breaks or cannot be reached it is opened again; a device must
    be there at the start."""
    waits, must_open = Waits(), source.isdecimal()
    while True:
        reason = f"{without_password(source)} broke"
        try:
            for frame in frames(source, sampling):
                waits.succeeded()
                must_open = False
                # Its own time begins anew whenever it is opened again.
                yield replace(frame, seconds=time.monotonic())
        except InputError as error:
            if must_open:
                raise
            reason = str(error)
        seconds = waits.next(0)
        log.warning("%s; opening it again in %.1f s (Ctrl-C ends this)", reason, seconds)
        time.sleep(seconds)
