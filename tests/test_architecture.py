"""The rules of the codebase, read from the sources: who imports whom, and how long things are.

The levels are those of docs/architecture.md. A module imports from its own level and from those
below it. Public namespaces gather public names from several levels and are free to import.
"""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FRONTEND = sorted((ROOT / "keras_fn").rglob("*.py"))
HOMES_OF_BACKENDS = (ROOT / "backends", ROOT / "tests" / "numpy_backend")
BACKENDS = sorted(path for home in HOMES_OF_BACKENDS for path in home.glob("keras_fn_*/**/*.py"))
FRAMEWORKS = {"jax", "jaxlib", "torch", "tensorflow"}

LEVELS = (
    {"backend", "settings", "errors", "types", "version", "_lazy", "_regex"},
    {"core"},
    {"ops"},
    {
        "activations",
        "initializers",
        "regularizers",
        "constraints",
        "distribution",
        "dtype_policies",
        "quantizers",
        "random",
    },
    {"layers", "losses", "metrics", "optimizers"},
    {"data_adapters", "saving", "visualization", "export"},
    {"callbacks", "training", "debugging"},
    {"models"},
    {"datasets", "applications", "distillation", "wrappers", "alias", "cli", "launch", "__main__"},
)
LEVEL_OF = {name: level for level, names in enumerate(LEVELS) for name in names}
# "" is keras_fn/__init__.py.
PUBLIC_NAMESPACES = {
    "", "config", "demo", "legacy", "mixed_precision", "preprocessing", "testing", "tree", "utils",
}  # fmt: skip
BACKEND_NAMESPACE = "keras_fn.backend"
TYPES = "keras_fn.types"  # imports what it names for type checkers alone
MOST_LINES = 600
MOST_FUNCTION_LINES = 60


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"), str(path))


# Files whose ValueError or TypeError is part of a protocol of Python (`int(x)`, `len(x)`, `seek`),
# or is caught by the caller, which adds the file and the place.
PLAIN_ERRORS = (
    "keras_fn.core.keras_tensor",
    "keras_fn.core.serialization",
    "keras_fn.datasets.",
    "keras_fn.random.philox",
    "keras_fn.saving.byte_view",
    "keras_fn.testing.",
)


def module_name(path: Path) -> str:
    """Returns the dotted name, for example `keras_fn.core.tree`."""
    start = next((home for home in HOMES_OF_BACKENDS if path.is_relative_to(home)), ROOT)
    parts = path.relative_to(start).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


PATH_OF = {module_name(path): path for path in (*FRONTEND, *BACKENDS)}


def imported(path: Path, node: ast.AST) -> Iterator[str]:
    """Yields the modules that an import statement names, in full; of others, nothing."""
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        base = node.module or ""
        if node.level:
            package = module_name(path).split(".")
            strip = node.level - (path.name == "__init__.py")
            base = ".".join(filter(None, (*package[: len(package) - strip], base)))
        for alias in node.names:
            inner = f"{base}.{alias.name}"
            yield inner if inner in PATH_OF or base == "keras_fn" else base


def imports(path: Path) -> Iterator[tuple[int, str]]:
    """Yields line and module of every import, at any depth, `TYPE_CHECKING` too."""
    for node in ast.walk(tree(path)):
        for name in imported(path, node):
            yield node.lineno, name  # pyright: ignore[reportAttributeAccessIssue]


def imports_when_loaded(path: Path) -> Iterator[str]:
    """Yields the modules that are imported as soon as this one is."""
    statements = list(tree(path).body)
    while statements:
        node = statements.pop()
        yield from imported(path, node)
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            statements += node.orelse
        elif isinstance(node, ast.If | ast.Try | ast.With):
            statements += [s for s in ast.iter_child_nodes(node) if isinstance(s, ast.stmt)]


def level_of(name: str) -> int | None:
    """Returns the level of a module of keras_fn, None for a public namespace."""
    part = name.split(".")[1] if "." in name else ""
    if part in PUBLIC_NAMESPACES:
        return None
    return LEVEL_OF.get(part, -1)


def where(path: Path, line: int) -> str:
    return f"{path.relative_to(ROOT)}:{line}"


def report(offenders: list[str]) -> None:
    """Fails with one offender a line."""
    if offenders:
        pytest.fail("\n".join(["", *offenders]), pytrace=False)


def test_the_frontend_names_no_framework():
    report(
        [
            f"{where(path, line)} imports {name}"
            for path in FRONTEND
            for line, name in imports(path)
            if name.split(".")[0] in FRAMEWORKS | {p.name for p in (ROOT / "backends").iterdir()}
        ]
    )


