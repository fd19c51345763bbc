"""The Flask application: routes, Socket.IO, and what is around them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

from flask import Flask
from flask_socketio import SocketIO

from susracker.access.audit import Act, AuditLog
from susracker.access.links import PictureLinks
from susracker.enrolment.enroller import Enroller
from susracker.judgement.judging import Judging
from susracker.models import Outcome
from susracker.recording.writer import Recorder
from susracker.server import (
    alerts,
    audit,
    benchmarks,
    compreface,
    criminals,
    detections,
    enrolments,
    erasure,
    find,
    health,
    holds,
    judgements,
    keys,
    metrics,
    page,
    photos,
    pictures,
    retention,
    sessions,
    site,
)
from susracker.server.access import guard
from susracker.server.admission import Admission
from susracker.server.auditing import Auditing
from susracker.server.browsers import BrowserChecks, allow_listed_origins
from susracker.server.conditional import tag_answers
from susracker.server.connections import CONNECT, Connections
from susracker.server.contract import routes as contract_routes
from susracker.server.fair_pool import FairPool
from susracker.server.headers import SecurityHeaders
from susracker.server.hosts import Hosts
from susracker.server.limits import LimitedOpenings, RateLimit, limit_requests
from susracker.server.live import Live
from susracker.server.measures import Measures, measure_requests
from susracker.server.origins import Origins
from susracker.server.outgoing import MAX_MESSAGE
from susracker.server.parameters import refuse_unknown_parameters
from susracker.server.pools import BoundedPool
from susracker.server.post_log import PostLog, log_posts
from susracker.server.proxies import Proxies
from susracker.server.refusals import register_errors
from susracker.server.request_ids import RequestIds
from susracker.server.service import EXTENSION, Part, Service
from susracker.server.shedding import Shedding
from susracker.server.thumbnails import Thumbnails
from susracker.tracking.tracker import Tracker
from susracker.tracking.turns import large_at_once

if TYPE_CHECKING:
    from susracker.server.spans import Traces

AUDIT, TRACES = "audit log", "traces"

READERS = 4
"""Threads for look-ups and edits, which wait for the disk more than they compute."""

MAX_WAITING_READS = 1000

PARSERS, MAX_WAITING_BODIES = 2, 32
"""Threads for large bodies, and how many bodies may wait for them: each takes up to
`max_body_mb` of memory."""

MAX_WAITING_SLOW = 16
"""How many large pictures and enrolments may wait: each takes up to `max_body_mb` of memory."""

WRITERS = 16
"""Threads besides the workers: those that recognised someone and wait for the store."""


PARTS = (
    detections,
    criminals,
    photos,
    enrolments,
    erasure,
    find,
    compreface,
    alerts,
    pictures,
    holds,
    judgements,
    health,
    metrics,
    sessions,
    audit,
    keys,
    retention,
    benchmarks,
    site,
    page,
    contract_routes,
)
"""What has routes."""


def create_app(
    tracker: Tracker,
    recorder: Recorder | None = None,
    optional: Mapping[str, Part] | None = None,
    traces: Traces | None = None,
) -> Flask:
    """An application that serves a started tracker.

    Run it with `susracker.server.run.serve`, or under another gevent server.

    Args:
        recorder: keeps the detections that are accepted.
        optional: other parts that the server can do without, by name. While one has a problem,
            `/readyz` gives it as a warning.
        traces: makes a span for each request.
    """
    app = Flask("susracker", static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = int(tracker.settings.max_body_mb * 1_000_000)
    origins, posts = Origins(tracker.settings.allowed_origins), PostLog()
    audit_log = AuditLog.open(tracker.store, tracker.settings.audit_key)
    sessions.configure_sessions(app, tracker.store, audit_log)
    socketio = _socketio(app, origins)
    parts = _parts(tracker, socketio, audit_log, recorder, traces, optional or {})
    _check_requests(app, parts, posts, origins)
    _surround(app, parts, posts, origins, traces)
    tracker.last_looks.listener = partial(_tell_late, parts)
    app.extensions[EXTENSION] = parts
    for part in PARTS:
        app.register_blueprint(part.blueprint)
    register_errors(app)
    return app


def _parts(
    tracker: Tracker,
    socketio: SocketIO,
    audit_log: AuditLog,
    recorder: Recorder | None,
    traces: Traces | None,
    optional: Mapping[str, Part],
) -> Service:
    """What is behind the routes."""
    settings, store = tracker.settings, tracker.store
    auditing = Auditing(audit_log)
    reads = BoundedPool(READERS, READERS + MAX_WAITING_READS)

    def note(act: Act) -> None:
        reads.call(auditing.note_look, act)

    admission = Admission(store, settings, note)
    thumbnails = Thumbnails(store)
    live = Live(socketio, store, thumbnails, settings.follow_seconds)
    connections = Connections(socketio, admission, settings.max_clients, note)
    connections.on(CONNECT, live.join)
    rate_limit = RateLimit(settings)
    slow = large_at_once(settings.workers)
    return Service(
        tracker=tracker,
        enroller=Enroller(store, tracker.encoder, tracker.detector, tracker.max_pixels),
        admission=admission,
        audit=auditing,
        measures=Measures(traces),
        connections=connections,
        live=live,
        thumbnails=thumbnails,
        judging=Judging(store, settings.review_required_by),
        work=FairPool(settings.workers + WRITERS, settings.workers + settings.queue_size),
        slow=FairPool(slow, slow + MAX_WAITING_SLOW),
        reads=reads,
        pages=BoundedPool(1, 1 + MAX_WAITING_READS),
        parsing=BoundedPool(PARSERS, PARSERS + MAX_WAITING_BODIES),
        recorder=recorder,
        rate_limit=rate_limit,
        links=PictureLinks.of(store, audit_log),
        optional={
            "rate limit": rate_limit,
            **({"recording": recorder} if recorder else {}),
            AUDIT: auditing,
            **({TRACES: traces} if traces else {}),
            **optional,
        },
    )


def _tell_late(parts: Service, outcome: Outcome, received_at: datetime) -> None:
    """Count and broadcast what a passage led to only when it had ended. From any thread."""
    parts.measures.matches(outcome, received_at)
    parts.live.look_soon()


def _check_requests(app: Flask, parts: Service, posts: PostLog, origins: Origins) -> None:
    """Put checks before each route. In this order: a preflight has no key, and who has a key is
    counted by it."""
    measure_requests(app, parts.measures)
    log_posts(app, posts)
    allow_listed_origins(app, origins)
    guard(app, parts.admission)
    limit_requests(app, parts.rate_limit)
    refuse_unknown_parameters(app)
    tag_answers(app)


def _socketio(app: Flask, origins: Origins) -> SocketIO:
    return SocketIO(
        app,
        async_mode="gevent",
        # `BrowserChecks` lets only pages through that may read the answer.
        cors_allowed_origins=lambda origin, environ: origin is not None,
        cors_credentials=not origins.all,
        max_http_buffer_size=MAX_MESSAGE,
        manage_session=False,
        # Clients send no events. What an event of theirs raises in a greenlet of its own, gevent
        # would write to the log, each time with its traceback.
        async_handlers=False,
    )


def _surround(
    app: Flask, parts: Service, posts: PostLog, origins: Origins, traces: Traces | None
) -> None:
    """Put middleware around Flask and Socket.IO; a request passes it from the last to the first."""
    settings = parts.tracker.settings
    app.wsgi_app = LimitedOpenings(app.wsgi_app, parts.rate_limit)  # type: ignore[method-assign]
    app.wsgi_app = Shedding(app.wsgi_app, parts.work, parts.measures, posts)  # type: ignore[method-assign]
    app.wsgi_app = BrowserChecks(app.wsgi_app, Hosts(settings), origins)  # type: ignore[method-assign]
    app.wsgi_app = SecurityHeaders(app.wsgi_app, origins)  # type: ignore[method-assign]
    app.wsgi_app = Proxies(app.wsgi_app, settings.behind_proxy)  # type: ignore[method-assign]
    if traces:
        app.wsgi_app = traces.around(app.wsgi_app)  # type: ignore[assignment,method-assign]
    app.wsgi_app = RequestIds(app.wsgi_app)  # type: ignore[method-assign]
