"""The examples in the docstrings of real Keras, run with keras_fn under the name `keras`.

An example that real Keras runs must run, and a `>>>` whose output is in real Keras the one that the
docstring shows must give it here. What needs a name that is not there yet is skipped, and counted.
"""

import importlib
import os
from collections.abc import Iterator
from functools import cache
from typing import Any, NamedTuple

import keras
import pytest
from docstring_differences import NOT_RUN, known_difference
from docstring_examples import (
    Example,
    Result,
    Session,
    default_names,
    documented,
    examples,
    has,
    matches,
    missing_member,
    missing_names,
    restored,
)

import keras_fn

BACKEND = os.environ["KERAS_BACKEND"]
importlib.import_module(BACKEND)
EXAMPLES = {name: found for name, text in documented(keras).items() if (found := examples(text))}
CASES = [
    pytest.param(name, index, id=f"{name}-{index}", marks=pytest.mark.xdist_group(name))
    for name, found in EXAMPLES.items()
    for index in range(len(found))
]


class Pair(NamedTuple):
    """What came of an example in real Keras, and here; None where Keras does not run it."""

    theirs: Result
    ours: Result | None


@cache
def run_both(name: str) -> list[Pair]:
    """Runs the examples of a docstring: those of one docstring follow each other."""
    names = default_names(keras, name)
    with restored(keras):
        session = Session(keras, BACKEND, names)
        theirs = [session.run(example) for example in EXAMPLES[name]]
    with restored(keras_fn):
        session = Session(keras_fn, BACKEND, names)
        ours = [
            session.run(example) if result.error is None else None
            for example, result in zip(EXAMPLES[name], theirs, strict=True)
        ]
    return [Pair(*pair) for pair in zip(theirs, ours, strict=True)]


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path_factory: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path_factory.mktemp("example"))
    monkeypatch.setenv("MPLBACKEND", "Agg")


@pytest.mark.parametrize(("name", "index"), CASES)
def test_an_example(name: str, index: int, record_property: Any) -> None:
    if name in NOT_RUN:
        pytest.skip(NOT_RUN[name])
    theirs, ours = run_both(name)[index]
    if ours is None:
        record_property("docstring example", "not run by Keras itself")
        pytest.skip(f"real Keras: {type(theirs.error).__name__} {theirs.error}"[:200])
    example = EXAMPLES[name][index]
    missing = _missing(name, index, ours)
    if missing and ours.error is not None:
        record_property("docstring example", "waiting for a name")
        for dotted in missing:
            record_property("missing name", dotted)
        pytest.skip(f"waits for {', '.join(missing)}")
    if (known := known_difference(f"{name}-{index}", BACKEND)) is not None:
        record_property("docstring example", "known difference")
        pytest.skip(known)
    record_property("docstring example", "fails" if ours.error else "runs")
    if ours.error is not None:
        raise AssertionError(f"{ours.where}\n\n{example.source}") from ours.error
    different = list(_different_outputs(example, theirs, ours))
    assert not different, "\n\n".join(different)


def _missing(name: str, index: int, ours: Result) -> list[str]:
    """Returns what an example uses, itself or in those before it, and is not there yet."""
    sources = [example.source for example in EXAMPLES[name][: index + 1]]
    names = default_names(keras, name)
    found = {dotted for source in sources for dotted in missing_names(keras, source, names)}
    found |= set() if has(keras_fn, name) else {name}
    member = missing_member(keras, ours.error)
    return sorted(found | ({member} if member else set()))


def _different_outputs(example: Example, theirs: Result, ours: Result) -> Iterator[str]:
    for statement, real, output in zip(
        example.statements, theirs.outputs, ours.outputs, strict=True
    ):
        wanted = statement.wanted
        if wanted and matches(wanted, real) and not matches(wanted, output):
            yield f">>> {statement.source.strip()}\nKeras: {real.strip()}\nours:  {output.strip()}"
