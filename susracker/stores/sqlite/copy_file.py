"""The file that holds a copy of all templates: its layout.

    head, as JSON | vectors, in pieces | owners, one a line | where each line begins

Each piece ends with a checksum and is sealed as everything else in the store. A template that was
wiped is zeros. Owners are in the order of their bytes, so that one is found without reading all.
"""

from __future__ import annotations

import json
import threading
import zlib
from bisect import bisect_left
from collections.abc import Collection, Iterable, Iterator, Set
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from io import BufferedIOBase
from typing import Any

import numpy as np
from numpy.typing import NDArray

from susracker.errors import StoreError
from susracker.models import Vectors
from susracker.stores.gallery import TemplateRows
from susracker.stores.sealing import Sealer

FORMAT = 1
HEAD_BYTES = 4096
CHECKSUM_BYTES = 4
NUMBER = np.dtype("<f4")
PLACE = np.dtype("<i8")

READERS = 2
"""Threads that copy templates: most of the time goes to memory that was not used before."""

ROWS_IN_PIECE = 1024
"""Half a megabyte, which is read, checked and, where someone is wiped, written again at once."""


class UnfitCopyError(Exception):
    """A copy cannot be used, and its message says why."""


@dataclass(frozen=True, slots=True)
class Head:
    """What a copy says about itself.

    Attributes:
        token: names this copy, in the database, too.
        encoder_id: of the encoder that made its templates.
        revision: of the gallery; later changes are not in the copy.
        rows: how many templates it holds.
        dimension: numbers in a template.
        owners_bytes: length of the owners.
        owners_checksum: of the owners, and of where each line begins.
    """

    token: str
    encoder_id: str
    revision: int
    rows: int = 0
    dimension: int = 0
    owners_bytes: int = 0
    owners_checksum: int = 0
    format: int = FORMAT

    def to_bytes(self) -> bytes:
        """The beginning of the file."""
        return json.dumps(asdict(self)).encode().ljust(HEAD_BYTES)

    @classmethod
    def from_bytes(cls, content: bytes) -> Head:
        """What `to_bytes` made."""
        try:
            values: dict[str, Any] = json.loads(content)
            found = values["format"]
            if found == FORMAT:
                return cls(**values)
        except (ValueError, TypeError, KeyError) as error:
            raise UnfitCopyError("its beginning is damaged") from error
        raise UnfitCopyError(f"it is of format {found}, and not {FORMAT}")


