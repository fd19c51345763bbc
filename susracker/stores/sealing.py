"""Encryption at rest: photos, templates and faces of alerts, as a store keeps them.

Sealed content is AES-256-GCM (NIST SP 800-38D) behind a header:

    magic (4 bytes) | version (1) | id of the data key (8) | nonce (12) | ciphertext | tag (16)

The header up to the nonce, the kind of the record and its ids are authenticated with the content:
whoever can write to the database can neither change it nor put it into the place of another
without that being noticed. What they can do is to put back what was in the same place before.

Nonces are random. SP 800-38D, section 8.3, allows 2^32 of them a key, so that two are the same with
a probability of less than 2^-32: about four thousand million photos, templates and alerts. Rotate
the data key before that.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import replace
from operator import methodcaller

import numpy as np
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from susracker.errors import StoreFormatError, StoreUnavailableError
from susracker.models import Alert, Photo, Template

MAGIC = b"SU\xd3\xff"
"""Begins sealed content, and no plain one: no picture's format begins like this, and no template,
for as a number of four bytes it is none (NaN)."""

VERSION = 1
KEY_BYTES = 32
KEY_ID_BYTES = 8
NONCE_BYTES = 12
_HEADER = len(MAGIC) + 1 + KEY_ID_BYTES
_BODY = _HEADER + NONCE_BYTES

_CHECK = b"susracker"
"""What a store's check value is, sealed."""

_is_sealed = methodcaller("startswith", MAGIC)


class Sealer(ABC):
    """Seals what a store keeps, and opens it. Every method may be called from any thread."""

    key_id: str
    """Names the data key and tells nothing about it; empty where there is none."""

    @abstractmethod
    def seal(self, content: bytes, context: str) -> bytes:
        """Content as it is stored.

        Args:
            context: kind and ids of the record; it must be the same when the content is opened.
        """

    @abstractmethod
    def open(self, content: bytes, context: str) -> bytes:
        """What was sealed.

        Raises:
            StoreUnavailableError: it is sealed with another data key.
            StoreFormatError: it was changed, cut off, or is of another record.
        """

    @abstractmethod
    def digest(self, digest: str) -> str:
        """A photo's digest as it is stored. It must not tell which photo it is of."""

    @abstractmethod
    def has_sealed(self, content: bytes) -> bool:
        """Whether content is stored as this sealer stores it."""

    @abstractmethod
    def check(self) -> bytes:
        """A check value, by which `matches` knows the data key; empty without one."""

    @abstractmethod
    def matches(self, check: bytes) -> bool:
        """Whether `check` is of the same data key."""

    @abstractmethod
    def open_vectors(self, encoder_id: str, rows: Sequence[tuple[str, str, bytes]]) -> bytes:
        """The vectors of many templates, one after the other.

        Args:
            rows: owner, photo and stored vector of each.
        """

    def seal_photo(self, photo: Photo, owner: str) -> Photo:
        """A photo as it is stored."""
        content = self.seal(photo.content, photo_context(owner, photo.id))
        return replace(photo, content=content, digest=self.digest(photo.digest))

    def open_photo(self, photo: Photo) -> Photo:
        """The photo that was stored."""
        content = self.open(photo.content, photo_context(photo.criminal_id, photo.id))
        return replace(photo, content=content, digest=hashlib.sha256(content).hexdigest())

    def seal_alert(self, alert: Alert) -> Alert:
        """An alert as it is stored."""
        if alert.face is None:
            return alert
        return replace(alert, face=self.seal(alert.face, face_context(alert.id)))

    def open_alert(self, alert: Alert) -> Alert:
        """The alert that was stored."""
        if alert.face is None:
            return alert
        return replace(alert, face=self.open(alert.face, face_context(alert.id)))

    def seal_vector(self, template: Template, owner: str) -> bytes:
        """A template's vector as it is stored."""
        vector = np.ascontiguousarray(template.vector, "<f4").tobytes()
        return self.seal(vector, template_context(owner, template.encoder_id, template.photo_id))


