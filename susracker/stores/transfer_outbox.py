"""How far deliveries have come: to another store, so that none is repeated or left out there."""

from __future__ import annotations

from dataclasses import asdict, replace

from susracker.stores.outbox import IMPROVEMENTS, ChannelState, Outbox
from susracker.stores.tally import Tally


def copy_outbox(source: Outbox, target: Outbox, tally: Tally) -> None:
    """Copy the state of each channel with its dead letters. Nobody delivers for the copy yet."""
    for state in _copied(source):
        there = target.add_channel(replace(state, holder=""))
        letters = source.dead_letters(state.name)
        kept = {one.seq for one in letters}
        gone = [one.seq for one in target.dead_letters(state.name) if one.seq not in kept]
        ours = replace(state, holder="", revision=there.revision)
        target.put_channel(ours, add=letters, remove=gone)
    add_outbox(source, tally)


def add_outbox(store: Outbox, tally: Tally) -> None:
    """Sum up the state of each channel, and its dead letters."""
    for state in _copied(store):
        letters = [asdict(one) for one in store.dead_letters(state.name)]
        tally.add("channels", [_fields(state), letters])


def _copied(store: Outbox) -> list[ChannelState]:
    """What means the same in a copy: its log of improvements is another."""
    return [one for one in store.channels() if not one.name.endswith(IMPROVEMENTS)]


def _fields(state: ChannelState) -> dict[str, object]:
    """What is the same in a copy."""
    return asdict(replace(state, holder="", revision=0))
