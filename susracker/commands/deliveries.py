"""`susracker deliveries`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from datetime import datetime, timezone
from typing import Any

import click

from susracker.access.links import PictureLinks
from susracker.commands.auditing import audit_log, audited, note, reason_option, unaudited
from susracker.commands.options import LoadedSettings, json_option, settings_options
from susracker.commands.shown import moment_text, plain_table, print_json, print_table
from susracker.delivery.rules import AnyOptions, Plan, Rule, plan_of
from susracker.errors import ConflictError, InputError
from susracker.plugins import open_existing_store_of
from susracker.runtime.text import counted
from susracker.stores.base import Store
from susracker.stores.outbox import (
    IMPROVEMENTS,
    REVIEWS,
    ChannelState,
    DeadLetter,
    channel_of,
)

LOOKED_AT = 1000
"""How many of the newest alerts `test` compares with the rules."""

name_argument = click.argument("name", metavar="NAME")


@click.group("deliveries")
def command() -> None:
    """Show, pause, repeat and test what is delivered to other systems.

    Channels and rules are tables of susracker.toml: docs/delivery.md describes them.

    \b
    Examples:
      susracker deliveries list
      susracker deliveries test control-room
      susracker deliveries pause phone --reason "maintenance until noon"
      susracker deliveries resume phone
      susracker deliveries retry control-room
    """


@command.command("list")
@click.argument("name", metavar="[NAME]", required=False)
@json_option
@settings_options("store")
@unaudited("shows no person")
def list_command(loaded: LoadedSettings, name: str | None, as_json: bool) -> None:
    """List the channels: how many alerts wait for each, and why.

    NAME:reviews and NAME:improvements count what people say about the alerts of a channel, and
    better evidence for them. With NAME, list the messages that the channel's receiver did not take.

    \b
    Examples:
      susracker deliveries list
      susracker deliveries list control-room
      susracker deliveries list --json
    """
    plan = plan_of(loaded.tables)
    with open_existing_store_of(loaded.settings) as store:
        if name:
            store.channel(name)
            _show_letters(store.dead_letters(name), as_json)
        else:
            _show_channels(_rows(store, plan), as_json)


@command.command("retry")
@name_argument
@reason_option
@settings_options("store", "audit_key")
@audited("delivery.retry")
def retry_command(loaded: LoadedSettings, name: str, reason: str) -> None:
    """Send refused messages again, and do not wait for the next attempt.

    \b
    Examples:
      susracker deliveries retry control-room
    """
    with open_existing_store_of(loaded.settings) as store:
        letters = {one: store.dead_letters(one) for one in _states_of(store, name)}
        count = sum(map(len, letters.values()))
        note(loaded.settings, store, "delivery.retry", name, reason, {"messages": count})
        for state, those in letters.items():
            again = [replace(one, again=True) for one in those]
            _change(store, state, lambda one: replace(one, retry_at=None, failures=0), again)
    click.echo(f"{counted(count, 'message')} to {name} will be sent again")


@command.command("pause")
@name_argument
@click.option("--reason", required=True, help="Why; shown by list, and noted in the audit log.")
@settings_options("store", "audit_key")
@audited("delivery.pause")
def pause_command(loaded: LoadedSettings, name: str, reason: str) -> None:
    """Deliver nothing to a channel until it is resumed. Alerts wait meanwhile.

    \b
    Examples:
      susracker deliveries pause phone --reason "maintenance until noon"
    """
    if not reason.strip():
        raise InputError("the reason is empty: say why")
    with open_existing_store_of(loaded.settings) as store:
        states = _states_of(store, name)
        note(loaded.settings, store, "delivery.pause", name, reason)
        for state in states:
            _change(store, state, lambda one: replace(one, paused=reason.strip()))
    click.echo(f"{name} is paused")


@command.command("resume")
@name_argument
@click.option("--skip", is_flag=True, help="Leave out the alerts that wait.")
@reason_option
@settings_options("store", "audit_key")
@audited("delivery.resume")
def resume_command(loaded: LoadedSettings, name: str, skip: bool, reason: str) -> None:
    """Go on with a channel that is paused, or whose receiver asked for no more messages.

    \b
    Examples:
      susracker deliveries resume phone
      susracker deliveries resume phone --skip
    """
    with open_existing_store_of(loaded.settings) as store:
        states = _states_of(store, name)
        note(loaded.settings, store, "delivery.resume", name, reason, {"skip": skip})

        def resumed(one: ChannelState) -> ChannelState:
            cursor = max(one.cursor, _last_of(store, one.name)) if skip else one.cursor
            going = replace(one, paused="", retry_at=None, failures=0, cursor=cursor)
            return replace(going, gathering_to=0) if skip else going

        for state in states:
            _change(store, state, resumed)
    click.echo(f"{name} is resumed")


@command.command("test")
@name_argument
@reason_option
@settings_options("store", "audit_key")
@audited("delivery.test")
def test_command(loaded: LoadedSettings, name: str, reason: str) -> None:
    """Send a test message, and show which of the newest alerts the rules choose.

    It also shows whether reviews of these alerts are sent.

    \b
    Examples:
      susracker deliveries test control-room
    """
    # Making a channel may import what `list` and `--help` do not need.
    from susracker.delivery.testing import recent, send_test

    plan = plan_of(loaded.tables)
    options = _options_of(plan, name)
    with open_existing_store_of(loaded.settings) as store:
        note(loaded.settings, store, "delivery.test", name, reason)
        looked_at, chosen = recent(store, options, plan.rules_to(name), LOOKED_AT)
        links = PictureLinks.of(store, audit_log(loaded.settings, store))
    click.echo(f"its rules choose {len(chosen):,} of the newest {counted(looked_at, 'alert')}")
    for alert in chosen[:5]:
        who = alert.name or alert.event_type
        click.echo(f"  {moment_text(alert.occurred_at)}  {who}  {alert.camera_id}  {alert.id}")
    click.echo(f"reviews: {_reviews_text(plan.rules_to(name))}")
    if problem := send_test(name, options, links):
        raise click.ClickException(f"the test message was not taken: {problem}")
    click.echo("the test message was taken")


# -- parts ---------------------------------------------------------------------------------------


def _options_of(plan: Plan, name: str) -> AnyOptions:
    if name not in plan.channels:
        there = ", ".join(plan.channels) or "none"
        raise InputError(f"no channel is called {name!r} in the settings; there are: {there}")
    return plan.channels[name]


def _reviews_text(rules: Sequence[Rule]) -> str:
    """Whether rules ask for what people say about alerts."""
    asking = sum(rule.reviews for rule in rules)
    if not asking:
        return "no rule asks for them: reviews = true does"
    verb = "asks" if asking == 1 else "ask"
    return f"{asking} of {counted(len(rules), 'rule')} {verb} for them"


def _states_of(store: Store, name: str) -> list[str]:
    """The names of all states of a channel: one for each log that it follows.

    Raises:
        NotFoundError: there is no such channel.
    """
    store.channel(name)
    return [one.name for one in store.channels() if channel_of(one.name) == name]


def _last_of(store: Store, state_name: str) -> int:
    """The highest number in the log that a state counts."""
    if state_name.endswith(REVIEWS):
        return store.last_judgement_seq()
    return store.last_improvement() if state_name.endswith(IMPROVEMENTS) else store.last_seq()


def _change(
    store: Store,
    name: str,
    change: Callable[[ChannelState], ChannelState],
    letters: list[DeadLetter] | None = None,
) -> None:
    """Change a channel's state, also while a server delivers to it."""
    while True:
        try:
            store.put_channel(change(store.channel(name)), add=letters or [])
            return
        except ConflictError:
            continue


