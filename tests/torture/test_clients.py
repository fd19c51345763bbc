"""The short form of `python -m tests.torture.clients`."""

from __future__ import annotations

from tests.torture.clients import Numbers, clients
from tests.torture.figures import Figures
from tests.torture.overload import site
from tests.torture.processes import needs_proc

FEW = Numbers(drip=20, crowd=30, silent=5, half_open=9, churn=200, warm=4)

TIMED = ("memory",)
"""Beginnings of promises that some seconds are too short for."""


@needs_proc
def test_hostile_clients_are_not_noticed(tmp_path):
    figures = Figures("Slow and hostile clients, for some seconds")
    with site(tmp_path) as server:
        clients(server, figures, 1, FEW)
    figures.show()
    wrong = [one for one in figures.broken if not one.startswith(TIMED) and "median" not in one]
    assert wrong == []
