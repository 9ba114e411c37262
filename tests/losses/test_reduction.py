"""Reduction of per-sample losses: weights, masks, ranks, dtypes."""

import numpy as np
import pytest

from keras_fn import losses, ops
from keras_fn.core.keras_tensor import KerasTensor
from keras_fn.core.masking import set_mask
from keras_fn.core.scopes import SymbolicScope
from keras_fn.errors import SpecError


def number(x) -> np.ndarray:
    return ops.convert_to_numpy(x).astype("float64")


Y_TRUE = np.array([[[1.0], [2.0], [3.0]], [[4.0], [5.0], [6.0]]], "float32")
Y_PRED = np.zeros((2, 3, 1), "float32")
SQUARES = np.array([[1.0, 4.0, 9.0], [16.0, 25.0, 36.0]])
MASK = np.array([[True, True, False], [True, False, False]])


def masked(mask: np.ndarray = MASK):
    y_pred = ops.convert_to_tensor(Y_PRED)
    set_mask(y_pred, ops.convert_to_tensor(mask))
    return y_pred


@pytest.mark.parametrize(
    ("reduction", "expected"),
    [
        ("sum_over_batch_size", SQUARES[MASK].mean()),
        ("mean", SQUARES[MASK].mean()),
        ("sum", SQUARES[MASK].sum()),
        ("mean_with_sample_weight", SQUARES[MASK].mean()),
        ("none", SQUARES * MASK),
        (None, SQUARES * MASK),
    ],
)
def test_masked_elements_are_ignored(reduction, expected) -> None:
    loss = losses.MeanSquaredError(reduction=reduction)
    np.testing.assert_allclose(number(loss(Y_TRUE, masked())), expected, rtol=1e-6)


def test_a_mask_and_weights_multiply() -> None:
    weight = np.array([[1.0, 0.5, 7.0], [2.0, 1.0, 1.0]], "float32")
    loss = losses.MeanSquaredError()
    expected = (SQUARES * weight * MASK).sum() / MASK.sum()
    got = number(loss(Y_TRUE, masked(), sample_weight=weight))
    np.testing.assert_allclose(got, expected, rtol=1e-6)


def test_the_loss_is_zero_if_all_is_masked() -> None:
    loss = losses.MeanSquaredError()
    assert number(loss(Y_TRUE, masked(np.zeros((2, 3), bool)))) == 0.0


def test_the_loss_of_an_empty_batch_is_zero() -> None:
    loss = losses.MeanSquaredError()
    assert number(loss(np.zeros((0, 2), "float32"), np.zeros((0, 2), "float32"))) == 0.0


def test_the_loss_is_zero_if_all_weights_are_zero() -> None:
    loss = losses.MeanSquaredError(reduction="mean_with_sample_weight")
    assert number(loss([[1.0], [2.0]], [[0.0], [0.0]], sample_weight=[0.0, 0.0])) == 0.0


def test_mean_with_sample_weight_divides_by_the_weights() -> None:
    loss = losses.MeanSquaredError(reduction="mean_with_sample_weight")
    got = number(loss([[1.0], [2.0]], [[0.0], [0.0]], sample_weight=[1.0, 3.0]))
    np.testing.assert_allclose(got, (1 * 1 + 3 * 4) / 4)


def test_a_column_of_weights_equals_a_vector_of_weights() -> None:
    loss = losses.MeanAbsoluteError(reduction="sum")
    data = ([[1.0], [2.0]], [[0.0], [0.0]])
    column = number(loss(*data, sample_weight=np.array([[1.0], [3.0]], "float32")))
    assert column == number(loss(*data, sample_weight=np.array([1.0, 3.0], "float32"))) == 7.0


def test_targets_without_the_last_axis_do_not_broadcast_over_the_batch() -> None:
    loss = losses.MeanSquaredError(reduction=None)
    y_true, y_pred = np.arange(3.0, dtype="float32"), np.zeros((3, 1), "float32")
    np.testing.assert_allclose(number(loss(y_true, y_pred)), [0, 1, 4])


def test_nested_targets_reach_call_in_their_structure() -> None:
    class Both(losses.Loss):
        def call(self, y_true, y_pred):
            return ops.abs(y_true["a"] - y_pred["a"]) + ops.abs(y_true["b"] - y_pred["b"])

    one, two = np.ones(2, "float32"), np.full(2, 2.0, "float32")
    loss = Both(reduction="sum")
    assert number(loss({"a": one, "b": two}, {"a": two, "b": one * 5})) == 2 * (1 + 3)


def test_computes_in_its_dtype_and_keeps_class_indices_exact() -> None:
    logits = np.zeros((1, 3000), "float32")
    logits[0, 2999] = 8.0
    loss = losses.SparseCategoricalCrossentropy(from_logits=True, dtype="bfloat16")
    value = loss(np.array([2999]), logits)  # bfloat16 would round the class to 3008
    assert ops.dtype(value) == "bfloat16"
    np.testing.assert_allclose(number(value), np.log(np.exp(8.0) + 2999) - 8.0, rtol=1e-2)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_the_loss_of_probability_one_is_finite_in_float16(dtype: str) -> None:
    y = np.array([[0.0, 1.0], [1.0, 0.0]], "float32")
    for cls in (losses.BinaryCrossentropy, losses.CategoricalCrossentropy):
        assert abs(number(cls(dtype=dtype)(y, y))) < 1e-3
    wrong = number(losses.BinaryCrossentropy(dtype=dtype)(y, 1 - y))
    np.testing.assert_allclose(wrong, -np.log(1e-7), rtol=1e-2)


def test_the_dtype_of_a_policy_is_its_compute_dtype() -> None:
    class Policy:
        compute_dtype = "float16"

    assert losses.MeanSquaredError(dtype=Policy()).dtype == "float16"
    assert losses.MeanSquaredError(dtype="mixed_bfloat16").dtype == "bfloat16"
    assert losses.MeanSquaredError().dtype == "float32"


@pytest.mark.parametrize("name", ["MeanSquaredError", "BinaryCrossentropy", "Dice", "Huber"])
def test_unknown_sizes_are_accepted(name: str) -> None:
    y_true, y_pred = KerasTensor((None, None, 3)), KerasTensor((None, None, 3))
    loss = getattr(losses, name)()
    assert loss(y_true, y_pred).shape == ()
    none = getattr(losses, name)(reduction=None)(y_true, y_pred)
    assert none.shape == (() if name == "Dice" else (None, None))


def test_a_sparse_loss_of_unknown_batch_is_inferred() -> None:
    loss = losses.SparseCategoricalCrossentropy(ignore_class=0, reduction=None)
    with SymbolicScope():
        assert loss(KerasTensor((None,), "int32"), KerasTensor((None, 5))).shape == (None,)


def test_an_unknown_reduction_is_rejected() -> None:
    with pytest.raises(SpecError) as caught:
        losses.MeanSquaredError(reduction="average")
    assert caught.value.received == "reduction='average'"
    assert "MeanSquaredError 'mean_squared_error'" in str(caught.value)


def test_a_loss_without_call_raises() -> None:
    with pytest.raises(TypeError, match=r"Loss has no call\(\) method"):
        losses.Loss()([1.0], [1.0])
