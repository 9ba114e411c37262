"""Confusion counts, rates, and areas under curves."""

import numpy as np
import pytest

from keras_fn import metrics, ops
from keras_fn.errors import SpecError
from keras_fn.metrics._confusion_matrix import Thresholds, compute_confusion_counts

random = np.random.RandomState(3)
TRUE = random.randint(0, 2, size=(50, 3)).astype("float32")
PRED = random.randint(0, 21, size=(50, 3)).astype("float32") / 20  # many on a threshold
WEIGHT = random.randint(1, 5, size=50).astype("float32")


def number(x) -> np.ndarray:
    return ops.convert_to_numpy(x).astype("float64")


def by_hand(thresholds, by_label: bool) -> list[np.ndarray]:
    above = PRED[None] > np.asarray(thresholds, "float32")[:, None, None]
    truth = TRUE[None] > 0
    weight = np.broadcast_to(WEIGHT[None, :, None], above.shape)
    axis = 1 if by_label else (1, 2)
    kinds = (above & truth, above & ~truth, ~above & ~truth, ~above & truth)
    return [(kind * weight).sum(axis) for kind in kinds]


@pytest.mark.parametrize("by_label", [False, True])
@pytest.mark.parametrize(
    "thresholds",
    [[0.5], [0.2, 0.3, 0.9], [0.0, 0.25, 0.5, 0.75, 1.0], [-1e-7, 0.25, 0.5, 0.75, 1 + 1e-7]],
)
def test_counts_match_counting_by_hand(thresholds: list[float], by_label: bool) -> None:
    counts = compute_confusion_counts(
        TRUE, PRED, Thresholds(thresholds), metrics.AUC(), WEIGHT, by_label=by_label
    )
    for got, expected in zip(counts, by_hand(thresholds, by_label), strict=True):
        np.testing.assert_allclose(number(got), expected)


def test_counts_add_up_to_all_weights() -> None:
    metric = metrics.AUC(num_thresholds=11)
    metric.update_state(TRUE, PRED, sample_weight=WEIGHT)
    total = sum(number(v) for v in metric.variables)
    np.testing.assert_allclose(total, 3 * WEIGHT.sum())


def test_predictions_outside_of_0_and_1_are_clipped() -> None:
    metric = metrics.FalsePositives(thresholds=[0.0, 0.5, 1.0])
    assert number(metric([0.0, 0.0], [-3.0, 3.0])).tolist() == [1.0, 1.0, 0.0]


def test_the_area_of_a_perfect_and_of_a_random_ranking() -> None:
    assert number(metrics.AUC()([0, 0, 1, 1], [0.1, 0.2, 0.8, 0.9])) == pytest.approx(1.0)
    assert number(metrics.AUC()([0, 1, 0, 1], [0.5, 0.5, 0.5, 0.5])) == pytest.approx(0.5)
    assert number(metrics.AUC()([1, 1, 0, 0], [0.1, 0.2, 0.8, 0.9])) == pytest.approx(0.0)


def test_the_area_is_the_fraction_of_correctly_ordered_pairs() -> None:
    truth, score = TRUE[:, 0], PRED[:, 0]
    gap = score[truth > 0][:, None] - score[truth == 0][None]
    expected = ((gap > 0) + 0.5 * (gap == 0)).mean()
    # Thresholds between all the values that occur, so that the curve is exact.
    metric = metrics.AUC(thresholds=((np.arange(20) + 0.5) / 20).tolist())
    np.testing.assert_allclose(number(metric(truth, score)), expected, rtol=1e-5)


def test_multi_label_auc_computes_an_area_for_each_label() -> None:
    alone = [number(metrics.AUC(num_thresholds=9)(TRUE[:, i], PRED[:, i])) for i in range(3)]
    weights = [1.0, 0.0, 3.0]
    together = metrics.AUC(num_thresholds=9, multi_label=True, label_weights=weights)
    expected = np.average(alone, weights=weights)
    np.testing.assert_allclose(number(together(TRUE, PRED)), expected, rtol=1e-5)


