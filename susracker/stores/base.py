"""What a store must do, whatever keeps the data."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import TracebackType

from typing_extensions import Self

from susracker.models import (
    Alert,
    Camera,
    Criminal,
    Event,
    ForeignPhoto,
    Outcome,
    Photo,
    Sighting,
    Template,
    Vectors,
)


@dataclass(frozen=True, slots=True, eq=False)
class TemplateRows:
    """Many templates at once, without an object for each.

    Attributes:
        criminal_ids: whose template each row is; a criminal's rows stand together.
        vectors: shape (n, dimension), in the same order.
    """

    criminal_ids: list[str]
    vectors: Vectors


@dataclass(frozen=True, slots=True)
class Changes:
    """What happened to the enrolled criminals since a revision.

    Attributes:
        revision: hand it to the next call of `Store.changes`.
        criminal_ids: who was added, edited or removed.
    """

    revision: int
    criminal_ids: frozenset[str]


class Store(ABC):
    """Criminals with their photos and templates; sightings, alerts, handled events and cameras.

    Every method may be called from any thread. A write that returned is durable, and happened
    whole or not at all. A store raises `StoreUnavailableError` where it cannot be read or written,
    and `NotFoundError` where a record that is asked for by its id does not exist.
    """

    @classmethod
    @abstractmethod
    def from_url(cls, url: str) -> Self:
        """Open the store at `url`, and create it where it is missing.

        Raises:
            ConfigError: the URL is malformed.
            StoreUnavailableError: it cannot be reached or written.
            StoreFormatError: what is there is no susracker store, or a newer version's.
        """

    # -- criminals ---------------------------------------------------------------------------

    @abstractmethod
    def put_criminal(
        self,
        criminal: Criminal,
        photos: Sequence[Photo] = (),
        templates: Sequence[Template] = (),
    ) -> None:
        """Add `criminal`, or replace the one with that id, and add photos and templates to it.

        An existing criminal's `created_at`, `last_seen_*`, photos and templates stay.

        Raises:
            DuplicateError: one of the photos is stored already, under anyone.
        """

    @abstractmethod
    def remove_criminal(self, criminal_id: str) -> None:
        """Forget a criminal, with all photos, templates and sightings. Alerts stay, as a record
        of what operators were told, without the face and without the link to the person."""

    @abstractmethod
    def criminal(self, criminal_id: str) -> Criminal:
        """The criminal with that id."""

    @abstractmethod
    def criminals(self, criminal_ids: Collection[str] | None = None) -> list[Criminal]:
        """All criminals, or those of `criminal_ids` that exist, by name and then id."""

    @abstractmethod
    def criminals_named(self, name: str) -> list[Criminal]:
        """The criminals of exactly that name, by id."""

    @abstractmethod
    def revision(self) -> int:
        """Revision of the newest change; 0 where nothing has changed ever."""

    @abstractmethod
    def changes(self, since: int) -> Changes:
        """Who was added, edited or removed, by any process, after revision `since`.

        Revision 0 is before everything. A criminal that was only seen does not count as edited.
        """

    # -- photos and templates ----------------------------------------------------------------

    @abstractmethod
    def photo(self, photo_id: str) -> Photo:
        """The photo with that id."""

    @abstractmethod
    def photo_ids(self, criminal_id: str) -> list[str]:
        """Ids of a criminal's photos, in the order of enrolment; empty for an unknown one."""

    @abstractmethod
    def photo_owner(self, digest: str) -> str | None:
        """Id of the criminal whose photo has that digest, or None."""

    @abstractmethod
    def template_rows(
        self,
        encoder_id: str,
        criminal_ids: Collection[str] | None = None,
        *,
        wanted_at: datetime | None = None,
    ) -> TemplateRows:
        """The templates that an encoder made, of everyone or of `criminal_ids`.

        Args:
            wanted_at: leave out who is not wanted at that moment (`Criminal.is_wanted`).
        """

    @abstractmethod
    def template_counts(self, encoder_id: str) -> dict[str, int]:
        """Number of templates that an encoder made, by criminal id; who has none is left out."""

    @abstractmethod
    def templates(self, criminal_id: str) -> list[Template]:
        """All templates of a criminal, of every encoder, by photo and encoder."""

    @abstractmethod
    def photos_without_template(self, encoder_id: str) -> list[str]:
        """Ids of the photos of which an encoder made no template yet, in order of enrolment."""

    @abstractmethod
    def add_template(self, template: Template) -> None:
        """Add a template of a stored photo, in place of one that the same encoder made of it."""

    # -- what others write to the database; nobody does, unless a store says so ---------------

    def foreign_photos(self) -> list[ForeignPhoto]:
        """Take note of who was added, edited or removed by others, as changes of the watch-list,
        and say which of their photos are to be enrolled. Of several processes one does so."""
        return []

    def adopt_photo(self, foreign: ForeignPhoto, photo: Photo, template: Template) -> None:
        """Enrol a foreign photo.

        Raises:
            DuplicateError: the photo is stored already, under anyone.
            NotFoundError: the criminal was removed meanwhile.
        """
        raise NotImplementedError

    def refuse_photo(self, foreign: ForeignPhoto) -> None:
        """Do not name a foreign photo again, for it cannot be enrolled."""
        raise NotImplementedError

    # -- what cameras saw --------------------------------------------------------------------

    @abstractmethod
    def record(
        self,
        sightings: Sequence[Sighting],
        alerts: Sequence[Alert],
        event: Event | None = None,
    ) -> tuple[Alert, ...]:
        """Store what became of one detection, and move `last_seen_*` of who was sighted forward.

        Returns:
            the alerts with their `seq`, which grows by commit order and is never used again.

        Raises:
            DuplicateError: the event was handled before.
            NotFoundError: someone who was sighted is not enrolled any more.
        """

    @abstractmethod
    def put_alert(self, alert: Alert) -> None:
        """Store an alert of another store, with the `seq` that it has there.

        Raises:
            DuplicateError: there is an alert with that `seq`.
        """

    @abstractmethod
    def event_outcome(self, camera_id: str, event_id: str) -> Outcome | None:
        """What became of a handled event, without its sightings; None for an unknown one."""

    @abstractmethod
    def forget_events(self, before: datetime) -> None:
        """Forget the ids of events that were received before a moment."""

    @abstractmethod
    def alert(self, alert_id: str) -> Alert:
        """The alert with that id."""

    @abstractmethod
    def alerts(self, after: int = 0, limit: int = 100) -> list[Alert]:
        """Alerts whose `seq` is greater than `after`, in order of `seq`, at most `limit`."""

    @abstractmethod
    def alerts_since(self, occurred_since: datetime) -> list[Alert]:
        """Alerts that occurred at or after a moment, in order of `seq`, without their faces."""

    @abstractmethod
    def last_seq(self) -> int:
        """`seq` of the newest alert; 0 where there is none."""

    @abstractmethod
    def sightings(self, criminal_id: str) -> list[Sighting]:
        """A criminal's sightings in the order in which they occurred."""

    # -- cameras -----------------------------------------------------------------------------

    @abstractmethod
    def count_cameras(self, cameras: Sequence[Camera]) -> None:
        """Add the `detections` and `alerts` of each to what is stored of it, and move its
        `last_heard_at` and `location` forward."""

    @abstractmethod
    def cameras(self) -> list[Camera]:
        """All cameras, by id."""

    # -- end ---------------------------------------------------------------------------------

    @abstractmethod
    def close(self) -> None:
        """Let go of files and connections. No other method may be called afterwards."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