def _rows(store: Store, plan: Plan) -> list[dict[str, Any]]:
    """What there is to say of each channel, also of those that the settings do not name now."""
    from susracker.delivery.testing import waiting

    states = {state.name: state for state in store.channels()}
    rows = []
    for name in sorted(plan.channels.keys() | states.keys()):
        options = plan.channels.get(channel_of(name))
        state = states.get(name)
        rows.append(
            {
                "name": name,
                "kind": options.kind if options else None,
                "to": _receiver(options) if options else None,
                "state": _state_text(state, options),
                "waiting": waiting(store, state, options, plan) if state and options else 0,
                "dead_letters": len(store.dead_letters(name)),
                "problem": (state.paused or state.problem) if state else "",
                "next_attempt": state.retry_at if state else None,
            }
        )
    return rows


def _receiver(options: AnyOptions) -> str:
    from susracker.delivery.channels import shown_receiver

    return shown_receiver(options)


def _state_text(state: ChannelState | None, options: AnyOptions | None) -> str:
    if options is None:
        return "not in the settings"
    if state is None:
        return "not started"
    if state.paused:
        return "paused"
    return "failing" if state.failures else "working"


def _show_channels(rows: list[dict[str, Any]], as_json: bool) -> None:
    if as_json:
        print_json(rows)
        return
    if not rows:
        click.echo("no channels: add tables to susracker.toml, as docs/delivery.md describes")
        return
    table = plain_table("name", "to", "state", "waiting", "not taken", "next attempt", "problem")
    for row in rows:
        due = row["next_attempt"]
        is_due = due and due > datetime.now(timezone.utc)
        table.add_row(
            row["name"],
            row["to"] or "",
            row["state"],
            f"{row['waiting']:,}",
            f"{row['dead_letters']:,}",
            moment_text(due) if is_due else "",
            row["problem"],
        )
    print_table(table)


def _show_letters(letters: list[DeadLetter], as_json: bool) -> None:
    if as_json:
        print_json([asdict(one) for one in letters])
        return
    if not letters:
        click.echo("every message was taken")
        return
    table = plain_table("alerts", "failed", "reason", "")
    for one in letters:
        seqs = f"{one.seq}" if one.seq == one.last_seq else f"{one.seq} to {one.last_seq}"
        again = "to be sent again" if one.again else ""
        table.add_row(seqs, moment_text(one.failed_at), one.reason, again)
    print_table(table)
