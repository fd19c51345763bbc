"""The plan of the site, in an SQLite file."""

from __future__ import annotations

from susracker.models import Place, Plan
from susracker.stores.site import Site
from susracker.stores.sqlite.database import Database
from susracker.stores.sqlite.rows import columns, to_record

_PLAN, _PLACE = columns(Plan), columns(Place)


class SqliteSite(Site):
    """See `Site`."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def plan(self) -> Plan | None:
        for row in self._db.rows(f"SELECT {_PLAN} FROM plan"):
            return to_record(Plan, row)
        return None

    def put_plan(self, plan: Plan) -> None:
        sql = f"INSERT OR REPLACE INTO plan (only, {_PLAN}) VALUES (1, ?, ?, ?)"
        with self._db.writing() as connection:
            connection.execute(sql, (plan.digest, plan.media_type, plan.content))

    def remove_plan(self) -> None:
        with self._db.writing() as connection:
            connection.execute("DELETE FROM plan")

    def places(self) -> list[Place]:
        rows = self._db.rows(f"SELECT {_PLACE} FROM places ORDER BY camera_id")
        return [to_record(Place, row) for row in rows]

    def put_place(self, place: Place) -> None:
        sql = f"INSERT OR REPLACE INTO places ({_PLACE}) VALUES (?, ?, ?)"
        with self._db.writing() as connection:
            connection.execute(sql, (place.camera_id, place.x, place.y))

    def remove_place(self, camera_id: str) -> None:
        with self._db.writing() as connection:
            connection.execute("DELETE FROM places WHERE camera_id = ?", (camera_id,))
