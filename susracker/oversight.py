"""Records of who may do what, who did it, what people said about alerts, and what is held.

Frozen and typed, as those of `susracker.models`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

Role = Literal["camera", "viewer", "operator", "admin", "auditor", "monitor"]
KeyState = Literal["valid", "expired", "revoked"]
JudgementKind = Literal["review", "outcome"]
RecordKind = Literal["alerts", "faces", "sightings", "judgements"]
"""What a journal forgets in time: a face is the crop of an alert, which stays without it."""
Verdict = Literal["confirmed", "dismissed", "unsure"]
Encounter = Literal["right person", "wrong person", "not stopped", "lost"]

CONFIRMED: Verdict = "confirmed"


@dataclass(frozen=True, slots=True)
class Key:
    """What a camera, a person or a program proves with who they are.

    Attributes:
        id: public part of the key, by which it is looked up.
        name: whose it is; unique among the keys that are not revoked.
        cameras: a camera's key posts for the cameras whose ids match this pattern of `fnmatch`.
        digest: SHA-256 of the secret part, in hexadecimal; the secret itself is not stored.
        expires_at: from this moment on the key is refused.
        revoked_at: since when the key is refused; None while it is valid.
    """

    id: str
    name: str
    role: Role
    digest: str = field(repr=False)
    created_at: datetime
    cameras: str = "*"
    expires_at: datetime | None = None
    revoked_at: datetime | None = None
    last_used_at: datetime | None = None

    def is_valid(self, now: datetime) -> bool:
        """Whether the key is accepted at `now`."""
        return self.state(now) == "valid"

    def state(self, now: datetime) -> KeyState:
        """Whether the key is accepted at `now`, or why not."""
        if self.revoked_at is not None:
            return "revoked"
        return "valid" if self.expires_at is None or now < self.expires_at else "expired"


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """Someone changed something, or looked at it.

    Attributes:
        seq: position in the audit log, from 1 without gaps.
        actor: who: a key as "name (id)", an account of this machine as "os:NAME", "local" on
            loopback while no key exists, "susracker" for the server itself, or "unknown".
        role: of the key; "local" where no key was needed; "system" for the server itself; "none" of
            who was refused.
        address: where from: an IP address, or "" for the command line and the server itself.
        action: what, such as "criminal.edit".
        subject: id of the person, alert or key it was done to; "" where there is no one such thing.
        reason: why, if one was given.
        detail: JSON object: what else is worth keeping, such as names of the fields that an edit
            changed. It holds no name, picture or template of a person.
        previous: digest of the entry before; of the first one, 64 zeros.
        digest: SHA-256 over all of this, in hexadecimal.
    """

    seq: int
    at: datetime
    actor: str
    role: str
    address: str
    action: str
    subject: str
    reason: str
    detail: str
    previous: str
    digest: str


@dataclass(frozen=True, slots=True)
class AuditHead:
    """The end of the audit log, signed.

    Attributes:
        first: `seq` of the oldest entry that is kept.
        anchor: digest of the entry before that one.
        seq: of the last entry.
        digest: of the last entry.
        at: when it was signed.
        key_id: fingerprint of the public key that the signature is checked with.
        signature: Ed25519, in hexadecimal.
    """

    first: int
    anchor: str
    seq: int
    digest: str
    at: datetime
    key_id: str
    signature: str


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a person says about an alert: a review, or the outcome of the encounter later on.

    Attributes:
        verdict: of a review a `Verdict`, of an outcome an `Encounter`.
        made_by: as `AuditEntry.actor`.
        seq: position in the store's log of judgements: grows by commit order; 0 before it is
            stored.
    """

    id: str
    alert_id: str
    kind: JudgementKind
    verdict: str
    reason: str
    note: str
    made_by: str
    made_at: datetime
    seq: int = 0


@dataclass(frozen=True, slots=True)
class Hold:
    """An alert that is kept beyond its time, such as for a court."""

    alert_id: str
    reason: str
    made_by: str
    made_at: datetime
