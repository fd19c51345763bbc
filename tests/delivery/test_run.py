"""The threads of deliveries."""

from __future__ import annotations

from contextlib import closing

from susracker.access.links import PictureLinks
from susracker.delivery.outbox import Courier
from susracker.delivery.rules import plan_of
from susracker.delivery.run import Deliveries
from susracker.plugins import open_store
from tests.delivery.test_rules import tables
from tests.waiting import wait_until


def test_a_mistake_that_ends_a_delivery_is_a_problem(tmp_path, monkeypatch, caplog, capsys):
    def fail(courier: Courier) -> float:
        raise ValueError("a mistake")

    monkeypatch.setattr(Courier, "step", fail)
    with open_store(f"sqlite:///{tmp_path / 'store.db'}") as store:
        with closing(Deliveries(store, plan_of(tables()), 1.0, PictureLinks(b"key"))) as made:
            assert wait_until(lambda: made.problem is not None)
            assert made.problem == "channel hook: delivery has stopped"
            assert [one.works for one in made.figures()] == [False]
        assert made.problem is None
    assert caplog.messages == ["channel hook: delivery has stopped"]
    assert caplog.text.count("Traceback") == caplog.text.count("ValueError: a mistake") == 1
    assert capsys.readouterr().err == ""
