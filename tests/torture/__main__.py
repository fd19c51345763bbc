"""Run all torture programs in full, one after the other: some hours.

    python -m tests.torture [NAME ...]

Each prints its figures. The exit status is 1 if a promise was broken in one of them.
"""

from __future__ import annotations

import subprocess
import sys

PROGRAMS = [
    "crash",
    "deliveries",
    "power",
    "faults",
    "mongodb_faults",
    "overload",
    "clients",
    "soak",
    "fuzz",
    "upgrade",
]
"""Modules of this package, in the order in which they run."""


def main(names: list[str]) -> int:
    """Run programs, and return the exit status."""
    failed = [
        name
        for name in names or PROGRAMS
        if subprocess.run([sys.executable, "-m", f"tests.torture.{name}"]).returncode
    ]
    if failed:
        print(f"a promise was broken in: {', '.join(failed)}")
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
