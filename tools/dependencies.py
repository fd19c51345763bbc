"""Look up known vulnerabilities of the pinned dependencies, with pip-audit.

    python tools/dependencies.py             report, and fail on a vulnerability
    python tools/dependencies.py --strict    fail also if a dependency cannot be looked up

PyPI answers with the advisories that it knows. A mirror of PyPI may have none; then this says how
many dependencies it could not look up, and fails only where `--strict` asks for it.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

PINS = Path(__file__).parent.parent / "requirements-dev.txt"


def main() -> int:
    found = look_up()
    for line in (line for one in found for line in problems(one)):
        print(line)
    skipped = [one for one in found if "skip_reason" in one]
    vulnerable = [one for one in found if one.get("vulns")]
    print(
        f"dependencies: {len(found) - len(skipped)} looked up, {len(vulnerable)} vulnerable, "
        f"{len(skipped)} not looked up"
    )
    if skipped:
        print(f"for example {skipped[0]['skip_reason']}: the package index serves no advisories")
    return int(bool(vulnerable) or (bool(skipped) and "--strict" in sys.argv))


def look_up() -> list[dict[str, Any]]:
    """What pip-audit says of each pinned dependency."""
    options = ("--requirement", str(PINS), "--disable-pip", "--require-hashes", "--format", "json")
    ran = subprocess.run(
        [sys.executable, "-m", "pip_audit", "--progress-spinner", "off", *options],
        capture_output=True,
        text=True,
    )
    if not ran.stdout:
        sys.exit(f"pip-audit failed: {ran.stderr.strip()}")
    dependencies: list[dict[str, Any]] = json.loads(ran.stdout)["dependencies"]
    return dependencies


def problems(dependency: dict[str, Any]) -> list[str]:
    """A line for each vulnerability of a dependency."""
    return [
        f"{dependency['name']} {dependency['version']}: {one['id']}, "
        f"fixed in {', '.join(one['fix_versions']) or 'no version yet'}"
        for one in dependency.get("vulns", [])
    ]


if __name__ == "__main__":
    sys.exit(main())
