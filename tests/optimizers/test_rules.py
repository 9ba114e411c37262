"""Ten steps of each optimizer against its formula in NumPy, in every way that a step can run."""

import numpy as np
import optimizer_references as references
import pytest

from keras_fn import ops, optimizers
from keras_fn.backend.loader import current
from keras_fn.core.variable import Variable

SHAPES = ((4, 3), (3,), (2, 3, 4), ())

CASES = {
    "sgd": (optimizers.SGD, {}, references.sgd, {}),
    "momentum": (optimizers.SGD, {"momentum": 0.9}, references.sgd, {"momentum": 0.9}),
    "nesterov": (
        optimizers.SGD, {"momentum": 0.8, "nesterov": True},
        references.sgd, {"momentum": 0.8, "nesterov": True},
    ),
    "rmsprop": (optimizers.RMSprop, {}, references.rmsprop, {}),
    "rmsprop-rho": (
        optimizers.RMSprop, {"rho": 0.5, "epsilon": 0.01},
        references.rmsprop, {"rho": 0.5, "epsilon": 0.01},
    ),
    "rmsprop-momentum": (
        optimizers.RMSprop, {"momentum": 0.9}, references.rmsprop, {"momentum": 0.9},
    ),
    "rmsprop-centered": (
        optimizers.RMSprop, {"centered": True}, references.rmsprop, {"centered": True},
    ),
    "rmsprop-all": (
        optimizers.RMSprop, {"centered": True, "momentum": 0.5, "rho": 0.8},
        references.rmsprop, {"centered": True, "momentum": 0.5, "rho": 0.8},
    ),
    "adam": (optimizers.Adam, {}, references.adam, {}),
    "adam-betas": (
        optimizers.Adam, {"beta_1": 0.5, "beta_2": 0.9, "epsilon": 0.1},
        references.adam, {"beta_1": 0.5, "beta_2": 0.9, "epsilon": 0.1},
    ),
    "amsgrad": (
        optimizers.Adam, {"amsgrad": True, "beta_2": 0.3},
        references.adam, {"amsgrad": True, "beta_2": 0.3},
    ),
    "adamw": (optimizers.AdamW, {"weight_decay": 0.0}, references.adam, {}),
    "adagrad": (
        optimizers.Adagrad, {"initial_accumulator_value": 0.5, "epsilon": 0.01},
        references.adagrad, {"initial_accumulator_value": 0.5, "epsilon": 0.01},
    ),
    "adadelta": (
        optimizers.Adadelta, {"rho": 0.8, "epsilon": 1e-3},
        references.adadelta, {"rho": 0.8, "epsilon": 1e-3},
    ),
    "adamax": (optimizers.Adamax, {}, references.adamax, {}),
    "nadam": (optimizers.Nadam, {}, references.nadam, {}),
    "lion": (optimizers.Lion, {"beta_1": 0.8}, references.lion, {"beta_1": 0.8}),
    "lamb": (optimizers.Lamb, {}, references.lamb, {}),
    "ftrl": (optimizers.Ftrl, {}, references.ftrl, {}),
    "ftrl-all": (
        optimizers.Ftrl,
        {
            "learning_rate_power": -0.7, "initial_accumulator_value": 0.2, "beta": 0.3,
            "l1_regularization_strength": 0.5, "l2_regularization_strength": 0.1,
            "l2_shrinkage_regularization_strength": 0.05,
        },
        references.ftrl,
        {"power": -0.7, "initial": 0.2, "l1": 0.5, "l2": 0.1, "shrinkage": 0.05, "beta": 0.3},
    ),
    "adafactor": (optimizers.Adafactor, {}, references.adafactor, {}),
    "adafactor-all": (
        optimizers.Adafactor, {"beta_2_decay": -0.5, "epsilon_2": 5.0, "clip_threshold": 0.5},
        references.adafactor, {"beta_2_decay": -0.5, "epsilon_2": 5.0, "clip_threshold": 0.5},
    ),
    "muon": (
        optimizers.Muon, {"weight_decay": None, "adam_weight_decay": None}, references.muon, {},
    ),
    "muon-all": (
        optimizers.Muon,
        {
            "weight_decay": None, "adam_weight_decay": None, "momentum": 0.5, "nesterov": False,
            "rms_rate": None, "ns_steps": 3, "adam_lr_ratio": 0.5,
        },
        references.muon,
        {"momentum": 0.5, "nesterov": False, "rms_rate": None, "steps": 3, "adam_rate": 0.5},
    ),
    "schedule-free": (
        optimizers.ScheduleFreeAdamW, {"warmup_steps": 4},
        references.schedule_free, {"warmup": 4},
    ),
}  # fmt: skip


def data(steps=10, seed=0):
    rng = np.random.default_rng(seed)
    # Away from zero: an error of the last bit there would be a large one after a division.
    weights = [np.asarray(rng.uniform(0.5, 2.0, s), "float32") for s in SHAPES]
    grads = [
        [np.asarray(rng.uniform(0.2, 1, s) * rng.choice([-1, 1], s), "float32") for s in SHAPES]
        for _ in range(steps)
    ]
    return weights, grads


def tensors(arrays):
    return [ops.convert_to_tensor(a) for a in arrays]


