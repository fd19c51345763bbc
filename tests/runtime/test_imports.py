from __future__ import annotations

import sys

import pytest

from susracker.runtime.imports import as_if_missing


@pytest.fixture
def package(tmp_path, monkeypatch):
    """An installed package with one module that nobody has imported."""
    (tmp_path / "some_package").mkdir()
    (tmp_path / "some_package" / "__init__.py").touch()
    (tmp_path / "some_package" / "module.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    yield "some_package"
    for name in [name for name in sys.modules if name.startswith("some_package")]:
        del sys.modules[name]


def test_a_package_is_missing_within_the_block_and_is_there_after_it(package):
    with as_if_missing(package), pytest.raises(ModuleNotFoundError):
        import some_package
    with as_if_missing(package), pytest.raises(ModuleNotFoundError):
        import some_package.module
    import some_package.module  # noqa: F401


def test_after_an_error_it_is_there(package):
    with pytest.raises(KeyError), as_if_missing(package):
        raise KeyError
    import some_package  # noqa: F401


def test_what_is_imported_already_stays(package):
    import some_package

    with as_if_missing(package):
        assert sys.modules[package] is some_package
    assert sys.modules[package] is some_package


def test_a_package_that_is_not_installed_stays_so():
    with as_if_missing("no_such_package"):
        pass
    with pytest.raises(ModuleNotFoundError):
        import no_such_package  # noqa: F401
