"""How many detections a server carries beside the load generator."""

from __future__ import annotations

import functools
import time
from collections.abc import Sequence

from tests.torture.apart import Apart
from tests.torture.arrivals import Answer, Source, send_all
from tests.torture.people import strangers, wanted
from tests.torture.site import Site
from tests.waiting import wait_until

STRANGERS = 18
"""Pictures of strangers, beside one of each of the two enrolled people."""

WARM_ANSWERS = 60
"""The first ones are slow: each thread loads what it needs."""


def cameras(server: Site, sources: Sequence[Source]) -> Apart[Answer]:
    """Cameras in a process of their own; each one tenth of the time sees an enrolled person."""
    pictures = [*wanted().values(), *strangers(STRANGERS)]
    return Apart(functools.partial(send_all, server.port, pictures, sources))


def capacity(server: Site, seconds: float, connections: int = 8, ids: int = 1) -> float:
    """Detections that the server answers in a second.

    Args:
        connections: cameras that send one after the other; no more than may wait.
        ids: how many cameras they send as.
    """
    with cameras(server, [Source("warm", connections=connections, ids=ids)]) as busy:
        assert wait_until(lambda: len(busy.results) > WARM_ANSWERS, 120)
        before, began = len(busy.results), time.monotonic()
        time.sleep(seconds)
        count, took = len(busy.results) - before, time.monotonic() - began
    wrong = [one.words for one in busy.results if one.status != 200]
    assert not wrong, wrong[:3]
    return count / took
