"""Small copies of enrolment photos, to show beside the faces of alerts."""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict
from collections.abc import Sequence

from susracker.errors import NotFoundError, PictureError
from susracker.faces.photos import photo_thumbnail
from susracker.models import Alert
from susracker.stores.base import Store

log = logging.getLogger(__name__)

MAX_BYTES = 20_000
"""Size of a thumbnail at most: every alert carries one to every operator."""

CAPACITY = 256
"""How many thumbnails are kept: 5 MB at most."""

Pictured = tuple[Alert, bytes | None]
"""An alert, and the thumbnail to show beside its face; None if there is no photo."""


class Thumbnails:
    """Makes a thumbnail once for each photo, and keeps those that were used most recently.

    The thumbnails of people who are edited or removed are dropped. Every method may be called from
    any thread, but not from the event loop: it reads the store and decodes pictures.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._revision = store.revision()
        # By photo id: whose photo it is, and its thumbnail. The last one used is at the end.
        self._kept: OrderedDict[str, tuple[str, bytes | None]] = OrderedDict()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._kept)

    def beside(self, alerts: Sequence[Alert]) -> list[Pictured]:
        """Each alert with its thumbnail.

        Raises:
            StoreUnavailableError: the store cannot be read.
        """
        with self._lock:
            self._drop_changed()
            return [(alert, self._of(alert)) for alert in alerts]

    def _drop_changed(self) -> None:
        changes = self._store.changes(self._revision)
        self._revision = changes.revision
        for photo_id, (criminal_id, _) in list(self._kept.items()):
            if criminal_id in changes.criminal_ids:
                del self._kept[photo_id]

    def _of(self, alert: Alert) -> bytes | None:
        if alert.photo_id is None:
            return None
        if alert.photo_id not in self._kept and not self._make(alert.photo_id):
            return None
        self._kept.move_to_end(alert.photo_id)
        return self._kept[alert.photo_id][1]

    def _make(self, photo_id: str) -> bool:
        """Whether there is such a photo still; if so, keep its thumbnail."""
        try:
            photo = self._store.photo(photo_id)
        except NotFoundError:
            return False
        try:
            made = photo_thumbnail(photo.content, MAX_BYTES)
        except PictureError as error:
            log.error("alerts go out without the photo %s: %s", photo_id, error)
            made = None
        self._kept[photo_id] = (photo.criminal_id, made)
        if len(self._kept) > CAPACITY:
            self._kept.popitem(last=False)
        return True
