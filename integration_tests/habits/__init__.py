"""What a Keras user types without thinking, and its right answer, by area.

A habit is a program of a line or two in which `keras`, `layers`, `ops` and `np` are defined. Its
last line is an expression; the answer next to it was worked out by hand. `test_habits.py` runs the
table with keras_fn, and `parity/parity_habits.py` also with real Keras.

An area may have a `SETUP`: a program that runs once, whose names its habits share. A habit leaves
what it shares as it was.
"""

import ast
import importlib
from collections.abc import Iterator, Mapping
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np

AREAS = (
    "arithmetic", "arrays", "variables", "layers", "custom_layers", "models", "training",
    "losses_and_metrics", "optimizers", "callbacks", "saving", "settings", "random_numbers",
)  # fmt: skip
Table = Mapping[str, tuple[str, Any]]  # by name: the program and its answer


class Raises(NamedTuple):
    """The answer of a habit that is an error.

    Attributes:
        kind: Its class.
        word: What its message says, among other things.
    """

    kind: type[Exception]
    word: str = ""


class Habit(NamedTuple):
    """One row of a table."""

    area: str
    name: str
    program: str
    answer: Any


def habits() -> Iterator[Habit]:
    """Yields every habit of every area."""
    for area in AREAS:
        table: Table = importlib.import_module(f"habits.{area}").HABITS
        for name, (program, answer) in table.items():
            yield Habit(area, name, program, answer)


class Runner:
    """Runs habits with a package; what an area sets up is made when it is first needed."""

    def __init__(self, package: ModuleType):
        self.package = package
        self.shared: dict[str, dict[str, Any]] = {}

    def run(self, habit: Habit) -> Any:
        """Returns the value of the last line, as plain arrays, lists and dicts."""
        names = dict(self._names(habit.area))
        tree = ast.parse(habit.program)
        last = tree.body.pop()
        assert isinstance(last, ast.Expr), f"the last line of {habit.name!r} is not an expression"
        exec(compile(tree, habit.name, "exec"), names)
        value = eval(compile(ast.Expression(last.value), habit.name, "eval"), names)
        return plain(self.package, value)

    def _names(self, area: str) -> dict[str, Any]:
        if area not in self.shared:
            package = self.package
            names = {"keras": package, "layers": package.layers, "ops": package.ops, "np": np}
            exec(getattr(importlib.import_module(f"habits.{area}"), "SETUP", ""), names)
            self.shared[area] = names
        return self.shared[area]

    def check(self, habit: Habit) -> None:
        """Fails unless the habit gives its answer."""
        if isinstance(habit.answer, Raises):
            try:
                value = self.run(habit)
            except habit.answer.kind as error:
                assert habit.answer.word in str(error), f"the message is {str(error)!r}"
                return
            raise AssertionError(f"raises nothing, but gives {value!r}")
        value = self.run(habit)
        assert is_same(value, habit.answer), f"{value!r} instead of {habit.answer!r}"


def plain(package: ModuleType, value: Any) -> Any:
    """Returns tensors and variables as arrays, and tuples as lists."""
    if isinstance(value, Mapping):
        return {key: plain(package, x) for key, x in value.items()}
    if isinstance(value, list | tuple):
        return [plain(package, x) for x in value]
    if isinstance(value, package.Variable) or package.ops.is_tensor(value):
        return np.asarray(package.ops.convert_to_numpy(value))
    return value


def is_same(value: Any, answer: Any) -> bool:
    """Whether a result is the answer: numbers up to rounding, and of the same shape."""
    if isinstance(answer, dict):
        return (
            isinstance(value, dict)
            and list(value) == list(answer)
            and all(is_same(value[key], answer[key]) for key in answer)
        )
    if answer is None or isinstance(answer, str | bool):
        return type(value) is type(answer) and value == answer
    if isinstance(answer, list | tuple) and isinstance(value, list):
        return len(value) == len(answer) and all(map(is_same, value, answer))
    try:
        array = np.asarray(value, dtype="float64")
    except (TypeError, ValueError):
        return False
    expected = np.asarray(answer, dtype="float64")
    return array.shape == expected.shape and np.allclose(
        array, expected, rtol=1e-4, atol=1e-5, equal_nan=True
    )
