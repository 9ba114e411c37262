"""The backends are parallel: the same subject is in a file of the same name in each."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = {
    "jax": ROOT / "backends/keras_fn_jax",
    "torch": ROOT / "backends/keras_fn_torch",
    "tensorflow": ROOT / "backends/keras_fn_tensorflow",
    "numpy": ROOT / "tests/numpy_backend/keras_fn_numpy",
}
FRAMEWORK_SPECIFIC = {
    "jax": {"op_jit", "saved_model"},
    "torch": {"ctc", "foreach", "gradient_buckets", "losses", "scan_operator", "thread_state"},
    "tensorflow": {"_without_keras", "process_store", "statistics", "strategies"},
    "numpy": set(),
}
# Ops whose file in the backends is not the chapter of `keras_fn/ops` that they are in.
CHAPTERS = {
    "arithmetic": "math",
    "trigonometric": "math",
    "joining_splitting": "manipulation",
    "rearranging": "manipulation",
    "core": "tensors",
    "linalg": "linalg",
}
ELSEWHERE = {"all": "reductions", "any": "reductions"}


def modules(package):
    return {path.stem: path for path in PACKAGES[package].glob("*.py")}


def public_names(path):
    """The public names that a module defines, without those that it imports."""
    names = set()
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            names.add(node.name)
        elif isinstance(node, (ast.Assign, ast.AnnAssign)):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            names |= {n.id for t in targets for n in ast.walk(t) if isinstance(n, ast.Name)}
    return {name for name in names if not name.startswith("_")}


def definitions(package):
    """The module of each public name that a backend defines."""
    return {
        name: module
        for module, path in modules(package).items()
        if module != "__init__"
        for name in public_names(path)
    }


def chapters():
    """The chapter of `keras_fn/ops` of each op."""
    chapter_of = {}
    for path in (ROOT / "keras_fn/ops").rglob("*.py"):
        folder = path.parent.name
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.FunctionDef) and any(
                "op" in ast.unparse(d).split("(")[0] for d in node.decorator_list
            ):
                chapter_of[node.name] = folder if folder != "ops" else path.stem
    return chapter_of


@pytest.mark.parametrize("package", PACKAGES)
def test_each_file_has_a_counterpart_in_another_backend(package):
    others = {name for other in PACKAGES if other != package for name in modules(other)}
    assert set(modules(package)) - others == FRAMEWORK_SPECIFIC[package]


@pytest.mark.parametrize("package", ["torch", "tensorflow", "numpy"])
def test_a_name_that_two_backends_define_is_in_files_of_the_same_name(package):
    own = definitions(package)
    for other in PACKAGES:
        theirs = definitions(other)
        shared = own.keys() & theirs.keys()
        assert {n: own[n] for n in shared} == {n: theirs[n] for n in shared}


@pytest.mark.parametrize("package", PACKAGES)
def test_an_op_is_in_the_file_of_its_chapter(package):
    chapter_of = chapters()
    module_of = {n: m for n, m in definitions(package).items() if n in chapter_of}
    expected = {n: ELSEWHERE.get(n, CHAPTERS.get(chapter_of[n], chapter_of[n])) for n in module_of}
    assert module_of == expected


@pytest.mark.parametrize("package", PACKAGES)
def test_ops_py_only_lists(package):
    tree = ast.parse(modules(package)["ops"].read_text(encoding="utf-8"))
    assert all(isinstance(node, ast.ImportFrom) for node in tree.body[1:])
