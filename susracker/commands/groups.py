"""Commands that have commands of their own."""

from __future__ import annotations

import click


class CommandGroup(click.Group):
    """A group whose --help gives the line of each command in full: click would cut it off."""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(
                [(name, _line(self.commands[name])) for name in self.list_commands(ctx)]
            )


def _line(command: click.Command) -> str:
    """The first paragraph of a command's help."""
    return " ".join((command.help or "").partition("\n\n")[0].split())