def train(optimizer, weights, steps):
    """Returns the weights after each step."""
    variables = [Variable(w, name=f"w{i}") for i, w in enumerate(weights)]
    history = []
    for grads in steps:
        optimizer.apply(tensors(grads), variables)
        history.append([v.numpy() for v in variables])
    return history


def assert_same(history, expected, rtol=3e-5):
    for step, (got, want) in enumerate(zip(history, expected, strict=True)):
        for g, w in zip(got, want, strict=True):
            np.testing.assert_allclose(g, w, rtol=rtol, atol=rtol, err_msg=f"step {step}")


@pytest.mark.parametrize("case", CASES)
def test_ten_steps_follow_the_formula(case):
    cls, options, reference, reference_options = CASES[case]
    weights, steps = data()
    rule, expected, state = reference(**reference_options), [], weights
    for grads in steps:
        state = rule(state, grads)
        expected.append(state)
    assert_same(train(cls(learning_rate=0.05, **options), weights, steps), expected)


@pytest.mark.parametrize("case", CASES)
def test_foreach_updates_equal_single_updates(case, monkeypatch):
    if not hasattr(current(), "foreach"):
        pytest.skip("this backend updates one variable after the other")
    cls, options, _, _ = CASES[case]
    weights, steps = data()
    shared = {**options, "weight_decay": 0.01, "global_clipnorm": 0.5}
    together = train(cls(learning_rate=0.05, **shared), weights, steps)
    monkeypatch.setattr(optimizers.Optimizer, "_can_use_foreach", lambda self: False)
    assert_same(train(cls(learning_rate=0.05, **shared), weights, steps), together, rtol=2e-6)


@pytest.mark.parametrize("case", CASES)
def test_stateless_apply_equals_apply(case):
    cls, options, _, _ = CASES[case]
    weights, steps = data(steps=4)
    expected = train(cls(learning_rate=0.05, **options), weights, steps)
    optimizer = cls(learning_rate=0.05, **options)
    variables = [Variable(w) for w in weights]
    optimizer.build(variables)
    before = [v.numpy() for v in optimizer.variables]
    values, state, history = tensors(weights), [v.value for v in optimizer.variables], []
    for grads in steps:
        values, state = optimizer.stateless_apply(state, tensors(grads), values)
        history.append([ops.convert_to_numpy(v) for v in values])
    assert_same(history, expected, rtol=2e-6)
    for v, old in zip(optimizer.variables, before, strict=True):  # nothing was changed
        np.testing.assert_array_equal(v.numpy(), old)
    for v, w in zip(variables, weights, strict=True):
        np.testing.assert_array_equal(v.numpy(), w)


@pytest.mark.parametrize("case", ["momentum", "rmsprop-all", "amsgrad", "nadam", "lamb"])
def test_a_compiled_step_equals_apply(case):
    cls, options, _, _ = CASES[case]
    weights, steps = data(steps=4)
    shared = {"clipnorm": 0.5, "use_ema": True, "gradient_accumulation_steps": 2, **options}
    expected = train(cls(learning_rate=0.05, **shared), weights, steps)
    optimizer = cls(learning_rate=0.05, **shared)
    variables = [Variable(w) for w in weights]
    optimizer.build(variables)

    def step(*grads):
        optimizer.apply(list(grads))
        return ops.convert_to_tensor(0.0)

    compiled = current().compile(step, [*variables, *optimizer.variables])
    history = []
    for grads in steps:
        compiled(*tensors(grads))
        history.append([v.numpy() for v in variables])
    assert_same(history, expected, rtol=2e-6)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float64"])
@pytest.mark.parametrize("cls", [optimizers.SGD, optimizers.RMSprop, optimizers.Adam])
def test_dtypes_are_preserved(cls, dtype):
    variable = Variable(np.ones((3,), "float32"), dtype=dtype)
    wide = Variable(np.ones((2,), "float32"))
    optimizer = cls(0.1)
    for _ in range(3):
        grads = [ops.ones((3,), dtype=variable.dtype), ops.ones((2,))]
        optimizer.apply(grads, [variable, wide])
    assert ops.dtype(variable.value) == variable.dtype
    got = variable.numpy().astype("float32")
    np.testing.assert_allclose(got, np.full(3, wide.numpy()[0]), rtol=0.02)
    assert (got < 0.95).all()


def test_adam_updates_half_precision_in_the_first_step():
    # 1 - 0.999 is 0 in bfloat16: bias correction is computed in 32 bits.
    variable = Variable(np.ones((1,), "float32"), dtype="bfloat16")
    optimizers.Adam(0.125).apply([ops.ones((1,), dtype="bfloat16")], [variable])
    np.testing.assert_allclose(variable.numpy().astype("float32"), [0.875], atol=0.004)


def test_gradients_of_another_dtype_are_converted():
    variable = Variable(np.ones((2,), "float32"))
    optimizers.SGD(0.5).apply([ops.ones((2,), dtype="float16")], [variable])
    assert variable.numpy().tolist() == [0.5, 0.5]


def test_gradients_are_not_changed_in_place():
    grad = ops.convert_to_tensor(np.array([3.0, 4.0], "float32"))
    for cls, options, _, _ in CASES.values():
        variable = Variable(np.ones((2,), "float32"))
        optimizer = cls(learning_rate=0.1, clipnorm=1.0, **options)
        optimizer.apply([grad], [variable])
        assert ops.convert_to_numpy(grad).tolist() == [3.0, 4.0], cls
