"""Someone who expires while a server runs is not looked for any more, without a restart."""

from __future__ import annotations

import time
from datetime import timedelta

from susracker.plugins import open_store
from susracker.runtime.clock import utc_now

FOLLOW_SECONDS = 0.5


def test_who_expires_stops_matching_within_follow_seconds(own_site, faces):
    site = own_site("--follow-seconds", str(FOLLOW_SECONDS))

    def watched() -> int:
        return site.get("/readyz").json()["watchlist"]

    with open_store(site.store_url) as store:
        assert site.upload(faces["hopper"], "gate-1").json()["message"] == "Match found"
        expires_at = utc_now() + timedelta(seconds=4)
        store.edit_criminal(site.ids["hopper"], {"expires_at": expires_at})
    assert (site.upload(faces["hopper"], "gate-2").json()["message"], watched()) == (
        "Match found",
        2,
    )
    time.sleep((expires_at - utc_now()).total_seconds())
    assert site.upload(faces["hopper"], "gate-3").json()["message"] == "No match found"
    time.sleep(2 * FOLLOW_SECONDS)
    assert watched() == 1
    assert site.upload(faces["collins"], "gate-3").json()["message"] == "Match found"
