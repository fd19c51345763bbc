"""What `susracker serve` runs once it may."""

from __future__ import annotations

import logging
import signal
from contextlib import ExitStack, closing
from pathlib import Path

import click

from susracker.commands.auditing import audit_log
from susracker.commands.encoding import encode_missing
from susracker.commands.new_stores import say_created
from susracker.commands.news import News
from susracker.commands.working import working
from susracker.config import Settings
from susracker.delivery.rules import Plan
from susracker.enrolment.enroller import Enroller
from susracker.enrolment.panel import enroll_panel_photos
from susracker.faces.finding.child import Command
from susracker.faces.finding.processes import FinderProcesses
from susracker.passwords import without_password
from susracker.recording.writer import Recorder
from susracker.retention.purge import HourlyPurge, Purge, unlimited
from susracker.runtime.core_dumps import forbid_core_dumps
from susracker.runtime.interruption import INTERRUPTED
from susracker.runtime.memory import give_memory_back, hold_little_memory
from susracker.runtime.periodic import Periodic
from susracker.runtime.text import counted
from susracker.runtime.threads import one_core_a_thread, switch_often
from susracker.server.app import create_app
from susracker.server.noise import quieten
from susracker.server.run import serve
from susracker.server.service import EXTENSION, Part, Service
from susracker.server.tracing import open_traces
from susracker.tracking.tracker import Tracker

log = logging.getLogger(__name__)

FOLLOWING = "following the panel"
NOTING = "noting what could not be noted before"
FORGETTING = "forgetting what is old"
COPYING = "copying templates"
TRIMMING = "giving memory back"
FINDING = "finding faces"

PURGE_SECONDS = 10.0
"""How often to look whether it is time to purge, and to go on with a purge that is not done."""

COPY_SECONDS = 60.0
"""How often to look whether the next start needs another copy of the templates."""

TRIM_SECONDS = 60.0
"""How often to give back memory that many clients at once have left behind."""


def run(settings: Settings, is_new: bool, plan: Plan, enroll: str) -> None:
    """Serve until Ctrl-C or SIGTERM.

    Args:
        is_new: whether the store is still to be created, which is then said.
        plan: which alerts are delivered where.
        enroll: the command that enrols someone in this store, said if nobody is enrolled.
    """
    quieten()
    hold_little_memory()
    one_core_a_thread()
    switch_often()
    forbid_core_dumps()
    with ExitStack() as stack:
        if traces := open_traces():
            stack.callback(traces.close)
        recorder = _recorder(settings, stack)
        tracker = Tracker.from_settings(settings)
        with working("reading the watch-list"):
            stack.enter_context(tracker)
        if is_new:
            say_created(settings)
        _encode_missing(tracker)
        panel = stack.enter_context(closing(_follow_panel(tracker)))
        purge = stack.enter_context(closing(_purge(tracker)))
        copying = stack.enter_context(closing(_copy_templates(tracker)))
        finders = stack.enter_context(_finders(tracker))
        news = News(settings, tracker.store, plan, stack)
        periodic: dict[str, Part] = {
            FOLLOWING: panel,
            FORGETTING: purge,
            COPYING: copying,
            FINDING: finders,
        }
        app = create_app(tracker, recorder, periodic | news.parts, traces)
        parts: Service = app.extensions[EXTENSION]
        news.follow(parts)
        catch_up = parts.audit.catch_up
        stack.enter_context(closing(Periodic(NOTING, settings.follow_seconds, catch_up)))
        stack.enter_context(closing(Periodic(TRIMMING, TRIM_SECONDS, give_memory_back)))

        def on_ready(url: str) -> None:
            _announce(url, tracker, enroll)
            finders.start()  # until they are ready, threads of the server find faces

        stopped_by = serve(app, on_ready)
    if stopped_by == signal.SIGINT:
        raise click.exceptions.Exit(INTERRUPTED)


def _follow_panel(tracker: Tracker) -> Periodic:
    """Enrol the photos that a panel has stored, and those it stores later."""
    enroller = Enroller(tracker.store, tracker.encoder, tracker.detector, tracker.max_pixels)

    def follow() -> None:
        if enrolled := enroll_panel_photos(enroller, tracker.settings.workers):
            log.info("enrolled %d photos that were added to the database", enrolled)
            tracker.refresh()

    with working("enrolling photos that a panel has stored"):
        follow()
    return Periodic(FOLLOWING, tracker.settings.follow_seconds, follow)


def _finders(tracker: Tracker) -> FinderProcesses:
    """Processes that find faces, to be started."""
    settings, recogniser = tracker.settings, tracker.recogniser
    command = Command(settings.detector, settings.encoder, tracker.max_detection_pixels)
    count = min(settings.finder_processes, settings.workers)
    finders = FinderProcesses(count, command, recogniser.finder, tracker.encoder.add)
    recogniser.finder = finders
    return finders


def _purge(tracker: Tracker) -> Periodic:
    """Forget what is older than the settings allow."""
    audit = audit_log(tracker.settings, tracker.store)
    purge = HourlyPurge(Purge(tracker.store, tracker.settings, audit))
    return Periodic(FORGETTING, PURGE_SECONDS, purge)


def _copy_templates(tracker: Tracker) -> Periodic:
    """Keep a copy of the templates for the next start, if the store does so."""

    def keep() -> None:
        tracker.store.keep_template_copy(tracker.encoder.id)

    return Periodic(COPYING, COPY_SECONDS, keep)


def _recorder(settings: Settings, stack: ExitStack) -> Recorder | None:
    if not settings.record:
        return None
    recorder = Recorder(Path(settings.record), settings.record_mb, settings.record_days)
    stack.callback(recorder.close)
    click.echo(
        f"recording to {settings.record}, strangers' faces included: kept for "
        f"{settings.record_days:g} days and up to {settings.record_mb:,g} MB"
    )
    return recorder


def _encode_missing(tracker: Tracker) -> None:
    """Make the templates that are missing, such as after a change of encoder."""
    enroller = Enroller(tracker.store, tracker.encoder, tracker.detector, tracker.max_pixels)
    made, _ = encode_missing(enroller, tracker.settings.workers)
    if made:
        tracker.refresh()


def _announce(url: str, tracker: Tracker, enroll: str) -> None:
    settings = tracker.settings
    people = counted(len(tracker.watchlist), "person", "people")
    click.echo(f"susracker listens on {url}, {people} on the watch-list")
    store = without_password(settings.store)
    click.echo(f"store {store}, encoder {settings.encoder}, {settings.workers} workers")
    if names := unlimited(settings):
        click.echo(f"kept without a limit of days: set {', '.join(names)} to forget in time")
    if not len(tracker.watchlist):
        click.echo(f"nobody is enrolled yet: {enroll}")
