"""The short form of `python -m tests.torture.overload`."""

from __future__ import annotations

import requests

from tests.torture.checks import check_traces
from tests.torture.figures import Figures
from tests.torture.overload import overload, site
from tests.torture.people import strangers
from tests.torture.processes import needs_proc
from tests.torture.site import Site
from tests.waiting import PATIENCE, wait_until

TIMED = ("503 in under", "p99", "memory", "its median", "refused later")
"""Beginnings of promises that a busy machine breaks for some seconds: the full form keeps them."""


def is_taken(server: Site) -> bool:
    """Whether a face is taken."""
    sent = {"file": ("a.jpg", strangers(1)[0]), "camera_id": (None, "after")}
    return requests.post(f"{server.url}/face_upload", files=sent, timeout=PATIENCE).ok


@needs_proc
def test_four_times_what_it_carries(tmp_path):
    figures = Figures("Overload, for some seconds")
    with site(tmp_path, "--workers", "1", "--queue-size", "3") as server:
        overload(server, figures, 3)
        assert wait_until(lambda: is_taken(server))
        check_traces(server.folder, strangers(), figures)
    figures.show()
    assert [one for one in figures.broken if not one.startswith(TIMED)] == []
