"""Everyone who is enrolled, in an SQLite file."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import numpy as np

from susracker.models import Criminal, Photo, Quality, Template
from susracker.runtime.clock import to_microseconds, utc_now
from susracker.stores.base import Changes, Gallery, TemplateRows
from susracker.stores.refusals import (
    check_edit,
    edited_meanwhile,
    id_is_taken,
    name_is_taken,
    no_criminal,
    no_photo,
    no_photo_of,
    photo_is_taken,
)
from susracker.stores.sealing import Sealer
from susracker.stores.sqlite.database import Database
from susracker.stores.sqlite.holds import refuse_if_held, refuse_if_shown
from susracker.stores.sqlite.rows import (
    columns,
    from_candidates,
    insert,
    json_list,
    to_candidates,
    to_columns,
    to_record,
    to_row,
)
from susracker.stores.sqlite.striking import strike_about
from susracker.stores.sqlite.templates import TemplateCopy, made_by, read_rows

_SELECT = f"SELECT {columns(Criminal)} FROM criminals JOIN revisions ON criminal_id = criminals.id"
_FITS = (
    "(instr(sort_name, :text) OR instr(casefold(coalesce(case_reference, '')), :text)"
    " OR substr(criminals.id, 1, length(:start)) = :start)"
)


class SqliteGallery(Gallery):
    """See `Gallery`."""

    def __init__(self, database: Database) -> None:
        self._db = database
        self._copy = TemplateCopy(database)

    # -- criminals ---------------------------------------------------------------------------

    def add_criminal(
        self,
        criminal: Criminal,
        photos: Sequence[Photo] = (),
        templates: Sequence[Template] = (),
        *,
        name_is_new: bool = False,
    ) -> None:
        with self._db.writing() as connection:
            if name_is_new:
                _refuse_known_name(connection, criminal)
            insert_person(connection, criminal, photos, templates, self._db.sealer)

    def edit_criminal(
        self,
        criminal_id: str,
        edit: Mapping[str, object],
        photos: Sequence[Photo] = (),
        templates: Sequence[Template] = (),
        *,
        revision: int | None = None,
        name_is_new: bool = False,
    ) -> None:
        check_edit(edit)
        with self._db.writing() as connection:
            _check_revision(connection, criminal_id, revision)
            if name_is_new and "name" in edit:
                _refuse_name_of_another(connection, criminal_id, str(edit["name"]))
            for name, value in _with_sort_name(to_columns(edit)).items():
                connection.execute(
                    f"UPDATE criminals SET {name} = ? WHERE id = ?", (value, criminal_id)
                )
            _add_photos(connection, criminal_id, photos, templates, self._db.sealer)
            _bump_revision(connection, criminal_id)

    def remove_criminal(
        self,
        criminal_id: str,
        *,
        revision: int | None = None,
        strikes_judgements: bool = False,
    ) -> None:
        with self._db.writing() as connection:
            _check_revision(connection, criminal_id, revision)
            refuse_if_held(connection, criminal_id)
            if strikes_judgements:
                strike_about(connection, criminal_id)
            removed = connection.execute("DELETE FROM criminals WHERE id = ?", (criminal_id,))
            if not removed.rowcount:
                raise no_criminal(criminal_id)
            _forget_in_alerts(connection, criminal_id)
            _bump_revision(connection, criminal_id)
            self._copy.wipe(criminal_id)
        self._db.empty_log()

    def criminals(self, criminal_ids: Collection[str] | None = None) -> list[Criminal]:
        if criminal_ids is None:
            rows = self._db.rows(f"{_SELECT} ORDER BY sort_name, criminals.id")
        else:
            # The plus keeps SQLite from walking through everyone by name to find a few.
            few = "WHERE criminals.id IN (SELECT value FROM json_each(?))"
            sql = f"{_SELECT} {few} ORDER BY +sort_name, criminals.id"
            rows = self._db.rows(sql, json_list(criminal_ids))
        return [to_record(Criminal, row) for row in rows]

    def find_criminals(
        self, query: str = "", after: str | None = None, limit: int | None = None
    ) -> list[Criminal]:
        values: dict[str, Any] = {"text": query.casefold(), "start": query}
        # To SQLite, a limit of -1 is none.
        values["limit"] = -1 if limit is None else limit
        conditions = [_FITS] if query else []
        if after is not None:
            last = self.criminal(after)
            values |= {"last_name": last.name.casefold(), "last_id": last.id}
            conditions.append("(sort_name, criminals.id) > (:last_name, :last_id)")
        where = f"WHERE {' AND '.join(conditions)}" if conditions else ""
        sql = f"{_SELECT} {where} ORDER BY sort_name, criminals.id LIMIT :limit"
        with self._db.reading() as connection:
            return [to_record(Criminal, row) for row in connection.execute(sql, values)]

    def criminals_named(self, name: str) -> list[Criminal]:
        rows = self._db.rows(f"{_SELECT} WHERE name = ? ORDER BY criminals.id", name)
        return [to_record(Criminal, row) for row in rows]

    def expired(self, before: datetime) -> list[str]:
        sql = "SELECT id FROM criminals WHERE expires_at < ? ORDER BY id"
        return [criminal_id for (criminal_id,) in self._db.rows(sql, to_microseconds(before))]

    def revision(self) -> int:
        return int(self._db.rows("SELECT coalesce(max(revision), 0) FROM revisions")[0][0])

    def changes(self, since: int) -> Changes:
        sql = "SELECT revision, criminal_id FROM revisions WHERE revision > ?"
        found = self._db.rows(sql, since)
        revision = max((revision for revision, _ in found), default=since)
        return Changes(revision, frozenset(criminal_id for _, criminal_id in found))

    # -- photos and templates ----------------------------------------------------------------

    def photo(self, photo_id: str) -> Photo:
        sql = f"SELECT {columns(Photo)} FROM photos JOIN photo_contents USING (number) WHERE id = ?"
        for row in self._db.rows(sql, photo_id):
            return self._db.sealer.open_photo(to_record(Photo, row))
        raise no_photo(photo_id)

    def photo_ids_of(self, criminal_ids: Collection[str]) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {one: [] for one in criminal_ids}
        sql = (
            "SELECT criminal_id, id FROM photos WHERE criminal_id IN"
            " (SELECT value FROM json_each(?)) ORDER BY number"
        )
        for criminal_id, photo_id in self._db.rows(sql, json_list(criminal_ids)):
            found[criminal_id].append(photo_id)
        return found

    def remove_photo(self, criminal_id: str, photo_id: str, *, revision: int | None = None) -> None:
        theirs = (criminal_id, photo_id)
        with self._db.writing() as connection:
            _check_revision(connection, criminal_id, revision)
            removed = connection.execute(
                "DELETE FROM photos WHERE criminal_id = ? AND id = ?", theirs
            )
            if not removed.rowcount:
                raise no_photo_of(criminal_id, photo_id)
            refuse_if_shown(connection, photo_id)
            connection.execute(
                "DELETE FROM templates WHERE criminal_id = ? AND photo_id = ?", theirs
            )
            _bump_revision(connection, criminal_id)
            self._copy.wipe(criminal_id)
        self._db.empty_log()

    def photo_owner(self, digest: str) -> str | None:
        stored = self._db.sealer.digest(digest)
        rows = self._db.rows("SELECT criminal_id FROM photos WHERE digest = ?", stored)
        return rows[0][0] if rows else None

    def template_rows(
        self,
        encoder_id: str,
        criminal_ids: Collection[str] | None = None,
        *,
        wanted_at: datetime | None = None,
    ) -> TemplateRows:
        copied = None
        if criminal_ids is None:
            copied = self._copy.read(encoder_id, wanted_at)
        return copied or read_rows(self._db, encoder_id, criminal_ids, wanted_at)

    def keep_template_copy(self, encoder_id: str) -> None:
        self._copy.keep(encoder_id)

    def template_counts(
        self, encoder_id: str, criminal_ids: Collection[str] | None = None
    ) -> dict[str, int]:
        where, values = made_by(encoder_id, criminal_ids)
        sql = f"SELECT criminal_id, count(*) FROM templates {where} GROUP BY 1"
        return dict(self._db.rows(sql, *values))

    def templates(self, criminal_id: str) -> list[Template]:
        sql = (
            f"SELECT photo_id, criminal_id, encoder_id, vector, {columns(Quality)} FROM templates"
            " WHERE criminal_id = ? ORDER BY photo_id, encoder_id"
        )
        made = []
        for photo_id, owner, encoder_id, stored, *quality in self._db.rows(sql, criminal_id):
            vector = self._db.sealer.open_vectors(encoder_id, [(owner, photo_id, stored)])
            array = np.frombuffer(vector, "<f4")
            made.append(Template(photo_id, owner, encoder_id, array, Quality(*quality)))
        return made

    def photos_without_template(self, encoder_id: str) -> list[str]:
        # Each template of an encoder is of another photo that is stored. To count both takes a
        # tenth of the time.
        counts = (
            "(SELECT count(*) FROM photos), (SELECT count(*) FROM templates WHERE encoder_id = ?)"
        )
        (photos, templates), *_ = self._db.rows(f"SELECT {counts}", encoder_id)
        if photos == templates:
            return []
        sql = (
            "SELECT id FROM photos WHERE NOT EXISTS (SELECT * FROM templates"
            " WHERE templates.criminal_id = photos.criminal_id AND encoder_id = ?"
            " AND photo_id = photos.id) ORDER BY number"
        )
        return [photo_id for (photo_id,) in self._db.rows(sql, encoder_id)]

    def add_template(self, template: Template) -> None:
        with self._db.writing() as connection:
            owner = _insert_template(connection, template, self._db.sealer)
            _bump_revision(connection, owner)


# -- inside a write ------------------------------------------------------------------------------


def insert_person(
    connection: sqlite3.Connection,
    criminal: Criminal,
    photos: Sequence[Photo],
    templates: Sequence[Template],
    sealer: Sealer,
) -> None:
    """What `add_criminal` does, as a part of a transaction of the caller's."""
    new = replace(criminal, created_at=criminal.created_at or utc_now())
    values = _with_sort_name(to_row(new))
    del values["revision"]
    added = insert(connection, "criminals", values, "ON CONFLICT (id) DO NOTHING")
    if not added.rowcount:
        raise id_is_taken(criminal.id)
    _add_photos(connection, criminal.id, photos, templates, sealer)
    _bump_revision(connection, criminal.id)