class PlainSealer(Sealer):
    """Stores content as it is, which is what a store without a data key does."""

    key_id = ""

    def seal(self, content: bytes, context: str) -> bytes:
        return content

    def open(self, content: bytes, context: str) -> bytes:
        if _is_sealed(content):
            raise _another_key(content, context, "no data key is set")
        return content

    def digest(self, digest: str) -> str:
        return digest

    def has_sealed(self, content: bytes) -> bool:
        return not _is_sealed(content)

    def check(self) -> bytes:
        return b""

    def matches(self, check: bytes) -> bool:
        return not check

    def open_vectors(self, encoder_id: str, rows: Sequence[tuple[str, str, bytes]]) -> bytes:
        vectors = [vector for _, _, vector in rows]
        if any(map(_is_sealed, vectors)):
            return _open_each(self, encoder_id, rows)
        return b"".join(vectors)


class KeySealer(Sealer):
    """Seals with a data key, from which the keys for its purposes are derived (RFC 5869).

    Args:
        key: 32 random bytes.
    """

    def __init__(self, key: bytes) -> None:
        key_id = _derived(key, "id")[:KEY_ID_BYTES]
        self.key_id = key_id.hex()
        self._header = MAGIC + bytes([VERSION]) + key_id
        self._cipher = AESGCM(_derived(key, "content"))
        self._digest_key = _derived(key, "digest")

    def seal(self, content: bytes, context: str) -> bytes:
        nonce = secrets.token_bytes(NONCE_BYTES)
        bound = self._header + context.encode()
        return self._header + nonce + self._cipher.encrypt(nonce, content, bound)

    def open(self, content: bytes, context: str) -> bytes:
        if not content.startswith(self._header):
            raise self._not_ours(content, context)
        bound = self._header + context.encode()
        try:
            return self._cipher.decrypt(content[_HEADER:_BODY], content[_BODY:], bound)
        except (InvalidTag, ValueError) as error:  # ValueError: even the nonce is cut off
            raise _changed(context) from error

    def digest(self, digest: str) -> str:
        return hmac.new(self._digest_key, digest.encode(), hashlib.sha256).hexdigest()

    def has_sealed(self, content: bytes) -> bool:
        return content.startswith(self._header)

    def check(self) -> bytes:
        return self.seal(_CHECK, "check")

    def matches(self, check: bytes) -> bool:
        return self.has_sealed(check) and self.open(check, "check") == _CHECK

    def open_vectors(self, encoder_id: str, rows: Sequence[tuple[str, str, bytes]]) -> bytes:
        return _open_each(self, encoder_id, rows)

    def _not_ours(self, content: bytes, context: str) -> StoreUnavailableError | StoreFormatError:
        if key_id_of(content):
            return _another_key(content, context, f"the data key {self.key_id} is set")
        return _changed(context)


# Ids hold no control characters, so no two records have the same context.


def photo_context(owner: str, photo_id: str) -> str:
    """What a photo's content is bound to."""
    return f"photo\x1f{owner}\x1f{photo_id}"


def template_context(owner: str, encoder_id: str, photo_id: str) -> str:
    """What a template's vector is bound to."""
    return f"template\x1f{owner}\x1f{encoder_id}\x1f{photo_id}"


def face_context(alert_id: str) -> str:
    """What the face of an alert is bound to."""
    return f"face of alert\x1f{alert_id}"


def key_id_of(content: bytes) -> str:
    """Id of the data key that content is sealed with; empty where it is not sealed."""
    if not _is_sealed(content) or len(content) < _HEADER:
        return ""
    return content[_HEADER - KEY_ID_BYTES : _HEADER].hex()


def _open_each(sealer: Sealer, encoder_id: str, rows: Sequence[tuple[str, str, bytes]]) -> bytes:
    return b"".join(
        [
            sealer.open(vector, template_context(owner, encoder_id, photo_id))
            for owner, photo_id, vector in rows
        ]
    )


def _derived(key: bytes, purpose: str) -> bytes:
    info = f"susracker data key: {purpose}".encode()
    return HKDFExpand(algorithm=SHA256(), length=KEY_BYTES, info=info).derive(key)


def _another_key(content: bytes, context: str, what_is_set: str) -> StoreUnavailableError:
    return StoreUnavailableError(
        f"{_told(context)} is encrypted with the data key {key_id_of(content)}, and {what_is_set}: "
        "restart with the store's data key"
    )


def _changed(context: str) -> StoreFormatError:
    return StoreFormatError(
        f"{_told(context)} was changed or is damaged: restore it from a backup, or remove it"
    )


def _told(context: str) -> str:
    """A context in words."""
    return "the " + context.replace("\x1f", " ")
