"""The short form of `python -m tests.torture.soak`."""

from __future__ import annotations

from tests.torture.figures import Figures, slope
from tests.torture.processes import needs_proc
from tests.torture.soak import Load, site, soak

HOURS = [number / 360 for number in range(200)]


@needs_proc
def test_everything_at_once(tmp_path):
    figures = Figures("Soak, for some seconds")
    with site(tmp_path) as server:
        soak(server, figures, 5, Load(10, cameras=8, pause=0.02, stay=1, sample=1, purge=1.5))
    figures.show()
    assert not figures.broken


def test_a_slope_is_found_beside_what_else_a_value_depends_on():
    others = [number % 7 for number in range(200)]
    values = [300 + 5 * hour + 2 * other for hour, other in zip(HOURS, others, strict=True)]
    grows, half = slope(HOURS, values, others)
    assert abs(grows - 5) < 0.001
    assert half < 0.001


def test_readings_that_hang_together_say_less():
    """Each value for ten readings: as one reading would say."""
    steps = [float(number // 10 * 7919 % 13) for number in range(200)]
    apart = [float(number * 7919 % 13) for number in range(200)]
    assert slope(HOURS, steps)[1] > 2 * slope(HOURS, apart)[1]
