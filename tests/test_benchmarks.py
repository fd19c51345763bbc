"""The benchmarks fit the program: they import, and the watch-lists that they make are stores."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest

from susracker.plugins import open_store
from susracker.testing.records import vector

FOLDER = Path(__file__).parent.parent / "benchmarks"
MEASURED_WITH = ("aiohttp", "psutil", "faiss")
# A program that serves as soon as it is imported.
MODULES = sorted({path.stem for path in FOLDER.glob("*.py")} - {"baseline_server"})


@pytest.fixture(autouse=True)
def _beside_each_other(monkeypatch):
    monkeypatch.syspath_prepend(str(FOLDER))


@pytest.mark.parametrize("name", MODULES)
def test_it_can_be_imported(name):
    try:
        importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name not in MEASURED_WITH:
            raise
        pytest.skip(f"{error.name} is not installed: make bench installs it")


def test_a_gallery_is_a_store(tmp_path):
    galleries = importlib.import_module("galleries")
    real = galleries.RealFace("Ada", {"tight": b"a crop"}, vector(1), vector(2))
    url = galleries.sqlite_gallery(tmp_path, 20, [real])
    with open_store(url) as store:
        assert len(store.criminals()) == 20
        assert store.criminal("c0000000").name == "Ada"
        assert store.template_counts(galleries.DlibEncoder.id) == {
            f"c{number:07}": 1 for number in range(20)
        }
        assert len(store.changes(0).criminal_ids) == 20


@pytest.mark.parametrize(("share", "mated"), [(0.05, 10), (0.3, 81)])
def test_the_asked_share_of_posted_faces_is_of_enrolled_people(share, mated):
    galleries = importlib.import_module("galleries")

    def faces(kind, count):
        return [galleries.RealFace(f"{kind} {n}", {}, vector(1), vector(2)) for n in range(count)]

    enrolled = faces("enrolled", 100)
    posted = enrolled + faces("stranger", galleries.NOT_ENROLLED)
    names = {face.name for face in galleries.with_mated(enrolled, posted, share)}
    assert sum(name.startswith("enrolled") for name in names) == mated
    assert mated / len(names) == pytest.approx(share, abs=0.002)
