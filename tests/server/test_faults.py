"""A store that cannot be written: who waits, who does not, and what `/readyz` says."""

from __future__ import annotations

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path

from tests.waiting import wait_until


@contextmanager
def held(site):
    """Another program is in the middle of writing to the store."""
    file = site.store_url.removeprefix("sqlite:///")
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        yield


def readiness(site) -> str:
    return str(site.get("/readyz").json()["problem"])


def test_strangers_do_not_wait_for_a_locked_store(own_site, faces):
    site = own_site("--workers", "2", "--cooldown-seconds", "0")
    with ThreadPoolExecutor(3) as pool:
        with held(site):
            # More than there are workers, and few: each waits for `WRITE_SECONDS` at most.
            wanted = [pool.submit(site.upload, faces["hopper"], f"gate-{n}") for n in range(3)]
            assert wait_until(lambda: site.get("/readyz").json()["in_flight"] == 3)
            stranger = site.upload(faces["stranger"], "gate-7")
            # Those who need the store are still waiting for it.
            assert not all(post.done() for post in wanted)
        answers = [post.result() for post in wanted]
    assert stranger.json()["message"] == "No match found"
    assert {one.status_code for one in answers} <= {200, 503}


def test_a_locked_store_is_answered_with_503_and_recovers(own_site, faces):
    site = own_site()
    with held(site):
        assert wait_until(lambda: "locked" in readiness(site))
        refused = site.upload(faces["hopper"], "gate")
        assert refused.status_code == 503
        assert int(refused.headers["Retry-After"]) > 0
    assert wait_until(lambda: readiness(site) == "None")
    assert site.upload(faces["hopper"], "gate").json()["message"] == "Match found"


def test_a_deleted_store_is_never_written_on(own_site, faces):
    site = own_site()
    file = Path(site.store_url.removeprefix("sqlite:///"))
    away = file.with_name("away.db")
    file.rename(away)
    assert wait_until(lambda: "deleted or replaced" in readiness(site))
    assert site.upload(faces["hopper"], "gate").status_code == 503
    assert not file.exists()
    away.rename(file)
    assert wait_until(lambda: readiness(site) == "None")
    assert site.upload(faces["hopper"], "gate").json()["message"] == "Match found"
    assert len(site.all_alerts()) == 1
