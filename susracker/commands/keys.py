"""`susracker keys`."""

from __future__ import annotations

import typing

import click

from susracker.access.issuing import find_key, has_valid_admin, issue, rotate
from susracker.access.keys import KeyText, key_fields
from susracker.commands.auditing import Noting, audited, note, reason_option, unaudited
from susracker.commands.groups import CommandGroup
from susracker.commands.hints import to_type
from susracker.commands.keys_data import new_data_key_command, rotate_data_command
from susracker.commands.new_stores import open_or_create
from susracker.commands.options import LoadedSettings, json_option, settings_options
from susracker.commands.shown import moment_text, plain_table, print_json, print_table
from susracker.oversight import Key, Role
from susracker.plugins import open_existing_store_of
from susracker.runtime.clock import utc_now

key_argument = click.argument("id_or_name", metavar="ID_OR_NAME")


@click.group("keys", cls=CommandGroup)
def command() -> None:
    """Create, list, rotate and revoke the keys that the server asks for.

    A key has a role: camera (posts detections, and reads nothing), viewer (looks at alerts, people
    and cameras), operator (judges alerts, too), admin (does everything), auditor (reads the audit
    log, and nothing else) or monitor (reads /metrics and /readyz, and nothing else). Once a key
    exists, the server asks everyone for one.

    \b
    Examples:
      susracker keys create --role admin --name "Jo Doe"
      susracker keys create --role camera --name gate --cameras "gate-*"
      susracker keys list
      susracker keys rotate gate
      susracker keys revoke gate

    \b
    The key that the store is encrypted with is another matter:
      susracker keys new-data-key data.key
      susracker keys rotate-data --to new.key
    """


command.add_command(new_data_key_command)
command.add_command(rotate_data_command)


@command.command("create")
@click.option("--role", type=click.Choice(typing.get_args(Role)), required=True, help="Role.")
@click.option("--name", required=True, help="Whose key it is, such as 'Jo Doe' or 'north gate'.")
@click.option(
    "--cameras",
    metavar="PATTERN",
    help="Ids of the cameras that a camera's key may post for, such as 'gate-*'; * stands for any "
    "text, ? for any character, [ab] for one of these.  [default: all cameras]",
)
@click.option(
    "--expires",
    metavar="DATE",
    help="Until when the key is valid, as ISO 8601: a date includes that day, in UTC.  "
    "[default: until it is revoked]",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of the key alone.")
@reason_option
@settings_options("store", "audit_key")
@audited("key.create")
def create_command(
    loaded: LoadedSettings,
    role: Role,
    name: str,
    cameras: str | None,
    expires: str | None,
    as_json: bool,
    reason: str,
) -> None:
    """Create a key and print it. It is shown only once: the store keeps only a digest of it.

    Running servers accept the key within follow_seconds.

    \b
    Examples:
      susracker keys create --role viewer --name "control room" --expires 2026-12-31
      susracker keys create --role camera --name gate --cameras "gate-*"
      susracker keys create --role admin --name "Jo Doe" --json
    """
    with open_or_create(loaded.settings) as store:
        note_act = Noting(loaded.settings, store)
        key, text = issue(store, role, name, cameras, expires, utc_now())
        note_act("key.create", key.id, reason, {"name": key.name, "role": key.role})
    _show(key, text, as_json)


@command.command("list")
@json_option
@settings_options("store")
@unaudited("shows neither a person nor a secret")
def list_command(loaded: LoadedSettings, as_json: bool) -> None:
    """List all keys, revoked ones too, in the order in which they were created.

    \b
    Examples:
      susracker keys list
      susracker keys list --json
    """
    with open_existing_store_of(loaded.settings) as store:
        keys = store.keys()
    if as_json:
        now = utc_now()
        print_json([key_fields(key, now) for key in keys])
        return
    if not keys:
        click.echo(f"there are no keys: {_create_admin(loaded)}")
        return
    table = plain_table("id", "name", "role", "cameras", "state", "last used")
    for key in keys:
        cameras = key.cameras if key.role == "camera" else ""
        used = f"{key.last_used_at:%Y-%m-%d}" if key.last_used_at else "never"
        table.add_row(key.id, key.name, key.role, cameras, _dated_state(key), used)
    print_table(table)


@command.command("rotate")
@key_argument
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of the key alone.")
@reason_option
@settings_options("store", "audit_key")
@audited("key.rotate")
def rotate_command(loaded: LoadedSettings, id_or_name: str, as_json: bool, reason: str) -> None:
    """Replace the secret of a key and print the new key, only once.

    Servers refuse the old one, and end sessions and connections that were opened with it, after
    follow_seconds at the latest.

    \b
    Examples:
      susracker keys rotate gate
      susracker keys rotate 8f3a2b90c1d4 --json
    """
    with open_existing_store_of(loaded.settings) as store:
        key = find_key(store, id_or_name)
        note(loaded.settings, store, "key.rotate", key.id, reason)
        text = rotate(store, key)
    _show(key, text, as_json)


@command.command("revoke")
@key_argument
@click.option("--yes", is_flag=True, help="Revoke without asking.")
@reason_option
@settings_options("store", "audit_key")
@audited("key.revoke")
def revoke_command(loaded: LoadedSettings, id_or_name: str, yes: bool, reason: str) -> None:
    """Refuse a key from now on. This cannot be undone.

    Servers end sessions and connections that were opened with it, after follow_seconds at the
    latest.

    \b
    Examples:
      susracker keys revoke gate
      susracker keys revoke 8f3a2b90c1d4 --yes --reason "lost laptop"
    """
    with open_existing_store_of(loaded.settings) as store:
        key = find_key(store, id_or_name)
        click.echo(f"{key.id}  {key.name}: {key.role}, {key.state(utc_now())}")
        if not yes:
            click.confirm("Revoke for good?", abort=True)
        note(loaded.settings, store, "key.revoke", key.id, reason)
        store.revoke_key(key.id, utc_now())
        last = key.role == "admin" and not has_valid_admin(store, utc_now())
    click.echo(f"revoked {key.name}")
    if last:
        click.echo(f"no admin's key is left: {_create_admin(loaded)}")


def _create_admin(loaded: LoadedSettings) -> str:
    return to_type(loaded, "keys", "create", "--role", "admin", "--name", "NAME")


def _show(key: Key, text: KeyText, as_json: bool) -> None:
    """Print a key to where it can be piped on, and all else about it beside that."""
    if as_json:
        shown = ("id", "key", "name", "role", "cameras", "created_at", "expires_at")
        fields = key_fields(key, utc_now()) | {"key": str(text)}
        print_json({name: fields[name] for name in shown})
        return
    click.echo(str(text))
    cameras = f", cameras {key.cameras}" if key.role == "camera" else ""
    expires = f"until {moment_text(key.expires_at)}" if key.expires_at else "until revoked"
    click.echo(f"{key.name}: {key.role}{cameras}, valid {expires}", err=True)
    click.echo("Store this key now: it is not shown again.", err=True)


def _dated_state(key: Key) -> str:
    since_or_until = key.revoked_at or key.expires_at
    if since_or_until is None:
        return "valid"
    state = key.state(utc_now())
    return f"{'valid until' if state == 'valid' else state} {since_or_until:%Y-%m-%d}"
