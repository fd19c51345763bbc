"""The short form of `upgrade`."""

from __future__ import annotations

from tests.torture import upgrade
from tests.torture.figures import Figures


def test_every_format_opens_and_newer_ones_are_refused(tmp_path, mongodb_server):
    figures = Figures("short")
    upgrade.open_all(figures, tmp_path, mongodb_server.port)
    upgrade.refuse_newer(figures, tmp_path, mongodb_server.port)
    assert not figures.broken


def test_an_upgrade_of_sqlite_that_is_interrupted_is_done_again(tmp_path):
    figures = Figures("short")
    upgrade.fail_sqlite(figures, tmp_path)
    upgrade.kill_sqlite(figures, tmp_path, kills=1, alerts=500, seed=1)
    assert not figures.broken


def test_an_upgrade_of_mongodb_that_is_interrupted_is_done_again(mongodb_server):
    figures = Figures("short")
    upgrade.kill_mongodb(figures, mongodb_server.port, kills=1, people=20, seed=1)
    assert not figures.broken
