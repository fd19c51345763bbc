"""The `susracker` command: a group that loads a command's module only when you call it."""

from __future__ import annotations

from difflib import get_close_matches
from importlib import import_module
from pathlib import Path
from typing import Any

import click

from susracker.errors import ConfigError, InputError, SusrackerError
from susracker.runtime.interruption import INTERRUPTED, exit_as_told, interrupt_again

COMMANDS = {
    "demo": "See it work: a camera, a wanted person, an alert.",
    "serve": "Run the server that cameras and operators connect to.",
    "enroll": "Put people on the watch-list.",
    "keys": "Create, list, rotate and revoke the keys that the server asks for.",
    "criminals": "List, show, edit and remove enrolled people.",
    "alerts": "List, show, watch, review, sum up and export alerts.",
    "track": "Show where a person was seen, camera by camera.",
    "cameras": "Show when each camera was last heard from, and what it sent.",
    "find": "Search the watch-list for the faces in a photo.",
    "verify": "Compare the faces in two photos.",
    "benchmark": "Measure how well recognition works on a folder of photos.",
    "encoder": "Check a recognition network of your own, and make what its scores need.",
    "camera": "Act as an edge camera: find faces in a video and post them to a server.",
    "replay": "Run recorded detections again, on their original clock.",
    "recordings": "List, show, cut, merge and anonymise recordings.",
    "copy": "Copy a whole store to another, and check that it arrived.",
    "backup": "Copy the store to one file, and check it.",
    "restore": "Restore a backup into an empty store, and check it.",
    "deliveries": "Show, pause, repeat and test what is delivered to other systems.",
    "purge": "Forget what was kept for longer than the settings allow.",
    "audit": "Show, verify and export the log of who did what.",
    "doctor": "Check whether the server would work as it is set up, and say what to do.",
    "settings": "Print every setting: value, source and help.",
    "completion": "Print the tab completion for your shell.",
}
"""Each command's module in `susracker.commands`, and its line in `susracker --help`. The lines are
repeated here so that --help imports no command; a test compares them with the commands' own."""


class CommandTable(click.Group):
    """Commands by name. An error of susracker becomes one line, and an exit status: 2 if what was
    typed or set is wrong, else 1."""

    def main(self, *args: Any, **more: Any) -> Any:
        try:
            return super().main(*args, **more)
        except KeyboardInterrupt as error:
            raise SystemExit(INTERRUPTED) from error
        except SystemExit as error:
            if _is_interrupted(error.__context__):
                error.code = INTERRUPTED
            raise
        finally:
            exit_as_told()

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = import_module(f"susracker.commands.{cmd_name}").command
        interrupt_again()
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        typed = args[0]
        if typed not in COMMANDS and not ctx.resilient_parsing:
            for meant in get_close_matches(typed, COMMANDS, n=1):
                ctx.fail(f"No such command {typed!r}. Did you mean {meant!r}?")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt as error:
            raise click.exceptions.Exit(INTERRUPTED) from error
        except click.Abort as error:  # also a question that was answered with no
            if _is_interrupted(error):
                raise click.exceptions.Exit(INTERRUPTED) from error
            raise
        except SusrackerError as error:
            wrong = isinstance(error, (InputError, ConfigError))
            raise (click.UsageError if wrong else click.ClickException)(str(error)) from error


def _is_interrupted(error: BaseException | None) -> bool:
    """Whether click gave up because of Ctrl-C."""
    return isinstance(error, click.Abort) and isinstance(error.__context__, KeyboardInterrupt)


@click.group(cls=CommandTable, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--config",
    type=click.Path(path_type=Path, dir_okay=False),
    envvar="SUSRACKER_CONFIG",
    help="Settings file.  [default: ./susracker.toml, if it exists]",
)
@click.version_option(package_name="susracker", message="%(prog)s %(version)s")
@click.pass_context
def main(ctx: click.Context, config: Path | None) -> None:
    """Recognise wanted people on a network of cameras, and tell operators at once.

    \b
    Examples:
      susracker demo                              see it work
      susracker enroll people/                    a folder with one folder per person
      susracker enroll jo.jpg --name "Jo Doe"     one person
      susracker serve                             then post detections to port 5000

    Each command has its own --help, with examples.
    """
    ctx.obj = config
