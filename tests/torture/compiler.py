"""The C compiler that makes what is loaded before the C library."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

needs_compiler = pytest.mark.skipif(
    sys.platform != "linux" or not (shutil.which("gcc") or os.environ.get("CI")),
    reason="needs Linux and gcc: apt-get install gcc",
)
"""In CI, a compiler that is missing is a failure."""


def build_library(source: Path, library: Path) -> None:
    """Compile a shared library.

    Raises:
        CalledProcessError: it cannot be compiled.
        FileNotFoundError: there is no compiler.
    """
    command = ["gcc", "-O2", "-shared", "-fPIC", "-o", str(library), str(source), "-lpthread"]
    subprocess.run(command, check=True)
