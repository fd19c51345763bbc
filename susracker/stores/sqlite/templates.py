"""Templates in an SQLite file, and a copy of them beside it, which long watch-lists start from.

To read the copy takes less than half as long as to read the rows. It only saves time: whatever is
wrong with it, templates are read from the rows, and it is written again.
"""

from __future__ import annotations

import logging
import os
import secrets
from collections.abc import Collection, Iterator
from contextlib import closing, contextmanager, suppress
from datetime import datetime
from io import BufferedIOBase
from pathlib import Path
from typing import Any

import numpy as np

from susracker.errors import StoreUnavailableError
from susracker.runtime.clock import to_microseconds
from susracker.runtime.files import FILE_MODE, sync_folder
from susracker.stores.gallery import TemplateRows
from susracker.stores.sqlite.copy_file import (
    NUMBER,
    ROWS_IN_PIECE,
    CopyFile,
    Head,
    UnfitCopyError,
    write_copy,
)
from susracker.stores.sqlite.database import Database
from susracker.stores.sqlite.rows import json_list

log = logging.getLogger(__name__)

ROWS_AT_ONCE = 512
"""Templates that stay in the processor's cache until they are joined: with 16 times as many,
reading a million takes half as long again."""

COPIED_FROM = 200_000
"""Number of templates from which they are copied. Fewer are read from the rows in half a second."""

OUTDATED_SHARE = 0.02
"""A copy is written again when more people than this share of its templates have changed since,
all of whom are looked up among the rows."""

TOKEN = "template copy"  # nosec B105
"""The name, among the secrets, of the copy that belongs to the file as it is now. A file that was
put back from a backup has another one, or none."""

SUFFIX, DRAFT_SUFFIX = "-templates", "-templates.new"
"""What follows the database's name in those of the copy and of a draft."""

_CHANGED = "FROM revisions WHERE revision > ?"
_UNWANTED = "SELECT id FROM criminals WHERE status <> 'wanted' OR expires_at <= ?"


def read_rows(
    database: Database,
    encoder_id: str,
    criminal_ids: Collection[str] | None,
    wanted_at: datetime | None,
) -> TemplateRows:
    """See `Gallery.template_rows`."""
    where, values = made_by(encoder_id, criminal_ids)
    sql = f"SELECT criminal_id, photo_id, vector FROM templates {where}"
    if wanted_at is not None:
        # Those who are not wanted are looked up, as they are few.
        sql += f" AND criminal_id NOT IN ({_UNWANTED})"
        values.append(to_microseconds(wanted_at))
    owners: list[str] = []
    # Grown in place: a million templates are half a gigabyte, better not held twice.
    vectors = bytearray()
    with (
        database.reading() as connection,
        closing(connection.execute(f"{sql} ORDER BY criminal_id, photo_id", values)) as cursor,
    ):
        while rows := cursor.fetchmany(ROWS_AT_ONCE):
            owners += [row[0] for row in rows]
            vectors += database.sealer.open_vectors(encoder_id, rows)
    array = np.frombuffer(vectors, NUMBER)
    return TemplateRows(owners, array.reshape(len(owners), -1 if owners else 0))


def made_by(encoder_id: str, criminal_ids: Collection[str] | None) -> tuple[str, list[Any]]:
    """Which templates an encoder made, as SQL with its values."""
    if criminal_ids is None:
        return "WHERE encoder_id = ?", [encoder_id]
    some = "AND criminal_id IN (SELECT value FROM json_each(?))"
    return f"WHERE encoder_id = ? {some}", [encoder_id, json_list(criminal_ids)]


