"""OpenTelemetry traces: what a collector is sent, and that nobody waits for one."""

from __future__ import annotations

import logging
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from susracker.errors import ConfigError, MissingDriverError
from susracker.plugins import open_store
from susracker.server import tracing
from tests.delivery.web import WebServer
from tests.server.conftest import Site
from tests.waiting import wait_until

NOWHERE = "http://127.0.0.1:9"
TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
SAMPLED, NOT_SAMPLED = (f"00-{TRACE}-{PARENT}-{flags}" for flags in ("01", "00"))


@pytest.fixture(autouse=True)
def _plain_environment(monkeypatch):
    for name in [name for name in os.environ if name.startswith("OTEL_")]:
        monkeypatch.delenv(name)


@pytest.fixture
def collector() -> Iterator[WebServer]:
    server = WebServer()
    server.status = 200
    yield server
    server.close()


def traced(monkeypatch: Any, folder: Path, url: str, **variables: str) -> Site:
    """A server that sends traces."""
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", url)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    return Site(folder)


def sent_to(collector: WebServer) -> list[Any]:
    """All spans that were sent, each with its attributes as `fields`."""
    found = []
    for headers, body in collector.posts:
        assert headers["content-type"] == "application/x-protobuf"
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            names = {one.key: one.value.string_value for one in resource.resource.attributes}
            assert names["service.name"] == "susracker"
            found += [span for scope in resource.scope_spans for span in scope.spans]
    return found


def fields(span: Any) -> dict[str, Any]:
    return {one.key: getattr(one.value, one.value.WhichOneof("value")) for one in span.attributes}


def test_a_detection_has_a_span_and_one_for_each_stage(monkeypatch, tmp_path, collector, faces):
    site = traced(monkeypatch, tmp_path, f"http://127.0.0.1:{collector.port}")
    answer = site.post(
        "/face_upload",
        data={"camera_id": "secret-gate", "camera_location": "secret-place"},
        files={"file": ("face.jpg", faces["hopper"], "image/jpeg")},
        headers={"traceparent": SAMPLED, "X-Request-ID": "request-1"},
    )
    assert answer.json()["message"] == "Match found"
    assert site.server.stop() == 0
    spans = {span.name: span for span in sent_to(collector)}
    request = spans["POST /face_upload"]
    assert request.kind == request.SPAN_KIND_SERVER
    assert fields(request) == {
        "http.request.method": "POST",
        "http.route": "/face_upload",
        "http.response.status_code": 200,
        "url.scheme": "http",
        "susracker.request_id": "request-1",
    }
    assert (request.trace_id.hex(), request.parent_span_id.hex()) == (TRACE, PARENT)
    stages = [spans[name] for name in ("waiting", "handling", "broadcasting")]
    for stage in stages:
        assert (stage.trace_id, stage.parent_span_id) == (request.trace_id, request.span_id)
        assert request.start_time_unix_nano <= stage.start_time_unix_nano + 1_000_000
        assert stage.end_time_unix_nano <= request.end_time_unix_nano
        assert not stage.attributes
    starts = [stage.start_time_unix_nano for stage in stages]
    assert starts == sorted(starts)
    assert len(spans) == 4


def test_nothing_personal_is_sent(monkeypatch, tmp_path, collector, faces):
    site = traced(monkeypatch, tmp_path, f"http://127.0.0.1:{collector.port}")
    key = {"Authorization": "Bearer sus_secretkey"}
    person = site.ids["hopper"]
    site.upload(faces["hopper"], "secret-gate", "secret-place")
    site.get(f"/api/criminals/{person}")
    site.get("/api/criminals", query="Grace")
    requests.delete(f"{site.url}/api/v1/recognition/subjects/Secret%20Name", timeout=60)
    requests.request("SECRET", f"{site.url}/secret/path", headers=key, timeout=60)
    assert site.server.stop() == 0
    raw = b"".join(body for _, body in collector.posts).lower()
    for word in (b"secret", b"grace", b"hopper", person.encode(), faces["hopper"][:50]):
        assert word not in raw
    names = [span.name for span in sent_to(collector) if span.kind == span.SPAN_KIND_SERVER]
    assert sorted(names) == [
        "DELETE /api/v1/recognition/subjects/<name:subject>",
        "GET /api/criminals",
        "GET /api/criminals/<criminal_id>",
        "HTTP",
        "POST /face_upload",
    ]


def test_what_callers_say_wrong_is_not_logged(monkeypatch, tmp_path, collector, capfd):
    site = traced(monkeypatch, tmp_path, f"http://127.0.0.1:{collector.port}")
    for sent in (
        {"traceparent": SAMPLED, "tracestate": "secret@" * 500},
        {"traceparent": SAMPLED, "tracestate": "secret=1,secret=2"},
        {"traceparent": "secret" * 500},
    ):
        assert requests.get(f"{site.url}/healthz", headers=sent, timeout=60).status_code == 200
    assert site.server.stop() == 0
    log = capfd.readouterr().err.lower()
    assert not [word for word in ("secret", "w3c", "traceparent", "duplicate") if word in log]


def test_headers_for_the_collector_are_not_logged(monkeypatch, caplog):
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", NOWHERE)
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "api-key secret")
    tracing.open_traces().close()
    assert "secret" not in caplog.text


