"""The folder tree is the architecture: imports run downwards, and nothing else lies at the top."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "susracker"

LAYERS = (
    ("__init__", "__main__", "cli"),
    ("testing",),
    ("commands",),
    ("server",),
    ("delivery",),
    ("replay", "recording", "demo"),
    ("tracking",),
    ("judgement", "retention"),
    ("access",),
    ("enrolment",),
    ("benchmark",),
    ("edge", "client"),
    ("watchlist",),
    ("faces",),
    ("matchers", "cooldowns"),
    ("stores",),
    ("plugins",),
    ("loading",),
    ("config",),
    ("runtime",),
    ("passwords",),
    ("models", "oversight"),
    ("errors",),
)
"""From the top to the bottom; what shares a row may import each other, without a cycle."""

RANKS = {name: rank for rank, layer in enumerate(LAYERS) for name in layer}


def modules() -> Iterator[tuple[str, ast.Module]]:
    for path in sorted(PACKAGE.rglob("*.py")):
        name = ".".join(path.relative_to(PACKAGE).with_suffix("").parts)
        yield name.removesuffix(".__init__"), ast.parse(path.read_text(encoding="utf-8"))


def imported_by(tree: ast.Module) -> set[str]:
    """Modules of the package that a module imports, anywhere, but for the checking of types."""
    skipped = {
        node
        for block in ast.walk(tree)
        if isinstance(block, ast.If) and ast.unparse(block.test) == "TYPE_CHECKING"
        for node in ast.walk(block)
    }
    found = set()
    for node in ast.walk(tree):
        if node in skipped:
            continue
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return {one.removeprefix("susracker.") for one in found if one.startswith("susracker.")}


def imports() -> dict[str, set[str]]:
    trees = dict(modules())
    return {name: imported_by(tree) & trees.keys() for name, tree in trees.items()}


def room(module: str) -> str:
    return module.partition(".")[0]


def test_every_file_has_its_place():
    assert {room(name) for name in imports()} <= RANKS.keys()


def test_imports_run_downwards():
    upward = [
        f"{name} imports {other}"
        for name, others in imports().items()
        for other in sorted(others)
        if RANKS[room(other)] < RANKS[room(name)]
    ]
    assert not upward


def test_there_is_no_cycle():
    graph = imports()
    while leaves := {name for name, others in graph.items() if not others & graph.keys()}:
        graph = {name: others for name, others in graph.items() if name not in leaves}
    assert not graph, "these import each other"


def test_contributors_are_shown_every_folder_in_this_order():
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (`susracker/[^|]*) \|", text, re.MULTILINE)
    shown = [name for row in rows for name in re.findall(r"(\w+)/`", row)]
    assert set(shown) == {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
    assert [RANKS[name] for name in shown] == sorted(RANKS[name] for name in shown)
