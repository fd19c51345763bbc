"""What is particular to Milvus: a collection that outlives the process, and errors."""

from __future__ import annotations

from contextlib import closing

import numpy as np
import pytest

from susracker.errors import ConfigError, StoreUnavailableError
from susracker.matchers.milvus import MilvusMatcher
from susracker.plugins import open_matcher

DIMENSION = 16


def unit(count: int, seed: int = 0) -> np.ndarray:
    rows = np.random.default_rng(seed).normal(size=(count, DIMENSION)).astype(np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


@pytest.mark.parametrize("url", ["milvus", "milvus:", "milvus://", "milvus:gallery.db"])
def test_a_wrong_url_is_a_setting_that_is_wrong(url):
    with pytest.raises(ConfigError, match="like milvus:///"):
        open_matcher(url, DIMENSION)


def test_a_cluster_that_is_unavailable_is_an_error():
    with pytest.raises(StoreUnavailableError, match="Milvus cannot be used"):
        MilvusMatcher.from_url("milvus://127.0.0.1:1/people?timeout=1", DIMENSION)


def test_what_is_there_already_is_not_written_again(tmp_path, monkeypatch):
    url, rows = f"milvus://{tmp_path / 'gallery.db'}", unit(30)
    names = [f"c{number}" for number in range(30)]
    first = open_matcher(url, DIMENSION)
    first.load(names, rows.copy())
    again = open_matcher(url, DIMENSION)
    written = []
    upsert = again._client.upsert
    monkeypatch.setattr(
        again._client,
        "upsert",
        lambda name, new: written.extend(one["key"] for one in new) or upsert(name, new),
    )
    changed = rows.copy()
    changed[3] = -changed[3]
    # One was removed while no process was there: only the collection still has them.
    again.load(names[:29], changed[:29])
    assert written == ["c3/0"]
    assert len(again) == 29
    (found,) = again.search(rows[29:], 30)
    assert "c29" not in {one.criminal_id for one in found}
    (found,) = again.search(-rows[3:4], 1)
    assert found[0].criminal_id == "c3"


def test_a_template_that_was_deleted_while_no_process_was_there_is_not_found(tmp_path):
    url, rows = f"milvus://{tmp_path / 'gallery.db'}", unit(2)
    with closing(open_matcher(url, DIMENSION)) as first:
        first.upsert("c", rows)
    with closing(open_matcher(url, DIMENSION)) as again:
        again.upsert("c", rows[:1])
        (found,) = again.search(rows[1:], 1)
    assert found[0].similarity == pytest.approx(float(rows[0] @ rows[1]), abs=1e-5)


def test_closing_closes_the_connection(tmp_path):
    matcher = open_matcher(f"milvus://{tmp_path / 'gallery.db'}", DIMENSION)
    matcher.upsert("c", unit(1))
    matcher.close()
    with pytest.raises(StoreUnavailableError):
        matcher.search(unit(1), 1)
