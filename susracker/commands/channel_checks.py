"""What `susracker doctor` checks of the channels to other systems. Nothing is sent to anyone."""

from __future__ import annotations

from collections.abc import Iterator

from susracker.commands.findings import Finding
from susracker.commands.hints import to_type
from susracker.commands.new_stores import is_missing
from susracker.delivery.channels import shown_receiver
from susracker.delivery.outbox import problem_of
from susracker.delivery.reaching import problem_of_reaching
from susracker.delivery.rules import AnyOptions, NotifyOptions, plan_of
from susracker.errors import SusrackerError
from susracker.loading import LoadedSettings
from susracker.plugins import open_store_of
from susracker.runtime.text import counted
from susracker.stores.outbox import channel_of


def check_channels(loaded: LoadedSettings) -> Iterator[Finding]:
    """Whether each receiver can be reached, and whether deliveries to it wait.

    Raises:
        ConfigError: the tables of channels and rules are wrong.
        StoreError: the state of the channels cannot be read.
    """
    plan = plan_of(loaded.tables)
    for name, options in plan.channels.items():
        yield _reached(loaded, name, options)
    if plan.channels and not is_missing(loaded.settings):
        yield from _waiting(loaded, set(plan.channels))


def _reached(loaded: LoadedSettings, name: str, options: AnyOptions) -> Finding:
    what = f"channel {name}"
    try:
        problem = problem_of_reaching(options)
    except SusrackerError as error:
        return Finding(what, "problem", str(error))
    if problem:
        return Finding(what, "problem", problem)
    receiver = shown_receiver(options)
    how = "is well formed" if isinstance(options, NotifyOptions) else "can be reached"
    text = f"{receiver} {how}; {to_type(loaded, 'deliveries', 'test', name)} sends a message"
    return Finding(what, "ok", text)


def _waiting(loaded: LoadedSettings, names: set[str]) -> Iterator[Finding]:
    """Channels that are paused or fail, and those with dead letters."""
    with open_store_of(loaded.settings) as store:
        for state in store.channels():
            name = channel_of(state.name)
            if name not in names:
                continue
            what = f"channel {state.name}"
            if state.paused:
                resume = to_type(loaded, "deliveries", "resume", name)
                text = f"{problem_of(state)}. {resume} goes on"
                yield Finding(what, "warning", text)
            elif problem := problem_of(state):
                yield Finding(what, "warning", f"is tried again: {problem}")
            if letters := len(store.dead_letters(state.name)):
                listed = to_type(loaded, "deliveries", "list", state.name)
                text = f"{counted(letters, 'message')} not taken: {listed} says why, and "
                text += "deliveries retry sends them again"
                yield Finding(what, "warning", text)
