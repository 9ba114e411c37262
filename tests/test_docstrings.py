"""Docstrings of the public API: arguments, results, and an example that `nox -s docs` runs."""

import ast
import inspect
import textwrap
from functools import cache
from typing import Any

import pytest
from public_names import public_names

CONSTANTS = {"keras.tree.MAP_TO_NONE"}


@cache
def public_callables() -> dict[str, tuple[Any, str, list[inspect.Parameter]]]:
    """Returns each public function and class with its docstring and parameters."""
    found = {}
    for name, value in public_names():
        if not callable(value) or name in CONSTANTS:
            continue
        signature = inspect.signature(value)
        parameters = [p for p in signature.parameters.values() if p.kind is not p.VAR_KEYWORD]
        found[name] = (value, inspect.getdoc(value) or "", parameters)
    return found


def test_many_names_are_looked_at():
    assert len(public_callables()) > 850


@pytest.mark.parametrize("section", ["Args:", "Returns:", ">>> "])
def test_public_docstrings_have(section: str):
    lacking = []
    for name, (value, doc, parameters) in public_callables().items():
        if section == "Args:":
            lacks = len(parameters) > 1 and not ("Args:" in doc or "Attributes:" in doc)
        elif section == "Returns:":
            returns = not inspect.isclass(value) and inspect.signature(value).return_annotation
            lacks = len(parameters) > 1 and returns not in (False, None, "None")
            lacks = lacks and "Returns:" not in doc
        else:
            lacks = section not in doc
        if lacks:
            lacking.append(name)
    assert not lacking


def test_docstrings_name_the_errors_that_the_function_raises():
    lacking = []
    for name, (value, doc, _) in public_callables().items():
        function = vars(value).get("__init__") if inspect.isclass(value) else inspect.unwrap(value)
        if function is not None and has_raise(function) and "Raises:" not in doc:
            lacking.append(name)
    assert not lacking


def has_raise(function: Any) -> bool:
    """Whether a function raises an error itself, not only what it calls."""
    if function.__code__.co_filename.startswith("<"):  # generated, as by dataclasses
        return False
    (definition,) = ast.parse(textwrap.dedent(inspect.getsource(function))).body
    inner = [x for x in ast.walk(definition) if isinstance(x, ast.FunctionDef | ast.Lambda)][1:]
    nested = {id(x) for definition in inner for x in ast.walk(definition)}
    return any(
        isinstance(x, ast.Raise) and x.exc is not None and id(x) not in nested
        for x in ast.walk(definition)
    )
