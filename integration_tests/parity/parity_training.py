"""Losses, metrics and optimizers compared with real Keras, in the same process.

`nox -s "parity(jax)"` runs it. Both get the same data and arguments, as `training_cases.py` says;
values, shapes and dtypes are compared, and whether both refuse. What differs, and who is right,
stands in `disagreements.py`.
"""

import itertools
import re
import warnings
from collections.abc import Callable
from functools import reduce
from typing import Any

import numpy as np
import pytest
import training_cases as cases
from disagreements import KNOWN_IN_MODULES, KNOWN_IN_TRAINING
from real_keras import keras

import keras_fn
from keras_fn.testing.conformance.assertions import TOLERANCE, widen

pytestmark = pytest.mark.filterwarnings("ignore")  # warnings are Keras's here
BOTH = (keras_fn, keras)
REDUCTIONS = ("sum_over_batch_size", "sum", "mean", "mean_with_sample_weight", "none", None)


def array(package: Any, x: Any) -> np.ndarray:
    if dtype(package, x) == "bfloat16":  # Keras on TensorFlow cannot make an array of it
        x = package.ops.cast(x, "float32")
    return widen(np.asarray(package.ops.convert_to_numpy(x)))


def dtype(package: Any, x: Any) -> str:
    return package.backend.standardize_dtype(x.dtype)


