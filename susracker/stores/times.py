"""Which fields of records are moments: a store keeps them as microseconds since 1970."""

from __future__ import annotations

TIMES = frozenset(
    {
        "at",
        "created_at",
        "expires_at",
        "failed_at",
        "last_heard_at",
        "last_seen_at",
        "last_used_at",
        "made_at",
        "occurred_at",
        "received_at",
        "retry_at",
        "revoked_at",
        "window_at",
    }
)