def test_precision_without_predictions_is_zero() -> None:
    assert number(metrics.Precision()([0.0, 1.0], [0.1, 0.2])) == 0.0


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (lambda: metrics.Precision(thresholds=[0.5, 1.5]), "thresholds from 0 to 1"),
        (lambda: metrics.TruePositives(thresholds=[]), "thresholds from 0 to 1"),
        (lambda: metrics.AUC(curve="ROCK"), "curve to be one of 'ROC', 'PR', 'PRGAIN'"),
        (lambda: metrics.AUC(summation_method="sum"), "summation_method to be one of"),
        (lambda: metrics.AUC(num_thresholds=1), "num_thresholds of 2 or more"),
        (lambda: metrics.AUC(num_labels=2), "num_labels with multi_label=True only"),
        (lambda: metrics.AUC(thresholds=[2.0]), "thresholds from 0 to 1"),
        (lambda: metrics.RecallAtPrecision(80), "precision from 0 to 1"),
        (lambda: metrics.PrecisionAtRecall(0.5, num_thresholds=0), "num_thresholds of 1 or more"),
        (lambda: metrics.IoU(2, [0, 2]), "target_class_ids from 0 to 1"),
        (lambda: metrics.F1Score(average="mean"), "average"),
        (lambda: metrics.FBetaScore(beta=0.0), "beta to be a float above 0"),
        (lambda: metrics.FBetaScore(beta=1), "beta to be a float above 0"),
        (lambda: metrics.F1Score(threshold=1.5), "threshold to be a float above 0"),
        (lambda: metrics.R2Score("mean"), "class_aggregation"),
        (lambda: metrics.R2Score(num_regressors=-1), "num_regressors of 0 or more"),
    ],
)
def test_bad_arguments_are_rejected_in_the_constructor(make, expected: str) -> None:
    with pytest.raises(SpecError) as caught:
        make()
    assert expected in caught.value.expected


@pytest.mark.parametrize(
    ("metric", "y_true", "y_pred"),
    [
        (metrics.F1Score(), np.zeros(3), np.zeros(3)),
        (metrics.R2Score(), np.zeros(3), np.zeros(3)),
        (metrics.AUC(multi_label=True), np.zeros(3), np.zeros(3)),
        (metrics.AUC(multi_label=True, num_labels=2), np.zeros((3, 4)), np.zeros((3, 4))),
        (metrics.Precision(class_id=4), np.zeros((3, 4)), np.zeros((3, 4))),
        (metrics.Precision(class_id=0), np.zeros(3), np.zeros(3)),
    ],
)
def test_data_of_the_wrong_shape_is_rejected(metric, y_true, y_pred) -> None:
    with pytest.raises(SpecError):
        metric.update_state(y_true.astype("float32"), y_pred.astype("float32"))


def test_iou_ignores_class_indices_out_of_range() -> None:
    metric = metrics.IoU(2, [0, 1])
    metric.update_state([0, 1, 2, -1, 1], [0, 1, 0, 0, 5])
    assert number(metric.total_cm).tolist() == [[1.0, 0.0], [0.0, 1.0]]


def test_iou_of_images_equals_iou_of_their_pixels() -> None:
    true, pred = random.randint(0, 3, size=(2, 4, 5, 5))
    both = [np.sum((true == c) & (pred == c)) for c in range(3)]
    either = [np.sum((true == c) | (pred == c)) for c in range(3)]
    got = number(metrics.MeanIoU(3)(true, pred))
    np.testing.assert_allclose(got, np.mean(np.divide(both, either)), rtol=1e-5)


def test_r2_of_too_few_samples_is_not_adjusted() -> None:
    data = np.array([[1.0], [2.0], [4.0]], "float32"), np.array([[1.5], [2.0], [3.0]], "float32")
    plain = number(metrics.R2Score()(*data))
    adjusted = number(metrics.R2Score(num_regressors=1)(*data))
    np.testing.assert_allclose(adjusted, 1 - (1 - plain) * 2 / 1, rtol=1e-5)
    for many in (2, 5):
        np.testing.assert_allclose(number(metrics.R2Score(num_regressors=many)(*data)), plain)