def outcome(package: Any, function: Callable[[Any], Any]) -> Any:
    """What a call gives: a tensor's dtype and values, or the exception."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            result = function(package)
    except Exception as error:
        return error
    return [(dtype(package, x), array(package, x)) for x in keras_fn.tree.flatten(result)]


class Differences:
    """Collects what differs in one test, so that one look shows all of it."""

    def __init__(self, name: str):
        self.name, self.found = name, []

    def compare(self, what: str, function: Callable[[Any], Any], computed: str = "") -> None:
        """Compares the outcomes of a call, as exactly as the dtype that it computed in allows."""
        ours, theirs = (outcome(package, function) for package in BOTH)
        said = self._difference(ours, theirs, TOLERANCE.get(computed, 0.0))
        if said:
            self.found.append(f"{what}: {said}")

    @staticmethod
    def _difference(ours: Any, theirs: Any, least: float) -> str | None:
        failed = [isinstance(x, Exception) for x in (ours, theirs)]
        if any(failed):
            if all(failed):
                return None
            return f"ours {_short(ours)}, Keras {_short(theirs)}"
        for (name, one), (other_name, other) in zip(ours, theirs, strict=True):
            if {name, other_name} == {"int32", "int64"}:
                pass  # Keras counts in 64 bits on TensorFlow alone
            elif name != other_name:
                return f"ours is {name}, Keras's {other_name}"
            if one.shape != other.shape:
                return f"ours has shape {one.shape}, Keras's {other.shape}"
            limit = max(4 * TOLERANCE.get(name, 1e-9), least)
            # Relative to the largest: a sum of many terms is no more exact than its terms.
            largest = np.max(np.abs(other), initial=1e-6, where=np.isfinite(other))
            if not np.allclose(one, other, rtol=limit, atol=limit * largest, equal_nan=True):
                return f"ours {_short(one)}, Keras's {_short(other)}"
        return None

    def report(self) -> None:
        known = KNOWN_IN_TRAINING.get(self.name, {})
        left = [
            x
            for x in self.found
            if not any(key in x for key in known)
            and not any(re.search(p, f"{self.name}: {x}") for p in KNOWN_IN_MODULES)
        ]
        assert not left, "\n".join([f"{len(left)} of {self.name}", *left[:12]])


def _short(x: Any) -> str:
    if isinstance(x, Exception):
        return f"raises {type(x).__name__}: {str(x).splitlines()[:1]}"[:160]
    x = x[0][1] if isinstance(x, list) else x
    return np.array2string(np.ravel(x)[:6], precision=6)


def every(table: cases.Table) -> list[Any]:
    return [pytest.param(name, id=name) for name in table]


# ------------------------------------------------------------------------------------ losses


@pytest.mark.parametrize("policy", [None, "bfloat16", "mixed_float16"])
@pytest.mark.parametrize("name", every(cases.LOSSES))
def test_a_loss(name: str, policy: str | None) -> None:
    differences = Differences(f"losses.{name}")
    shapes = cases.SHAPES[:1] if name in cases.FLAT_ONLY else cases.SHAPES
    for (true, pred, options), shape in itertools.product(cases.LOSSES[name], shapes):
        y_true, y_pred = cases.draw(true, shape, 0), cases.draw(pred, shape, 1)
        if policy is not None and pred == "bit_p":
            y_pred = np.clip(y_pred, 0.05, 0.95)  # in Keras 1 - epsilon is 1 in 16 bits
        for reduction, (label, weight) in itertools.product(
            REDUCTIONS, cases.weights(shape[:-1], 2)
        ):
            what = f"{true} {pred} {options} {shape} {reduction} {policy} weights {label}"

            def call(package: Any) -> Any:
                loss = getattr(package.losses, name)(reduction=reduction, dtype=policy, **options)
                return loss(y_true, y_pred, sample_weight=weight)

            differences.compare(what, call)
    differences.report()


@pytest.mark.parametrize("dtypes", [("float32", "float32"), ("int32", "float16")])
@pytest.mark.parametrize("name", every(cases.LOSS_FUNCTIONS))
def test_a_loss_function(name: str, dtypes: tuple[str, str]) -> None:
    differences = Differences(f"losses.{name}")
    _compare_functions(differences, "losses", name, cases.LOSS_FUNCTIONS[name], dtypes)
    differences.report()


@pytest.mark.parametrize("dtypes", [("float32", "float32"), ("int32", "float16")])
@pytest.mark.parametrize("name", every(cases.METRIC_FUNCTIONS))
def test_a_metric_function(name: str, dtypes: tuple[str, str]) -> None:
    differences = Differences(f"metrics.{name}")
    _compare_functions(differences, "metrics", name, cases.METRIC_FUNCTIONS[name], dtypes)
    differences.report()


def _compare_functions(
    differences: Differences, module: str, name: str, table: Any, dtypes: tuple[str, str]
) -> None:
    for (true, pred, options), shape in itertools.product(table, cases.SHAPES):
        y_true, y_pred = cases.draw(true, shape, 0), cases.draw(pred, shape, 1)
        if true not in cases.NAMES_OF_NUMBERS:
            y_true = y_true.astype(dtypes[0])
        if dtypes[1] == "float16" and pred == "bit_p":
            y_pred = np.clip(y_pred, 0.05, 0.95)
        y_pred = y_pred.astype(dtypes[1])

        def call(package: Any) -> Any:
            function = reduce(getattr, (module, name), package)
            return function(*map(package.ops.convert_to_tensor, (y_true, y_pred)), **options)

        differences.compare(f"{true} {pred} {options} {shape} {dtypes}", call, dtypes[1])


# ------------------------------------------------------------------------------------ metrics


@pytest.mark.parametrize("policy", [None, "mixed_bfloat16"])
@pytest.mark.parametrize("name", every(cases.METRICS))
def test_a_metric(name: str, policy: str | None) -> None:
    differences = Differences(f"metrics.{name}")
    shapes = cases.SHAPES[:1] if name in cases.MATRICES_ONLY else cases.SHAPES
    for (true, pred, options), shape in itertools.product(cases.METRICS[name], shapes):
        batches = [
            (cases.draw(true, shape, seed), cases.draw(pred, shape, seed + 5)) for seed in (0, 1)
        ]
        for label, weight in cases.weights(shape[:-1], 2):

            def call(package: Any) -> Any:
                metric = getattr(package.metrics, name)(dtype=policy, **options)
                for y_true, y_pred in batches:
                    metric.update_state(y_true, y_pred, sample_weight=weight)
                state = [package.ops.copy(v) for v in metric.variables]
                found = metric.result()
                metric.reset_state()
                return [found, state, metric.result()]

            what = f"{true} {pred} {options} {shape} {policy} weights {label}"
            differences.compare(what, call, "bfloat16" if policy else "")
    differences.report()


@pytest.mark.parametrize("name", ["Mean", "Sum"])
def test_a_running_value(name: str) -> None:
    differences = Differences(f"metrics.{name}")
    for shape in ((5,), (5, 3)):
        values = cases.draw("real", shape, 0)
        for label, weight in cases.weights(shape, 1):

            def call(package: Any) -> Any:
                metric = getattr(package.metrics, name)()
                found = []
                for x, w in ((values, weight), (values * 2, None)):
                    # A copy: on PyTorch, Keras's result is the variable that the next call changes.
                    found.append(np.array(package.ops.convert_to_numpy(metric(x, sample_weight=w))))
                return [package.ops.convert_to_tensor(x) for x in found]

            differences.compare(f"{shape} weights {label}", call)
    differences.report()


# ------------------------------------------------------------------------------------ optimizers


def trained(package: Any, name: str, options: dict[str, Any], rate: Any = 0.05) -> Any:
    """Returns the weights after each of five steps, and the optimizer's state."""
    random = np.random.default_rng(0)
    shapes = ((4, 3), (3,), (2, 3, 2))
    variables = [
        package.Variable(random.normal(size=s).astype("float32"), name=f"{n}_w")
        for s, n in zip(shapes, ("first", "second", "third"), strict=True)
    ]
    optimizer = getattr(package.optimizers, name)(
        learning_rate=rate(package) if callable(rate) else rate, **options
    )
    history = []
    for _ in range(5):
        grads = [random.normal(size=s).astype("float32") for s in shapes]
        optimizer.apply(list(map(package.ops.convert_to_tensor, grads)), variables)
        history += [v.numpy() if package is keras_fn else _copied(v) for v in variables]
    state = [package.ops.convert_to_numpy(v.value) for v in optimizer.variables[1:]]
    return [package.ops.convert_to_tensor(x) for x in (*history, *map(np.asarray, state))]


