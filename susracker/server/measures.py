"""What is counted and timed, for `/metrics`: numbers only, by labels with few values.

Names follow Prometheus' conventions: base units, `_total` for what only grows. No label holds
anything that a client made up, and none names a person, a camera or a key.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from importlib.metadata import version
from typing import TYPE_CHECKING, Protocol

from flask import Flask, Response, g, request
from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    Info,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    Metric,
    SummaryMetricFamily,
)
from prometheus_client.registry import Collector

from susracker.models import Outcome

if TYPE_CHECKING:
    from susracker.delivery.run import ChannelFigures
    from susracker.server.service import Service
    from susracker.tracking.tracker import Tracker

UNKNOWN = "unknown"
"""The route and method of requests that lead to no route: clients could make up any number."""

WAITING, HANDLING, BROADCASTING = "waiting", "handling", "broadcasting"
"""The stages of a detection: in the queue; recognised and stored; emitted to operators."""


class Listener(Protocol):
    """Is told what is timed, as it is timed."""

    def request(self, method: str, route: str) -> None:
        """Which route the current request leads to."""

    def stage(self, name: str, seconds: float) -> None:
        """That a stage of the current request has just ended; from any thread."""


class Measures:
    """The measures of one application, in a registry of their own. Counting is safe from any
    thread.

    Args:
        listener: is told of requests and stages, too.
    """

    def __init__(self, listener: Listener | None = None) -> None:
        self._listener = listener
        self.registry = registry = CollectorRegistry()

        def counter(name: str, text: str, *labels: str) -> Counter:
            return Counter(f"susracker_{name}", text, labels, registry=registry)

        def histogram(name: str, text: str, *labels: str) -> Histogram:
            return Histogram(f"susracker_{name}", text, labels, registry=registry)

        ProcessCollector(registry=registry)
        Info("susracker_build", "The version that runs.", registry=registry).info(
            {"version": version("susracker")}
        )
        self._requests = counter(
            "http_requests", "Requests answered, by route and status.", "method", "route", "status"
        )
        self._request_seconds = histogram(
            "http_request_duration_seconds",
            "Time from the head of a request to its answer.",
            "method",
            "route",
        )
        self._detections = counter(
            "detections", "Detections handled, by what became of them.", "outcome"
        )
        self._stage_seconds = histogram(
            "detection_stage_duration_seconds", "Time that detections spend in each stage.", "stage"
        )
        self._alerts = counter("alerts", "Alerts stored by this server.", "kind")
        self._suppressed = counter(
            "sightings_suppressed", "Sightings whose alert the cooldown held back."
        )
        self._reviews = counter("reviews", "Reviews made on this server.", "verdict")
        self._outcomes = counter(
            "encounter_outcomes", "Outcomes of encounters recorded on this server.", "outcome"
        )
        self._state = _State(registry)

    def request(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count a request that was answered."""
        if self._listener and route != UNKNOWN:
            self._listener.request(method, route)
        self._requests.labels(method, route, status).inc()
        self._request_seconds.labels(method, route).observe(seconds)

    def detection(self, outcome: Outcome, received_at: datetime) -> None:
        """Count a detection.

        Args:
            received_at: alerts of an earlier time are those of the event that this one repeats.
        """
        self._detections.labels(outcome.kind.replace(" ", "_")).inc()
        self.matches(outcome, received_at)

    def matches(self, outcome: Outcome, received_at: datetime) -> None:
        """Count alerts and sightings only, as `detection` does; from any thread."""
        for alert in outcome.alerts:
            if alert.received_at >= received_at:
                self._alerts.labels(alert.kind).inc()
        for sighting in outcome.sightings:
            if sighting.suppressed and sighting.received_at >= received_at:
                self._suppressed.inc()

    def review(self, verdict: str) -> None:
        """Count a review that was stored."""
        self._reviews.labels(verdict).inc()

    def encounter(self, outcome: str) -> None:
        """Count an outcome that was stored."""
        self._outcomes.labels(outcome.replace(" ", "_")).inc()

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Time a stage of a detection, whether or not it succeeds."""
        began = time.perf_counter()
        try:
            yield
        finally:
            self._ended(name, time.perf_counter() - began)

    def waited(self, seconds: float) -> None:
        """Note how long a detection was in the queue."""
        self._ended(WAITING, seconds)

    def _ended(self, stage: str, seconds: float) -> None:
        self._stage_seconds.labels(stage).observe(seconds)
        if self._listener:
            self._listener.stage(stage, seconds)

    def text(self, parts: Service) -> bytes:
        """All measures in Prometheus' text format, with the present state of a server."""
        self._state.read(parts)
        return generate_latest(self.registry)


