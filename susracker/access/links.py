"""Signed links to the faces of alerts, for receivers that have no key. A link ends by itself.

The signature is HMAC-SHA256 (RFC 2104) over all that a link says, so that nobody can make one of
another.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from dataclasses import dataclass
from urllib.parse import quote, urlencode

from susracker.access.audit import AuditLog
from susracker.stores.access import Access

SECRET = "picture links"  # nosec B105

PATH = "/api/alerts/{}/face"


@dataclass(frozen=True, slots=True)
class Link:
    """What a link says.

    Attributes:
        receiver: the channel that it was made for.
        until: when it ends, in seconds since 1970.
    """

    alert_id: str
    receiver: str
    until: int


class PictureLinks:
    """Makes links, and checks them. Every server of a store with the same key of the audit log
    knows the links of the others.

    Args:
        key: nobody else's.
    """

    def __init__(self, key: bytes) -> None:
        self._key = key

    @classmethod
    def of(cls, store: Access, audit_log: AuditLog) -> PictureLinks:
        """The links of a store. Who only reads the store cannot make one.

        Raises:
            StoreUnavailableError: its secret cannot be read.
        """
        return cls(audit_log.derive(store.secret(SECRET)))

    def address(self, server: str, link: Link) -> str:
        """A link as a URL.

        Args:
            server: how receivers reach this server, such as https://susracker.example.org
        """
        says = {"receiver": link.receiver, "until": link.until, "signature": self.signature(link)}
        path = PATH.format(quote(link.alert_id, safe=""))
        return f"{server.rstrip('/')}{path}?{urlencode(says)}"

    def signature(self, link: Link) -> str:
        """What is signed of a link, as text for a URL."""
        digest = hmac.new(self._key, signed_text(link), hashlib.sha256).digest()
        return base64.urlsafe_b64encode(digest).decode().rstrip("=")

    def is_signed(self, link: Link, signature: str) -> bool:
        """Whether a link is one of ours, ended or not."""
        return hmac.compare_digest(self.signature(link).encode(), signature.encode())


def signed_text(link: Link) -> bytes:
    """All that a link says, as JSON, which keeps the fields apart whatever is in them: no two links
    have the same."""
    return json.dumps(["face", link.alert_id, link.receiver, link.until]).encode()
