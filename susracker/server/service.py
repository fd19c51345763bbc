"""The parts that the routes share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol, cast

from flask import current_app

from susracker.access.links import PictureLinks
from susracker.enrolment.enroller import Enroller
from susracker.judgement.judging import Judging
from susracker.recording.writer import Recorder
from susracker.server.admission import Admission
from susracker.server.auditing import Auditing
from susracker.server.connections import Connections
from susracker.server.fair_pool import FairPool
from susracker.server.limits import RateLimit
from susracker.server.live import Live
from susracker.server.measures import Measures
from susracker.server.pools import BoundedPool
from susracker.server.thumbnails import Thumbnails
from susracker.tracking.tracker import Tracker

EXTENSION = "susracker"


class Part(Protocol):
    """Something that knows whether it works."""

    @property
    def problem(self) -> str | None:
        """Why it does not work at present, or None."""


@dataclass(frozen=True, slots=True)
class Service:
    """The parts behind the routes of one application.

    Attributes:
        work: threads that recognise the faces of ordinary detections.
        slow: threads for large pictures and enrolments, which do not keep those waiting.
        reads: threads that read and edit the store, so that operators can look things up while the
            queue of faces is full.
        pages: a thread that makes long answers, so that many readers of these hold up nobody.
        parsing: threads that parse large bodies, which wait for nothing.
        recorder: keeps accepted detections, strangers' faces included; None if nothing is kept.
        links: signs the links to faces.
        optional: parts that the server can do without, by their names in `/readyz`.
    """

    tracker: Tracker
    enroller: Enroller
    admission: Admission
    audit: Auditing
    measures: Measures
    connections: Connections
    live: Live
    thumbnails: Thumbnails
    judging: Judging
    work: FairPool
    slow: FairPool
    reads: BoundedPool
    pages: BoundedPool
    parsing: BoundedPool
    recorder: Recorder | None
    rate_limit: RateLimit
    links: PictureLinks
    optional: Mapping[str, Part]

    def close(self) -> None:
        """End what runs behind the routes. The tracker and the recorder stay open."""
        self.tracker.last_looks.listener = None
        self.live.close()
        self.admission.close()
        self.rate_limit.close()
        for pool in (self.work, self.slow, self.reads, self.pages, self.parsing):
            pool.close()


def service() -> Service:
    """The service of the application that handles the current request."""
    return cast(Service, current_app.extensions[EXTENSION])
