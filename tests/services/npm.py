"""Packages of npm, installed once for all processes of pytest-xdist."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from contextlib import suppress
from pathlib import Path

from tests.services.servers import missing

CLIENTS = Path(__file__).parents[1] / "clients"
"""The folder whose package.json names them."""

INSTALL = ["npm", "install", "--no-audit", "--no-fund", "--no-package-lock"]


def npm_package(name: str) -> Path:
    """The folder of an installed package; the test is skipped without npm, and fails in CI."""
    if not (shutil.which("node") and shutil.which("npm")):
        missing("Node.js is not installed: install nodejs and npm")
    folder = CLIENTS / "node_modules" / name
    if not folder.exists():
        _install()
    assert folder.exists(), f"{name} is not in {folder.parent}: remove that"
    return folder


def _install() -> None:
    """Install in a folder of its own, then rename: nobody sees half of it."""
    with tempfile.TemporaryDirectory(dir=CLIENTS, prefix=".installing-") as folder:
        shutil.copy(CLIENTS / "package.json", folder)
        subprocess.run(INSTALL, cwd=folder, check=True, capture_output=True)
        with suppress(OSError):  # another process was faster
            (Path(folder) / "node_modules").rename(CLIENTS / "node_modules")