def _with_sort_name(values: dict[str, Any]) -> dict[str, Any]:
    """Columns of a person, with the one that follows from the name."""
    return values | ({"sort_name": values["name"].casefold()} if "name" in values else {})


def _refuse_known_name(connection: sqlite3.Connection, criminal: Criminal) -> None:
    sql = (
        "SELECT id FROM criminals WHERE name = ? AND case_reference IS coalesce(?, case_reference)"
    )
    if connection.execute(sql, (criminal.name, criminal.case_reference)).fetchone():
        raise name_is_taken(criminal.name)


def _refuse_name_of_another(connection: sqlite3.Connection, criminal_id: str, name: str) -> None:
    sql = "SELECT id FROM criminals WHERE name = ? AND id <> ?"
    if connection.execute(sql, (name, criminal_id)).fetchone():
        raise name_is_taken(name)


def _check_revision(connection: sqlite3.Connection, criminal_id: str, revision: int | None) -> None:
    sql = "SELECT revision FROM revisions JOIN criminals ON id = criminal_id WHERE id = ?"
    found = connection.execute(sql, (criminal_id,)).fetchone()
    if found is None:
        raise no_criminal(criminal_id)
    if revision not in (None, found[0]):
        raise edited_meanwhile(criminal_id)


def _bump_revision(connection: sqlite3.Connection, criminal_id: str) -> None:
    # Writers take turns, and the highest revision is never taken away: it grows by commit order.
    connection.execute(
        "INSERT INTO revisions VALUES (?, (SELECT coalesce(max(revision), 0) + 1 FROM revisions))"
        " ON CONFLICT (criminal_id) DO UPDATE SET revision = excluded.revision",
        (criminal_id,),
    )


