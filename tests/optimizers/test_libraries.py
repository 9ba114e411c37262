"""Steps of our optimizers compared with torch.optim (on PyTorch) and Optax (on JAX).

Where a library puts epsilon elsewhere, it is so small here that it does not matter.
"""

import importlib.util

import numpy as np
import pytest

from keras_fn import config, ops, optimizers
from keras_fn.core.variable import Variable

SHAPES = ((4, 3), (3,), (5, 2))
RATE, TINY = 0.05, 1e-12

BOTH = {  # ours, torch.optim's, Optax's
    "sgd": (("SGD", {}), ("SGD", {}), ("sgd", {})),
    "momentum": (
        ("SGD", {"momentum": 0.9}), ("SGD", {"momentum": 0.9}), ("sgd", {"momentum": 0.9}),
    ),
    "nesterov": (
        ("SGD", {"momentum": 0.8, "nesterov": True}),
        ("SGD", {"momentum": 0.8, "nesterov": True}),
        ("sgd", {"momentum": 0.8, "nesterov": True}),
    ),
    "adam": (
        ("Adam", {"beta_1": 0.8, "epsilon": TINY}), ("Adam", {"betas": (0.8, 0.999), "eps": TINY}),
        ("adam", {"b1": 0.8, "eps": TINY}),
    ),
    "adamw": (
        ("AdamW", {"weight_decay": 0.1, "epsilon": TINY}),
        ("AdamW", {"weight_decay": 0.1, "eps": TINY}),
        ("adamw", {"weight_decay": 0.1, "eps": TINY}),
    ),
    "amsgrad": (
        ("Adam", {"amsgrad": True, "beta_2": 0.3, "epsilon": TINY}),
        ("Adam", {"amsgrad": True, "betas": (0.9, 0.3), "eps": TINY}),
        None,  # compares the averages after correcting them
    ),
    "adagrad": (
        ("Adagrad", {"initial_accumulator_value": 0.3, "epsilon": TINY}),
        ("Adagrad", {"initial_accumulator_value": 0.3, "eps": TINY}),
        ("adagrad", {"initial_accumulator_value": 0.3, "eps": TINY}),
    ),
    "adadelta": (
        ("Adadelta", {"rho": 0.8, "epsilon": 1e-3}), ("Adadelta", {"rho": 0.8, "eps": 1e-3}),
        ("adadelta", {"rho": 0.8, "eps": 1e-3}),
    ),
    "rmsprop": (
        ("RMSprop", {"rho": 0.8, "momentum": 0.5, "centered": True, "epsilon": TINY}),
        ("RMSprop", {"alpha": 0.8, "momentum": 0.5, "centered": True, "eps": TINY}),
        ("rmsprop", {"decay": 0.8, "momentum": 0.5, "centered": True, "eps": TINY}),
    ),
    "adamax": (
        ("Adamax", {"epsilon": TINY}), ("Adamax", {"eps": TINY}), ("adamax", {"eps": TINY}),
    ),
    "nadam": (
        ("Nadam", {"epsilon": TINY}), ("NAdam", {"eps": TINY, "momentum_decay": 1.0}),
        None,  # has no schedule of the momentum
    ),
    "adafactor": (
        ("Adafactor", {}), ("Adafactor", {"eps": (1e-15, 1e-3)}),
        None,  # clips by blocks
    ),
    "lion": (
        ("Lion", {"beta_1": 0.8}), None, ("lion", {"b1": 0.8, "weight_decay": 0.0}),
    ),
    "lamb": (("Lamb", {"epsilon": 1e-3}), None, ("lamb", {"eps": 1e-3})),
    "schedule-free": (
        ("ScheduleFreeAdamW", {"epsilon": TINY}), None,
        ("contrib.schedule_free_adamw", {"eps": TINY}),
    ),
}  # fmt: skip


def data(steps=6):
    rng = np.random.default_rng(0)
    weights = [rng.uniform(0.5, 2.0, s).astype("float32") for s in SHAPES]
    signs = [rng.choice([-1, 1], s) for s in SHAPES]
    pairs = list(zip(SHAPES, signs, strict=True))
    grads = [
        [(rng.uniform(0.2, 1, s) * sign).astype("float32") for s, sign in pairs]
        for _ in range(steps)
    ]
    return weights, grads


def ours(name, options, rate=RATE):
    weights, steps = data()
    variables = [Variable(w) for w in weights]
    optimizer = getattr(optimizers, name)(rate, **options)
    history = []
    for grads in steps:
        optimizer.apply([ops.convert_to_tensor(g) for g in grads], variables)
        history += [v.numpy() for v in variables]
    return history


