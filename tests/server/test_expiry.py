"""Someone who expires while a server runs is not looked for any more, without a restart."""

from __future__ import annotations

import time
from datetime import datetime, timedelta

from susracker.plugins import open_store
from susracker.runtime.clock import utc_now
from tests.waiting import wait_until

FOLLOW_SECONDS = 0.5


def test_who_expires_stops_matching_within_follow_seconds(own_site, faces):
    site = own_site("--follow-seconds", str(FOLLOW_SECONDS))

    def watched() -> int:
        return site.get("/readyz").json()["watchlist"]

    def expires_in(seconds: float) -> datetime:
        moment = utc_now() + timedelta(seconds=seconds)
        with open_store(site.store_url) as store:
            store.edit_criminal(site.ids["hopper"], {"expires_at": moment})
        return moment

    expires_in(3600)
    assert site.upload(faces["hopper"], "gate-1").json()["message"] == "Match found"
    assert watched() == 2
    expires_at = expires_in(2)
    site.upload(faces["hopper"], "gate-2")  # so the server knows of the edit
    time.sleep(max(0, (expires_at - utc_now()).total_seconds()))
    assert site.upload(faces["hopper"], "gate-3").json()["message"] == "No match found"
    assert wait_until(lambda: watched() == 1)
    assert site.upload(faces["collins"], "gate-3").json()["message"] == "Match found"
