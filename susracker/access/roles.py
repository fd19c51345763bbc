"""What each role may do."""

from __future__ import annotations

from enum import Enum

from susracker.oversight import Role


class Permission(Enum):
    """Something that a role may or may not do; each route and event asks for one."""

    SEND = "send detections"
    VIEW = "look at alerts, people or cameras"
    MEASURE = "read measures"
    REVIEW = "judge alerts"
    FIND = "search for faces"
    MANAGE = "add, edit or remove people, or hold alerts"
    AUDIT = "read the audit log"
    KEYS = "manage keys"
    SIGN_IN = "open a session"


ROLES: dict[Role, frozenset[Permission]] = {
    "camera": frozenset({Permission.SEND}),
    "viewer": frozenset({Permission.SIGN_IN, Permission.VIEW, Permission.MEASURE}),
    "operator": frozenset(
        {
            Permission.SIGN_IN,
            Permission.VIEW,
            Permission.MEASURE,
            Permission.REVIEW,
            Permission.FIND,
        }
    ),
    "admin": frozenset(Permission),
    "auditor": frozenset({Permission.SIGN_IN, Permission.AUDIT}),
    "monitor": frozenset({Permission.MEASURE}),
}


def may(role: Role, permission: Permission) -> bool:
    """Whether a role has a permission."""
    return permission in ROLES[role]
