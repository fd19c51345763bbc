"""What reads that which people, cameras, panels or disks hand in: each as one call."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import replace
from datetime import timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np

from susracker import open_tracker
from susracker.access.signing import SigningKey, public_path
from susracker.client.spool import Spool
from susracker.config import variable_name
from susracker.enrolment.fields import criminal_from_fields
from susracker.enrolment.job import _unfit
from susracker.enrolment.lists import read_list
from susracker.loading import load_settings
from susracker.models import Detection
from susracker.plugins import open_store
from susracker.recording.format import Embeddings, Recorded, to_line
from susracker.recording.reader import Recording, span
from susracker.recording.writer import RecordingWriter
from susracker.replay.results import Result, write_results
from susracker.server.wire import DetectionFields
from susracker.server.wire import parse as parse_fields
from susracker.stores.transfer import contents
from susracker.testing.records import NOON, enroll, face_alert, sighting
from tests.server.apps import running_app
from tests.server.test_any_body import DETECTION
from tests.torture.texts import Parse


def plain(parse: Callable[[Any], object]) -> Callable[[Path], Any]:
    @contextmanager
    def opened(folder: Path) -> Iterator[Parse]:
        yield parse

    return opened


def of_file(name: str, parse: Callable[[Path], object]) -> Callable[[Path], Any]:
    """A parser of a file's content."""

    @contextmanager
    def opened(folder: Path) -> Iterator[Parse]:
        def once(content: bytes) -> None:
            file = folder / name
            file.write_bytes(content)
            parse(file)

        yield once

    return opened


def people_and_photos(file: Path) -> None:
    people, bad = read_list(file)
    assert all(one.detail for one in bad)
    for person in people:
        for photo in person.photos:
            with suppress(OSError):  # as a job does
                _unfit(photo)


def environment(values: dict[str, str]) -> None:
    with patch.dict(os.environ, {variable_name(name): text for name, text in values.items()}):
        load_settings()


@contextmanager
def recording(folder: Path) -> Iterator[Parse]:
    with RecordingWriter(folder / "night") as writer:
        writer.write(_recorded(b"a picture"))
    lines = next((folder / "night").glob("*/detections.jsonl"))

    def once(content: bytes) -> None:
        lines.write_bytes(content + b"\n")
        recording = Recording(folder / "night")
        read = list(recording)
        assert len(list(recording.by_time())) == len(read)
        span(recording)

    yield once


def _recorded(picture: bytes | None) -> Recorded:
    detection = Detection("gate", "Main gate", "face", NOON, picture, "e1")
    return Recorded(detection, NOON + timedelta(milliseconds=5))


@lru_cache(maxsize=1)
def recorded_lines() -> list[dict[str, Any]]:
    embedded = replace(_recorded(None), embeddings=Embeddings("dlib/1", np.ones((2, 4), "f4")))
    lines = to_line(_recorded(b"a picture"), "0000001.jpg"), to_line(embedded, None)
    return [json.loads(one) for one in lines]


@contextmanager
def _app(folder: Path) -> Iterator[Any]:
    store = f"sqlite:///{folder / 'site.db'}"
    with (
        open_tracker(store=store, rate_limit="1000000000 per second") as tracker,
        running_app(tracker) as app,
    ):
        yield app


def posted(kind: str, *paths: str) -> Callable[[Path], Any]:
    @contextmanager
    def opened(folder: Path) -> Iterator[Parse]:
        with _app(folder) as app:
            client = app.test_client()

            def once(body: bytes) -> None:
                for path in paths:
                    answer = client.post(path, data=body, content_type=kind)
                    assert answer.status_code < 500, f"{path}: {answer.status_code}"

            yield once

    return opened


@contextmanager
def asked(folder: Path) -> Iterator[Parse]:
    with _app(folder) as app:
        client = app.test_client()

        def once(asked: tuple[dict[str, str], str]) -> None:
            headers, query = asked
            answer = client.get("/api/alerts", headers=headers, query_string=query)
            assert answer.status_code < 500, answer.status_code

        yield once


@contextmanager
def connected(folder: Path) -> Iterator[Parse]:
    with _app(folder) as app:
        socketio = app.extensions["socketio"]

        def once(auth: Any) -> None:
            client = socketio.test_client(app, auth=auth)
            if client.is_connected():
                client.disconnect()

        yield once


@contextmanager
def spool(folder: Path) -> Iterator[Parse]:
    def once(content: bytes) -> None:
        for old in folder.iterdir():
            old.unlink(missing_ok=True)
        (folder / "spool").write_bytes(content)
        with closing(Spool(folder / "spool", 10_000)) as spool:
            spool.put("e9", b"a body")
            while waiting := spool.first():
                assert spool.done(waiting) == 1

    yield once


def made(make: Callable[[Path], None]) -> bytes:
    """A file, as the product makes it."""
    with tempfile.TemporaryDirectory() as folder:
        make(Path(folder) / "file")
        return (Path(folder) / "file").read_bytes()


def make_spool(file: Path) -> None:
    with closing(Spool(file, 10_000)) as spool:
        for number in range(3):
            spool.put(f"e{number}", b"a body" * 50)


def make_backup(file: Path) -> None:
    with open_store(f"sqlite:///{file}") as store:
        enroll(store, "c1", 2)
        store.record([sighting("c1")], [face_alert("c1")])


def make_results(file: Path) -> None:
    result = Result(1, "gate", "Main gate", "face", NOON.isoformat(), "no match", ())
    write_results(file, {"encoder": "dlib"}, [result])


@contextmanager
def backup(folder: Path) -> Iterator[Parse]:
    def once(content: bytes) -> None:
        for old in folder.iterdir():
            old.unlink(missing_ok=True)
        (folder / "backup").write_bytes(content)
        with open_store(f"sqlite:///{folder / 'backup'}") as store:
            contents(store, lambda *_: None)

    yield once


def make_public_key(file: Path) -> None:
    SigningKey.load_or_make(file)
    public_path(file).rename(file)


def timestamp(text: str) -> None:
    parse_fields(DetectionFields, DETECTION | {"timestamp": text})


def expiry(text: str) -> None:
    criminal_from_fields({"name": "Ada", "expires_at": text})
