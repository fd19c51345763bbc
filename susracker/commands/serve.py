"""`susracker serve`."""

from __future__ import annotations

import click

from susracker.commands.auditing import unaudited
from susracker.commands.hints import to_type
from susracker.commands.listening import missing
from susracker.commands.new_stores import is_missing
from susracker.commands.options import LoadedSettings, settings_options
from susracker.config import Settings
from susracker.delivery.rules import plan_of
from susracker.runtime.imports import as_if_missing
from susracker.runtime.logs import configure_log

UNUSED = ("aiohttp", "redis", "requests", "tornado", "valkey", "watchdog", "websocket")
"""Packages that python-socketio imports for its clients and its message queues, and Werkzeug for
its reloader. They take a third of a start, and the server uses neither."""


@click.command("serve")
@settings_options(*(name for name in Settings.model_fields))
@unaudited("notes each request by its route")
def command(loaded: LoadedSettings) -> None:
    """Run the server that cameras and operators connect to.

    Ctrl-C or SIGTERM finishes accepted requests, then stops the server.

    On a loopback address the server asks for a key once one exists (see susracker keys). On any
    other address it starts only if there is an admin's key, and a certificate, a proxy, or
    --insecure-http.

    If OTEL_EXPORTER_OTLP_ENDPOINT is set in the environment, OpenTelemetry traces are sent there.

    \b
    Examples:
      susracker serve
      susracker serve --port 8080 --workers 4
      susracker serve --host 0.0.0.0 --cert site.pem --key site.key.pem
      susracker serve --store sqlite:///site.db --cooldown-seconds 30
      susracker serve --record night/ --record-days 2
      susracker serve --log-format json

    \b
    Then, from a camera:
      curl -F file=@face.jpg -F camera_id=gate-1 -F camera_location="Main gate" \\
        http://127.0.0.1:5000/face_upload
    """
    settings = loaded.settings
    plan = plan_of(loaded.tables)
    is_new = is_missing(settings)
    if lines := missing(loaded):
        click.echo("\n".join(lines), err=True)
        raise click.exceptions.Exit(2)
    configure_log(settings.log_level, settings.log_format)
    with as_if_missing(*UNUSED):
        import flask_socketio  # noqa: F401
    from susracker.commands.serving import run

    run(settings, is_new, plan, to_type(loaded, "enroll", "PHOTO", "--name", "NAME"))
