"""Write docs/cli.md, docs/api.md and docs/demo.svg from the program itself.

    python docs/generate.py

`tests/test_docs.py` fails if docs/cli.md or docs/api.md differs from what this writes.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import click
from api_page import api_page
from rich.console import Console

from susracker.cli import main
from susracker.config import Settings, variable_name
from susracker.demo.camera import Scene
from susracker.demo.portraits import sample_people
from susracker.demo.show import Show

CLI = Path(__file__).parent / "cli.md"
API = Path(__file__).parent / "api.md"
DEMO = Path(__file__).parent / "demo.svg"
SHOTS = 6
WIDTH = 96

INTRODUCTION = """# Command line

`make docs` makes this page from `--help`, and a test checks that it did.
"""

HOME = "Paths of files and folders may begin with `~`, the home folder of whoever runs the command."


def cli_page() -> str:
    """The text of docs/cli.md."""
    parts = [INTRODUCTION]
    for name, command, ctx in _commands(main, _root()):
        ctx.max_content_width = WIDTH
        ctx.terminal_width = WIDTH
        level = "#" * (1 + len(name.split()))
        parts.append(f"{level} {name}\n\n```text\n{command.get_help(ctx)}\n```\n")
    parts.append(_settings_table())
    return "\n".join(parts)


def _root() -> click.Context:
    return click.Context(main, info_name="susracker", **main.context_settings)


def _commands(
    command: click.Command, ctx: click.Context
) -> Iterator[tuple[str, click.Command, click.Context]]:
    yield ctx.command_path, command, ctx
    if isinstance(command, click.Group):
        for name in command.list_commands(ctx):
            child = command.get_command(ctx, name)
            assert child is not None
            yield from _commands(child, click.Context(child, info_name=name, parent=ctx))


def _settings_table() -> str:
    rows = ["## Settings", "", HOME, "", "| key in susracker.toml | variable | default | help |"]
    rows.append("|---|---|---|---|")
    for name, field in Settings.model_fields.items():
        default = "depends on the machine" if field.default_factory else shown(field.default)
        rows.append(f"| `{name}` | `{variable_name(name)}` | {default} | {field.description} |")
    return "\n".join(rows) + "\n"


def shown(default: object) -> str:
    """A default as the table shows it."""
    return "empty" if default == "" else str(default)


def demo_picture() -> str:
    """What a run of the demo prints, as SVG."""
    console = Console(record=True, width=92, force_terminal=True)
    people = sample_people()
    with tempfile.TemporaryDirectory() as folder:
        shots = islice(Scene(people).shots(), SHOTS)
        Show(Path(folder), console).run(people, shots, interval=1, limit=None)
    picture = console.export_svg(title="make demo")
    # rich names a font on a server elsewhere; without it the viewer's own is used.
    return re.sub(r"\s*@font-face \{.*?\}", "", picture, flags=re.DOTALL)


if __name__ == "__main__":
    CLI.write_text(cli_page(), encoding="utf-8")
    API.write_text(api_page(), encoding="utf-8")
    DEMO.write_text(demo_picture(), encoding="utf-8")
    print(f"wrote {CLI}, {API} and {DEMO}")
