"""`susracker doctor`."""

from __future__ import annotations

import click

from susracker.commands.auditing import unaudited
from susracker.commands.findings import show_findings
from susracker.commands.options import LoadedSettings, json_option, settings_options
from susracker.config import Settings


@click.command("doctor")
@json_option
@settings_options(*(name for name in Settings.model_fields))
@unaudited("shows no person")
def command(loaded: LoadedSettings, as_json: bool) -> None:
    """Check whether the server would work as it is set up, and say what to do.

    Checks the recognition network, the matcher, the store, the cooldown, the address, keys, the
    certificate, the space on disks, the clock, proxies, and whether the receivers of alerts and
    traces can be reached; it sends them nothing. Give it the options that you start the server
    with. The exit status is 1 if there is a problem; warnings do not count.

    \b
    Examples:
      susracker doctor
      susracker doctor --store sqlite:///site.db --host 0.0.0.0 --cert site.pem --key site.key.pem
      susracker doctor --json
    """
    from susracker.commands.checkups import check_up

    show_findings(list(check_up(loaded)), as_json=as_json)
