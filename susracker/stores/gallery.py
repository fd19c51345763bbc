"""What a gallery must do, whatever keeps the data."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from susracker.errors import ConflictError, NotFoundError
from susracker.models import EDITABLE, Criminal, PanelPhoto, Photo, Template, Vectors
from susracker.stores.refusals import no_criminal

PUT_ATTEMPTS = 10
"""How often `Gallery.put_criminal` tries while others add and remove the same person."""


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
        revision: hand it to the next call of `Gallery.changes`.
        criminal_ids: who was added, edited or removed.
    """

    revision: int
    criminal_ids: frozenset[str]


class Gallery(ABC):
    """Everyone who is enrolled, with their photos and templates.

    Every method may be called from any thread. A write that returned is durable, and happened
    whole or not at all. A method raises `StoreUnavailableError` where the database cannot be read
    or written, and `NotFoundError` where a record that is asked for by its id does not exist.
    Ids are any texts. Times come back as the same moments, in UTC.
    """

    # -- criminals ---------------------------------------------------------------------------

    @abstractmethod
    def add_criminal(
        self,
        criminal: Criminal,
        photos: Sequence[Photo] = (),
        templates: Sequence[Template] = (),
        *,
        name_is_new: bool = False,
    ) -> None:
        """Add someone, with photos and templates of them.

        Without `created_at` they were created at the present moment.

        Args:
            name_is_new: refuse a name that is enrolled already, or, of a person with a case
                reference, a name that is enrolled with that case reference. Of several who add
                the same name at once, one succeeds.

        Raises:
            ConflictError: someone has that id, or, with `name_is_new`, that name.
            DuplicateError: one of the photos is stored already, under anyone.
            NotFoundError: a template is of a photo that is neither stored nor among `photos`.
        """

    @abstractmethod
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
        """Change the fields that are given, and no others, and add photos and templates.

        Edits of different fields at the same time both hold.

        Args:
            edit: new values by name; each name is one of `EDITABLE`.
            revision: the `Criminal.revision` that the edit is based on; by default the edit is
                made whatever the person's revision is.
            name_is_new: refuse a name that someone else has. Of several who give or add the same
                name at once, all with this, one succeeds.

        Raises:
            InputError: another field cannot be edited.
            NotFoundError: the person was removed.
            ConflictError: the person was changed since `revision`, or, with `name_is_new`, someone
                else has that name.
            DuplicateError: one of the photos is stored already, under anyone.
        """

    def put_criminal(
        self,
        criminal: Criminal,
        photos: Sequence[Photo] = (),
        templates: Sequence[Template] = (),
    ) -> None:
        """Add someone, or replace all editable fields of the person with that id.

        An existing person's `created_at`, `last_seen_*`, photos and templates stay. Use
        `add_criminal` or `edit_criminal` where others may edit or remove the same person.

        Raises:
            DuplicateError: one of the photos is stored already, under anyone.
            ConflictError: others kept adding and removing the person.
        """
        edit = {name: getattr(criminal, name) for name in EDITABLE}
        for _ in range(PUT_ATTEMPTS):
            try:
                if self.criminals([criminal.id]):
                    return self.edit_criminal(criminal.id, edit, photos, templates)
                return self.add_criminal(criminal, photos, templates)
            except (ConflictError, NotFoundError) as error:
                problem = error
        raise problem

    @abstractmethod
    def remove_criminal(
        self,
        criminal_id: str,
        *,
        revision: int | None = None,
        strikes_judgements: bool = False,
    ) -> None:
        """Forget someone, with all photos, templates and sightings. Alerts stay, as a record of
        what operators were told, without the face and without the link to the person.

        That no alert is held and the removal are one step: where others hold an alert at the same
        time, it keeps the face, or was held after it had lost the face.

        Args:
            revision: as in `edit_criminal`.
            strikes_judgements: in the same step, empty what people wrote in judgements of the
                alerts that name the person, as `Retention.strike_judgements` does.

        Raises:
            HeldError: an alert that the person is the match or a candidate of is held.
            ConflictError: the person was changed since `revision`.
        """

    @abstractmethod
    def criminals(self, criminal_ids: Collection[str] | None = None) -> list[Criminal]:
        """Everyone, or those of `criminal_ids` who exist, by name and then id. Upper and lower case
        are sorted alike, as by `str.casefold`."""

    def criminal(self, criminal_id: str) -> Criminal:
        """The person with that id."""
        for found in self.criminals([criminal_id]):
            return found
        raise no_criminal(criminal_id)

    @abstractmethod
    def find_criminals(
        self, query: str = "", after: str | None = None, limit: int | None = None
    ) -> list[Criminal]:
        """One page of everyone, in the order of `criminals`.

        Args:
            query: part of a name or of a case reference, in upper or lower case, or the beginning
                of an id.
            after: id of the last person on the page before.
            limit: length of the page; None is no limit.

        Raises:
            NotFoundError: `after` was removed.
        """

    @abstractmethod
    def criminals_named(self, name: str) -> list[Criminal]:
        """The people of exactly that name, by id."""

    @abstractmethod
    def expired(self, before: datetime) -> list[str]:
        """Ids of the people who expired before a moment, in order."""

    @abstractmethod
    def revision(self) -> int:
        """Revision of the newest change; 0 where nothing has changed ever."""

    @abstractmethod
    def changes(self, since: int) -> Changes:
        """Who was added, edited or removed, by any process, after revision `since`.

        Revision 0 is before everything. Someone who was only seen does not count as edited. A
        removal may be announced more than once.
        """

    # -- photos and templates ----------------------------------------------------------------

    @abstractmethod
    def photo(self, photo_id: str) -> Photo:
        """The photo with that id."""

    @abstractmethod
    def photo_ids_of(self, criminal_ids: Collection[str]) -> dict[str, list[str]]:
        """Ids of everyone's photos, in the order of enrolment; empty for an unknown person."""

    def photo_ids(self, criminal_id: str) -> list[str]:
        """Ids of one person's photos, in the order of enrolment; empty for an unknown person."""
        return self.photo_ids_of([criminal_id])[criminal_id]

    @abstractmethod
    def remove_photo(self, criminal_id: str, photo_id: str, *, revision: int | None = None) -> None:
        """Forget one photo of a person, with its templates. The person stays, even without a photo.

        Alerts that show the photo keep its id. The same picture may be added again.

        Args:
            revision: as in `edit_criminal`.

        Raises:
            NotFoundError: the person was removed, or has no such photo.
            HeldError: an alert that shows the photo is held; in one step, as in `remove_criminal`.
            ConflictError: the person was changed since `revision`.
        """

    @abstractmethod
    def photo_owner(self, digest: str) -> str | None:
        """Id of the person whose photo has that digest, or None."""

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
            wanted_at: leave out people who are not wanted at that moment (`Criminal.is_wanted`).
        """

    def keep_template_copy(self, encoder_id: str) -> None:  # noqa: B027
        """Prepare what makes the next reading of all templates faster, if there are so many that it
        takes long. This can take many seconds itself: call it in the background, again and again.

        What is kept holds nothing of people or photos that were removed, from the moment that their
        removal returns. Here, nothing is kept.
        """

    @abstractmethod
    def template_counts(
        self, encoder_id: str, criminal_ids: Collection[str] | None = None
    ) -> dict[str, int]:
        """Number of templates that an encoder made, of everyone or of `criminal_ids`, by id;
        people without one are left out."""

    @abstractmethod
    def templates(self, criminal_id: str) -> list[Template]:
        """All templates of a person, of every encoder, by photo and encoder."""

    @abstractmethod
    def photos_without_template(self, encoder_id: str) -> list[str]:
        """Ids of the photos of which an encoder made no template yet, in order of enrolment."""

    @abstractmethod
    def add_template(self, template: Template) -> None:
        """Add a template of a stored photo, in place of one that the same encoder made of it."""

    # -- what a web panel writes to the database; only some stores have one --------------------

    def panel_photos(self) -> list[PanelPhoto]:
        """Take note of people whom a panel added, edited or removed, as changes of the gallery,
        and return the photos that are to be enrolled. Of several processes one does so."""
        return []

    def adopt_photo(self, found: PanelPhoto, photo: Photo, template: Template) -> None:
        """Enrol a photo of a panel.

        Raises:
            DuplicateError: the photo is stored already, under anyone.
            NotFoundError: the person was removed meanwhile.
        """
        raise NotImplementedError

    def refuse_photo(self, found: PanelPhoto) -> None:
        """Do not return a photo of a panel again, for it cannot be enrolled."""
        raise NotImplementedError
