"""What a disk may hold after a power cut, from what was written to it and what was synced.

Certain is what a sync of the file, or of the folder for its entries, has confirmed. Of what came
later anything may be there: a file system writes pages out in any order, a disk writes sectors of
512 bytes, and a longer file may be there before its content is. So each sector, page or write that
is not certain is as it was after any number of the writes to it. Entries of folders change in the
order of the calls, as in every journaling file system. See Pillai et al., "All File Systems Are Not
Created Equal", OSDI 2014, for what file systems do.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

CREATE, WRITE, TRUNCATE, SYNC, UNLINK, RENAME, LINK, MKDIR = range(1, 9)
HEAD = struct.Struct("=4Q")

Pick = Callable[[int], int]
"""Chooses how many of some calls have reached the disk: from none to all of them."""


@dataclass(frozen=True)
class Call:
    """One call, as `record_writes.c` records it."""

    kind: int
    path: str
    offset: int
    data: bytes


def read_calls(record: Path) -> Iterator[Call]:
    """The calls of a recording, in order."""
    content = memoryview(record.read_bytes())
    at = 0
    while at < len(content):
        kind, offset, path_size, size = HEAD.unpack_from(content, at)
        middle = at + HEAD.size + path_size
        path = bytes(content[at + HEAD.size : middle]).decode()
        at = middle + size
        yield Call(kind, path, offset, bytes(content[middle:at]))


@dataclass(eq=False)
class File:
    """A file's content: what is certain, and the calls that are not."""

    certain: bytearray = field(default_factory=bytearray)
    pending: list[Call] = field(default_factory=list)

    def sync(self) -> None:
        """All of it has reached the disk."""
        for call in self.pending:
            _change(self.certain, call)
        self.pending.clear()

    def whole_writes(self, pick: Pick) -> bytes:
        """The content if each write has reached the disk as a whole or not at all."""
        content = bytearray(self.certain)
        for call in self.pending:
            if pick(1):
                _change(content, call)
        return bytes(content)

    def torn_writes(self, pick: Pick, grain: int) -> bytes:
        """The content if each `grain` bytes have, and the size apart from them."""
        sizes = [len(self.certain)]
        for call in self.pending:
            end = call.offset + len(call.data)
            sizes.append(call.offset if call.kind == TRUNCATE else max(sizes[-1], end))
        content = bytearray(max(sizes))
        for start in range(0, len(content), grain):
            content[start : start + grain] = self._grain(start, grain, pick)
        return bytes(content[: sizes[pick(len(self.pending))]])

    def _grain(self, start: int, size: int, pick: Pick) -> bytes:
        grain = bytearray(self.certain[start : start + size].ljust(size, b"\0"))
        touching = [call for call in self.pending if _touches(call, start, size)]
        for call in touching[: pick(len(touching))]:
            first = max(call.offset, start)
            if call.kind == TRUNCATE:
                grain[first - start :] = bytes(size - (first - start))
            else:
                part = call.data[first - call.offset : start + size - call.offset]
                grain[first - start : first - start + len(part)] = part
        return bytes(grain)


class Disk:
    """A folder on a disk, while calls are made.

    Args:
        root: the folder; it is there for certain.
    """

    def __init__(self, root: str) -> None:
        self._root = root.rstrip("/")
        # A folder's content is None.
        self._seen: dict[str, File | None] = {self._root: None}
        self._certain: dict[str, File | None] = {self._root: None}
        self._changes: list[tuple[str, str, File | None, bool]] = []

    def apply(self, call: Call) -> None:
        """Make a call."""
        if call.kind in (CREATE, MKDIR):
            self._enter(call.path, File() if call.kind == CREATE else None)
        elif call.kind in (UNLINK, RENAME, LINK):
            found = self._seen[call.path]
            if call.kind != UNLINK:
                self._enter(call.data.decode(), found)
            if call.kind != LINK:
                self._remove(call.path)
        elif call.kind == SYNC:
            self._sync(call.path)
        elif file := self._seen.get(call.path.removesuffix(" (deleted)")):
            file.pending.append(call)

    def now(self) -> dict[str, bytes]:
        """Everything, as a running system sees it: what a killed process leaves."""
        return {
            path: file.whole_writes(lambda most: most)
            for path, file in self._seen.items()
            if file is not None
        }

    def after_cut(self, pick: Pick, grain: int | None) -> dict[str, bytes]:
        """A state that a power cut may leave: files that are in a folder that is there.

        Args:
            grain: bytes that reach the disk together; None for writes as a whole.
        """
        entries = dict(self._certain)
        for change in self._changes[: pick(len(self._changes))]:
            _make(entries, change)
        return {
            path: file.torn_writes(pick, grain) if grain else file.whole_writes(pick)
            for path, file in entries.items()
            if file is not None and _folder(path) in entries
        }

    def _enter(self, path: str, file: File | None) -> None:
        self._seen[path] = file
        self._changes.append((_folder(path), path, file, True))

    def _remove(self, path: str) -> None:
        self._changes.append((_folder(path), path, self._seen.pop(path), False))

    def _sync(self, path: str) -> None:
        if file := self._seen.get(path):
            file.sync()
            return
        for change in [one for one in self._changes if one[0] == path]:
            _make(self._certain, change)
            self._changes.remove(change)


def _make(entries: dict[str, File | None], change: tuple[str, str, File | None, bool]) -> None:
    _, path, file, is_there = change
    if is_there:
        entries[path] = file
    else:
        entries.pop(path, None)


def _folder(path: str) -> str:
    return str(PurePosixPath(path).parent)


def _touches(call: Call, start: int, size: int) -> bool:
    if call.kind == TRUNCATE:
        return call.offset < start + size
    return call.offset < start + size and start < call.offset + len(call.data)


def _change(content: bytearray, call: Call) -> None:
    """Write or truncate; a gap is filled with zeros."""
    end = call.offset + len(call.data)
    if call.kind == TRUNCATE:
        del content[call.offset :]
    content.extend(bytes(max(0, end - len(content))))
    content[call.offset : end] = call.data
