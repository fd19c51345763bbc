"""`susracker completion`."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from susracker.commands.auditing import unaudited


@click.command("completion")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
@unaudited("opens no store")
def command(ctx: click.Context, shell: str) -> None:
    """Print the tab completion for your shell.

    \b
    Examples:
      eval "$(susracker completion bash)"         in ~/.bashrc
      eval "$(susracker completion zsh)"          in ~/.zshrc
      susracker completion fish | source          in config.fish
    """
    completion = get_completion_class(shell)
    if completion is None:
        raise click.UsageError(f"click has no completion for {shell}")
    root = ctx.find_root()
    click.echo(completion(root.command, {}, "susracker", "_SUSRACKER_COMPLETE").source())
