"""How far deliveries have come, in MongoDB: a channel, with its dead letters, is one document."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import replace

from pymongo import errors

from susracker.stores.mongo.database import Database
from susracker.stores.mongo.documents import Document, to_document, to_record
from susracker.stores.outbox import MAX_LETTERS, ChannelState, DeadLetter, Outbox
from susracker.stores.refusals import channel_changed, no_channel

LETTERS = "letters"
WITHOUT_LETTERS = {LETTERS: 0}


class MongoOutbox(Outbox):
    """See `Outbox`."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def add_channel(self, state: ChannelState) -> ChannelState:
        document: Document = {"_id": state.name} | to_document(state) | {LETTERS: []}
        with self._db.errors_mapped(), suppress(errors.DuplicateKeyError):
            self._db.channels.insert_one(document)
        return self.channel(state.name)

    def put_channel(
        self,
        state: ChannelState,
        *,
        add: Sequence[DeadLetter] = (),
        remove: Collection[int] = (),
    ) -> ChannelState:
        stored = replace(state, revision=state.revision + 1)
        changed = to_document(stored)
        if add or remove:
            # Whoever changes them meanwhile changes the revision, too.
            changed[LETTERS] = _changed(self.dead_letters(state.name), add, remove)
        as_it_was = {"_id": state.name, "revision": state.revision}
        with self._db.errors_mapped():
            if not self._db.channels.update_one(as_it_was, {"$set": changed}).matched_count:
                raise channel_changed(state.name)
        return stored

    def channels(self) -> list[ChannelState]:
        found = self._db.read(self._db.channels, {}, WITHOUT_LETTERS)
        return sorted((to_record(ChannelState, one) for one in found), key=lambda one: one.name)

    def channel(self, name: str) -> ChannelState:
        for found in self._db.read(self._db.channels, {"_id": name}, WITHOUT_LETTERS):
            return to_record(ChannelState, found)
        raise no_channel(name)

    def dead_letters(self, name: str) -> list[DeadLetter]:
        for found in self._db.read(self._db.channels, {"_id": name}):
            return [to_record(DeadLetter, one) for one in found[LETTERS]]
        return []


def _changed(
    letters: Sequence[DeadLetter], add: Sequence[DeadLetter], remove: Collection[int]
) -> list[Document]:
    by_seq = {one.seq: one for one in letters if one.seq not in remove}
    by_seq |= {one.seq: one for one in add}
    return [to_document(by_seq[seq]) for seq in sorted(by_seq)[-MAX_LETTERS:]]
