"""`susracker settings`."""

from __future__ import annotations

import click

from susracker.commands.auditing import unaudited
from susracker.commands.options import LoadedSettings, json_option, settings_options
from susracker.commands.shown import plain_table, print_json, print_table
from susracker.config import Settings
from susracker.delivery.rules import plan_of
from susracker.loading import shown_setting


@click.command("settings")
@json_option
@settings_options()
@unaudited("opens no store")
def command(loaded: LoadedSettings, as_json: bool) -> None:
    """Print every setting: value, source and help.

    The channels and rules of susracker.toml are checked, too; susracker deliveries list shows them.

    \b
    Examples:
      susracker settings
      SUSRACKER_PORT=8080 susracker settings --json
      susracker --config site.toml settings
    """
    plan_of(loaded.tables)
    rows = [
        (
            name,
            shown_setting(name, getattr(loaded.settings, name)),
            loaded.origins[name],
            field.description,
        )
        for name, field in Settings.model_fields.items()
    ]
    if as_json:
        keys = ("name", "value", "source", "help")
        print_json([dict(zip(keys, row, strict=True)) for row in rows])
        return
    table = plain_table("setting", "value", "source", "help")
    for name, value, origin, text in rows:
        table.add_row(name, str(value), origin, text)
    print_table(table)
