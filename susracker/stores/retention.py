"""What a store must do to forget in time, whatever keeps the data."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection
from datetime import datetime

from susracker.oversight import Hold, RecordKind


class Retention(ABC):
    """Forgetting what is too old, and holding alerts that are kept beyond their time.

    Held alerts are kept with their faces and judgements, however old they are. Threads, durability
    and errors are as in `Gallery`.
    """

    # -- forgetting --------------------------------------------------------------------------

    @abstractmethod
    def forget(self, kind: RecordKind, before: datetime, limit: int) -> int:
        """Forget at most `limit` records of a kind that are older than a moment.

        Alerts and sightings are as old as their `received_at`, a face as its alert, a judgement as
        its `made_at`. The judgements of an alert go with it. An alert whose face or judgements are
        forgotten stays as it is otherwise, with its status. `seq` of what is forgotten is never
        used again.

        Returns:
            how many were forgotten; fewer than `limit` if none are left.
        """

    @abstractmethod
    def count_older(self, kind: RecordKind, before: datetime) -> int:
        """How many records `forget` would forget without a limit."""

    @abstractmethod
    def forgotten(self) -> int:
        """A number that has grown whenever alerts or faces were forgotten: whoever keeps alerts in
        memory reads them anew."""

    @abstractmethod
    def scrub(self) -> None:
        """Remove what was forgotten from the database's own log, where that is in reach: a
        database server keeps its log for itself.

        Raises:
            StoreUnavailableError: someone is reading the database: try again.
        """

    # -- holds -------------------------------------------------------------------------------

    @abstractmethod
    def hold_alert(self, hold: Hold) -> None:
        """Keep an alert beyond its time; a hold that it has already is replaced.

        Raises:
            NotFoundError: there is no such alert.
        """

    @abstractmethod
    def release_alert(self, alert_id: str) -> None:
        """End the hold of an alert.

        Raises:
            NotFoundError: the alert is not held.
        """

    @abstractmethod
    def holds(self) -> list[Hold]:
        """All holds, by the time at which they were made, and then by alert."""

    # -- erasing a person --------------------------------------------------------------------

    @abstractmethod
    def alerts_naming(self, criminal_id: str) -> list[str]:
        """Ids of the alerts that someone is the match or a candidate of, in order of `seq`."""

    @abstractmethod
    def strike_judgements(self, alert_ids: Collection[str], name: str) -> int:
        """Empty the notes of all judgements of some alerts, and the reasons that contain a name, in
        upper or lower case. Returns how many judgements changed."""
