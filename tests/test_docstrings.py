"""Docstrings of the public API: arguments, results, and an example that `nox -s docs` runs."""

import inspect
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
