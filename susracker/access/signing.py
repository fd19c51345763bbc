"""The key that signs the head of the audit log (Ed25519, RFC 8032)."""

from __future__ import annotations

import hashlib
import hmac
import logging
import os
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from cryptography.exceptions import InternalError, InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from susracker.access.chain import signed_part
from susracker.errors import ConfigError
from susracker.oversight import AuditHead
from susracker.runtime.files import draft, make_private_folder, sync_folder, write_whole

log = logging.getLogger(__name__)

PUBLIC_MODE = 0o644

FINGERPRINT_LENGTH = 16
"""Hexadecimal digits of SHA-256 that name a key."""


class PublicKey:
    """Checks the signature of a head."""

    def __init__(self, key: Ed25519PublicKey) -> None:
        self._key = key
        raw = key.public_bytes(Encoding.Raw, PublicFormat.Raw)
        self.id = hashlib.sha256(raw).hexdigest()[:FINGERPRINT_LENGTH]

    @classmethod
    def load(cls, path: Path) -> PublicKey:
        """Read a key from a PEM file.

        Raises:
            ConfigError: the file cannot be read, or is not a public Ed25519 key.
        """
        try:
            key = load_pem_public_key(path.read_bytes())
        except (OSError, ValueError, UnsupportedAlgorithm) as error:
            raise ConfigError(f"cannot read the public key {path}: {error}") from error
        if not isinstance(key, Ed25519PublicKey):
            raise ConfigError(f"{path} is not a public Ed25519 key")
        return cls(key)

    def pem(self) -> bytes:
        """The key as a PEM file has it."""
        return self._key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)

    def has_signed(self, head: AuditHead) -> bool:
        """Whether a head's signature is of this key."""
        try:
            self._key.verify(bytes.fromhex(head.signature), signed_part(head))
        except (InvalidSignature, ValueError):
            return False
        return head.key_id == self.id


class SigningKey:
    """Signs heads."""

    def __init__(self, key: Ed25519PrivateKey) -> None:
        self._key = key
        self.public = PublicKey(key.public_key())

    @classmethod
    def load_or_make(cls, path: Path) -> SigningKey:
        """Read the key from a PEM file; make the file, which only its owner may read, if there is
        none. The public key is written beside it.

        Raises:
            ConfigError: the file cannot be read or made, or is not an Ed25519 key.
        """
        try:
            make_private_folder(path.parent)
            _make(path)
            key = load_pem_private_key(path.read_bytes(), password=None)
        except InternalError as error:
            # OpenSSL has no words for a key of one kind with the length of another.
            raise ConfigError(
                f"OpenSSL cannot read the key of the audit log, {path}, which is damaged: name "
                "another file with --audit-key"
            ) from error
        except (OSError, ValueError, TypeError, UnsupportedAlgorithm) as error:
            raise ConfigError(
                f"cannot read or make the key of the audit log, {path}: {error}: name another file "
                "with --audit-key"
            ) from error
        if not isinstance(key, Ed25519PrivateKey):
            raise ConfigError(f"{path} is not a private Ed25519 key: name another file")
        signing = cls(key)
        _publish(public_path(path), signing.public)
        return signing

    def derive(self, purpose: bytes) -> bytes:
        """A secret that nobody can know without this key (HMAC-SHA-256)."""
        return hmac.digest(self._key.private_bytes_raw(), purpose, "sha256")

    def sign(self, head: AuditHead) -> AuditHead:
        """A head with this key's signature."""
        unsigned = replace(head, key_id=self.public.id, signature="")
        return replace(unsigned, signature=self._key.sign(signed_part(unsigned)).hex())


def public_path(path: Path) -> Path:
    """Where the public key of a private one is written."""
    return path.with_suffix(".pub.pem")


def _make(path: Path) -> None:
    """Make a new key, unless the file exists; whoever else does so at the same time."""
    if path.exists():
        return
    pem = Ed25519PrivateKey.generate().private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
    )
    with draft(path, pem) as written, suppress(FileExistsError):
        os.link(written, path)
        sync_folder(path.parent)


def _publish(path: Path, key: PublicKey) -> None:
    """Write the public key where it is missing: whoever made the private one may have died since.
    It is not needed to sign, and the folder may be one that cannot be written."""
    if path.exists():
        return
    try:
        write_whole(path, key.pem(), PUBLIC_MODE)
    except OSError as error:
        log.warning("cannot write the public key of the audit log to %s: %s", path, error)
