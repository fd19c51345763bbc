"""What a store of judgements must do, whatever keeps the data."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection

from susracker.oversight import Judgement


class Judgements(ABC):
    """What people say about alerts: reviews, and the outcomes of encounters.

    Judgements are added and never changed: a changed mind is one more judgement. Threads,
    durability and errors are as in `Gallery`.
    """

    @abstractmethod
    def add_judgement(self, judgement: Judgement, status: str, seen: int) -> Judgement:
        """Store a judgement together with the status that its alert has from then on.

        If that status is "confirmed", `last_seen_*` of the person moves forward to the alert.

        Args:
            seen: `seq` of the alert's newest judgement that the caller knows; 0 if it knows none.

        Returns:
            the judgement with its `seq`, which grows by commit order, over all alerts.

        Raises:
            NotFoundError: there is no such alert.
            ConflictError: the alert has a newer judgement than `seen`; nothing was changed.
        """

    @abstractmethod
    def put_judgement(self, judgement: Judgement) -> None:
        """Store a judgement of another journal, with the `seq` that it has there. The status of
        its alert does not change.

        Raises:
            DuplicateError: there is already a judgement with that `seq`.
        """

    @abstractmethod
    def judgements(self, alert_ids: Collection[str]) -> list[Judgement]:
        """All judgements of some alerts, in order of `seq`."""

    @abstractmethod
    def judgements_after(self, seq: int = 0, limit: int = 100) -> list[Judgement]:
        """Judgements whose `seq` is greater, in order of `seq`, at most `limit`."""

    @abstractmethod
    def last_judgement_seq(self) -> int:
        """The highest `seq` that a judgement has had; 0 where there was none."""
