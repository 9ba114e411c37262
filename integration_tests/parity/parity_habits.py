"""The habits of `integration_tests/habits` with real Keras: its answers, but for known ones."""

import os
import warnings
from typing import Any

import habits
import keras
import pytest
from habit_differences import known_difference

BACKEND = os.environ["KERAS_BACKEND"]
HABITS = list(habits.habits())
RUNNER = habits.Runner(keras)


@pytest.mark.parametrize("habit", HABITS, ids=lambda habit: f"{habit.area}: {habit.name}")
def test_a_habit(
    habit: habits.Habit, tmp_path: Any, monkeypatch: pytest.MonkeyPatch, record_property: Any
) -> None:
    monkeypatch.chdir(tmp_path)
    known = known_difference(habit, BACKEND)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            RUNNER.check(habit)
    except Exception as error:
        if known is None:
            raise
        record_property("habit", "Keras does otherwise")
        pytest.skip(f"{known}: {error}"[:200])
    record_property("habit", "the same")
    assert known is None, f"Keras does it too, so it is not to be listed: {known}"