def assert_same(got, want, rtol=1e-4):
    for i, (one, other) in enumerate(zip(got, want, strict=True)):
        np.testing.assert_allclose(one, other, rtol=rtol, atol=rtol / 10, err_msg=f"{i}")


# ------------------------------------------------------------------------------------ PyTorch

on_torch = pytest.mark.skipif(config.backend() != "torch", reason="compares with torch.optim")


def of_torch(name, options):
    import torch

    weights, steps = data()
    tensors = [torch.tensor(w, requires_grad=True) for w in weights]
    optimizer = getattr(torch.optim, name)(tensors, lr=RATE, **options)
    history = []
    for grads in steps:
        for tensor, grad in zip(tensors, grads, strict=True):
            tensor.grad = torch.tensor(grad)
        optimizer.step()
        history += [t.detach().numpy().copy() for t in tensors]
    return history


@on_torch
@pytest.mark.parametrize("case", [c for c, (_, theirs, _) in BOTH.items() if theirs])
def test_steps_match_torch(case):
    own, theirs, _ = BOTH[case]
    assert_same(ours(*own), of_torch(*theirs))


# ------------------------------------------------------------------------------------ JAX

has_optax = importlib.util.find_spec("optax") is not None
on_jax = pytest.mark.skipif(
    config.backend() != "jax" or not has_optax, reason="compares with Optax"
)


def of_optax(make):
    import optax

    weights, steps = data()
    transform = make(optax)
    state, history = transform.init(weights), []
    for grads in steps:
        updates, state = transform.update(grads, state, weights)
        weights = optax.apply_updates(weights, updates)
        history += [np.asarray(w) for w in weights]
    return history


def named(optax, name, options):
    for part in name.split("."):
        if not hasattr(optax, part):
            importlib.import_module(f"optax.{part}")
        optax = getattr(optax, part)
    return optax(RATE, **options)


@on_jax
@pytest.mark.parametrize("case", [c for c, (_, _, theirs) in BOTH.items() if theirs])
def test_steps_match_optax(case):
    own, _, theirs = BOTH[case]
    assert_same(ours(*own), of_optax(lambda optax: named(optax, *theirs)))


@on_jax
@pytest.mark.parametrize(
    ("options", "first"),
    [
        ({"global_clipnorm": 0.5}, lambda optax: optax.clip_by_global_norm(0.5)),
        ({"clipvalue": 0.3}, lambda optax: optax.clip(0.3)),
    ],
)
def test_clipping_matches_optax(options, first):
    own = ours("SGD", {"momentum": 0.9, **options})
    assert_same(own, of_optax(lambda o: o.chain(first(o), o.sgd(RATE, momentum=0.9))))


@on_jax
def test_gradient_accumulation_matches_optax():
    own = ours("Adam", {"gradient_accumulation_steps": 2, "epsilon": TINY})
    assert_same(own, of_optax(lambda o: o.MultiSteps(o.adam(RATE, eps=TINY), 2)))


@on_jax
def test_several_optimizers_match_optax():
    weights, steps = data()
    variables = [Variable(w, name=n) for w, n in zip(weights, "abc", strict=True)]
    found = optimizers.OptimizerMap(
        optimizers.SGD(RATE), {"b": optimizers.Adam(RATE, epsilon=TINY)}
    )  # fmt: skip
    optimizer, history = optimizers.MultiOptimizer(found), []
    for grads in steps:
        optimizer.apply([ops.convert_to_tensor(g) for g in grads], variables)
        history += [v.numpy() for v in variables]

    def theirs(optax):
        parts = {"sgd": optax.sgd(RATE), "adam": optax.adam(RATE, eps=TINY)}
        return optax.partition(parts, ["sgd", "adam", "sgd"])

    assert_same(history, of_optax(theirs))


@on_jax
def test_schedules_match_optax():
    import optax

    s = optimizers.schedules
    pairs = [
        (s.ExponentialDecay(0.5, 3, 0.7), optax.exponential_decay(0.5, 3, 0.7)),
        (
            s.ExponentialDecay(0.5, 3, 0.7, staircase=True),
            optax.exponential_decay(0.5, 3, 0.7, staircase=True),
        ),
        (s.CosineDecay(0.5, 6, 0.1), optax.cosine_decay_schedule(0.5, 6, 0.1)),
        (
            s.CosineDecay(0.0, 6, warmup_target=0.5, warmup_steps=3),
            optax.warmup_cosine_decay_schedule(0.0, 0.5, 3, 9),
        ),
        (s.PolynomialDecay(0.5, 6, 0.1, 2.0), optax.polynomial_schedule(0.5, 0.1, 2.0, 6)),
    ]
    for own, theirs in pairs:
        for step in range(10):
            np.testing.assert_allclose(float(own(step)), float(theirs(step)), rtol=1e-5)
