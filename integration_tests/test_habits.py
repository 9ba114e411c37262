"""Habits of Keras users: short programs and their right answers (see `habits/__init__.py`)."""

import warnings

import habits
import pytest

import keras_fn

HABITS = list(habits.habits())
RUNNER = habits.Runner(keras_fn)


@pytest.mark.parametrize("habit", HABITS, ids=lambda habit: f"{habit.area}: {habit.name}")
def test_a_habit(habit: habits.Habit, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        RUNNER.check(habit)


def test_there_are_at_least_200():
    assert len(HABITS) >= 200
