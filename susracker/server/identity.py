"""Who makes the current request."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Literal, cast

from flask import g, request

from susracker.access.roles import ROLES, Permission
from susracker.errors import NotAllowedError
from susracker.oversight import Key, Role

KNOWN = "susracker.known"
"""Key of a request's environment: what our server wants to be called once it is known who makes the
request."""


@dataclass(frozen=True, slots=True)
class Session:
    """What a browser's cookie says; it is signed.

    Attributes:
        key_id: id of the key that the session was opened with.
        seal: of the secret of that key, so that the session ends when the key is rotated.
        until: when the session ends, in seconds since 1970.
    """

    id: str
    key_id: str
    seal: str
    until: float


@dataclass(frozen=True, slots=True)
class Identity:
    """Who makes a request, and what they may do.

    Attributes:
        actor: as `AuditEntry.actor`: of a key "name (id)".
        role: of the key; "local" on a loopback address while no key exists; "link" where a signed
            link was used.
        address: the client's IP address, as a trusted proxy gives it where there is one.
        key: None where no key was needed.
        session: whose cookie stands for the key; None where the key itself was sent.
    """

    actor: str
    role: Role | Literal["local", "link"]
    address: str
    key: Key | None = None
    session: Session | None = None

    @property
    def by_cookie(self) -> bool:
        """Whether a cookie stands for the key. A browser sends it with requests of other sites'
        pages, too, so methods that change something need a check of Origin."""
        return self.session is not None

    def may(self, permission: Permission) -> bool:
        """Whether this is allowed to them."""
        if self.role == "link":
            return False
        return self.role == "local" or permission in ROLES[self.role]

    def demand(self, permission: Permission) -> None:
        """Refuse what is not allowed to them.

        Raises:
            NotAllowedError: their role may not do this.
        """
        if not self.may(permission):
            raise NotAllowedError(f"the role {self.role!r} may not {permission.value}")

    def demand_camera(self, camera_id: str) -> None:
        """Refuse detections of a camera that their key was not made for.

        Raises:
            NotAllowedError: the camera's id does not match the pattern of the key.
        """
        pattern = self.key.cameras if self.key else "*"
        if self.role == "camera" and not fnmatchcase(camera_id, pattern):
            raise NotAllowedError(f"this key may only post for the cameras {pattern!r}")


def identify(who: Identity) -> None:
    """Make known who makes the current request."""
    g.identity = who
    if tell_server := request.environ.get(KNOWN):
        tell_server()


def identity() -> Identity:
    """Who makes the current request, once it was let in.

    In a public route there is nobody: only routes that ask for a permission may call this.
    """
    return cast(Identity, g.identity)
