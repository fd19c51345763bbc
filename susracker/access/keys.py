"""API keys as text: how they are made, and how they are told from others.

A key is `sus_ID_SECRET`. The id finds it in the store; of the secret, 256 random bits, only the
SHA-256 is stored. A slow hash, as for passwords, would add nothing: so many bits cannot be guessed
(NIST SP 800-63B, 5.1.2.2: look-up secrets of at least 112 bits).
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from susracker.oversight import Key

PREFIX = "sus"
ID_BYTES = 6
SECRET_BYTES = 32


@dataclass(frozen=True, slots=True)
class KeyText:
    """A key as its holder has it.

    Attributes:
        id: in hexadecimal.
    """

    id: str
    secret: str

    def __str__(self) -> str:
        return f"{PREFIX}_{self.id}_{self.secret}"

    def __repr__(self) -> str:
        return f"KeyText({self.id})"

    @property
    def digest(self) -> str:
        """What is stored of the secret."""
        return hashlib.sha256(self.secret.encode()).hexdigest()

    def has_digest(self, digest: str) -> bool:
        """Whether `digest` is of this key, compared in constant time."""
        return hmac.compare_digest(self.digest, digest)


def key_fields(key: Key, now: datetime) -> dict[str, Any]:
    """A key as it may be shown: without the digest of its secret, and with its state at `now`."""
    return {
        "id": key.id,
        "name": key.name,
        "role": key.role,
        "cameras": key.cameras,
        "state": key.state(now),
        "created_at": key.created_at,
        "expires_at": key.expires_at,
        "revoked_at": key.revoked_at,
        "last_used_at": key.last_used_at,
    }


def new_key(key_id: str | None = None) -> KeyText:
    """A new random key, or a new secret for the key with an id."""
    return KeyText(key_id or secrets.token_hex(ID_BYTES), secrets.token_urlsafe(SECRET_BYTES))


def parse_key(text: str) -> KeyText | None:
    """The parts of a key; None if a text is not one."""
    prefix, _, rest = text.strip().partition("_")
    key_id, _, secret = rest.partition("_")
    is_key = text.isascii() and prefix == PREFIX and key_id and secret
    return KeyText(key_id, secret) if is_key else None
