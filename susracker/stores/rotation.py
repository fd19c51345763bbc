"""Encrypts all that a store holds with another data key, piece by piece.

No server uses the store meanwhile. Which keys are involved is written down first, and from then on
the store cannot be opened with either, nor can a process that has it open still write to it. So a
rotation that was interrupted must be finished, or undone by one with the keys exchanged; each piece
names its key, and what was done before is not done again.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable

from susracker.errors import ConfigError
from susracker.models import Photo
from susracker.stores.sealing import Sealer, key_id_of
from susracker.stores.seals import ENCRYPT, Seals

OnStep = Callable[[str, int, int], None]
"""Called with the name of a step, how much of it is done, and how much there is to do."""


class Resealer:
    """Opens pieces with the key before, and seals them with the key after.

    Raises (every method):
        StoreFormatError: a piece was changed or is damaged.
        StoreUnavailableError: a piece is sealed with neither key.
    """

    def __init__(self, before: Sealer, after: Sealer) -> None:
        self._before = before
        self._after = after

    def photo(self, stored: Photo) -> Photo | None:
        """A stored photo as it is to be stored; None where it is already."""
        if self._after.has_sealed(stored.content):
            return None
        return self._after.seal_photo(self._before.open_photo(stored), stored.criminal_id)

    def piece(self, stored: bytes, context: str) -> bytes | None:
        """A stored vector or face as it is to be stored; None where it is already."""
        if self._after.has_sealed(stored):
            return None
        return self._after.seal(self._before.open(stored, context), context)


class Vault(ABC):
    """A store whose content is to be sealed anew, without opening any."""

    @abstractmethod
    def seals(self) -> Seals:
        """Which data key the store says that it is encrypted with."""

    @abstractmethod
    def put_seals(self, seals: Seals) -> None:
        """Replace that; when this returns, nobody writes with another key any more."""

    @abstractmethod
    def reseal(self, resealer: Resealer, on_step: OnStep) -> Counter[str]:
        """Go once through all content; how many pieces of each kind were sealed anew."""

    @abstractmethod
    def clear_traces(self) -> None:
        """Remove what the database itself still keeps of the content before.

        Raises:
            StoreUnavailableError: someone uses the database.
        """

    @abstractmethod
    def close(self) -> None:
        """Close files and connections."""


def rotate(vault: Vault, before: Sealer, after: Sealer, on_step: OnStep) -> Counter[str]:
    """Encrypt all that a store holds with another data key.

    Args:
        before: the present key; without one, what is not encrypted yet is encrypted.
        after: the new key; without one, the store is not encrypted any more.

    Returns:
        how many pieces of each kind were sealed anew, by this call.

    Raises:
        ConfigError: the store is encrypted with another key.
    """
    _check_keys(vault.seals(), before, after)
    vault.put_seals(Seals(after.check(), before.check()))
    changed = vault.reseal(Resealer(before, after), on_step)
    # Until nothing is found: a last write may have been under way when the rotation began.
    while more := vault.reseal(Resealer(before, after), on_step):
        changed += more
    vault.clear_traces()
    vault.put_seals(Seals(after.check()))
    return changed


def _check_keys(seals: Seals, before: Sealer, after: Sealer) -> None:
    involved = [seals.present] if seals.before is None else [seals.present, seals.before]
    if all(before.matches(check) or after.matches(check) for check in involved):
        return
    if not any(involved):
        raise ConfigError(f"the store is not encrypted yet: encrypt it with {ENCRYPT} first")
    needed = " and ".join(key_id_of(check) or "none" for check in involved)
    given = " and ".join(sealer.key_id or "none" for sealer in (before, after))
    raise ConfigError(
        f"the store needs the data key {needed}; data_key and --to name {given}: name the same "
        "keys as when the rotation began"
        if seals.before is not None
        else f"the store is encrypted with the data key {needed}, and not with {given}: set "
        "data_key to the file of that key"
    )