class _State:
    """What is looked at when someone asks, and not counted."""

    def __init__(self, registry: CollectorRegistry) -> None:
        def gauge(name: str, text: str, *labels: str) -> Gauge:
            return Gauge(f"susracker_{name}", text, labels, registry=registry)

        self._tracker = _TrackerMeasures()
        registry.register(self._tracker)
        self._in_flight = gauge("detections_in_flight", "Detections being handled or waiting.")
        self._waiting = gauge("detections_waiting", "Detections that wait for a thread.")
        self._watchlist = gauge("watchlist_people", "People who are matched at present.")
        self._threshold = gauge("threshold_score", "Score from which someone matches.")
        self._target = gauge("target_fpir_ratio", "FPIR that the threshold is made for.")
        self._clients = gauge("clients", "Operators connected over Socket.IO.")
        self._ready = gauge("ready", "1 while /readyz answers 200, else 0.")
        self._last_seq = gauge("broadcast_alert_seq", "The seq of the last alert broadcast.")
        self._working = gauge("part_working", "1 while a part works, else 0.", "part")

    def read(self, parts: Service) -> None:
        watchlist = parts.tracker.watchlist
        self._tracker.tracker = parts.tracker
        self._in_flight.set(parts.work.in_flight + parts.slow.in_flight)
        self._waiting.set(parts.work.waiting + parts.slow.waiting)
        self._watchlist.set(len(watchlist))
        self._threshold.set(watchlist.threshold)
        self._target.set(parts.tracker.settings.target_fpir)
        self._clients.set(parts.connections.count)
        self._last_seq.set(parts.live.last_seq)
        needed = {
            "tracker": parts.tracker.problem,
            "broadcast": parts.live.problem,
            "keys": parts.admission.problem,
        }
        self._ready.set(not any(needed.values()))
        optional = {name: part.problem for name, part in parts.optional.items()}
        cooldown = {"cooldown": parts.tracker.warning}
        for name, problem in (needed | cooldown | optional).items():
            self._working.labels(name.replace(" ", "_")).set(not problem)


class _TrackerMeasures(Collector):
    """What a tracker counts itself."""

    tracker: Tracker | None = None

    def collect(self) -> Iterator[Metric]:
        if self.tracker is None:
            return
        passages, encoder = self.tracker.passages, self.tracker.encoder
        yield GaugeMetricFamily(
            "susracker_passages_open", "Passages that may go on.", len(passages)
        )
        yield CounterMetricFamily("susracker_passages", "Passages that began.", passages.begun)
        yield SummaryMetricFamily(
            "susracker_network_duration_seconds",
            "Time that the network takes each time that it encodes faces.",
            encoder.calls,
            encoder.seconds,
        )


class ChannelMeasures(Collector):
    """What is delivered to each channel.

    Args:
        figures: looks up how each channel is.
    """

    def __init__(self, figures: Callable[[], Sequence[ChannelFigures]]) -> None:
        self._figures = figures

    def collect(self) -> Iterator[Metric]:
        made = CounterMetricFamily(
            "susracker_deliveries",
            "Attempts of this server to deliver a message.",
            labels=["channel", "state"],
        )
        working = GaugeMetricFamily(
            "susracker_channel_working", "1 while a channel works, else 0.", labels=["channel"]
        )
        reached = GaugeMetricFamily(
            "susracker_channel_alert_seq",
            "The seq of the last alert that a channel is done with.",
            labels=["channel"],
        )
        for one in self._figures():
            for state, count in one.attempts.items():
                made.add_metric([one.name, state], count)
            working.add_metric([one.name], one.works)
            reached.add_metric([one.name], one.reached)
        yield from (made, working, reached)


def measure_requests(app: Flask, measures: Measures) -> None:
    """Count each request; call this before other functions may refuse them."""

    @app.before_request
    def begin() -> None:
        g.began = time.perf_counter()

    @app.after_request
    def end(answer: Response) -> Response:
        known = request.url_rule is not None
        method, route = (request.method, request.url_rule.rule) if known else (UNKNOWN, UNKNOWN)  # type: ignore[union-attr]
        measures.request(method, route, answer.status_code, time.perf_counter() - g.began)
        return answer
