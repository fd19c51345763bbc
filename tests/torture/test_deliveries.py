"""The deliveries program with few kills; and that its checks notice what they are for."""

from __future__ import annotations

from pathlib import Path

from tests.torture.deliveries import marks, order, run
from tests.torture.figures import Figures


def test_no_alert_is_lost_on_its_way_when_anything_is_killed(tmp_path: Path) -> None:
    figures = Figures("deliveries")
    run(tmp_path, 40, 3, figures, seed=3)
    figures.show()
    assert not figures.broken


def test_what_is_lost_or_out_of_order_is_noticed() -> None:
    assert order("web", ["a", "b late", "a", "c"], ["a", "b", "c"])[2]
    assert order("web", ["a", "c"], ["a", "b", "c"])[1:] == ("1 lost, in order, of 3", False)
    assert order("web", ["b", "a"], ["a", "b"])[1:] == ("0 lost, out of order, of 2", False)


def test_what_is_late_and_not_marked_is_noticed() -> None:
    assert marks("web", ["a late", "b"], {"a"})[2]
    assert marks("web", ["a", "a late"], {"a"})[1:] == ("1 of 1", False)
