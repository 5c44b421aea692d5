"""What in a submission deserves a teacher's look: a student's code runs in the same process as the hidden tests.

    python -m jaalnet_core.course.conspicuous ../classroom/submitted

prints a line for each place, by student: code that reaches for the course's own internals, changes imported modules,
or leaves Python. A place is no proof, and none is no proof either: who knows Python well can hide such code.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from jaalnet_core.course.lessons import read_notebook
from jaalnet_core.errors import JaalnetError

COURSE = "jaalnet_core.course"
_LEAVING_PYTHON = {"ctypes", "os", "shutil", "signal", "subprocess", "multiprocessing", "threading"}
_LOOKING_AROUND = {"builtins", "gc", "importlib", "inspect", "sys", "pickle", "IPython", "nbformat"}
_NETWORK = {"requests", "socket", "urllib"}
MODULES = _LEAVING_PYTHON | _LOOKING_AROUND | _NETWORK
CALLS = frozenset({"__import__", "compile", "delattr", "eval", "exec", "globals", "open", "setattr", "vars"})
ORDINARY = frozenset({"__init__", "__name__", "__call__", "__doc__", "__len__", "__getitem__", "__class__"})


def conspicuous(notebook: Any) -> list[str]:
    """Places in the cells that a student may change, each as cell, line and what is there; none in most notebooks."""
    cells = [(number, cell) for number, cell in enumerate(notebook.cells, 1) if cell.cell_type == "code"]
    imported = {name for _, cell in cells for tree in _parsed(cell.source) for name in _imported(tree)}
    found = []
    for number, cell in cells:
        if cell.metadata.get("nbgrader", {}).get("locked"):
            continue  # grading puts it back
        found += [f"cell {number}, line {line}: {words}" for line, words in sorted(_places(cell.source, imported))]
    return found


def _places(source: str, imported: set[str]) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(source.splitlines(), 1):
        if line.lstrip().startswith(("!", "%")):
            yield number, f"a command of the notebook, {line.strip()[:40]}"
    for tree in _parsed(source):
        for node in ast.walk(tree):
            if words := _words(node, imported):
                yield node.lineno, words


def _words(node: ast.AST, imported: set[str]) -> str:
    """What is conspicuous about one node of a program; empty for most."""
    if isinstance(node, (ast.Import, ast.ImportFrom)):
        for name in _modules(node):
            if name.startswith(COURSE) or name.split(".")[0] in MODULES:
                return f"imports {name}"
    if isinstance(node, ast.Attribute):
        root = _root(node)
        if not isinstance(node.ctx, ast.Load) and root in imported:
            return f"changes {ast.unparse(node)}"
        if node.attr.startswith("__") and node.attr not in ORDINARY:
            return f"uses {node.attr}"
        if root == "course" and node.attr in ("grade", "checking", "judging", "own_work", "record", "exercise"):
            return f"uses {ast.unparse(node)}"
    if isinstance(node, ast.Name):
        if node.id in CALLS:
            return f"uses {node.id}"
        if node.id == "course" and not isinstance(node.ctx, ast.Load):
            return "gives `course` another meaning"
    if isinstance(node, (ast.ClassDef, ast.FunctionDef)) and node.name == "course":
        return "gives `course` another meaning"
    return ""


def _parsed(source: str) -> Iterator[ast.Module]:
    """The program of a cell, without the notebook's commands; nothing where it is none."""
    lines = ["" if line.lstrip().startswith(("!", "%")) else line for line in source.splitlines()]
    try:
        yield ast.parse("\n".join(lines))
    except (SyntaxError, ValueError):
        return


def _modules(node: ast.Import | ast.ImportFrom) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    return [f"{node.module}.{alias.name}" for alias in node.names if f"{node.module}.{alias.name}" != COURSE]


def _imported(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            yield from (alias.asname or alias.name.split(".")[0] for alias in node.names)


def _root(node: ast.AST) -> str:
    while isinstance(node, ast.Attribute):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""


def main(folders: Sequence[str]) -> int:
    """Look at every notebook below some folders and print what was found; 1 where there was something."""
    count = 0
    for folder in folders:
        for path in sorted(path for path in Path(folder).rglob("*.ipynb") if ".ipynb_checkpoints" not in path.parts):
            try:
                places = conspicuous(read_notebook(path))
            except JaalnetError:
                places = ["no notebook can be read there"]
            count += len(places)
            print("".join(f"{path.relative_to(folder)}: {place}\n" for place in places), end="")
    print(f"{count or 'no'} places to look at")
    return int(count > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:] or ["submitted"]))
