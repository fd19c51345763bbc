"""Changes the code a little, many times over, and counts how often a test notices.

    python tools/mutants.py
    python tools/mutants.py --only 'susracker.tracking.*' --count 50
    python tools/mutants.py --only susracker.cooldowns.memory.xǁMemoryCooldownǁrelease__mutmut_3

Each change is a mutant. mutmut makes them of what `[tool.mutmut]` in pyproject.toml names, in the
folder `mutants/`, and runs the tests that reach the changed function, of those named there. This
draws some mutants at random, the same on every run, and prints which of them nobody noticed.
"""

from __future__ import annotations

import argparse
import fnmatch
import json
import os
import random
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "mutants"

SURVIVED, NO_TESTS = 0, 33
"""What mutmut writes down for a mutant: the exit code of its tests, or that there are none."""

NOBODY = "no.mutant.of.this.name"


def main() -> None:
    """Draw mutants, run their tests, and report."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=200, help="mutants to draw (200)")
    parser.add_argument("--seed", type=int, default=1, help="draws others (1)")
    parser.add_argument("--only", default="*", help="mutants to draw from, such as '*.memory.*'")
    options = parser.parse_args()
    drawn = draw(make_mutants(), options.only, options.count, options.seed)
    mutmut("run", "--max-children", str(os.cpu_count() or 1), *drawn)
    report(drawn)


def mutmut(*arguments: str) -> None:
    """Run mutmut, which prints what it does."""
    command = [sys.executable, "-m", "mutmut", *arguments]
    subprocess.run(command, cwd=ROOT, check=True)


def make_mutants() -> list[str]:
    """Make all mutants anew, for mutmut would keep verdicts of tests that have changed since.

    Returns:
        their names.
    """
    shutil.rmtree(FOLDER, ignore_errors=True)
    # mutmut has no command for this alone: it makes all mutants, and then misses this one.
    command = [sys.executable, "-m", "mutmut", "run", NOBODY]
    made = subprocess.run(command, cwd=ROOT, text=True, capture_output=True)
    if NOBODY not in made.stderr:
        sys.exit(made.stdout + made.stderr)
    return sorted(exit_codes())


def exit_codes() -> dict[str, int | None]:
    """What came of each mutant so far, by name."""
    found: dict[str, int | None] = {}
    for path in FOLDER.rglob("*.meta"):
        found |= json.loads(path.read_text())["exit_code_by_key"]
    return found


def draw(names: list[str], pattern: str, count: int, seed: int) -> list[str]:
    """Choose `count` of the names that match a pattern, the same ones for the same seed."""
    chosen = fnmatch.filter(names, pattern)
    if not chosen:
        sys.exit(f"no mutant is called {pattern}")
    return random.Random(seed).sample(chosen, min(count, len(chosen)))


def report(drawn: list[str]) -> None:
    """Print who survived, and how many of each module were noticed."""
    codes = exit_codes()
    survivors = [name for name in drawn if codes[name] in (SURVIVED, NO_TESTS, None)]
    for name in sorted(survivors):
        mutmut("show", name)
    made = Counter(map(module_of, drawn))
    killed = made - Counter(map(module_of, survivors))
    for module in sorted(made):
        print(f"{killed[module]:4} of {made[module]:3}  {module}")
    share = killed.total() / len(drawn)
    print(f"{killed.total()} of {len(drawn)} mutants were noticed: {share:.1%}")


def module_of(mutant: str) -> str:
    """The module that a mutant is of."""
    return mutant.rpartition(".")[0]


if __name__ == "__main__":
    main()
