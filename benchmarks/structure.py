"""The size and order of `rag/` against their limits: python benchmarks/structure.py.

Prints one line for each figure, what exceeds it below, and exits 1 when a limit is exceeded.
"""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
import tomllib
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING

import grimp

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

ROOT = Path(__file__).parent.parent
LONGEST = 400  # lines of a file
ENTRIES, LINES, PATTERNS = 16, 28_150, 320
"""19,500 and 300 until an LLM's answers, more of each file, a private index and one that grows were added.

24,500 lines until there was a second engine, and other workers.
"""
USES = re.compile(r"\bre\.(?:compile|match|search|sub|fullmatch|findall|finditer|split|subn)\b")


def circles() -> list[str]:
    """Return the imports between modules that lead back, and those that make folders depend on each other in turn."""
    graph = grimp.build_graph("rag", exclude_type_checking_imports=False, cache_dir=None)
    back = {
        (module, other)
        for module in graph.modules
        for other in graph.find_modules_directly_imported_by(module)
        if graph.chain_exists(other, module)
    }
    between = {pair for module in graph.modules for pair in graph.nominate_cycle_breakers(module)}
    return [f"{module} imports {other}" for module, other in sorted(back | between)]


def outside_layers() -> list[str]:
    """Return what import-linter objects to; a module in no layer counts only if the layers are exhaustive."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]["contracts"]
    faults = [
        f"the layers of {contract['name']!r} are not exhaustive"
        for contract in contracts
        if contract["type"] == "layers" and not contract.get("exhaustive")
    ]
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    run = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    return faults if run.returncode == 0 else [*faults, *run.stdout.splitlines()]


def classes_twice(sources: Mapping[str, str]) -> Iterator[str]:
    """Yield each name that two or more public classes have, with their files."""
    places = defaultdict(list)
    for name, source in sources.items():
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                places[node.name].append(name)
    yield from (f"{name}: {', '.join(files)}" for name, files in sorted(places.items()) if len(files) > 1)


def main() -> int:
    """Print each figure with its limit; return 1 when one is exceeded."""
    entries = sorted(path.name for path in (ROOT / "rag").iterdir() if path.name != "__pycache__")
    files = sorted((ROOT / "rag").rglob("*.py"))
    sources = {str(path.relative_to(ROOT)): path.read_text("utf-8") for path in files}
    lines = {name: len(source.splitlines()) for name, source in sources.items()}
    uses = {name: len(USES.findall(source)) for name, source in sources.items()}
    long, circular, twice = [n for n in lines if lines[n] > LONGEST], circles(), list(classes_twice(sources))
    outside = outside_layers()
    rows: list[tuple[str, int, int, list[str]]] = [
        ("entries under rag/", len(entries), ENTRIES, entries),
        ("imports in circles, those for types counted", len(circular), 0, circular),
        ("broken import rules, each module in a layer", len(outside), 0, outside),
        (f"files over {LONGEST} lines", len(long), 0, [f"{name} {lines[name]}" for name in long]),
        ("lines of Python", sum(lines.values()), LINES, []),
        ("uses of re", sum(uses.values()), PATTERNS, []),
        ("names of more than one public class", len(twice), 0, twice),
    ]
    for what, count, limit, named in rows:
        print(f"{what:<46}{count:>7,}  at most {limit:>6,}  {'' if count <= limit else 'EXCEEDED'}".rstrip())
        if count > limit:
            print("".join(f"    {each}\n" for each in named), end="")
    return int(any(count > limit for _, count, limit, _ in rows))


if __name__ == "__main__":
    sys.exit(main())
