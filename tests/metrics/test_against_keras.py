"""Every metric against values that Keras 3.15.1 gave for the same two batches.

To note them again, where Keras and pytest are installed:
`KERAS_BACKEND=jax python test_against_keras.py`.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

NOTED = Path(__file__).parent.parent / "fixtures" / "keras_values" / "metrics.json"

random = np.random.RandomState(0)  # frozen: the same numbers in every version of NumPy
BATCH, CLASSES = 6, 4


def normal(*shape: int) -> np.ndarray:
    return random.normal(size=shape).astype("float32")


LOGITS = normal(BATCH, CLASSES) * 2
P = (np.exp(LOGITS) / np.exp(LOGITS).sum(-1, keepdims=True)).astype("float32")
NUMBERS, GUESSES = np.array([0, 3, 1, 2, 2, 0]), np.array([0, 3, 0, 2, 1, 0])
ONE_HOT = np.eye(CLASSES, dtype="float32")[NUMBERS]
SOFT = random.dirichlet(np.ones(CLASSES), BATCH).astype("float32")
BITS = random.randint(0, 2, size=(BATCH, CLASSES)).astype("float32")
BIT_P = random.uniform(size=(BATCH, CLASSES)).astype("float32")
A, B = normal(BATCH, CLASSES) * 2, normal(BATCH, CLASSES)
STEPS, STEP_P = random.randint(0, CLASSES, size=(BATCH, 3)), normal(BATCH, 3, CLASSES)
WEIGHT = random.uniform(size=BATCH).astype("float32")
STEP_WEIGHT = random.uniform(size=(BATCH, 3)).astype("float32")
COUNTS, MANY_COUNTS = np.arange(BATCH), np.arange(BATCH * CLASSES)
LABELS = [1.0, 2.0, 3.0, 0.5]

# Name: class, options, arguments of update_state, weights.
CASES: dict[str, tuple[str, dict[str, Any], tuple[np.ndarray, ...], np.ndarray | None]] = {
    "mean": ("Mean", {}, (A,), WEIGHT),
    "mean of steps": ("Mean", {}, (STEP_P[..., 0],), STEP_WEIGHT),
    "sum": ("Sum", {}, (A,), WEIGHT),
    "accuracy": ("Accuracy", {}, (NUMBERS, GUESSES), WEIGHT),
    "binary accuracy": ("BinaryAccuracy", {"threshold": 0.4}, (BITS, BIT_P), WEIGHT),
    "categorical accuracy": ("CategoricalAccuracy", {}, (ONE_HOT, P), WEIGHT),
    "sparse accuracy": ("SparseCategoricalAccuracy", {}, (NUMBERS, P), WEIGHT),
    "sparse accuracy of a column": (
        "SparseCategoricalAccuracy", {}, (NUMBERS[:, None], P), WEIGHT,
    ),
    "sparse accuracy of steps": ("SparseCategoricalAccuracy", {}, (STEPS, STEP_P), STEP_WEIGHT),
    "sparse accuracy of sequences": ("SparseCategoricalAccuracy", {}, (STEPS, STEP_P), WEIGHT),
    "top k": ("TopKCategoricalAccuracy", {"k": 2}, (ONE_HOT, P), WEIGHT),
    "sparse top k": ("SparseTopKCategoricalAccuracy", {"k": 2}, (NUMBERS, P), WEIGHT),
    "sparse top k of steps": (
        "SparseTopKCategoricalAccuracy", {"k": 2}, (STEPS, STEP_P), STEP_WEIGHT,
    ),
    "sparse top k of numbers": (
        "SparseTopKCategoricalAccuracy", {"k": 2, "from_sorted_ids": True},
        (NUMBERS, np.argsort(-P, -1)[:, :3]), WEIGHT,
    ),
    "mse": ("MeanSquaredError", {}, (A, B), WEIGHT),
    "rmse": ("RootMeanSquaredError", {}, (A, B), WEIGHT),
    "mae": ("MeanAbsoluteError", {}, (A, B), WEIGHT),
    "mape": ("MeanAbsolutePercentageError", {}, (A, B), WEIGHT),
    "msle": ("MeanSquaredLogarithmicError", {}, (A, B), WEIGHT),
    "cosine": ("CosineSimilarity", {}, (A, B), WEIGHT),
    "log cosh": ("LogCoshError", {}, (A, B), WEIGHT),
    "r2": ("R2Score", {}, (A, B), WEIGHT),
    "r2, adjusted": (
        "R2Score", {"class_aggregation": "variance_weighted_average", "num_regressors": 2},
        (A, B), WEIGHT,
    ),
    "r2 of each": ("R2Score", {"class_aggregation": None}, (A, B), WEIGHT),
    "kl divergence": ("KLDivergence", {}, (SOFT, P), WEIGHT),
    "poisson": ("Poisson", {}, (np.abs(A), np.abs(B)), WEIGHT),
    "binary": ("BinaryCrossentropy", {"label_smoothing": 0.1}, (BITS, BIT_P), WEIGHT),
    "categorical": ("CategoricalCrossentropy", {"label_smoothing": 0.1}, (ONE_HOT, P), WEIGHT),
    "sparse": ("SparseCategoricalCrossentropy", {"from_logits": True}, (NUMBERS, LOGITS), WEIGHT),
    "hinge": ("Hinge", {}, (BITS, A), WEIGHT),
    "squared hinge": ("SquaredHinge", {}, (BITS, A), WEIGHT),
    "categorical hinge": ("CategoricalHinge", {}, (ONE_HOT, A), WEIGHT),
    "pearson": ("PearsonCorrelation", {}, (A, B), WEIGHT),
    "concordance": ("ConcordanceCorrelation", {}, (A, B), WEIGHT),
    "true positives": ("TruePositives", {}, (BITS, BIT_P), WEIGHT),
    "false positives": ("FalsePositives", {"thresholds": [0.2, 0.5, 0.9]}, (BITS, BIT_P), WEIGHT),
    "true negatives, even": (
        "TrueNegatives", {"thresholds": [0.0, 0.5, 1.0]}, (BITS, BIT_P), WEIGHT,
    ),
    "false negatives": ("FalseNegatives", {"thresholds": 0.3}, (BITS, BIT_P), WEIGHT),
    "precision": ("Precision", {}, (BITS, BIT_P), WEIGHT),
    "precision of the top": ("Precision", {"top_k": 2}, (BITS, BIT_P), WEIGHT),
    "precision of a class": (
        "Precision", {"class_id": 1, "thresholds": [0.3, 0.6]}, (BITS, BIT_P), WEIGHT,
    ),
    "recall of the top": ("Recall", {"top_k": 1, "class_id": 2}, (ONE_HOT, P), WEIGHT),
    "sensitivity at": ("SensitivityAtSpecificity", {"specificity": 0.6}, (BITS, BIT_P), WEIGHT),
    "specificity at": (
        "SpecificityAtSensitivity", {"sensitivity": 0.4, "num_thresholds": 7},
        (BITS, BIT_P), WEIGHT,
    ),
    "precision at": ("PrecisionAtRecall", {"recall": 0.5, "class_id": 1}, (BITS, BIT_P), WEIGHT),
    "recall at": (
        "RecallAtPrecision", {"precision": 0.5, "num_thresholds": 1}, (BITS, BIT_P), WEIGHT,
    ),
    "f1": ("F1Score", {}, (ONE_HOT, P), WEIGHT),
    "f1, micro": ("F1Score", {"average": "micro", "threshold": 0.3}, (BITS, BIT_P), WEIGHT),
    "f beta, weighted": (
        "FBetaScore", {"average": "weighted", "beta": 2.0}, (ONE_HOT, P), WEIGHT,
    ),
    "f beta, macro": (
        "FBetaScore", {"average": "macro", "beta": 0.5, "threshold": 0.5}, (BITS, BIT_P), WEIGHT,
    ),
    "iou": ("IoU", {"num_classes": 4, "target_class_ids": [0, 2]}, (NUMBERS, GUESSES), COUNTS),
    "mean iou, ignoring": (
        "MeanIoU", {"num_classes": 4, "ignore_class": 1, "sparse_y_pred": False},
        (NUMBERS, P), COUNTS,
    ),
    "mean iou, weighted": (
        "MeanIoU", {"num_classes": 4, "dtype": "float32"}, (NUMBERS, GUESSES), WEIGHT,
    ),
    "binary iou": ("BinaryIoU", {"threshold": 0.3}, (BITS, BIT_P), MANY_COUNTS),
    "one-hot iou": (
        "OneHotIoU", {"num_classes": 4, "target_class_ids": [0, 1]}, (ONE_HOT, P), COUNTS,
    ),
    "one-hot mean iou": ("OneHotMeanIoU", {"num_classes": 4}, (ONE_HOT, P), COUNTS),
    "auc of thresholds": ("AUC", {"thresholds": [0.9, 0.1, 0.4, 0.45]}, (BITS, BIT_P), WEIGHT),
    "auc of logits": (
        "AUC", {"from_logits": True, "label_weights": LABELS}, (BITS, LOGITS), WEIGHT,
    ),
    "auc of labels": (
        "AUC", {"thresholds": [0.1, 0.4, 0.9], "multi_label": True, "num_labels": 4},
        (BITS, BIT_P), WEIGHT,
    ),
}  # fmt: skip
for _curve in ("ROC", "PR", "PRGAIN"):
    for _method in ("interpolation", "minoring", "majoring"):
        _options = {"curve": _curve, "summation_method": _method}
        CASES[f"auc {_curve} {_method}"] = ("AUC", _options, (BITS, BIT_P), WEIGHT)
        CASES[f"auc {_curve} {_method} of labels"] = (
            "AUC", {**_options, "num_thresholds": 20, "multi_label": True, "label_weights": LABELS},
            (BITS, BIT_P), WEIGHT,
        )  # fmt: skip


def value(metrics: Any, case: str, weighted: bool) -> Any:
    """Returns the result after the batch and the batch in reverse order, the metric reset first."""
    name, options, args, weight = CASES[case]
    metric = getattr(metrics, name)(**options)
    more = {"sample_weight": weight} if weighted else {}
    metric.update_state(*args, **more)
    metric.reset_state()
    metric.update_state(*args, **more)
    metric.update_state(*(np.ascontiguousarray(x[::-1]) for x in args), **more)
    return metric.result()


EVERY = [(case, weighted) for case in CASES for weighted in (False, True)]


@pytest.mark.parametrize(("case", "weighted"), EVERY)
def test_metrics_match_keras(case: str, weighted: bool) -> None:
    from keras_fn import metrics, ops

    noted = json.loads(NOTED.read_text("utf-8"))[f"{case} | {weighted}"]
    got = ops.convert_to_numpy(value(metrics, case, weighted))
    assert got.shape == np.shape(noted)
    np.testing.assert_allclose(got, noted, rtol=2e-5, atol=2e-6)


def test_every_metric_has_a_case() -> None:
    from keras_fn.metrics import _CLASSES as EVERY_CLASS

    names = {cls.__name__ for cls in EVERY_CLASS} - {"Metric", "MeanMetricWrapper"}
    assert names == {name for name, *_ in CASES.values()}


if __name__ == "__main__":
    from keras import metrics, ops  # pyright: ignore[reportMissingImports]

    NOTED.write_text(
        json.dumps(
            {
                f"{case} | {weighted}": np.asarray(
                    ops.convert_to_numpy(value(metrics, case, weighted)), "float64"
                ).tolist()
                for case, weighted in EVERY
            },
            indent=0,
        )
        + "\n",
        "utf-8",
    )
