"""Sample weights and masks align with the first axes of the per-sample losses."""

import numpy as np
import pytest

from keras_fn import losses, ops
from keras_fn.core.masking import set_mask
from keras_fn.errors import SpecError
from keras_fn.losses.loss import LossFunctionWrapper

rng = np.random.default_rng(0)
Y_TRUE = rng.integers(0, 2, (3, 3, 2)).astype("float32")
Y_PRED = rng.uniform(0.1, 0.9, (3, 3, 2)).astype("float32")
WEIGHT = np.array([1.0, 2.0, 10.0], "float32")  # as many samples as steps
LABELS = rng.integers(0, 2, (3, 3))
SPARSE = ("SparseCategoricalCrossentropy", "CategoricalGeneralizedCrossEntropy")
OFTEN = ("MeanAbsoluteError", "CosineSimilarity", "SparseCategoricalCrossentropy")
ELEMENTWISE = [
    pytest.param(name, marks=[] if name in OFTEN else pytest.mark.thorough)
    for name in sorted(cls.__name__ for cls in losses._CLASSES)
    if name not in ("CTC", "Circle", "Dice", "Tversky")
]


def number(x) -> np.ndarray:
    return ops.convert_to_numpy(x).astype("float64")


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_a_weight_for_each_sample_weighs_all_its_values(name: str) -> None:
    y_true = LABELS if name in SPARSE else Y_TRUE
    values = number(getattr(losses, name)(reduction=None)(y_true, Y_PRED))
    assert values.shape == (3, 3)
    got = number(getattr(losses, name)()(y_true, Y_PRED, sample_weight=WEIGHT))
    np.testing.assert_allclose(got, (values * WEIGHT[:, None]).mean(), rtol=1e-5)


SQUARES = (Y_TRUE.astype("float64") - Y_PRED).__pow__(2).mean(-1)
ALIGNED = {  # what the weights mean, for values of shape (3, 3)
    "scalar": (np.float32(2.0), np.full((3, 3), 2.0)),
    "vector": (WEIGHT, np.broadcast_to(WEIGHT[:, None], (3, 3))),
    "column": (WEIGHT[:, None], np.broadcast_to(WEIGHT[:, None], (3, 3))),
    "row": (WEIGHT[None], np.broadcast_to(WEIGHT, (3, 3))),
    "matrix": (SQUARES.astype("float32"), SQUARES),
    "matrix and a unit axis": (SQUARES.astype("float32")[..., None], SQUARES),
}


@pytest.mark.parametrize("form", ALIGNED)
def test_each_shape_of_weights_means_the_same_in_every_reduction(form: str) -> None:
    weight, full = ALIGNED[form]
    expected = {
        "sum": (SQUARES * full).sum(),
        "sum_over_batch_size": (SQUARES * full).mean(),
        "mean_with_sample_weight": (SQUARES * full).sum() / full.sum(),
        "none": SQUARES * full,
    }
    for reduction, value in expected.items():
        loss = losses.MeanSquaredError(reduction=reduction)
        np.testing.assert_allclose(number(loss(Y_TRUE, Y_PRED, weight)), value, rtol=1e-5)


@pytest.mark.parametrize("shape", [(4,), (2, 3), (3, 2), (3, 3, 2)])
def test_weights_that_do_not_fit_are_named_with_the_loss_and_both_shapes(shape) -> None:
    loss = losses.MeanAbsoluteError(name="far")
    with pytest.raises(SpecError) as caught:
        loss(Y_TRUE, Y_PRED, sample_weight=np.ones(shape, "float32"))
    message = str(caught.value)
    for part in ("MeanAbsoluteError 'far'", "sample_weight", "(3, 3)", str(shape)):
        assert part in message


def test_a_function_that_returns_one_number_is_scaled_by_the_mean_weight() -> None:
    loss = LossFunctionWrapper(lambda y_true, y_pred: ops.mean(ops.square(y_true - y_pred)))
    got = number(loss(Y_TRUE, Y_PRED, sample_weight=WEIGHT))
    np.testing.assert_allclose(got, SQUARES.mean() * WEIGHT.mean(), rtol=1e-5)


@pytest.mark.parametrize("name", ["MeanSquaredError", "BinaryCrossentropy"])
@pytest.mark.parametrize("lacks", ["targets", "predictions"])
def test_weights_of_steps_where_only_one_side_has_an_axis_of_size_1(name: str, lacks: str) -> None:
    """Targets (batch, time) for predictions (batch, time, 1): the time is not averaged first."""
    y_true, y_pred = Y_TRUE[..., :1], Y_PRED[..., :1]
    weight = np.array([[1.0, 0, 3], [2, 5, 0], [0, 0, 1]], "float32")
    loss = getattr(losses, name)()
    expected = number(loss(y_true, y_pred, sample_weight=weight))
    data = (y_true[..., 0], y_pred) if lacks == "targets" else (y_true, y_pred[..., 0])
    np.testing.assert_allclose(number(loss(*data, sample_weight=weight)), expected, rtol=1e-6)
    values = number(getattr(losses, name)(reduction=None)(y_true, y_pred))
    np.testing.assert_allclose(expected, (values * weight).mean(), rtol=1e-5)


def test_a_mask_of_steps_where_targets_lack_an_axis_of_size_1() -> None:
    mask = np.array([[True, True, False], [True, False, False], [True, True, True]])
    y_pred = ops.convert_to_tensor(Y_PRED[..., :1])
    set_mask(y_pred, ops.convert_to_tensor(mask))
    got = number(losses.MeanSquaredError()(Y_TRUE[..., 0], y_pred))
    squares = (Y_TRUE[..., 0].astype("float64") - Y_PRED[..., 0]) ** 2
    np.testing.assert_allclose(got, squares[mask].mean(), rtol=1e-5)
    got = number(losses.MeanSquaredError()(Y_TRUE[..., 0], y_pred, sample_weight=WEIGHT))
    weighted = (squares * WEIGHT[:, None] * mask).sum() / mask.sum()
    np.testing.assert_allclose(got, weighted, rtol=1e-5)


def test_a_mask_that_does_not_fit_is_named() -> None:
    y_pred = ops.convert_to_tensor(Y_PRED[..., 0])
    set_mask(y_pred, ops.convert_to_tensor(np.ones((3, 3), bool)))
    with pytest.raises(SpecError, match=r"mask of shape \(3, 3\)"):
        losses.MeanSquaredError()(Y_TRUE[..., 0], y_pred)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_a_weighted_mean_in_half_precision_lies_within_its_numbers(dtype: str) -> None:
    y_true = np.zeros((3000, 1), "float32")
    for reduction in ("mean", "mean_with_sample_weight"):
        loss = losses.MeanAbsoluteError(reduction=reduction, dtype=dtype)
        assert number(loss(y_true, y_true + 50, sample_weight=np.ones(3000))) == 50.0
