"""Files that installed packages carry."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path


def installed_file(package: str, path: str) -> Path:
    """A file inside an installed package, which is not imported.

    Raises:
        FileNotFoundError: the package or the file is not there.
    """
    spec = find_spec(package)
    for folder in (spec.submodule_search_locations or []) if spec else []:
        file = Path(folder) / path
        if file.is_file():
            return file
    raise FileNotFoundError(f"{path} of the package {package} is missing")
