"""Base class of metrics: variables, stateless updates, compiled updates."""

import numpy as np
import pytest

from keras_fn import metrics, ops
from keras_fn.backend.loader import current
from keras_fn.core.keras_tensor import KerasTensor
from keras_fn.core.scopes import SymbolicScope
from keras_fn.errors import SpecError


def number(x) -> np.ndarray:
    return ops.convert_to_numpy(x).astype("float64")


Y_TRUE = np.array([[0.0, 1.0], [1.0, 0.0], [1.0, 1.0]], "float32")
Y_PRED = np.array([[0.2, 0.7], [0.4, 0.1], [0.9, 0.6]], "float32")
EXAMPLES = [
    metrics.Mean,
    metrics.BinaryAccuracy,
    metrics.RootMeanSquaredError,
    metrics.Precision,
    lambda: metrics.AUC(num_thresholds=10),
    lambda: metrics.AUC(num_thresholds=10, multi_label=True, num_labels=2),
    lambda: metrics.SensitivityAtSpecificity(0.5),
    metrics.F1Score,
    lambda: metrics.R2Score(num_regressors=1),
    metrics.BinaryIoU,
]


def batch(metric: metrics.Metric) -> tuple[np.ndarray, ...]:
    return (Y_PRED,) if type(metric) is metrics.Mean else (Y_TRUE, Y_PRED)


@pytest.mark.parametrize("make", EXAMPLES)
def test_stateless_updates_do_not_change_the_variables(make) -> None:
    metric, same = make(), make()
    metric.update_state(*batch(metric))  # some make their variables now
    metric.reset_state()
    state = metric.stateless_reset_state()
    for _ in range(2):
        state = metric.stateless_update_state(state, *batch(metric))
        same.update_state(*batch(same))
    assert all(not np.any(number(v)) for v in metric.variables)
    for value, variable in zip(state, same.variables, strict=True):
        np.testing.assert_allclose(number(value), number(variable), rtol=1e-6)
    got = number(metric.stateless_result(state))
    np.testing.assert_allclose(got, number(same.result()), rtol=1e-6)


@pytest.mark.parametrize("make", EXAMPLES)
def test_an_update_compiles(make) -> None:
    metric, same = make(), make()
    args = batch(metric)
    metric.update_state(*args)
    metric.reset_state()

    def step(*tensors):
        metric.update_state(*tensors)
        return metric.result()

    tensors = [ops.convert_to_tensor(x) for x in args]
    compiled = current().compile(step, metric.variables)
    compiled(*tensors)
    got = number(compiled(*tensors))
    same.update_state(*args)
    np.testing.assert_allclose(got, number(same(*args)), rtol=1e-6)
    np.testing.assert_allclose(number(metric.result()), got, rtol=1e-6)


@pytest.mark.parametrize("make", EXAMPLES)
def test_an_update_is_inferred_for_a_batch_of_unknown_size(make) -> None:
    metric = make()
    symbols = [KerasTensor((None, 2)) for _ in batch(metric)]
    with SymbolicScope():
        metric.update_state(*symbols)
        result = metric.result()
    assert result.shape == ((2,) if isinstance(metric, metrics.F1Score) else ())
    assert metric.variables
    assert all(not np.any(number(v)) for v in metric.variables)


def test_variables_are_named_and_not_trained() -> None:
    mean = metrics.Mean(name="loss/total")
    assert [v.path for v in mean.variables] == ["loss>total/total", "loss>total/count"]
    assert not any(v.trainable for v in mean.variables)
    assert {v.aggregation for v in mean.variables} == {"sum"}
    assert [v.name for v in metrics.R2Score().variables] == ["num_samples"]


def test_add_weight_is_zeros_and_reset_state_sets_zeros() -> None:
    class Own(metrics.Metric):
        def __init__(self):
            super().__init__(name="own")
            self.a = self.add_weight((2,), name="a")
            self.b = self.add_variable((), "ones", dtype="int32", name="b")

    own = Own()
    assert number(own.a).tolist() == [0.0, 0.0]
    assert (number(own.b), own.b.dtype) == (1.0, "int32")
    own.reset_state()
    assert number(own.b) == 0.0


def test_variables_of_nested_metrics_are_included() -> None:
    class Both(metrics.Metric):
        def __init__(self):
            super().__init__()
            self.parts = [metrics.Mean(), metrics.Sum()]

        def update_state(self, values):
            for part in self.parts:
                part.update_state(values)

        def result(self):
            return {part.name: part.result() for part in self.parts}

    both = Both()
    assert len(both.variables) == 3
    state = both.stateless_update_state(both.stateless_reset_state(), [1.0, 3.0])
    assert {k: float(v) for k, v in both.stateless_result(state).items()} == {"mean": 2, "sum": 4}


def test_state_of_the_wrong_length_is_rejected() -> None:
    with pytest.raises(SpecError, match="a value for each of its 2 variables"):
        metrics.Mean().stateless_result([0.0])


def test_a_constructor_without_super_raises() -> None:
    class Own(metrics.Metric):
        def __init__(self):
            self.total = self.add_variable((), "zeros")

    with pytest.raises(RuntimeError, match=r"super\(\).__init__\(\)"):
        Own()


def test_missing_methods_of_a_subclass_raise() -> None:
    with pytest.raises(TypeError, match="no update_state"):
        metrics.Metric()([1.0])
    with pytest.raises(TypeError, match="no result"):
        metrics.Metric().result()
