"""Every loss against values that Keras 3.15.1 gave for the same inputs.

To note them again, where Keras and pytest are installed:
`KERAS_BACKEND=jax python test_against_keras.py`.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

NOTED = Path(__file__).parent.parent / "fixtures" / "keras_values" / "losses.json"
REDUCTIONS = ("sum_over_batch_size", "mean", "sum", "mean_with_sample_weight", "none", None)

random = np.random.RandomState(0)  # frozen: the same numbers in every version of NumPy
BATCH, CLASSES = 6, 4


def normal(*shape: int) -> np.ndarray:
    return random.normal(size=shape).astype("float32")


LOGITS = normal(BATCH, CLASSES) * 2
P = (np.exp(LOGITS) / np.exp(LOGITS).sum(-1, keepdims=True)).astype("float32")
SCALED = P * np.float32(1.3)  # does not add up to 1
NUMBERS = np.array([0, 3, 1, 2, 2, 0])
ONE_HOT = np.eye(CLASSES, dtype="float32")[NUMBERS]
SOFT = random.dirichlet(np.ones(CLASSES), BATCH).astype("float32")
BITS = random.randint(0, 2, size=(BATCH, CLASSES)).astype("float32")
BIT_P = random.uniform(size=(BATCH, CLASSES)).astype("float32")
A, B = normal(BATCH, CLASSES) * 2, normal(BATCH, CLASSES)
UNIT = A / np.linalg.norm(A, axis=-1, keepdims=True)
WEIGHT = random.uniform(size=BATCH).astype("float32")
SEQUENCES = normal(BATCH, 7, CLASSES)
LABELS = np.array([[1, 2, 3], [2, 2, 0], [3, 0, 0], [0, 0, 0], [1, 1, 1], [3, 1, 3]])

CASES: dict[str, tuple[str, dict[str, Any], np.ndarray, np.ndarray]] = {
    "mse": ("MeanSquaredError", {}, A, B),
    "mse of columns": ("MeanSquaredError", {}, A[:, 0], B[:, :1]),
    "mae": ("MeanAbsoluteError", {}, A, B),
    "mape": ("MeanAbsolutePercentageError", {}, A, B),
    "msle": ("MeanSquaredLogarithmicError", {}, A, B),
    "cosine": ("CosineSimilarity", {}, A, B),
    "cosine, axis 0": ("CosineSimilarity", {"axis": 0}, A, B),
    "huber": ("Huber", {"delta": 0.7}, A, B),
    "log cosh": ("LogCosh", {}, A, B),
    "hinge of bits": ("Hinge", {}, BITS, B),
    "hinge of signs": ("Hinge", {}, BITS * 2 - 1, B),
    "squared hinge": ("SquaredHinge", {}, BITS, B),
    "categorical hinge": ("CategoricalHinge", {}, ONE_HOT, B),
    "kl divergence": ("KLDivergence", {}, SOFT, P),
    "poisson": ("Poisson", {}, np.abs(A), np.abs(B)),
    "binary": ("BinaryCrossentropy", {}, BITS, BIT_P),
    "binary, certain": ("BinaryCrossentropy", {}, BITS, BITS[::-1].copy()),
    "binary, logits": (
        "BinaryCrossentropy", {"from_logits": True, "label_smoothing": 0.1}, BITS, LOGITS,
    ),
    "binary focal": (
        "BinaryFocalCrossentropy",
        {"apply_class_balancing": True, "label_smoothing": 0.1, "alpha": 0.4}, BITS, BIT_P,
    ),
    "binary focal, logits": (
        "BinaryFocalCrossentropy", {"from_logits": True, "gamma": 1.5}, BITS, LOGITS,
    ),
    "categorical": ("CategoricalCrossentropy", {"label_smoothing": 0.2}, ONE_HOT, SCALED),
    "categorical, logits": ("CategoricalCrossentropy", {"from_logits": True}, SOFT, LOGITS),
    "categorical, axis 0": (
        "CategoricalCrossentropy", {"from_logits": True, "axis": 0}, SOFT, LOGITS,
    ),
    "categorical focal": ("CategoricalFocalCrossentropy", {"alpha": 0.5}, ONE_HOT, SCALED),
    "categorical focal, logits": (
        "CategoricalFocalCrossentropy",
        {"from_logits": True, "label_smoothing": 0.1}, ONE_HOT, LOGITS,
    ),
    "sparse": ("SparseCategoricalCrossentropy", {}, NUMBERS, SCALED),
    "sparse, logits": (
        "SparseCategoricalCrossentropy", {"from_logits": True}, NUMBERS[:, None], LOGITS,
    ),
    "sparse, ignoring": ("SparseCategoricalCrossentropy", {"ignore_class": 2}, NUMBERS, P),
    "generalized": ("CategoricalGeneralizedCrossEntropy", {"q": 0.3}, NUMBERS, P),
    "ctc": ("CTC", {}, LABELS, SEQUENCES),
    "dice": ("Dice", {}, BITS, BIT_P),
    "dice, axis 1": ("Dice", {"axis": 1}, BITS, BIT_P),
    "tversky": ("Tversky", {"alpha": 0.3, "beta": 0.7, "axis": (1,)}, BITS, BIT_P),
    "circle": ("Circle", {"gamma": 8.0}, NUMBERS, UNIT),
    "circle with itself": ("Circle", {"margin": 0.2, "remove_diagonal": False}, NUMBERS, UNIT),
}  # fmt: skip
NO_WEIGHTS = {"dice", "cosine, axis 0", "categorical, axis 0"}  # losses of no batch axis


def value(losses: Any, case: str, reduction: str | None, weighted: bool) -> Any:
    name, options, y_true, y_pred = CASES[case]
    loss = getattr(losses, name)(reduction=reduction, **options)
    return loss(y_true, y_pred, sample_weight=WEIGHT if weighted else None)


def every() -> list[tuple[str, str | None, bool]]:
    return [
        (case, reduction, weighted)
        for case in CASES
        for reduction in REDUCTIONS
        for weighted in (False, True)
        if not (weighted and case in NO_WEIGHTS)
    ]


@pytest.mark.parametrize(("case", "reduction", "weighted"), every())
def test_losses_match_keras(case: str, reduction: str | None, weighted: bool) -> None:
    from keras_fn import losses, ops

    noted = json.loads(NOTED.read_text("utf-8"))[f"{case} | {reduction} | {weighted}"]
    got = ops.convert_to_numpy(value(losses, case, reduction, weighted))
    assert got.shape == np.shape(noted)
    np.testing.assert_allclose(got, noted, rtol=2e-5, atol=2e-6)


def test_every_loss_has_a_case() -> None:
    from keras_fn.losses import _CLASSES as EVERY

    assert {cls.__name__ for cls in EVERY} == {name for name, *_ in CASES.values()}


if __name__ == "__main__":
    from keras import losses, ops  # pyright: ignore[reportMissingImports]

    NOTED.write_text(
        json.dumps(
            {
                f"{case} | {reduction} | {weighted}": np.asarray(
                    ops.convert_to_numpy(value(losses, case, reduction, weighted)), "float64"
                ).tolist()
                for case, reduction, weighted in every()
            },
            indent=0,
        )
        + "\n",
        "utf-8",
    )