def test_a_backend_knows_its_framework_and_the_two_lowest_levels():
    allowed_frameworks = {"keras_fn_jax": {"jax", "jaxlib"}}
    # Imported when a program exports from JAX to TensorFlow, or has a function of JAX as a layer on
    # TensorFlow, by jax2tf, and not before.
    bridges = {
        "keras_fn_jax.saved_model": {"tensorflow"},
        "keras_fn_tensorflow.interop": {"jax"},
    }
    offenders = []
    for path in BACKENDS:
        own = module_name(path).split(".")[0]
        own_frameworks = allowed_frameworks.get(own, {own.removeprefix("keras_fn_")})
        own_frameworks |= bridges.get(module_name(path), set())
        for line, name in imports(path):
            root = name.split(".")[0]
            if root == "keras_fn":
                allowed = level_of(name) in (0, 1)
            elif root.startswith("keras_fn_"):
                allowed = root == own
            else:
                allowed = root not in FRAMEWORKS - own_frameworks
            if not allowed:
                offenders.append(f"{where(path, line)} imports {name}")
    report(offenders)


def test_a_bridge_to_a_second_framework_is_imported_when_it_is_used():
    importers = {
        module_name(path)
        for path in BACKENDS
        if "keras_fn_jax.saved_model" in imports_when_loaded(path)
    }
    assert not importers


def test_a_level_imports_only_from_itself_and_below():
    offenders = []
    for path in FRONTEND:
        own = level_of(module_name(path))
        if own is None or module_name(path) in (BACKEND_NAMESPACE, TYPES):
            continue
        for line, name in imports(path):
            if name.split(".")[0] != "keras_fn":
                continue
            # Helpers in utils stand on settings and errors alone: the top level may use them.
            level = level_of(name)
            level = len(LEVELS) - 1 if level is None and ".utils" in name else level
            if level is None or level > own:
                offenders.append(f"{where(path, line)} (level {own}) imports {name}")
    report(offenders)


def test_every_module_of_the_frontend_has_a_level():
    names = map(module_name, FRONTEND)
    report([f"{name} is on no level" for name in names if level_of(name) == -1])


def test_no_function_imports_the_frontend():
    offenders = []
    for path in FRONTEND:
        for function in functions(tree(path)):
            for node in ast.walk(function):
                for name in imported(path, node):
                    if name.split(".")[0] == "keras_fn":
                        offenders.append(f"{where(path, node.lineno)} imports {name}")
    report(sorted(set(offenders)))


def test_imports_make_no_circle():
    graph = {
        name: {target for target in imports_when_loaded(path) if target in PATH_OF} - {name}
        for name, path in PATH_OF.items()
    }
    # Take away what imports nothing that is left, until nothing changes: a circle stays.
    while leaves := {name for name, targets in graph.items() if not targets & graph.keys()}:
        for name in leaves:
            del graph[name]
    report([" -> ".join(_circle(graph))] if graph else [])


def _circle(graph: dict[str, set[str]]) -> list[str]:
    trail = [min(graph)]
    while trail.count(trail[-1]) == 1:
        trail.append(min(graph[trail[-1]] & graph.keys()))
    return trail[trail.index(trail[-1]) :]


def test_no_file_is_long():
    lengths = {path: len(path.read_text("utf-8").splitlines()) for path in PATH_OF.values()}
    report(
        [
            f"{path.relative_to(ROOT)} has {lines} lines, over {MOST_LINES}"
            for path, lines in lengths.items()
            if lines > MOST_LINES
        ]
    )


def test_no_function_is_long():
    offenders = []
    for path in PATH_OF.values():
        for function in functions(tree(path)):
            lines = _lines_without_docstring(function)
            if lines > MOST_FUNCTION_LINES:
                offenders.append(f"{where(path, function.lineno)} {function.name}: {lines} lines")
    report(offenders)


def test_errors_of_the_user_have_four_parts():
    offenders = []
    for name, path in PATH_OF.items():
        if not name.startswith("keras_fn.") or name.startswith(PLAIN_ERRORS):
            continue
        for node in ast.walk(tree(path)):
            raised = node.exc if isinstance(node, ast.Raise) else None
            if isinstance(raised, ast.Call) and ast.unparse(raised.func) in (
                "ValueError",
                "TypeError",
            ):
                offenders.append(f"{where(path, node.lineno)} raise SpecError or DTypeError")
    report(offenders)


def functions(module: ast.Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(module):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def _lines_without_docstring(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    lines = (function.end_lineno or function.lineno) - function.lineno + 1
    if ast.get_docstring(function) is not None:
        docstring = function.body[0]
        lines -= (docstring.end_lineno or docstring.lineno) - docstring.lineno + 1
    return lines