class TemplateCopy:
    """The copy beside a database, of the templates of one encoder.

    It is written to a draft, which replaces it whole. Whoever is removed is wiped from it before
    that is committed, and a draft is deleted. Only the wiping and the replacing need the database's
    write lock.
    """

    def __init__(self, database: Database) -> None:
        self._db = database
        self._path, self._draft = _paths(database.path)

    def read(self, encoder_id: str, wanted_at: datetime | None) -> TemplateRows | None:
        """All templates of an encoder, or of those who are wanted; None without a copy that fits.

        Raises:
            StoreUnavailableError: the database cannot be read.
        """
        try:
            with open(self._path, "rb") as file, self._db.snapshot() as moment:
                copied = _fitting(file, moment, encoder_id)
                changed = _ids(moment, f"SELECT criminal_id {_CHANGED}", copied.head.revision)
                unwanted = (
                    _ids(moment, _UNWANTED, to_microseconds(wanted_at)) if wanted_at else set()
                )
                before = read_rows(moment, encoder_id, changed, wanted_at)
                return copied.rows(before, changed | unwanted)
        except FileNotFoundError:
            return None
        except (UnfitCopyError, OSError) as error:
            log.warning("%s is not used, which takes longer, and is deleted: %s", self._path, error)
            with suppress(OSError):  # the next removal says so
                self._path.unlink(missing_ok=True)
            return None

    def keep(self, encoder_id: str) -> None:
        """Write a copy if there are many templates, and none that fits and is up to date.

        Raises:
            StoreUnavailableError: it cannot be written, or the database cannot be read.
        """
        sql = "SELECT count(*) FROM templates WHERE encoder_id = ?"
        count = int(self._db.rows(sql, encoder_id)[0][0])
        with self._errors_mapped():
            if count < COPIED_FROM:
                self.delete()
            elif not self._is_up_to_date(encoder_id):
                self._write(encoder_id)

    def wipe(self, criminal_id: str) -> None:
        """Overwrite someone's templates. Call it in the transaction that removes them.

        Raises:
            StoreUnavailableError: the copy can be neither changed nor deleted.
        """
        with self._errors_mapped():
            self._draft.unlink(missing_ok=True)
            try:
                with open(self._path, "r+b") as file:
                    CopyFile(file, self._db.sealer).wipe([criminal_id])
                    _sync(file)
            except FileNotFoundError:
                return
            except (UnfitCopyError, OSError) as error:
                log.warning("%s is deleted: %s", self._path, error)
                self._path.unlink()

    def _is_up_to_date(self, encoder_id: str) -> bool:
        try:
            with open(self._path, "rb") as file:
                head = _fitting(file, self._db, encoder_id).head
        except (FileNotFoundError, UnfitCopyError):
            return False
        changed = int(self._db.rows(f"SELECT count(*) {_CHANGED}", head.revision)[0][0])
        return changed <= OUTDATED_SHARE * head.rows

    def _write(self, encoder_id: str) -> None:
        revision = int(self._db.rows("SELECT coalesce(max(revision), 0) FROM revisions")[0][0])
        with self._new_draft() as file:
            token = secrets.token_hex(16)
            pages = _pages(self._db, encoder_id)
            try:
                write_copy(file, self._db.sealer, Head(token, encoder_id, revision), pages)
                self._install(file, revision, token)
            except UnfitCopyError as error:
                log.warning("templates are not copied, so that a start takes longer: %s", error)

    def _install(self, file: BufferedIOBase, revision: int, token: str) -> None:
        """Put the draft in the place of the copy, without those who have changed meanwhile."""
        with self._db.writing() as connection:
            if not self._is_draft(file):
                log.info("a copy of the templates is given up, for someone was removed")
                return
            changed = connection.execute(f"SELECT criminal_id {_CHANGED}", (revision,)).fetchall()
            CopyFile(file, self._db.sealer).wipe([criminal_id for (criminal_id,) in changed])
            _sync(file)
            os.replace(self._draft, self._path)
            sync_folder(self._path.parent)
            connection.execute("INSERT OR REPLACE INTO secrets VALUES (?, ?)", (TOKEN, token))

    @contextmanager
    def _new_draft(self) -> Iterator[BufferedIOBase]:
        # In the place of one that another process is writing, which gives it up, or has left.
        with self._db.writing():
            self._draft.unlink(missing_ok=True)
            handle = os.open(self._draft, os.O_CREAT | os.O_EXCL | os.O_RDWR, FILE_MODE)
        with open(handle, "w+b") as file:
            try:
                yield file
            finally:
                if self._is_draft(file):
                    self._draft.unlink(missing_ok=True)

    def _is_draft(self, file: BufferedIOBase) -> bool:
        """Whether the draft is still this file."""
        try:
            return os.path.samestat(self._draft.stat(), os.fstat(file.fileno()))
        except FileNotFoundError:
            return False

    def delete(self) -> None:
        """Delete it, and a draft.

        Raises:
            StoreUnavailableError: it cannot be deleted.
        """
        with self._errors_mapped():
            self._path.unlink(missing_ok=True)
            self._draft.unlink(missing_ok=True)

    @contextmanager
    def _errors_mapped(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise StoreUnavailableError(
                f"cannot write {self._path}: {error.strerror}: make its folder writable, and free "
                "some space on its disk"
            ) from error


def _paths(database: Path) -> tuple[Path, Path]:
    """Of the copy, and of a draft."""
    # Resolved: there must be one copy by whatever link a process finds the database.
    path = database.resolve()
    return path.with_name(path.name + SUFFIX), path.with_name(path.name + DRAFT_SUFFIX)


def _fitting(file: BufferedIOBase, moment: Database, encoder_id: str) -> CopyFile:
    """The copy in a file, if it belongs to the database as it is at a moment."""
    copied = CopyFile(file, moment.sealer)
    token = moment.rows("SELECT value FROM secrets WHERE name = ?", TOKEN)
    if token != [(copied.head.token,)]:
        raise UnfitCopyError("it is of another state of the database")
    if copied.head.encoder_id != encoder_id:
        raise UnfitCopyError(f"it is of the encoder {copied.head.encoder_id}")
    return copied


def _pages(database: Database, encoder_id: str) -> Iterator[tuple[list[str], bytes]]:
    """Owners and vectors by owner, a piece at a time: nothing is held up by one long reading, and
    who changes meanwhile is left out afterwards."""
    sql = (
        "SELECT criminal_id, photo_id, vector FROM templates WHERE encoder_id = ?"
        " AND (criminal_id, photo_id) > (?, ?) ORDER BY criminal_id, photo_id LIMIT ?"
    )
    rows = database.rows(sql, encoder_id, "", "", ROWS_IN_PIECE)
    while rows:
        yield [owner for owner, _, _ in rows], database.sealer.open_vectors(encoder_id, rows)
        is_full = len(rows) == ROWS_IN_PIECE  # only the last piece may be shorter
        rows = database.rows(sql, encoder_id, *rows[-1][:2], ROWS_IN_PIECE) if is_full else []


def _ids(database: Database, sql: str, value: int) -> set[str]:
    return {criminal_id for (criminal_id,) in database.rows(sql, value)}


def _sync(file: BufferedIOBase) -> None:
    file.flush()
    os.fsync(file.fileno())