def test_the_sampler_follows_the_caller_and_the_standard_variables(
    monkeypatch, tmp_path, collector
):
    ratio = {"OTEL_TRACES_SAMPLER": "parentbased_traceidratio", "OTEL_TRACES_SAMPLER_ARG": "0"}
    site = traced(monkeypatch, tmp_path, f"http://127.0.0.1:{collector.port}", **ratio)
    for parent in (None, SAMPLED, NOT_SAMPLED):
        headers = {"traceparent": parent} if parent else {}
        requests.get(f"{site.url}/healthz", headers=headers, timeout=60)
    assert site.server.stop() == 0
    (span,) = sent_to(collector)
    assert span.parent_span_id.hex() == PARENT


@pytest.mark.parametrize("is_there", [False, True])
def test_without_a_collector_all_is_answered_and_the_stop_is_bounded(
    monkeypatch, tmp_path, collector, faces, is_there
):
    """It is away, or it refuses what it is sent."""
    collector.status = 503
    quick = {"OTEL_BSP_SCHEDULE_DELAY": "10", "OTEL_BSP_MAX_QUEUE_SIZE": "600"}
    url = f"http://127.0.0.1:{collector.port}" if is_there else NOWHERE
    site = traced(monkeypatch, tmp_path, url, **quick)
    for number in range(5):
        assert site.upload(faces["hopper"], f"gate-{number}").json()["message"] == "Match found"
    for _ in range(400):  # more than may wait
        assert site.get("/healthz").status_code == 200
    began = time.monotonic()
    assert site.server.stop() == 0
    assert time.monotonic() - began < 30
    with open_store(site.store_url) as store:
        assert len(store.alerts()) == 5


def test_a_collector_that_fails_is_a_warning(monkeypatch, caplog):
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://user:secret@127.0.0.1:9")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "0.1")
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "10")
    caplog.set_level(logging.WARNING)
    traces = tracing.open_traces()
    list(
        traces.around(lambda environ, start: [])(
            {"PATH_INFO": "/", "REQUEST_METHOD": "GET", "wsgi.url_scheme": "http"}, None
        ).__iter__()
    )
    traces.stage("waiting", 0.1)
    assert wait_until(lambda: bool(traces.problem))
    traces.close()
    assert "does not take traces" in traces.problem
    assert "secret" not in traces.problem + caplog.text
    assert caplog.text.count("does not take traces") == 1


@pytest.mark.parametrize(
    "variables",
    [
        {},
        {"OTEL_EXPORTER_OTLP_ENDPOINT": ""},
        {"OTEL_EXPORTER_OTLP_ENDPOINT": NOWHERE, "OTEL_SDK_DISABLED": "true"},
        {"OTEL_EXPORTER_OTLP_ENDPOINT": NOWHERE, "OTEL_TRACES_EXPORTER": "none"},
    ],
)
def test_it_is_off_unless_the_environment_asks_for_it(variables):
    assert tracing.collector(variables) is None


@pytest.mark.parametrize(
    "url",
    ["collector:4318", "http://", "http://:4318", "http://a:99999", "http://a:x", "http://[::1"],
)
def test_a_url_that_is_none_is_told(url):
    with pytest.raises(ConfigError, match=re.escape(f"OTEL_EXPORTER_OTLP_ENDPOINT={url!r}")):
        tracing.collector({"OTEL_EXPORTER_OTLP_ENDPOINT": url})


@pytest.mark.parametrize(
    ("traces", "all_signals"), [("", ""), ("http/protobuf", "grpc"), ("", "http/protobuf")]
)
def test_the_protocol_of_traces_counts_and_an_empty_one_is_none(traces, all_signals):
    variables = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": NOWHERE,
        "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL": traces,
        "OTEL_EXPORTER_OTLP_PROTOCOL": all_signals,
    }
    assert tracing.collector(variables) == NOWHERE


def test_numbers_that_do_not_fit_are_told(monkeypatch):
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", NOWHERE)
    monkeypatch.setenv("OTEL_BSP_MAX_QUEUE_SIZE", "100")
    with pytest.raises(ConfigError, match=r"OpenTelemetry .* max_export_batch_size must be"):
        tracing.open_traces()


def test_another_protocol_is_told():
    grpc = {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": NOWHERE, "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}
    with pytest.raises(ConfigError, match="http/protobuf only"):
        tracing.collector(grpc)


@pytest.mark.parametrize("exporter", ["console", "otlp,console", "zipkin"])
def test_another_exporter_is_told(exporter):
    variables = {"OTEL_EXPORTER_OTLP_ENDPOINT": NOWHERE, "OTEL_TRACES_EXPORTER": exporter}
    with pytest.raises(ConfigError, match=f"OTEL_TRACES_EXPORTER={exporter!r}: traces are sent by"):
        tracing.collector(variables)


def test_a_missing_extra_is_told(monkeypatch):
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", NOWHERE)
    monkeypatch.setitem(sys.modules, "opentelemetry", None)
    monkeypatch.delitem(sys.modules, "susracker.server.spans", raising=False)
    with pytest.raises(MissingDriverError, match=re.escape("pip install 'susracker[otel]'")):
        tracing.open_traces()


def test_nothing_is_imported_while_it_is_off():
    program = """
import sys
from susracker.commands.serve import UNUSED
from susracker.runtime.imports import as_if_missing

with as_if_missing(*UNUSED):
    import flask_socketio
from susracker.commands import serving

assert serving.open_traces() is None
print([name for name in sys.modules if name.startswith("opentelemetry")])
"""
    ran = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert ran.stdout.strip() == "[]"
