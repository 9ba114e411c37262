"""What losses, metrics and optimizers are called with: arguments and drawn data, by name."""

from collections.abc import Iterator
from typing import Any

import numpy as np

Options = dict[str, Any]

# ------------------------------------------------------------------------------------ data

SHAPES = ((6, 4), (3, 5, 4), (2, 3, 2, 4))  # the last axis is that of the classes
NAMES_OF_NUMBERS = ("numbers", "numbers_column", "guesses")


def draw(kind: str, shape: tuple[int, ...], seed: int) -> np.ndarray:
    """Returns data of a kind; the same for the same seed."""
    random = np.random.default_rng([seed, len(kind)])
    return _DRAWN[kind](random, shape)


def _real(random: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    return (random.normal(size=shape) * 2).astype("float32")


def _softmax(random: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    e = np.exp(_real(random, shape))
    return (e / e.sum(-1, keepdims=True)).astype("float32")


def _unit(random: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    x = _real(random, shape)
    return x / np.linalg.norm(x, axis=-1, keepdims=True)


def _numbers(random: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    return random.integers(0, shape[-1], shape[:-1])


def _bit_p(random: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Probabilities, among them 0, 1, 1/2 and equal ones."""
    return (random.integers(0, 21, size=shape) / np.float32(20)).astype("float32")


_DRAWN = {
    "real": _real,
    "other": _real,
    "positive": lambda r, s: np.abs(_real(r, s)),
    "bits": lambda r, s: r.integers(0, 2, size=s).astype("float32"),
    "signs": lambda r, s: (r.integers(0, 2, size=s) * 2 - 1).astype("float32"),
    "bit_p": _bit_p,
    "p": _softmax,
    "scaled_p": lambda r, s: _softmax(r, s) * np.float32(1.3),
    "soft": lambda r, s: r.dirichlet(np.ones(s[-1]), s[:-1]).astype("float32"),
    "one_hot": lambda r, s: np.eye(s[-1], dtype="float32")[_numbers(r, s)],
    "numbers": _numbers,
    "guesses": _numbers,
    "numbers_column": lambda r, s: _numbers(r, s)[..., None],
    "unit": _unit,
    "labels": lambda r, s: r.integers(0, s[-1], size=(s[0], 3)),
    "steps": lambda r, s: r.normal(size=(s[0], 9, s[-1])).astype("float32"),
}


def weights(shape: tuple[int, ...], seed: int) -> Iterator[tuple[str, Any]]:
    """Yields sample weights for losses of this shape."""
    random = np.random.default_rng(seed)
    yield "none", None
    yield "scalar", 0.5
    yield "of samples", random.uniform(size=shape[:1]).astype("float32")
    yield "with zeros", (random.uniform(size=shape[:1]) > 0.5).astype("float32")
    yield "a column", random.uniform(size=(shape[0], 1)).astype("float32")
    yield "of each", random.uniform(size=shape).astype("float32")


# ------------------------------------------------------------------------------------ losses

Table = dict[str, list[tuple[str, str, Options]]]  # name: kinds of y_true and y_pred, options

LOSSES: Table = {
    "MeanSquaredError": [("real", "other", {})],
    "MeanAbsoluteError": [("real", "other", {}), ("numbers_column", "other", {})],
    "MeanAbsolutePercentageError": [("real", "other", {}), ("bits", "other", {})],
    "MeanSquaredLogarithmicError": [("positive", "positive", {}), ("real", "other", {})],
    "CosineSimilarity": [("real", "other", {}), ("real", "other", {"axis": 1})],
    "Huber": [("real", "other", {}), ("real", "other", {"delta": 0.3})],
    "LogCosh": [("real", "other", {})],
    "Hinge": [("bits", "other", {}), ("signs", "other", {})],
    "SquaredHinge": [("bits", "other", {}), ("signs", "other", {})],
    "CategoricalHinge": [("one_hot", "other", {})],
    "KLDivergence": [("soft", "p", {}), ("one_hot", "bit_p", {})],
    "Poisson": [("positive", "positive", {})],
    "BinaryCrossentropy": [
        ("bits", "bit_p", {}), ("bits", "real", {"from_logits": True}),
        ("bits", "bit_p", {"label_smoothing": 0.2}), ("bits", "bit_p", {"axis": 0}),
        ("bits", "real", {"from_logits": True, "label_smoothing": 0.1, "axis": 1}),
    ],
    "BinaryFocalCrossentropy": [
        ("bits", "bit_p", {}), ("bits", "real", {"from_logits": True}),
        ("bits", "bit_p", {"apply_class_balancing": True, "alpha": 0.4, "gamma": 1.5}),
        ("bits", "bit_p", {"label_smoothing": 0.1, "axis": 1}),
    ],
    "CategoricalCrossentropy": [
        ("one_hot", "p", {}), ("soft", "scaled_p", {}), ("soft", "other", {"from_logits": True}),
        ("one_hot", "p", {"label_smoothing": 0.2}), ("soft", "p", {"axis": 1}),
        ("one_hot", "bit_p", {}),
    ],
    "CategoricalFocalCrossentropy": [
        ("one_hot", "scaled_p", {}), ("one_hot", "other", {"from_logits": True}),
        ("one_hot", "p", {"alpha": 0.5, "gamma": 1.0, "label_smoothing": 0.1}),
    ],
    "CategoricalGeneralizedCrossEntropy": [("numbers", "p", {}), ("numbers", "p", {"q": 0.9})],
    "SparseCategoricalCrossentropy": [
        ("numbers", "scaled_p", {}), ("numbers_column", "p", {}),
        ("numbers", "other", {"from_logits": True}), ("numbers", "p", {"ignore_class": 1}),
        ("numbers_column", "other", {"from_logits": True, "ignore_class": 0}),
    ],
    "Dice": [("bits", "bit_p", {}), ("bits", "bit_p", {"axis": (1,)})],
    "Tversky": [
        ("bits", "bit_p", {}), ("bits", "bit_p", {"alpha": 0.2, "beta": 0.9, "axis": (1,)}),
    ],
    "Circle": [
        ("numbers", "unit", {}),
        ("numbers", "unit", {"gamma": 8.0, "margin": 0.2, "remove_diagonal": False}),
    ],
    "CTC": [("labels", "steps", {})],
}  # fmt: skip

# Losses of the whole batch, or of a batch axis: they have no loss of each sample to weigh.
FLAT_ONLY = {"Circle", "CategoricalGeneralizedCrossEntropy", "CTC", "Dice", "Tversky"}

LOSS_FUNCTIONS: Table = {
    "circle": [("numbers", "unit", {}), ("numbers", "unit", {"gamma": 8, "margin": 0.1})],
    "ctc": [("labels", "steps", {})],
    "categorical_generalized_cross_entropy": [("numbers", "p", {"q": 0.5})],
}
_FUNCTION_OF = {
    "MeanSquaredError": "mean_squared_error", "MeanAbsoluteError": "mean_absolute_error",
    "MeanAbsolutePercentageError": "mean_absolute_percentage_error",
    "MeanSquaredLogarithmicError": "mean_squared_logarithmic_error",
    "CosineSimilarity": "cosine_similarity", "Huber": "huber", "LogCosh": "log_cosh",
    "Hinge": "hinge", "SquaredHinge": "squared_hinge", "CategoricalHinge": "categorical_hinge",
    "KLDivergence": "kl_divergence", "Poisson": "poisson",
    "BinaryCrossentropy": "binary_crossentropy",
    "BinaryFocalCrossentropy": "binary_focal_crossentropy",
    "CategoricalCrossentropy": "categorical_crossentropy",
    "CategoricalFocalCrossentropy": "categorical_focal_crossentropy",
    "SparseCategoricalCrossentropy": "sparse_categorical_crossentropy",
    "Dice": "dice", "Tversky": "tversky",
}  # fmt: skip
LOSS_FUNCTIONS |= {function: LOSSES[name] for name, function in _FUNCTION_OF.items()}

# ------------------------------------------------------------------------------------ metrics

_THRESHOLDS: list[Options] = [{}, {"thresholds": 0.3}, {"thresholds": [0.0, 0.25, 0.5, 1.0]}]
_CHOSEN: list[Options] = [
    *_THRESHOLDS, {"top_k": 2}, {"class_id": 1}, {"class_id": 2, "thresholds": [0.2, 0.7]},
    {"top_k": 2, "class_id": 0},
]  # fmt: skip
_SUMMATION = ("interpolation", "minoring", "majoring")


def _bits(options: list[Options]) -> list[tuple[str, str, Options]]:
    return [("bits", "bit_p", o) for o in options]


METRICS: Table = {
    "Accuracy": [("numbers", "guesses", {}), ("bits", "bits", {})],
    "BinaryAccuracy": _bits([{}, {"threshold": 0.25}]),
    "CategoricalAccuracy": [("one_hot", "p", {})],
    "SparseCategoricalAccuracy": [("numbers", "p", {}), ("numbers_column", "p", {})],
    "TopKCategoricalAccuracy": [("one_hot", "p", {"k": k}) for k in (1, 2, 5)],
    "SparseTopKCategoricalAccuracy": [
        *(("numbers", "p", {"k": k}) for k in (1, 3, 5)), ("numbers_column", "p", {"k": 2}),
    ],
    "MeanSquaredError": [("real", "other", {})],
    "RootMeanSquaredError": [("real", "other", {})],
    "MeanAbsoluteError": [("real", "other", {})],
    "MeanAbsolutePercentageError": [("real", "other", {})],
    "MeanSquaredLogarithmicError": [("positive", "positive", {})],
    "CosineSimilarity": [("real", "other", {}), ("real", "other", {"axis": 1})],
    "LogCoshError": [("real", "other", {})],
    "R2Score": [
        ("real", "other", o)
        for o in (
            {}, {"class_aggregation": None}, {"num_regressors": 1},
            {"class_aggregation": "variance_weighted_average"},
        )
    ],
    "PearsonCorrelation": [("real", "other", {}), ("real", "other", {"axis": 0})],
    "ConcordanceCorrelation": [("real", "other", {}), ("real", "other", {"axis": 1})],
    "Hinge": [("bits", "other", {})],
    "SquaredHinge": [("signs", "other", {})],
    "CategoricalHinge": [("one_hot", "other", {})],
    "KLDivergence": [("soft", "p", {})],
    "Poisson": [("positive", "positive", {})],
    "BinaryCrossentropy": [
        *_bits([{}, {"label_smoothing": 0.3}]), ("bits", "real", {"from_logits": True}),
    ],
    "CategoricalCrossentropy": [
        ("one_hot", "scaled_p", {}), ("soft", "other", {"from_logits": True, "axis": 1}),
        ("one_hot", "p", {"label_smoothing": 0.1}),
    ],
    "SparseCategoricalCrossentropy": [
        ("numbers", "p", {}), ("numbers", "other", {"from_logits": True}),
        ("numbers", "p", {"ignore_class": 2}),
    ],
    "TruePositives": _bits(_THRESHOLDS),
    "TrueNegatives": _bits(_THRESHOLDS),
    "FalsePositives": _bits(_THRESHOLDS),
    "FalseNegatives": _bits(_THRESHOLDS),
    "Precision": _bits(_CHOSEN),
    "Recall": _bits(_CHOSEN),
    "F1Score": [
        ("one_hot", "p", o)
        for o in ({}, {"average": "micro"}, {"average": "macro"}, {"average": "weighted"},
                  {"threshold": 0.3}, {"threshold": 0.3, "average": "micro"})
    ],
    "FBetaScore": [("one_hot", "p", {"beta": 0.5}), ("bits", "bit_p", {"threshold": 0.5})],
    "SensitivityAtSpecificity": _bits(
        [{"specificity": 0.5}, {"specificity": 0.8, "num_thresholds": 5, "class_id": 1}]
    ),
    "SpecificityAtSensitivity": _bits(
        [{"sensitivity": 0.5}, {"sensitivity": 0.7, "num_thresholds": 1}]
    ),
    "PrecisionAtRecall": _bits([{"recall": 0.5}, {"recall": 0.9, "class_id": 0}]),
    "RecallAtPrecision": _bits([{"precision": 0.6}, {"precision": 0.9, "num_thresholds": 7}]),
    "AUC": [
        *_bits(
            [
                {"curve": curve, "summation_method": method, "multi_label": several}
                for curve in ("ROC", "PR")
                for method in _SUMMATION
                for several in (False, True)
            ]
        ),
        *_bits(
            [
                {"num_thresholds": 7}, {"thresholds": [0.1, 0.5]},
                {"multi_label": True, "num_labels": 4, "label_weights": [1.0, 0.5, 2.0, 0.0]},
            ]
        ),
        ("bits", "real", {"from_logits": True}),
    ],
    "IoU": [("numbers", "guesses", {"num_classes": 4, "target_class_ids": [0, 2]})],
    "MeanIoU": [
        ("numbers", "guesses", {"num_classes": 4}),
        ("numbers", "guesses", {"num_classes": 4, "ignore_class": 1}),
        ("one_hot", "p", {"num_classes": 4, "sparse_y_true": False, "sparse_y_pred": False}),
    ],
    "BinaryIoU": _bits([{}, {"target_class_ids": [1], "threshold": 0.25}]),
    "OneHotIoU": [("one_hot", "p", {"num_classes": 4, "target_class_ids": [0, 3]})],
    "OneHotMeanIoU": [
        ("one_hot", "p", {"num_classes": 4}),
        ("one_hot", "one_hot", {"num_classes": 4, "ignore_class": 3}),
    ],
}  # fmt: skip
# These take matrices alone.
MATRICES_ONLY = {"R2Score", "F1Score", "FBetaScore"}

METRIC_FUNCTIONS: Table = {
    "binary_accuracy": _bits([{}, {"threshold": 0.2}]),
    "categorical_accuracy": [("one_hot", "p", {})],
    "sparse_categorical_accuracy": [("numbers", "p", {}), ("numbers_column", "p", {})],
    "top_k_categorical_accuracy": [("one_hot", "p", {"k": 2})],
    "sparse_top_k_categorical_accuracy": [("numbers", "p", {"k": 2})],
    "pearson_correlation": [("real", "other", {}), ("real", "other", {"axis": 0})],
    "concordance_correlation": [("real", "other", {}), ("real", "other", {"axis": 0})],
}

# ------------------------------------------------------------------------------------ optimizers

_SHARED: list[Options] = [
    {}, {"weight_decay": 0.1}, {"clipnorm": 0.5}, {"clipvalue": 0.2}, {"global_clipnorm": 0.7},
    {"use_ema": True, "ema_momentum": 0.6, "ema_overwrite_frequency": 2},
    {"gradient_accumulation_steps": 2}, {"loss_scale_factor": 4.0},
]  # fmt: skip
OPTIMIZERS: dict[str, list[Options]] = {
    "SGD": [*_SHARED, {"momentum": 0.9}, {"momentum": 0.9, "nesterov": True}],
    "Adam": [*_SHARED, {"amsgrad": True}, {"beta_1": 0.5, "beta_2": 0.6, "epsilon": 0.1}],
    "AdamW": [*_SHARED, {"amsgrad": True, "weight_decay": 0.02}],
    "RMSprop": [*_SHARED, {"momentum": 0.5, "centered": True, "rho": 0.8}],
    "Adagrad": [*_SHARED, {"initial_accumulator_value": 0.5}],
    "Adadelta": [*_SHARED, {"rho": 0.7}],
    "Adamax": _SHARED,
    "Nadam": _SHARED,
    "Lion": [*_SHARED, {"beta_1": 0.6}],
    "Lamb": _SHARED,
    "Ftrl": [
        *_SHARED,
        {"l1_regularization_strength": 0.2, "l2_regularization_strength": 0.1, "beta": 0.1},
        {"l2_shrinkage_regularization_strength": 0.1, "learning_rate_power": -0.7},
    ],
    "Adafactor": [*_SHARED, {"relative_step": False}, {"clip_threshold": 0.5}],
    "ScheduleFreeAdamW": [*_SHARED, {"warmup_steps": 3}],
    "Muon": [*_SHARED, {"nesterov": False, "exclude_layers": ["first"]}, {"rms_rate": None}],
}  # fmt: skip
SCHEDULES: list[tuple[str, Options]] = [
    ("ExponentialDecay", {"initial_learning_rate": 0.1, "decay_steps": 3, "decay_rate": 0.5}),
    ("CosineDecay", {"initial_learning_rate": 0.1, "decay_steps": 4, "warmup_target": 0.3,
                     "warmup_steps": 2}),
    ("CosineDecayRestarts", {"initial_learning_rate": 0.1, "first_decay_steps": 2}),
    ("InverseTimeDecay", {"initial_learning_rate": 0.1, "decay_steps": 2, "decay_rate": 0.5,
                          "staircase": True}),
    ("PiecewiseConstantDecay", {"boundaries": [1, 3], "values": [0.3, 0.2, 0.1]}),
    ("PolynomialDecay", {"initial_learning_rate": 0.1, "decay_steps": 3, "power": 2.0,
                         "cycle": True}),
]  # fmt: skip
