"""A span for each request, and one for each stage of a detection, to an OpenTelemetry collector.

HTTP's semantic conventions: https://opentelemetry.io/docs/specs/semconv/http/http-spans/. Of what
they ask for, the path and the client's address are left out: paths can hold names. Nothing that a
client made up is told, except the ids of its trace and of its request.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from opentelemetry import trace
from opentelemetry.context import Context, attach, detach
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from werkzeug.wsgi import ClosingIterator

from susracker.runtime.logs import request_id

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

log = logging.getLogger(__name__)

FLUSH_SECONDS = 3.0
"""How long the last spans may take to be sent when the server stops."""

NOISY = ("opentelemetry.exporter", "opentelemetry.trace", "opentelemetry.util.re")
"""Loggers that must be silent: of each attempt to send, which is told once, below; of what clients
send in `tracestate`, up to 8 kB a request; of headers for the collector, which may be keys."""

METHODS = frozenset({"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"})
OTHER = "_OTHER"
"""The method of requests with one that clients made up (semantic conventions)."""

HEADERS = {"traceparent": "HTTP_TRACEPARENT", "tracestate": "HTTP_TRACESTATE"}


class Traces:
    """Makes spans, and sends them from a thread of its own. Spans beyond what may wait are dropped:
    nothing waits for the collector.

    Args:
        url: of the collector, as it may be shown.
    """

    def __init__(self, url: str) -> None:
        for name in NOISY:
            logging.getLogger(name).setLevel(logging.CRITICAL)
        self._exporter = _Watched(OTLPSpanExporter(), url)
        self._provider = TracerProvider(resource=_resource(), shutdown_on_exit=False)
        self._provider.add_span_processor(BatchSpanProcessor(self._exporter))
        self._tracer = self._provider.get_tracer("susracker", version("susracker"))
        self._propagator = TraceContextTextMapPropagator()

    @property
    def problem(self) -> str | None:
        """Why spans do not reach the collector at present, or None."""
        return self._exporter.problem

    def around(self, app: WSGIApplication) -> WSGIApplication:
        """An application whose requests have a span each. Socket.IO's have none: they last as long
        as the operator stays."""

        def traced(environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
            if environ["PATH_INFO"].startswith("/socket.io"):
                return app(environ, start)
            return self._answer(app, environ, start)

        return traced

    def request(self, method: str, route: str) -> None:
        """Say which route the current request leads to."""
        span = trace.get_current_span()
        span.update_name(f"{method} {route}")
        span.set_attribute("http.route", route)

    def stage(self, name: str, seconds: float) -> None:
        """Tell of a stage of the current request that has just ended. From any thread."""
        end = time.time_ns()
        span = self._tracer.start_span(name, start_time=end - int(seconds * 1e9))
        span.end(end)

    def close(self) -> None:
        """Send what is left, but not for long."""
        # The provider may wait for longer, and for the collector.
        closing = threading.Thread(target=self._provider.shutdown, daemon=True)
        closing.start()
        closing.join(FLUSH_SECONDS)
        if closing.is_alive():
            log.warning("the last traces were not sent within %g seconds", FLUSH_SECONDS)

    def _answer(
        self, app: WSGIApplication, environ: WSGIEnvironment, start: StartResponse
    ) -> Iterable[bytes]:
        method = environ["REQUEST_METHOD"]
        known = method if method in METHODS else OTHER
        span = self._tracer.start_span(
            known if known != OTHER else "HTTP",
            self._caller(environ),
            trace.SpanKind.SERVER,
            {
                "http.request.method": known,
                "url.scheme": environ["wsgi.url_scheme"],
                "susracker.request_id": request_id.get(),
            },
        )

        def told(status: str, headers: list[tuple[str, str]], *rest: Any) -> Callable[..., object]:
            code = int(status[:3])
            span.set_attribute("http.response.status_code", code)
            if code >= 500:
                span.set_attribute("error.type", str(code))
                span.set_status(trace.StatusCode.ERROR)
            return start(status, headers, *rest)

        # Threads that work for the request have its context, too: `BoundedPool`.
        token = attach(trace.set_span_in_context(span))

        def end() -> None:
            detach(token)
            span.end()

        try:
            return ClosingIterator(app(environ, told), end)
        except BaseException:
            end()
            raise

    def _caller(self, environ: WSGIEnvironment) -> Context:
        """What the caller says of its own span."""
        sent = {name: environ[key] for name, key in HEADERS.items() if key in environ}
        return self._propagator.extract(sent, Context())


def _resource() -> Resource:
    """What sends the spans: "susracker", unless OTEL_SERVICE_NAME says another name."""
    found = Resource.create({"service.version": version("susracker")})
    if str(found.attributes["service.name"]).startswith("unknown_service"):
        return found.merge(Resource({"service.name": "susracker"}))
    return found


class _Watched(SpanExporter):
    """An exporter whose problem is known, and logged when it begins and ends.

    Args:
        url: of the collector, as it may be shown.
    """

    def __init__(self, exporter: SpanExporter, url: str) -> None:
        self._exporter = exporter
        self._url = url
        self.problem: str | None = None

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        result = self._exporter.export(spans)
        if result is SpanExportResult.SUCCESS:
            if self.problem:
                log.info("the collector %s takes traces again", self._url)
            self.problem = None
        else:
            if not self.problem:
                log.warning("the collector %s does not take traces: they are dropped", self._url)
            self.problem = f"the collector {self._url} does not take traces"
        return result

    def shutdown(self) -> None:
        self._exporter.shutdown()
