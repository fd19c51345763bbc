"""From a name or URL to a backend: built-in, somebody else's, missing, unknown."""

from __future__ import annotations

import subprocess
import sys

import pytest

from susracker.errors import ConfigError, MissingDriverError, UnknownBackendError
from susracker.plugins import (
    backend_names,
    open_cooldown,
    open_detector,
    open_encoder,
    open_matcher,
    open_store,
)


def test_unknown_names_list_the_valid_ones():
    for open_it, valid in (
        (lambda: open_store("nosql://x"), "sqlite"),
        (lambda: open_matcher("nearest", 8), "exact"),
        (lambda: open_detector("nobody"), "cnn, hog"),
        (lambda: open_encoder("nobody"), "dlib, dlib-int8, dlib-reference"),
        (lambda: open_cooldown("nothing", 5), "memory"),
    ):
        with pytest.raises(UnknownBackendError, match=f"there are: .*{valid}"):
            open_it()


@pytest.mark.parametrize("url", ["sqlite", "sqlite:", "sqlite:///", "sqlite://host/file"])
def test_a_url_that_names_no_file_is_refused(url):
    with pytest.raises(ConfigError):
        open_store(url)


def install(folder, module: str, text: str, group: str, name: str) -> None:
    """A package of somebody else's, as pip would leave it."""
    (folder / f"{module}.py").write_text(text)
    info = folder / f"{module}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {module}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[susracker.{group}]\n{name} = {module}:Backend\n")


def test_whoever_asks_for_an_encoder_gets_the_same_one():
    """Its network takes tens of megabytes, and a third of a second to load."""
    assert open_encoder("dlib") is open_encoder("dlib")
    assert open_encoder("dlib") is not open_encoder("dlib-int8")


def test_somebody_elses_backend_is_found_by_the_same_road(tmp_path, monkeypatch):
    text = "from susracker.matchers.exact import ExactMatcher as Backend\n"
    install(tmp_path, "theirs", text, "matchers", "theirs")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert "theirs" in backend_names("matchers")
    assert len(open_matcher("theirs", 8)) == 0


def test_a_missing_driver_says_which_extra_to_install(tmp_path, monkeypatch):
    install(tmp_path, "remote", "import no_such_driver\n", "stores", "remote")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(MissingDriverError, match=r"no_such_driver.*pip install 'susracker\[remote"):
        open_store("remote://host")


def test_looking_for_backends_imports_none():
    program = (
        "import sys; from susracker.plugins import backend_names;"
        "backend_names('stores'); backend_names('encoders');"
        "assert not {'numpy', 'dlib', 'onnxruntime', 'sqlite3'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
