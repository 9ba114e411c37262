"""The circle loss with reference embeddings."""

import numpy as np
import pytest

from keras_fn import losses, ops

random = np.random.RandomState(0)


def unit(count):
    rows = random.normal(size=(count, 3)).astype("float32")
    return rows / np.linalg.norm(rows, axis=-1, keepdims=True)


X, REFERENCES = unit(4), unit(6)
Y, LABELS = np.array([0, 1, 2, 0]), np.array([0, 1, 2, 2, 1, 0])


def expected(references, labels, diagonal, gamma=8.0, margin=0.4):
    """The loss by the paper's formula, in 64 bits."""
    distance = np.maximum(1 - X.astype("float64") @ references.T, 0)
    same = Y[:, None] == labels[None, :]
    counted = same & ~np.eye(*same.shape, dtype=bool) if diagonal else same
    far = np.exp(gamma * (distance + margin) * (distance - margin)) * counted
    weight = np.maximum(1 + margin - distance, 0)
    near = np.exp(gamma * weight * (1 - margin - distance)) * ~same
    return np.log1p(far.sum(1) * near.sum(1))


@pytest.mark.parametrize("diagonal", [False, True])
@pytest.mark.parametrize(
    ("given", "references", "labels"),
    [
        ({"ref_embeddings": REFERENCES, "ref_labels": LABELS}, REFERENCES, LABELS),
        ({"ref_embeddings": REFERENCES, "ref_labels": LABELS[:, None]}, REFERENCES, LABELS),
        ({"ref_embeddings": REFERENCES[:4]}, REFERENCES[:4], Y),
        ({"ref_labels": LABELS[:4]}, X, LABELS[:4]),
        ({}, X, Y),
    ],
    ids=["both", "a column of labels", "embeddings", "labels", "neither"],
)
def test_circle_loss_with_reference_embeddings(given, references, labels, diagonal):
    got = losses.circle(Y, X, gamma=8.0, remove_diagonal=diagonal, **given)
    np.testing.assert_allclose(
        ops.convert_to_numpy(got), expected(references, labels, diagonal), rtol=1e-4, atol=1e-5
    )
