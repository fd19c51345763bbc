"""New recordings from old ones: part of one, several merged, or one without pictures."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime
from itertools import groupby, repeat
from pathlib import Path

import numpy as np

from susracker.errors import PictureError, RecordingError
from susracker.faces.detector import Detector
from susracker.faces.encoder import Encoder
from susracker.recording.format import Embeddings, Recorded, is_empty
from susracker.recording.reader import Recording
from susracker.recording.writer import RecordingWriter
from susracker.runtime.parallel import map_in_order


def cut(
    source: Recording, begin: datetime | None, end: datetime | None, cameras: frozenset[str]
) -> Iterator[Recorded]:
    """The detections received from `begin` on and before `end`; only those of `cameras`, unless
    that is empty."""
    for one in source:
        after = begin is None or one.received_at >= begin
        before = end is None or one.received_at < end
        if after and before and (not cameras or one.detection.camera_id in cameras):
            yield one


def merge(sources: Iterable[Recording]) -> Iterator[Recorded]:
    """The detections of several recordings by when they were received; those of one moment in the
    order of the recordings. A detection that is in several of them is taken once."""
    tagged = (zip(repeat(number), one.by_time()) for number, one in enumerate(sources))
    merged = heapq.merge(*tagged, key=_received)
    for _, moment in groupby(merged, key=_received):
        yield from _without_copies(moment)


def _received(tagged: tuple[int, Recorded]) -> datetime:
    return tagged[1].received_at


def _without_copies(tagged: Iterable[tuple[int, Recorded]]) -> Iterator[Recorded]:
    """Leave out what an earlier recording has, too; a recording is no copy of itself."""
    seen: Counter[tuple[int, Hashable]] = Counter()
    taken: Counter[Hashable] = Counter()
    for number, one in tagged:
        content = _content(one)
        seen[number, content] += 1
        if seen[number, content] > taken[content]:
            taken[content] += 1
            yield one


def _content(one: Recorded) -> Hashable:
    """What makes a detection the same as another one; their details need not be compared."""
    made = one.embeddings
    return replace(one.detection, details=None), made and (made.encoder_id, made.vectors.tobytes())


def anonymise(
    source: Recording, detector: Detector, encoder: Encoder, workers: int
) -> Iterator[Recorded]:
    """Detections with embeddings of their faces in place of their pictures.

    Embeddings are biometric data all the same: they identify enrolled people.
    """

    def without_picture(recorded: Recorded) -> Recorded:
        detection = recorded.detection
        if detection.picture is None:
            return recorded
        try:
            faces = detector.find_in_bytes(detection.picture)
        except PictureError as error:
            raise RecordingError(f"a picture of {source.folder} is damaged: {error}") from error
        chips = [encoder.align(face) for face in faces]
        vectors = (
            encoder.encode(np.stack(chips))
            if chips
            else np.empty((0, encoder.dimension), np.float32)
        )
        return Recorded(
            replace(detection, picture=None),
            recorded.received_at,
            Embeddings(encoder.id, vectors),
        )

    with ThreadPoolExecutor(workers) as pool:
        for _, found in map_in_order(pool, without_picture, source, 2 * workers):
            yield found


def write_new(
    folder: Path, detections: Iterable[Recorded], on_detection: Callable[[], None]
) -> int:
    """Write a new recording; returns how many detections it has.

    Raises:
        RecordingError: the folder is not empty.
    """
    if folder.exists() and not is_empty(folder):
        raise RecordingError(f"{folder} is not empty: name a new folder")
    count = 0
    with RecordingWriter(folder) as writer:
        for one in detections:
            writer.write(one)
            on_detection()
            count += 1
    return count
