"""Writes docs/ops.md, the list of all ops by group: `python tests/ops/generate_ops_page.py`."""

import ast
import inspect
import statistics
from collections import Counter
from pathlib import Path

from keras_fn import ops
from keras_fn.core.operators import OPS

PAGE = Path(__file__).parents[2] / "docs" / "ops.md"
BACKENDS = Path(__file__).parents[2] / "backends"
HEAD = """# Ops

Every op of `keras_fn.ops`, by the module that defines it. A *primitive* has a rule for shapes and
dtypes, and each backend provides it; a *composite* is written in other ops, and a backend may have
something faster. All take tensors, arrays, variables and KerasTensors.

{count} names, {primitives} primitives. What an op costs in all, with its docstring and in the three
backends: {median} lines in the median.
"""


def entries() -> dict[str, list[tuple[str, str, str]]]:
    """For each group: names, kinds, and what they do."""
    found: dict[str, list[tuple[str, str, str]]] = {}
    spaces = {"": ops, "image.": ops.image, "linalg.": ops.linalg}
    for prefix, space in spaces.items():
        for name in sorted(dir(space)):
            function = getattr(space, name)
            if name.startswith("_") or not inspect.isfunction(function):
                continue
            group = function.__module__
            if not group.startswith("keras_fn.ops.") or (prefix and hasattr(ops, name)):
                continue
            made = getattr(function, "op", None)
            kind = (
                "" if made is None else "primitive" if made.rule and not body(made) else "composite"
            )
            line = (inspect.getdoc(function) or "").splitlines()[0]
            found.setdefault(group.removeprefix("keras_fn.ops."), []).append(
                (prefix + name, kind, line)
            )
    return dict(sorted(found.items()))


def body(made) -> bool:
    """Whether the function has more than a docstring."""
    tree = ast.parse(inspect.getsource(made.fn).lstrip())
    statements = tree.body[0].body
    return len(statements) > 1 or not isinstance(statements[0], ast.Expr)


def cost(name: str, native: Counter[str | None]) -> int:
    """Lines of an op: its definition, and what the backends have under its name."""
    return len(inspect.getsource(OPS[name].op.fn).splitlines()) + native[name]


def lines_in_backends() -> Counter[str | None]:
    """Lines of the functions, assignments and imports of each name in the backends."""
    lines: Counter[str | None] = Counter()
    for path in BACKENDS.glob("keras_fn_*/*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.FunctionDef):
                lines[node.name] += node.end_lineno - node.lineno + 1
            elif isinstance(node, (ast.Assign, ast.ImportFrom)):
                names = getattr(node, "targets", None) or node.names
                lines.update({getattr(n, "id", getattr(n, "asname", None)) for n in names})
    return lines


def page() -> str:
    """Returns the page."""
    groups = entries()
    rows = [row for group in groups.values() for row in group]
    primitives = sum(kind == "primitive" for _, kind, _ in rows)
    public = [n.rpartition(".")[2] for n, kind, _ in rows if kind]
    native = lines_in_backends()
    median = int(statistics.median(cost(n, native) for n in public if n in OPS))
    parts = [HEAD.format(count=len(rows), primitives=primitives, median=median)]
    for group, members in groups.items():
        parts.append(f"\n## {group}\n\n| Op | Kind | What it gives |\n| --- | --- | --- |\n")
        parts += [
            f"| `{n}` | {kind} | {line.replace('|', chr(92) + '|')} |\n"
            for n, kind, line in members
        ]
    return "".join(parts)


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
