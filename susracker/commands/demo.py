"""`susracker demo`."""

from __future__ import annotations

import tempfile
from pathlib import Path

import click
from rich.console import Console

from susracker.commands.auditing import unaudited
from susracker.errors import MissingDriverError
from susracker.runtime.interruption import INTERRUPTED

ONCE_SECONDS = 60


@click.command("demo")
@click.option(
    "--once",
    is_flag=True,
    help="End after the first face alert and the first suppressed repeat; exit with status 1 if "
    f"they do not come within {ONCE_SECONDS} s.",
)
@click.option(
    "--interval",
    type=click.FloatRange(min=0, max=60),
    default=1.0,
    show_default=True,
    help="Seconds between two detections.",
)
@unaudited("has a store of its own, which it removes")
def command(once: bool, interval: float) -> None:
    """See it work: a camera, a wanted person, an alert.

    The demo uses a temporary store, two sample people, the real server, a camera that posts their
    faces and those of strangers, and a Socket.IO client that receives the alerts. Ctrl-C ends it
    and leaves nothing behind.

    \b
    Examples:
      susracker demo
      susracker demo --once
    """
    try:
        from susracker.demo.camera import Scene
        from susracker.demo.portraits import sample_people
        from susracker.demo.show import Show
    except ModuleNotFoundError as error:
        raise MissingDriverError(
            f"the demo needs the package {error.name!r}: pip install 'susracker[demo]'"
        ) from error
    with tempfile.TemporaryDirectory(prefix="susracker-demo-") as folder:
        show = Show(Path(folder), Console())
        try:
            people = sample_people()
            show.run(people, Scene(people).shots(), interval, ONCE_SECONDS if once else None)
        except KeyboardInterrupt:
            show.say("[dim]the demo has ended: the server is stopped and the store removed[/dim]")
            raise click.exceptions.Exit(INTERRUPTED) from None
