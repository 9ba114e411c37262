"""Learning rate schedules against their formulas, with steps as numbers, tensors, variables."""

import math

import numpy as np
import pytest

from keras_fn import ops
from keras_fn.core.variable import Variable
from keras_fn.optimizers import schedules


def values(schedule, steps):
    return [float(ops.convert_to_numpy(schedule(step))) for step in steps]


def check(schedule, formula, steps=range(13)):
    expected = [formula(step) for step in steps]
    np.testing.assert_allclose(values(schedule, steps), expected, rtol=2e-6, atol=1e-7)
    counter = Variable(0, dtype="int64", trainable=False)
    for step, value in zip(steps, expected, strict=True):
        counter.assign(step)
        np.testing.assert_allclose(float(schedule(counter)), value, rtol=2e-6, atol=1e-7)


@pytest.mark.parametrize("staircase", [True, False])
def test_exponential_decay(staircase):
    part = (lambda s: s // 4) if staircase else (lambda s: s / 4)
    schedule = schedules.ExponentialDecay(0.5, 4, 0.9, staircase=staircase)
    check(schedule, lambda s: 0.5 * 0.9 ** part(s))


@pytest.mark.parametrize("staircase", [True, False])
def test_inverse_time_decay(staircase):
    part = (lambda s: s // 4) if staircase else (lambda s: s / 4)
    schedule = schedules.InverseTimeDecay(0.5, 4, 0.3, staircase=staircase)
    check(schedule, lambda s: 0.5 / (1 + 0.3 * part(s)))


def test_piecewise_constant_decay():
    schedule = schedules.PiecewiseConstantDecay([2, 5, 9], [1.0, 0.5, 0.1, 0.2])
    check(schedule, lambda s: 1.0 if s <= 2 else 0.5 if s <= 5 else 0.1 if s <= 9 else 0.2)


def test_piecewise_constant_decay_over_boundaries_that_are_floats():
    schedule = schedules.PiecewiseConstantDecay([2.5], [1.0, 0.5])
    assert values(schedule, [2, 3]) == [1.0, 0.5]


@pytest.mark.parametrize("power", [1.0, 2.0, 0.5])
def test_polynomial_decay(power):
    schedule = schedules.PolynomialDecay(0.5, 8, 0.1, power=power)
    check(schedule, lambda s: 0.4 * (1 - min(s, 8) / 8) ** power + 0.1)


def test_polynomial_decay_in_cycles():
    schedule = schedules.PolynomialDecay(0.5, 4, 0.1, cycle=True)

    def formula(step):
        length = 4 * max(math.ceil(step / 4), 1)
        return 0.4 * (1 - step / length) + 0.1

    check(schedule, formula)


def test_cosine_decay():
    schedule = schedules.CosineDecay(0.5, 8, alpha=0.1)

    def formula(step):
        cosine = 0.5 * (1 + math.cos(math.pi * min(step, 8) / 8))
        return 0.5 * (0.9 * cosine + 0.1)

    check(schedule, formula)


def test_cosine_decay_after_a_warmup():
    schedule = schedules.CosineDecay(0.1, 6, alpha=0.2, warmup_target=0.7, warmup_steps=4)

    def formula(step):
        if step < 4:
            return 0.1 + 0.6 * step / 4
        cosine = 0.5 * (1 + math.cos(math.pi * min(step - 4, 6) / 6))
        return 0.7 * (0.8 * cosine + 0.2)

    check(schedule, formula)


def test_cosine_decay_without_warmup_steps():
    schedule = schedules.CosineDecay(0.1, 6, warmup_target=0.7, warmup_steps=0)
    assert values(schedule, [0])[0] == pytest.approx(0.7)


@pytest.mark.parametrize(("t_mul", "m_mul"), [(1.0, 0.5), (2.0, 0.8), (2.0, 1.0)])
def test_cosine_decay_with_restarts(t_mul, m_mul):
    schedule = schedules.CosineDecayRestarts(0.5, 2, t_mul=t_mul, m_mul=m_mul, alpha=0.1)

    def formula(step):
        start, length, height = 0, 2, 1.0
        while step >= start + length:
            start, length, height = start + length, length * t_mul, height * m_mul
        cosine = 0.5 * (1 + math.cos(math.pi * (step - start) / length))
        return 0.5 * (0.9 * height * cosine + 0.1)

    check(schedule, formula, range(14))


@pytest.mark.parametrize(
    "make",
    [
        lambda: schedules.ExponentialDecay(1.0, 0, 0.5),
        lambda: schedules.InverseTimeDecay(1.0, -1, 0.5),
        lambda: schedules.PolynomialDecay(1.0, 0),
        lambda: schedules.CosineDecay(1.0, 0),
        lambda: schedules.CosineDecayRestarts(1.0, 0),
        lambda: schedules.PiecewiseConstantDecay([1, 2], [1.0, 2.0]),
        lambda: schedules.PiecewiseConstantDecay([], [1.0]),
    ],
)
def test_bad_arguments(make):
    with pytest.raises(ValueError, match="expected:"):
        make()


# The configs of Keras 3.15.1.
CONFIGS = [
    (
        schedules.ExponentialDecay(0.1, 10, 0.9),
        {"initial_learning_rate": 0.1, "decay_steps": 10, "decay_rate": 0.9, "staircase": False,
         "name": "ExponentialDecay"},
    ),
    (
        schedules.InverseTimeDecay(0.1, 10, 0.9, staircase=True),
        {"initial_learning_rate": 0.1, "decay_steps": 10, "decay_rate": 0.9, "staircase": True,
         "name": "InverseTimeDecay"},
    ),
    (
        schedules.PiecewiseConstantDecay([1, 2], [0.1, 0.2, 0.3]),
        {"boundaries": [1, 2], "values": [0.1, 0.2, 0.3], "name": "PiecewiseConstant"},
    ),
    (
        schedules.PolynomialDecay(0.1, 10),
        {"initial_learning_rate": 0.1, "decay_steps": 10, "end_learning_rate": 0.0001,
         "power": 1.0, "cycle": False, "name": "PolynomialDecay"},
    ),
    (
        schedules.CosineDecay(0.1, 10),
        {"initial_learning_rate": 0.1, "decay_steps": 10, "alpha": 0.0, "name": "CosineDecay",
         "warmup_target": None, "warmup_steps": 0},
    ),
    (
        schedules.CosineDecayRestarts(0.1, 10),
        {"initial_learning_rate": 0.1, "first_decay_steps": 10, "t_mul": 2.0, "m_mul": 1.0,
         "alpha": 0.0, "name": "SGDRDecay"},
    ),
]  # fmt: skip


@pytest.mark.parametrize(("schedule", "config"), CONFIGS)
def test_configs_match_keras_and_round_trip(schedule, config):
    assert schedule.get_config() == config
    written = schedules.serialize(schedule)
    assert written["module"] == "keras.optimizers.schedules"
    again = schedules.deserialize(written)
    assert type(again) is type(schedule)
    assert again.get_config() == config


def test_an_incomplete_schedule_raises():
    schedule = schedules.LearningRateSchedule()
    with pytest.raises(TypeError, match="no __call__"):
        schedule(0)
    with pytest.raises(TypeError, match="no get_config"):
        schedule.get_config()
