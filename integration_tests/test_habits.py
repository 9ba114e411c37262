"""Habits of Keras users: short programs and their right answers (see `habits/__init__.py`)."""

import warnings
from pathlib import Path
from typing import Any

import habits
import pytest

import keras_fn

HABITS = list(habits.habits())
RUNNER = habits.Runner(keras_fn)
# JAX compiles each op for each shape: of these areas, a push runs every fourth habit there.
SINGLE_OPS = ("arithmetic", "arrays", "losses_and_metrics", "random_numbers")


def cases() -> list[Any]:
    """Returns the habits as parameters; some are for the thorough run."""
    on_jax = keras_fn.config.backend() == "jax"
    return [
        pytest.param(
            habit,
            id=f"{habit.area}: {habit.name}",
            marks=[pytest.mark.thorough]
            if on_jax and habit.area in SINGLE_OPS and number % 4
            else [],
        )
        for number, habit in enumerate(HABITS)
    ]


@pytest.mark.parametrize("habit", cases())
def test_a_habit(habit: habits.Habit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        RUNNER.check(habit)


def test_there_are_at_least_200():
    assert len(HABITS) >= 200
