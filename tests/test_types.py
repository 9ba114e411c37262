"""The public API as a type checker sees it. `nox -s types` runs this, with basedpyright."""

import ast
import inspect
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from public_names import public_names

import keras_fn as keras

pytestmark = pytest.mark.types

ROOT = Path(__file__).parent.parent
MAX_SHARE_OF_ANY = 0.02
UNTYPED = ("Any", "Unknown", "Unbound", "partially unknown")
MISUSES = """
import numpy as np
import keras_fn as keras
from keras_fn import layers

x, y = np.ones((8, 3)), np.ones((8, 1))
inputs = keras.Input((3,))
model = keras.Model(inputs, layers.Dense(1)(inputs))
model.compile("adam", "mse")
layers.Dense(4, activaton="relu")
layers.Dense(4, activation=3.0)
layers.Dense(4, kernel_initializer=3)
layers.Conv2D(8, 3, paddng="same")
layers.LSTM(4, return_sequence=True)
model.fit(x, y, epoch=2)
model.fit(x, y, callbacks="early")
model.compile(optimzer="adam")
keras.optimizers.Adam(learning_rte=1e-3)
keras.losses.MeanSquaredError(reducton="sum")
keras.metrics.Mean(nam="loss")
keras.ops.matmul(x)
keras.ops.relu(x, axis=1)
keras.callbacks.EarlyStopping(patiences=3)
keras.Model(inputs).predict(x, bath_size=2)
"""
FIRST_MISUSE = 10  # its line in MISUSES
RESULTS = """
import numpy as np
import keras_fn as keras
from keras_fn import layers, ops

x = np.ones((8, 3))
inputs = keras.Input((3,))
dense = layers.Dense(1)
model = keras.Model(inputs, dense(inputs))
reveal_type(inputs)
reveal_type(dense)
reveal_type(dense(inputs))
reveal_type(model)
reveal_type(model(x))
reveal_type(model.fit(x, x))
reveal_type(model.history)
reveal_type(ops.matmul(x, x))
reveal_type(ops.relu([1.0, -1.0]))
reveal_type(ops.matmul(x, x) + 1.0)
reveal_type(keras.saving.load_model("m.keras"))
reveal_type(keras.models.clone_model(model))
reveal_type(keras.Sequential([dense]))
reveal_type(keras.losses.MeanSquaredError()(x, x))
reveal_type(keras.Variable(x).value)
"""
EXPECTED_RESULTS = [
    "KerasTensor", "Dense", "Tensor", "Model", "Tensor", "History", "History | None", "Tensor",
    "Tensor", "Tensor", "Model", "Model", "Sequential", "Tensor", "Tensor",
]  # fmt: skip


def check(source: str, folder: Path) -> list[dict]:
    """Returns what the type checker reports of a program: dicts with line, severity, message."""
    program = folder / "program.py"
    program.write_text(source, "utf-8")
    config = {"extraPaths": [str(ROOT), str(ROOT / "backends")], "typeCheckingMode": "standard"}
    (folder / "pyrightconfig.json").write_text(json.dumps(config), "utf-8")
    checker = [sys.executable, "-m", "basedpyright", "--pythonpath", sys.executable]
    command = [*checker, "--outputjson", "-p", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return [
        {"line": d["range"]["start"]["line"] + 1, **d}
        for d in json.loads(done.stdout)["generalDiagnostics"]
    ]


def revealed(reports: list[dict]) -> dict[int, str]:
    """Returns the type that each `reveal_type` reported, by line."""
    return {
        r["line"]: r["message"].split('" is "', 1)[1].rstrip('"')
        for r in reports
        if r["severity"] == "information" and '" is "' in r["message"]
    }


def test_no_public_name_is_any(tmp_path: Path):
    names = [name for name, _ in public_names()]
    assert len(names) > 900
    lines = ["import keras_fn as keras", *(f"reveal_type({name})" for name in names)]
    types = revealed(check("\n".join(lines), tmp_path))
    untyped = {
        name: types.get(line, "not revealed")
        for line, name in enumerate(names, start=2)
        if types.get(line, "Unknown").startswith(UNTYPED) or types[line].endswith("-> Unknown")
    }
    assert not untyped


def test_misspelled_and_mistyped_arguments_are_errors(tmp_path: Path):
    reports = check(MISUSES, tmp_path)
    errors = {r["line"] for r in reports if r["severity"] == "error"}
    lines = MISUSES.splitlines()
    expected = set(range(FIRST_MISUSE, len(lines) + 1))
    assert not {lines[i - 1] for i in expected - errors}, "accepted"
    assert not {lines[i - 1] for i in errors - expected}, "refused"


def test_calls_return_what_an_editor_needs(tmp_path: Path):
    reports = check(RESULTS, tmp_path)
    assert not [r["message"] for r in reports if r["severity"] == "error"]
    assert list(revealed(reports).values()) == EXPECTED_RESULTS


def public_functions() -> set[tuple[str, int]]:
    """Returns file and first line of all public functions and methods of public classes."""
    functions = []
    for _, value in public_names():
        for cls in value.__mro__ if isinstance(value, type) else ():
            members = ((n, getattr(m, "__func__", m)) for n, m in vars(cls).items())
            functions += [m for n, m in members if n == "__init__" or not n.startswith("_")]
        functions.append(value)
    unwrapped = [inspect.unwrap(f) for f in functions if callable(f) and not isinstance(f, type)]
    codes = [f.__code__ for f in unwrapped if inspect.isfunction(f)]
    return {(code.co_filename, code.co_firstlineno) for code in codes}


def public_parameters() -> Iterator[tuple[str, ast.expr | None]]:
    """Yields the parameters of the public functions, each with its annotation as it is written."""
    public = public_functions()
    for path in sorted((ROOT / "keras_fn").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not isinstance(node, ast.FunctionDef):
                continue
            line = min([node.lineno, *(d.lineno for d in node.decorator_list)])
            if (str(path), line) not in public:
                continue
            arguments = node.args
            named = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
            for argument in [*named, arguments.vararg, arguments.kwarg]:
                if argument is not None and argument.arg not in ("self", "cls"):
                    where = f"{path.relative_to(ROOT)}:{node.lineno} {node.name} {argument.arg}"
                    yield where, argument.annotation


def test_few_public_parameters_are_any():
    parameters = list(public_parameters())
    assert len(parameters) > 2500
    untyped = [
        where
        for where, annotation in parameters
        if annotation is None or ast.unparse(annotation) == "Any"
    ]
    share = len(untyped) / len(parameters)
    assert share <= MAX_SHARE_OF_ANY, f"{share:.1%}:\n" + "\n".join(untyped)


def test_the_signature_of_an_op_is_that_of_its_function():
    assert list(inspect.signature(keras.ops.matmul).parameters) == ["x1", "x2"]
