"""Metrics by name and config, and back."""

import json

import numpy as np
import pytest

from keras_fn import losses, metrics, ops
from keras_fn.errors import SpecError
from keras_fn.metrics import _CLASSES as CLASSES

OPTIONS = {
    "AUC": {
        "thresholds": [0.2, 0.5, 0.7], "curve": "PR", "summation_method": "minoring",
        "multi_label": True, "num_labels": 2, "label_weights": [1.0, 3.0], "from_logits": True,
    },
    "BinaryAccuracy": {"threshold": 0.3},
    "BinaryCrossentropy": {"from_logits": True, "label_smoothing": 0.2},
    "BinaryIoU": {"threshold": 0.3, "target_class_ids": [1]},
    "CategoricalCrossentropy": {"from_logits": True, "label_smoothing": 0.2, "axis": -1},
    "ConcordanceCorrelation": {"axis": 0},
    "CosineSimilarity": {"axis": 0},
    "F1Score": {"average": "macro", "threshold": 0.4},
    "FBetaScore": {"average": "weighted", "beta": 2.0, "threshold": 0.4},
    "FalseNegatives": {"thresholds": [0.2, 0.6]},
    "FalsePositives": {"thresholds": 0.2},
    "IoU": {"num_classes": 3, "target_class_ids": [0, 2], "ignore_class": 1},
    "MeanIoU": {"num_classes": 3, "sparse_y_pred": False},
    "MeanMetricWrapper": {"fn": losses.huber, "delta": 0.2},
    "OneHotIoU": {"num_classes": 2, "target_class_ids": [1], "sparse_y_pred": False},
    "OneHotMeanIoU": {"num_classes": 2, "axis": -1},
    "PearsonCorrelation": {"axis": 0},
    "Precision": {"thresholds": [0.2, 0.6], "top_k": 1, "class_id": 1},
    "PrecisionAtRecall": {"recall": 0.3, "num_thresholds": 5, "class_id": 1},
    "R2Score": {"class_aggregation": None, "num_regressors": 1},
    "Recall": {"thresholds": 0.4},
    "RecallAtPrecision": {"precision": 0.3},
    "SensitivityAtSpecificity": {"specificity": 0.3, "num_thresholds": 7},
    "SparseCategoricalCrossentropy": {"from_logits": True, "ignore_class": 0},
    "SparseTopKCategoricalAccuracy": {"k": 1, "from_sorted_ids": True},
    "SpecificityAtSensitivity": {"sensitivity": 0.3},
    "TopKCategoricalAccuracy": {"k": 1},
}  # fmt: skip
SPARSE = {
    "SparseCategoricalAccuracy", "SparseCategoricalCrossentropy", "SparseTopKCategoricalAccuracy",
    "MeanIoU",
}  # fmt: skip
Y_TRUE = np.array([[0.0, 1.0], [1.0, 0.0], [0.0, 1.0]], "float32")
Y_PRED = np.array([[0.2, 0.7], [0.6, 0.1], [0.9, 0.5]], "float32")


@pytest.mark.parametrize("cls", [c for c in CLASSES if c is not metrics.Metric])
def test_a_config_round_trips_through_json_to_the_same_metric(cls: type[metrics.Metric]) -> None:
    metric = cls(name="mine", **OPTIONS.get(cls.__name__, {}))
    again = metrics.deserialize(json.loads(json.dumps(metrics.serialize(metric))))
    assert type(again) is cls
    assert again.name == "mine"
    assert again.get_config() == metric.get_config()
    y_true = np.array([1, 0, 1]) if cls.__name__ in SPARSE else Y_TRUE
    args = (Y_PRED,) if cls in (metrics.Mean, metrics.Sum) else (y_true, Y_PRED)
    if cls is metrics.IoU:
        args = np.array([0, 2, 1, 0]), np.array([0, 0, 1, 2])
    np.testing.assert_array_equal(*(ops.convert_to_numpy(each(*args)) for each in (metric, again)))


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("acc", "Accuracy"), ("accuracy", "Accuracy"), ("mse", "MeanSquaredError"),
        ("MSE", "MeanSquaredError"), ("bce", "BinaryCrossentropy"), ("auc", "AUC"),
        ("AUC", "AUC"), ("mean_squared_error", "MeanSquaredError"), ("r2_score", "R2Score"),
        ("MeanSquaredError", "MeanSquaredError"), ("kld", "KLDivergence"), ("recall", "Recall"),
        ("cosine_similarity", "CosineSimilarity"), ("f1_score", "F1Score"),
        ("binary_accuracy", "BinaryAccuracy"), ("sparse_categorical_accuracy",
         "SparseCategoricalAccuracy"),
    ],
)  # fmt: skip
def test_names_stand_for_classes(name: str, expected: str) -> None:
    assert type(metrics.get(name)) is getattr(metrics, expected)


def test_get_takes_functions_classes_instances_configs_and_none() -> None:
    mean = metrics.Mean()
    assert metrics.get(mean) is mean
    assert type(metrics.get(metrics.Mean)) is metrics.Mean
    assert metrics.get("huber") is losses.huber
    assert metrics.get(losses.huber) is losses.huber
    assert metrics.get(metrics.serialize(mean)).name == mean.name
    assert metrics.get(None) is None


def test_a_function_round_trips_to_itself() -> None:
    for function in (metrics.mean_squared_error, metrics.sparse_top_k_categorical_accuracy):
        assert metrics.deserialize(metrics.serialize(function)) is function


def test_a_config_that_keras_wrote_is_read() -> None:
    config = {
        "module": "keras.metrics", "class_name": "CosineSimilarity", "registered_name": None,
        "config": {"name": "cosine_similarity", "dtype": "float32"},
    }  # fmt: skip
    assert metrics.get(config).axis == -1


def test_the_error_names_the_missing_arguments_of_a_class() -> None:
    with pytest.raises(TypeError, match="num_classes"):
        metrics.get("MeanIoU")


def test_unknown_names_and_other_kinds_are_rejected() -> None:
    with pytest.raises(SpecError, match="auc"):
        metrics.get("aucc")
    with pytest.raises(SpecError):
        metrics.get(losses.serialize(losses.Huber()))


def test_the_direction_of_improvement() -> None:
    assert metrics.AUC._direction == metrics.CategoricalAccuracy._direction == "up"
    assert metrics.MeanSquaredError._direction == metrics.BinaryCrossentropy._direction == "down"
    assert metrics.Mean._direction is None
