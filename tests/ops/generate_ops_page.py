"""Writes docs/ops.md, the list of all ops by chapter: `python tests/ops/generate_ops_page.py`."""

import ast
import inspect
import statistics
from collections import Counter
from pathlib import Path

from keras_fn import ops
from keras_fn.core.operators import OPS
from keras_fn.ops._op import get_op

PAGE = Path(__file__).parents[2] / "docs" / "ops.md"
BACKENDS = Path(__file__).parents[2] / "backends"
HEAD = """# Ops

Every op of `keras_fn.ops`, by chapter. Ops accept tensors, arrays, numbers, variables and
KerasTensors.

- A *primitive* has a rule for shapes and dtypes, and every backend implements it.
- A *composite* is written in terms of other ops; a backend may override it with a faster
  implementation.
- Functions of neither kind inspect tensors, create them, or transform functions.

{count} names, {primitives} primitives. The median size of an op is {median} lines, including its
docstring and its implementations in the three backends.
"""
CHAPTERS = {
    "core": "Tensors, shapes and dtypes",
    "creation": "Array creation",
    "numerical_ranges": "Numerical ranges and grids",
    "manipulation": "Shape manipulation",
    "joining_splitting": "Joining and splitting",
    "rearranging": "Rearranging elements",
    "einops": "Einops",
    "indexing": "Indexing",
    "slicing": "Slicing",
    "scatter": "Scatter",
    "encoding": "Encoding of class indices",
    "sorting_searching": "Sorting, searching and sets",
    "arithmetic": "Arithmetic",
    "casting": "Casting",
    "math": "Mathematical functions",
    "trigonometric": "Trigonometric and hyperbolic functions",
    "complex": "Complex numbers",
    "bitwise": "Bitwise operators",
    "logic": "Comparison and logic",
    "reductions": "Reductions",
    "nan_reductions": "Reductions that ignore NaN",
    "quantiles": "Quantiles",
    "statistics": "Statistics",
    "segments": "Segment reductions",
    "calculus": "Discrete calculus",
    "linalg.products": "Linear algebra: products",
    "linalg.decompositions": "Linear algebra: decompositions",
    "linalg.norms": "Linear algebra: norms and determinants",
    "linalg.solvers": "Linear algebra: linear systems",
    "activations": "Activation functions",
    "normalization": "Normalization",
    "dense": "Dense layers",
    "convolution": "Convolution",
    "pooling": "Pooling",
    "unfold": "Unfolding and rearranging patches",
    "attention": "Attention",
    "rnn": "Recurrent networks",
    "losses": "Losses",
    "ctc": "Connectionist temporal classification",
    "signal": "Signal processing",
    "window_functions": "Window functions",
    "image.color": "Images: color",
    "image.resizing": "Images: resizing",
    "image.cropping": "Images: cropping and padding",
    "image.patches": "Images: patches",
    "image.geometric_transforms": "Images: geometric transforms",
    "image.filters": "Images: filters and quality",
    "control_flow": "Control flow",
    "vectorization": "Vectorization and scans",
    "autodiff": "Automatic differentiation",
}
"""The title of each module of `keras_fn.ops`, in reading order."""


def list_ops_by_module() -> dict[str, list[tuple[str, str, str]]]:
    """Returns for each module the names, kinds and summaries of its ops."""
    modules: dict[str, list[tuple[str, str, str]]] = {}
    namespaces = {"": ops, "image.": ops.image, "linalg.": ops.linalg}
    for prefix, namespace in namespaces.items():
        for name in sorted(dir(namespace)):
            function = getattr(namespace, name)
            if name.startswith("_") or not inspect.isfunction(function):
                continue
            module = function.__module__
            if not module.startswith("keras_fn.ops.") or (prefix and hasattr(ops, name)):
                continue
            op = get_op(function)
            kind = "" if op is None else "primitive" if op.is_primitive else "composite"
            summary = (inspect.getdoc(function) or "").splitlines()[0]
            modules.setdefault(module.removeprefix("keras_fn.ops."), []).append(
                (prefix + name, kind, summary)
            )
    return modules


def count_lines(name: str, backend_lines: Counter[str | None]) -> int:
    """Returns the lines of an op: its definition, and its implementations in the backends."""
    return len(inspect.getsource(OPS[name].op.fn).splitlines()) + backend_lines[name]


def count_backend_lines() -> Counter[str | None]:
    """Returns the lines of the functions, assignments and imports of each name in the backends."""
    lines: Counter[str | None] = Counter()
    for path in BACKENDS.glob("keras_fn_*/*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.FunctionDef):
                lines[node.name] += node.end_lineno - node.lineno + 1
            elif isinstance(node, (ast.Assign, ast.ImportFrom)):
                names = getattr(node, "targets", None) or node.names
                lines.update({getattr(n, "id", getattr(n, "asname", None)) for n in names})
    return lines


def render_page() -> str:
    """Returns the page. Every module must have a chapter."""
    modules = list_ops_by_module()
    chapters = sorted(modules, key=lambda module: list(CHAPTERS).index(module))
    rows = [row for module in modules.values() for row in module]
    primitives = sum(kind == "primitive" for _, kind, _ in rows)
    names = [name.rpartition(".")[2] for name, kind, _ in rows if kind]
    backend_lines = count_backend_lines()
    median = int(statistics.median(count_lines(n, backend_lines) for n in names if n in OPS))
    parts = [HEAD.format(count=len(rows), primitives=primitives, median=median)]
    for module in chapters:
        parts.append(
            f"\n## {CHAPTERS[module]}\n\n| Op | Kind | Description |\n| --- | --- | --- |\n"
        )
        parts += [
            f"| `{name}` | {kind} | {summary.replace('|', chr(92) + '|')} |\n"
            for name, kind, summary in modules[module]
        ]
    return "".join(parts)


if __name__ == "__main__":
    PAGE.write_text(render_page(), "utf-8")
