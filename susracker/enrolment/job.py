"""Enrols many photos of many people, on all cores. It can be interrupted and resumed."""

from __future__ import annotations

import stat
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import groupby
from operator import itemgetter
from pathlib import Path

from susracker.enrolment.enroller import Enroller, PreparedPhoto, photo_digest
from susracker.enrolment.report import Refused, Report, refused
from susracker.enrolment.sources import Person
from susracker.enrolment.writer import Result, StoredPhoto, Writer, Written
from susracker.errors import FaceRefusedError, PictureError
from susracker.runtime.parallel import map_in_order

FLUSH_SECONDS = 0.5
"""How long people whose photos are all prepared wait to be stored. Waiting longer means more work
lost in a power cut."""

MAX_WAITING_BYTES = 128 * 2**20
"""A person's photos are stored together, so that one can be compared with all others; of someone
with more bytes of photos than this, a part at a time."""

PHOTOS_AHEAD = 16
"""Photos in progress or waiting, for each worker: enough to keep every worker busy while photos are
stored, and few enough to hold in memory."""

MAX_FILE_BYTES = 256 * 2**20
"""Larger than any picture that is small enough to decode, even an uncompressed one."""


class Waiting:
    """Photos that are prepared and not stored yet."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        self._photos: list[tuple[Person, Result]] = []
        self._bytes = 0
        self._flushed_at = time.monotonic()

    def add(self, person: Person, result: Result) -> None:
        """Add a photo. The photos of a person come one after the other."""
        is_next = bool(self._photos) and self._photos[-1][0] is not person
        is_late = time.monotonic() - self._flushed_at >= FLUSH_SECONDS
        if (is_next and is_late) or self._bytes > MAX_WAITING_BYTES:
            self.flush()
        self._photos.append((person, result))
        if isinstance(result[1], PreparedPhoto):
            self._bytes += len(result[1].content)

    def flush(self) -> None:
        """Store what waits, in one write for each person."""
        for person, pairs in groupby(self._photos, key=itemgetter(0)):
            self._writer.write(person, [result for _, result in pairs])
        self._photos.clear()
        self._bytes = 0
        self._flushed_at = time.monotonic()


def enroll_people(
    enroller: Enroller,
    people: Iterable[Person],
    report: Report,
    *,
    workers: int,
    allow_unlike: bool = False,
    on_photo: Callable[[], None] = lambda: None,
    on_write: Callable[[Written], None] = lambda written: None,
    stopped: Callable[[], bool] = lambda: False,
) -> None:
    """Enrol everyone, photo by photo. The next call resumes an interrupted one.

    Threads read and prepare the photos; the calling thread stores them.

    Args:
        report: receives the results. It agrees with the store even if an error ends the call.
        workers: how many threads to use.
        allow_unlike: see `Writer`.
        on_photo: called after each photo.
        on_write: called after each person that was added or changed; someone whose photos take long
            is written several times.
        stopped: asked before each photo; once it returns true, no further photo is begun.

    Raises:
        StoreError: the store failed; earlier photos stay stored.
        EncoderError: the network cannot be built.
    """
    waiting = Waiting(Writer(enroller, report, on_write, allow_unlike=allow_unlike))

    def prepare(item: tuple[Person, Path]) -> PreparedPhoto | StoredPhoto | Refused:
        return _prepare(enroller, item[1])

    with ThreadPoolExecutor(workers) as pool:
        photos = _photos(people, stopped)
        for (person, path), fate in map_in_order(pool, prepare, photos, PHOTOS_AHEAD * workers):
            if isinstance(fate, Refused):
                report.refused.append(fate)
            else:
                waiting.add(person, (str(path), fate))
            on_photo()
    waiting.flush()


def _photos(people: Iterable[Person], stopped: Callable[[], bool]) -> Iterator[tuple[Person, Path]]:
    for person in people:
        for path in person.photos:
            if stopped():
                return
            yield person, path


def _prepare(enroller: Enroller, path: Path) -> PreparedPhoto | StoredPhoto | Refused:
    try:
        if (problem := _unfit(path)) is not None:
            return problem
        content = path.read_bytes()
    except FileNotFoundError:
        return Refused(str(path), "no such file")
    except OSError as error:
        return Refused(str(path), "cannot be read", error.strerror or "")
    return prepare_photo(enroller, str(path), content)


def prepare_photo(
    enroller: Enroller, path: str, content: bytes
) -> PreparedPhoto | StoredPhoto | Refused:
    """Prepare a photo, unless it is stored already or must be refused.

    Args:
        path: what the report calls it.

    Raises:
        EncoderError: the network cannot be built.
    """
    # The digest tells without decoding the picture.
    owner = enroller.store.photo_owner(photo_digest(content))
    if owner is not None:
        return StoredPhoto(owner)
    try:
        return enroller.prepare(content)
    except (PictureError, FaceRefusedError) as refusal:
        return refused(path, refusal)


def _unfit(path: Path) -> Refused | None:
    """Return why not to open a file: a pipe would block forever, a disk image would fill memory."""
    status = path.stat()
    if not stat.S_ISREG(status.st_mode):
        return Refused(str(path), "cannot be read", "not a regular file")
    if status.st_size > MAX_FILE_BYTES:
        return Refused(str(path), "not a picture", f"larger than {MAX_FILE_BYTES >> 20} MiB")
    return None
