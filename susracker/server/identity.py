"""Who makes the current request."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Literal, cast

from flask import g

from susracker.access.roles import ROLES, Permission
from susracker.models import Key, Role


@dataclass(frozen=True, slots=True)
class Identity:
    """Who makes a request, and what they may do.

    Attributes:
        actor: as `AuditEntry.actor`: of a key "name (id)".
        role: of the key; "local" on a loopback address while no key exists.
        address: the client's IP address, as a trusted proxy gives it where there is one.
        key: None where no key was needed.
        by_cookie: whether a session's cookie stands for the key. A browser sends it with requests
            of other sites' pages, too, so methods that change something need a check of Origin.
    """

    actor: str
    role: Role | Literal["local"]
    address: str
    key: Key | None = None
    by_cookie: bool = False

    def may(self, permission: Permission) -> bool:
        """Whether this is allowed to them."""
        return self.role == "local" or permission in ROLES[self.role]

    def may_send_for(self, camera_id: str) -> bool:
        """Whether they may send detections of a camera: a camera's key names its cameras."""
        return self.role != "camera" or self.key is None or fnmatchcase(camera_id, self.key.cameras)


def identify(who: Identity) -> None:
    """Make known who makes the current request."""
    g.identity = who


def identity() -> Identity:
    """Who makes the current request, once it was let in.

    In a public route there is nobody: only routes that ask for a permission may call this.
    """
    return cast(Identity, g.identity)