class CopyFile:
    """An open copy. Not thread-safe.

    Raises:
        UnfitCopyError: its beginning is damaged, or it is shorter or longer than it says.
    """

    def __init__(self, file: BufferedIOBase, sealer: Sealer) -> None:
        self._file = file
        self._sealer = sealer
        self._reading = threading.Lock()
        self._added = len(sealer.seal(b"", "")) + CHECKSUM_BYTES
        file.seek(0)
        self.head = Head.from_bytes(file.read(HEAD_BYTES))
        self._owners_at = HEAD_BYTES + sum(map(self._length, range(self._pieces)))
        places_at = self._owners_at + self.head.owners_bytes
        if file.seek(0, 2) != places_at + (self.head.rows + 1) * PLACE.itemsize:
            raise UnfitCopyError("it is not as long as it says")

    def rows(self, before: TemplateRows, without: Set[str]) -> TemplateRows:
        """Some templates and, after them, those of the copy but for some people's.

        Raises:
            UnfitCopyError: it is damaged, or the template of someone else was wiped.
        """
        owners, kept = self._lines().texts(), before.criminal_ids.copy()
        vectors = np.empty((len(kept) + len(owners), self.head.dimension), NUMBER)
        if kept:
            vectors[: len(kept)] = before.vectors
        with ThreadPoolExecutor(READERS) as pool:
            copied = []
            for number in range(self._pieces):
                theirs = owners[number * ROWS_IN_PIECE : (number + 1) * ROWS_IN_PIECE]
                rows = [row for row, one in enumerate(theirs) if one not in without]
                place = slice(len(kept), len(kept) + len(rows))
                copied.append(pool.submit(self._copy, number, rows, vectors[place]))
                kept += [theirs[row] for row in rows] if len(rows) < len(theirs) else theirs
            for one in copied:
                one.result()
        return TemplateRows(kept, vectors[: len(kept)])

    def wipe(self, criminal_ids: Collection[str]) -> None:
        """Overwrite the templates of some people; who has none there is passed over.

        Raises:
            UnfitCopyError: it is damaged.
        """
        lines = self._lines()
        wiped: dict[int, list[int]] = {}
        for row in (row for one in criminal_ids for row in lines.rows_of(one.encode())):
            wiped.setdefault(row // ROWS_IN_PIECE, []).append(row % ROWS_IN_PIECE)
        for number, rows in wiped.items():
            piece = self._piece(number).copy()
            piece[rows] = 0
            self._file.seek(self._place(number))
            self._file.write(_sealed_piece(self._sealer, self.head.token, number, piece.tobytes()))

    def _copy(self, number: int, rows: list[int], to: Vectors) -> None:
        """Copy some templates of a piece. From any thread."""
        with self._reading:
            piece = self._piece(number)
        piece = piece[rows] if len(rows) < len(piece) else piece
        _refuse_wiped(piece)
        to[:] = piece

    def _lines(self) -> _Lines:
        """All owners, checked: whoever is not found among damaged ones would not be wiped."""
        self._file.seek(self._owners_at)
        size = self.head.owners_bytes
        # `read` takes four times as long for the 40 MB of a million owners.
        stored = np.empty(size + (self.head.rows + 1) * PLACE.itemsize, np.uint8)
        self._file.readinto(stored.data)
        if zlib.crc32(stored.data) != self.head.owners_checksum:
            raise UnfitCopyError("its owners are damaged")
        return _Lines(stored[:size].data, stored[size:].view(PLACE))

    def _piece(self, number: int) -> Vectors:
        self._file.seek(self._place(number))
        stored = self._file.read(self._length(number))
        try:
            content = self._sealer.open(stored, _context(self.head.token, number))
        except StoreError as error:
            raise UnfitCopyError(f"its piece {number} is damaged") from error
        body = memoryview(content)[:-CHECKSUM_BYTES]
        if _checksum(body) != content[-CHECKSUM_BYTES:]:
            raise UnfitCopyError(f"its piece {number} is damaged")
        return np.frombuffer(body, NUMBER).reshape(-1, self.head.dimension)

    @property
    def _pieces(self) -> int:
        return -(-self.head.rows // ROWS_IN_PIECE)

    def _length(self, number: int) -> int:
        rows = min(ROWS_IN_PIECE, self.head.rows - number * ROWS_IN_PIECE)
        return rows * self.head.dimension * NUMBER.itemsize + self._added

    def _place(self, number: int) -> int:
        return HEAD_BYTES + number * self._length(0)


def write_copy(
    file: BufferedIOBase, sealer: Sealer, head: Head, pages: Iterable[tuple[list[str], bytes]]
) -> None:
    """Write a copy.

    Args:
        head: without what is found out here: the number of rows, and so on.
        pages: owners, and their vectors one after the other, in the order of the owners' bytes.

    Raises:
        UnfitCopyError: what is there cannot be copied.
        OSError: the file cannot be written.
    """
    lines: list[bytes] = []
    sizes: set[int] = set()
    file.seek(HEAD_BYTES)
    for number, (owners, vectors) in enumerate(pages):
        lines += [f"{one}\n".encode() for one in owners]
        sizes.add(len(vectors) // len(owners))
        file.write(_sealed_piece(sealer, head.token, number, vectors))
    text = b"".join(lines)
    if text.count(b"\n") > len(lines):
        raise UnfitCopyError("an id has several lines")
    if len(sizes) != 1:
        raise UnfitCopyError("templates of one encoder have different lengths")
    places = np.cumsum([0, *map(len, lines)], dtype=PLACE).tobytes()
    file.write(text)
    file.write(places)
    file.seek(0)
    whole = replace(
        head,
        rows=len(lines),
        dimension=sizes.pop() // NUMBER.itemsize,
        owners_bytes=len(text),
        owners_checksum=zlib.crc32(places, zlib.crc32(text)),
    )
    file.write(whole.to_bytes())


def _sealed_piece(sealer: Sealer, token: str, number: int, vectors: bytes) -> bytes:
    """A piece as it is in the file."""
    return sealer.seal(vectors + _checksum(vectors), _context(token, number))


@dataclass(frozen=True, slots=True, eq=False)
class _Lines:
    """The owner of each row.

    Attributes:
        text: one a line, in the order of their bytes.
        places: where each line begins, and the text's end.
    """

    text: memoryview
    places: NDArray[np.int64]

    def texts(self) -> list[str]:
        """The owners, in order."""
        return str(self.text, "utf-8").split("\n")[:-1]  # each line ends with one

    def rows_of(self, owner: bytes) -> Iterator[int]:
        """The rows of an owner, found without looking at all lines."""
        count = len(self.places) - 1
        row = bisect_left(range(count), owner, key=self._line)
        while row < count and self._line(row) == owner:
            yield row
            row += 1

    def _line(self, row: int) -> bytes:
        first, end = self.places[row : row + 2].tolist()
        return bytes(self.text[first : end - 1])


def _refuse_wiped(piece: Vectors) -> None:
    # Zero at its beginning first: to look at all numbers takes ten times as long.
    suspected = piece[piece[:, 0] == 0]
    if not suspected.any(axis=1).all():
        raise UnfitCopyError("someone was wiped who is still enrolled")


def _context(token: str, number: int) -> str:
    return f"template copy\x1f{token}\x1f{number}"


def _checksum(content: bytes | memoryview) -> bytes:
    return zlib.crc32(content).to_bytes(CHECKSUM_BYTES, "little")
