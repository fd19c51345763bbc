"""Which data key a store is encrypted with: whoever opens it must have the same."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from susracker.errors import ConfigError, StoreUnavailableError
from susracker.stores.sealing import Sealer, key_id_of

ENCRYPT = "`susracker keys rotate-data`"


@dataclass(frozen=True, slots=True)
class Seals:
    """What a store says about its data key.

    Attributes:
        present: check value of the data key; empty for a store that is not encrypted.
        before: while a rotation is under way, check value of the key before; None otherwise.
    """

    present: bytes = b""
    before: bytes | None = None


def admitted(seals: Seals, holds_content: Callable[[], bool], sealer: Sealer) -> bool:
    """Whether a store can be opened with a data key as it is; False where it is empty, and is to
    be encrypted with that key from now on.

    Raises:
        ConfigError: the data key is missing or wrong, the store holds what is not encrypted, or a
            rotation was interrupted.
    """
    if seals.before is not None:
        raise ConfigError(
            f"a rotation of the store's data key was interrupted: finish it with the same "
            f"{ENCRYPT} command as before"
        )
    if sealer.matches(seals.present):
        return True
    if not seals.present:
        if holds_content():
            raise ConfigError(
                f"data_key is set, and the store is not encrypted yet: encrypt it with {ENCRYPT}, "
                "or unset data_key"
            )
        return False
    needed = key_id_of(seals.present)
    if not sealer.key_id:
        raise ConfigError(
            f"the store is encrypted: set data_key to the file of its data key, {needed}"
        )
    raise ConfigError(
        f"data_key is not the store's data key: it is {sealer.key_id}, and the store is encrypted "
        f"with {needed}"
    )


def another_key_meanwhile() -> StoreUnavailableError:
    """The error for a write of a process that has not heard of another data key."""
    return StoreUnavailableError(
        "the store's data key was changed meanwhile: restart with the new one"
    )