def _add_photos(
    connection: sqlite3.Connection,
    criminal_id: str,
    photos: Sequence[Photo],
    templates: Sequence[Template],
    sealer: Sealer,
) -> None:
    for photo in photos:
        _insert_photo(connection, criminal_id, photo, sealer)
    for template in templates:
        _insert_template(connection, template, sealer)


def _insert_photo(
    connection: sqlite3.Connection, criminal_id: str, photo: Photo, sealer: Sealer
) -> None:
    values = to_row(sealer.seal_photo(photo, criminal_id)) | {"criminal_id": criminal_id}
    content = values.pop("content")
    added = insert(connection, "photos", values, "ON CONFLICT (digest) DO NOTHING")
    if not added.rowcount:
        raise photo_is_taken(photo.digest)
    insert(connection, "photo_contents", {"number": added.lastrowid, "content": content})


def _insert_template(connection: sqlite3.Connection, template: Template, sealer: Sealer) -> str:
    """Store a template with the owner of its photo, and return the owner's id."""
    rows = connection.execute("SELECT criminal_id FROM photos WHERE id = ?", (template.photo_id,))
    owner = rows.fetchone()
    if owner is None:
        raise no_photo(template.photo_id)
    key = {
        "criminal_id": owner[0],
        "encoder_id": template.encoder_id,
        "photo_id": template.photo_id,
    }
    values = {"vector": sealer.seal_vector(template, str(owner[0]))}
    connection.execute(
        "DELETE FROM templates WHERE criminal_id = ? AND encoder_id = ? AND photo_id = ?",
        tuple(key.values()),
    )
    insert(connection, "templates", key | to_row(template.quality) | values)
    return str(owner[0])


def _forget_in_alerts(connection: sqlite3.Connection, criminal_id: str) -> None:
    """Take someone out of the alerts about them, and from among the candidates of others."""
    naming = connection.execute(
        "SELECT seq, candidates FROM alerts"
        " WHERE seq IN (SELECT seq FROM alert_people WHERE criminal_id = ?)",
        (criminal_id,),
    ).fetchall()
    for seq, text in naming:
        others = [one for one in to_candidates(text) if one.criminal_id != criminal_id]
        connection.execute(
            "UPDATE alerts SET candidates = ? WHERE seq = ?", (from_candidates(others), seq)
        )
        connection.execute(
            "UPDATE alerts SET criminal_id = NULL, name = NULL, photo_id = NULL, face = NULL"
            " WHERE seq = ? AND criminal_id = ?",
            (seq, criminal_id),
        )
    connection.execute("DELETE FROM alert_people WHERE criminal_id = ?", (criminal_id,))
