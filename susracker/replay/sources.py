"""What a replay can run: a recording, a folder of pictures, a video, a stream."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Protocol

from susracker.config import DEFAULT_DETECTOR
from susracker.edge.cutter import MARGIN, SMALLEST, FaceCutter
from susracker.edge.tracks import Tracks
from susracker.edge.video import Sampling, frame_count, frames, is_live
from susracker.errors import InputError
from susracker.models import Detection
from susracker.passwords import without_password
from susracker.plugins import open_detector
from susracker.recording.format import Recorded, is_recording
from susracker.recording.reader import Recording
from susracker.tracking.tracker import FACE

SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".bmp"})

FIRST_MOMENT = datetime(2000, 1, 1, tzinfo=timezone.utc)
"""When videos and pictures begin by default: two runs are then the same."""

PICTURE_SECONDS = 1.0
"""Time between two pictures of a folder."""


@dataclass(frozen=True, slots=True)
class Scenery:
    """What is assumed about a source that is not a recording.

    Attributes:
        begin: when its first frame or picture was taken.
        margin: what is kept around faces cut out of frames, as a share of their size.
        smallest: width of the smallest faces to find in frames, in pixels.
        detector: name of what finds them.
    """

    camera_id: str = "replay"
    camera_location: str = ""
    begin: datetime = FIRST_MOMENT
    margin: float = MARGIN
    smallest: float = SMALLEST
    sampling: Sampling = field(default_factory=Sampling)
    detector: str = DEFAULT_DETECTOR


class Source(Protocol):
    """Detections in order."""

    def __iter__(self) -> Iterator[Recorded]: ...

    def began(self) -> datetime:
        """When the first detection was received."""

    def steps(self) -> int | None:
        """How many steps a progress bar has; None if there is no end."""

    def step(self) -> int:
        """The step at which the iteration is."""


def open_source(name: str, scenery: Scenery) -> Source:
    """Tell a recording from a folder of pictures, and both from a video.

    Raises:
        InputError: there is no such source, or it is an empty folder or recording.
    """
    path = Path(name)
    if is_live(name) or path.is_file():
        return VideoSource(name, scenery)
    if not path.is_dir():
        raise InputError(f"there is no recording, folder or video {without_password(name)}")
    return RecordingSource(path) if is_recording(path) else PictureSource(path, scenery)


class RecordingSource:
    """A recording's detections."""

    def __init__(self, folder: Path) -> None:
        self._recording = Recording(folder)
        self._count = len(self._recording)
        self._step = 0
        first = next(iter(self._recording), None)
        if first is None:
            raise InputError(f"the recording {folder} is empty")
        self._began = first.received_at

    def __iter__(self) -> Iterator[Recorded]:
        for recorded in self._recording:
            self._step += 1
            yield recorded

    def began(self) -> datetime:
        return self._began

    def steps(self) -> int:
        return self._count

    def step(self) -> int:
        return self._step


class PictureSource:
    """The pictures of a folder and its subfolders, by name, a second apart."""

    def __init__(self, folder: Path, scenery: Scenery) -> None:
        self._scenery = scenery
        self._files = sorted(
            file for file in folder.rglob("*") if file.suffix.lower() in SUFFIXES and file.is_file()
        )
        self._step = 0
        if not self._files:
            raise InputError(f"{folder} holds no pictures and is not a recording")

    def __iter__(self) -> Iterator[Recorded]:
        for number, file in enumerate(self._files):
            self._step = number + 1
            yield _face(_read(file), PICTURE_SECONDS * number, self._scenery)

    def began(self) -> datetime:
        return self._scenery.begin

    def steps(self) -> int:
        return len(self._files)

    def step(self) -> int:
        return self._step


class VideoSource:
    """The faces of a video's sampled frames, cut out as an edge camera does it."""

    def __init__(self, source: str, scenery: Scenery) -> None:
        self._source = source
        self._scenery = scenery
        self._count = frame_count(source)
        self._step = 0

    def __iter__(self) -> Iterator[Recorded]:
        detector = open_detector(self._scenery.detector)
        cutter = FaceCutter(self._scenery.margin, self._scenery.smallest, detector)
        tracks = Tracks()
        for frame in frames(self._source, self._scenery.sampling):
            self._step = frame.number + 1
            found = cutter.find(frame.picture)
            ids = tracks.follow([face.box for face in found], frame.seconds)
            for face, track_id in zip(found, ids, strict=True):
                yield _face(cutter.jpeg(face), frame.seconds, self._scenery, track_id)

    def began(self) -> datetime:
        return self._scenery.begin

    def steps(self) -> int | None:
        return self._count

    def step(self) -> int:
        return self._step


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise InputError(f"cannot read {file}: {error.strerror}") from error


def _face(
    picture: bytes, seconds: float, scenery: Scenery, track_id: str | None = None
) -> Recorded:
    moment = scenery.begin + timedelta(seconds=seconds)
    detection = Detection(
        camera_id=scenery.camera_id,
        camera_location=scenery.camera_location,
        event_type=FACE,
        occurred_at=moment,
        picture=picture,
        track_id=track_id,
    )
    return Recorded(detection, moment)