def _copied(variable: Any) -> np.ndarray:
    return np.array(keras.ops.convert_to_numpy(variable.value))


@pytest.mark.parametrize("name", cases.OPTIMIZERS)
def test_an_optimizer(name: str) -> None:
    differences = Differences(f"optimizers.{name}")
    for options in cases.OPTIMIZERS[name]:
        differences.compare(f"{options}", lambda p: trained(p, name, options))
    differences.report()


@pytest.mark.parametrize(("name", "options"), cases.SCHEDULES)
def test_a_schedule(name: str, options: dict[str, Any]) -> None:
    differences = Differences(f"optimizers.schedules.{name}")

    def schedule(package: Any) -> Any:
        return getattr(package.optimizers.schedules, name)(**options)

    for step in range(9):
        differences.compare(
            f"step {step}", lambda p: p.ops.convert_to_tensor(schedule(p)(step), "float32")
        )
    differences.compare("in Adam", lambda p: trained(p, "Adam", {}, schedule))
    differences.report()


@pytest.mark.parametrize("inner", ["SGD", "Adam"])
def test_a_scaled_optimizer(inner: str) -> None:
    differences = Differences("optimizers.LossScaleOptimizer")

    def run(package: Any) -> Any:
        optimizer = package.optimizers.LossScaleOptimizer(
            getattr(package.optimizers, inner)(0.1), initial_scale=8.0, dynamic_growth_steps=2
        )
        variable = package.Variable(np.ones(3, "float32"))
        found = []
        for value in (1.0, 2.0, float("inf"), 1.0, float("nan"), 3.0):
            grad = package.ops.convert_to_tensor(np.full(3, value, "float32"))
            optimizer.apply([grad], [variable])
            found.append(np.array(package.ops.convert_to_numpy(variable.value)))
            found.append(np.array(package.ops.convert_to_numpy(optimizer.dynamic_scale.value)))
        return [package.ops.convert_to_tensor(x) for x in found]

    differences.compare(inner, run)
    differences.report()
