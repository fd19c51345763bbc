"""`susracker keys`."""

from __future__ import annotations

import click

from susracker.commands.keys_data import new_data_key_command, rotate_data_command


@click.group("keys")
def command() -> None:
    """Manage the key that the store is encrypted with.

    \b
    Examples:
      susracker keys new-data-key data.key
      susracker keys rotate-data --to new.key
    """


command.add_command(new_data_key_command)
command.add_command(rotate_data_command)
