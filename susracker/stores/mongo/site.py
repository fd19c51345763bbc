"""The plan of the site, in MongoDB."""

from __future__ import annotations

from susracker.models import Place, Plan
from susracker.stores.mongo.database import Database
from susracker.stores.site import Site

PLAN = "plan"
"""Name of the plan among what there is only one of."""


class MongoSite(Site):
    """See `Site`."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def plan(self) -> Plan | None:
        found = self._db.read(self._db.meta, {"_id": PLAN})
        return next(
            (Plan(one["digest"], one["media_type"], bytes(one["content"])) for one in found), None
        )

    def put_plan(self, plan: Plan) -> None:
        fields = {"digest": plan.digest, "media_type": plan.media_type, "content": plan.content}
        with self._db.errors_mapped():
            self._db.meta.replace_one({"_id": PLAN}, fields, upsert=True)

    def remove_plan(self) -> None:
        with self._db.errors_mapped():
            self._db.meta.delete_one({"_id": PLAN})

    def places(self) -> list[Place]:
        found = self._db.read(self._db.places, {})
        places = [Place(one["_id"], one["x"], one["y"]) for one in found]
        return sorted(places, key=lambda place: place.camera_id)

    def put_place(self, place: Place) -> None:
        fields = {"x": place.x, "y": place.y}
        with self._db.errors_mapped():
            self._db.places.replace_one({"_id": place.camera_id}, fields, upsert=True)

    def remove_place(self, camera_id: str) -> None:
        with self._db.errors_mapped():
            self._db.places.delete_one({"_id": camera_id})
