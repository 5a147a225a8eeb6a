"""The structure of the product in figures: lines, modules, equal names, cycles, single importers (``python -m bench.structure``).

Counts ``player``, ``recommender`` and ``embeddings`` of a checkout (this one, or the folder given), from the source alone:
nothing of it is imported or run. With ``--json`` one document; ``--names`` lists what the figures count. Every import
counts for the cycles, those inside functions and under ``TYPE_CHECKING`` too.
"""

import argparse
import ast
import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

PRODUCT = ("player", "recommender", "embeddings")
SMALL = 90
"""Lines below which a module with one importer in its own folder is worth a look."""


@dataclass(frozen=True, slots=True)
class Module:
    """One source file: its dotted name, its syntax tree and its lines."""

    name: str
    path: Path
    tree: ast.Module
    lines: int
    docstring_lines: int

    @property
    def package(self) -> str:
        """The folder it stands in, dotted; a package's ``__init__`` stands in itself."""
        return self.name if self.path.name == "__init__.py" else self.name.rpartition(".")[0]


@dataclass(frozen=True, slots=True)
class Structure:
    """The figures of one checkout."""

    lines: int
    lines_without_docstrings: int
    lines_by_package: dict[str, int]
    modules: int
    equal_class_names: dict[str, list[str]]
    equal_file_names: dict[str, list[str]]
    single_importer_modules: list[str]
    small_single_importer_modules: list[str]
    file_cycles: list[list[str]]
    package_cycles: list[list[str]]
    large_folders: dict[str, int]


def read_modules(root: Path) -> dict[str, Module]:
    """Every module of the product below ``root``, by dotted name."""
    found: dict[str, Module] = {}
    for path in sorted(file for package in PRODUCT for file in (root / package).rglob("*.py")):
        name = ".".join(path.relative_to(root).with_suffix("").parts).removesuffix(".__init__")
        text = path.read_text(encoding="utf-8")
        tree = ast.parse(text)
        found[name] = Module(name, path, tree, len(text.splitlines()), _docstring_lines(tree))
    return found


def _docstring_lines(tree: ast.Module) -> int:
    total = 0
    for node in ast.walk(tree):
        body: list[ast.stmt] = getattr(node, "body", []) if isinstance(getattr(node, "body", None), list) else []
        for statement in body:
            match statement:
                case ast.Expr(value=ast.Constant(value=str())):
                    total += (statement.end_lineno or statement.lineno) - statement.lineno + 1
                case _:
                    pass
    return total


def imports_of(modules: Mapping[str, Module]) -> dict[str, set[str]]:
    """Module → the modules of the product that it imports, wherever in it the import stands."""
    return {name: set(_imported(module, modules)) - {name} for name, module in modules.items()}


def _imported(module: Module, modules: Mapping[str, Module]) -> Iterator[str]:
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in modules)
        elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                if inner in modules:
                    yield inner
                elif node.module in modules:
                    yield node.module


def cycles(edges: Mapping[str, Iterable[str]]) -> list[list[str]]:
    """Strongly connected components of more than one node, sorted (Tarjan 1972)."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    found: list[list[str]] = []

    def visit(node: str) -> None:
        index[node] = low[node] = len(index)
        stack.append(node)
        for other in edges.get(node, ()):
            if other not in index:
                visit(other)
                low[node] = min(low[node], low[other])
            elif other in stack:
                low[node] = min(low[node], index[other])
        if low[node] == index[node]:
            component = [stack.pop()]
            while component[-1] != node:
                component.append(stack.pop())
            if len(component) > 1:
                found.append(sorted(component))

    for node in sorted(edges):
        if node not in index:
            visit(node)
    return sorted(found)


def package_edges(modules: Mapping[str, Module], edges: Mapping[str, set[str]]) -> dict[str, set[str]]:
    """Folder → the folders it imports from; a folder and what lies below it do not count as two."""
    between: dict[str, set[str]] = defaultdict(set)
    for name, targets in edges.items():
        own = modules[name].package
        for target in targets:
            other = modules[target].package
            if own != other and not own.startswith(f"{other}.") and not other.startswith(f"{own}."):
                between[own].add(other)
    return between


def measure(root: Path) -> Structure:
    """The figures of the checkout at ``root``."""
    modules = read_modules(root)
    edges = imports_of(modules)
    importers: dict[str, set[str]] = defaultdict(set)
    for name, targets in edges.items():
        for target in targets:
            importers[target].add(name)
    classes: dict[str, list[str]] = defaultdict(list)
    files: dict[str, list[str]] = defaultdict(list)
    for name, module in modules.items():
        top = name.partition(".")[0]
        if not module.path.name.startswith("__"):
            files[module.path.name].append(name)
        for node in module.tree.body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                classes[f"{top}: {node.name}"].append(name)
    single = sorted(
        name for name, module in modules.items() if len(importers[name]) == 1 and not module.path.name.startswith("__")
    )
    small = [
        name
        for name in single
        if modules[name].lines < SMALL and modules[next(iter(importers[name]))].package == modules[name].package
    ]
    lines = sum(module.lines for module in modules.values())
    by_top = Counter[str]()
    for name, module in modules.items():
        by_top[name.partition(".")[0]] += module.lines
    folders = Counter(module.package for module in modules.values() if module.path.name != "__init__.py")
    return Structure(
        lines=lines,
        lines_without_docstrings=lines - sum(module.docstring_lines for module in modules.values()),
        lines_by_package=dict(by_top),
        modules=len(modules),
        equal_class_names={name: homes for name, homes in sorted(classes.items()) if len(homes) > 1},
        equal_file_names={name: homes for name, homes in sorted(files.items()) if len(homes) > 1},
        single_importer_modules=single,
        small_single_importer_modules=small,
        file_cycles=cycles(edges),
        package_cycles=cycles(package_edges(modules, edges)),
        large_folders={name: count for name, count in sorted(folders.items()) if count > 25},
    )


def main() -> None:
    """Print the figures of a checkout."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, default=Path(), help="a checkout; this one without")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    parser.add_argument("--names", action="store_true", help="list what the figures count")
    chosen = parser.parse_args()
    document = asdict(measure(chosen.folder))
    if chosen.json:
        print(json.dumps(document, indent=1))
        return
    for name, value in document.items():
        shown = value if isinstance(value, int) or name == "lines_by_package" else len(value)
        print(f"{name.replace('_', ' '):32} {shown}")
        if chosen.names and not isinstance(value, int) and name != "lines_by_package":
            rows = value.items() if isinstance(value, dict) else enumerate(value, 1)
            for key, row in rows:
                print(f"    {key}: {row if isinstance(row, (str, int)) else ', '.join(row)}")


if __name__ == "__main__":
    main()
