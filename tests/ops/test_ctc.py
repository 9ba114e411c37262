"""CTC: blanks among the labels, labels that do not fit, precision, and a search of many beams."""

import numpy as np
import pytest
from scipy import special

import keras_fn as keras
from keras_fn import ops
from keras_fn.backend.loader import current


def negative_log_likelihood(labels: list[int], logits: np.ndarray) -> float:
    """Sums the alignments in float64: blanks around the labels, equal neighbors apart."""
    log_p = special.log_softmax(logits.astype("float64"), -1)
    states = [0, *(x for label in labels for x in (label, 0))]
    alpha = np.full(len(states), -np.inf)
    alpha[:2] = log_p[0, states[:2]]
    for row in log_p[1:]:
        ways = np.full((3, len(states)), -np.inf)
        ways[0], ways[1, 1:] = alpha, alpha[:-1]
        for s in range(3, len(states), 2):
            if states[s] != states[s - 2]:
                ways[2, s] = alpha[s - 2]
        alpha = special.logsumexp(ways, 0) + row[states]
    return -special.logsumexp(alpha[-2:])


LOGITS = ((np.arange(24).reshape(2, 4, 3) - 12) / 100).astype("float32")


@pytest.mark.parametrize("second", [[1, 2, 0, 2], [2, 0, 0, 1], [0, 1, 2, 0]])
def test_a_blank_among_the_labels_is_a_label(second: list[int]) -> None:
    """It separates no equal labels and takes a step of its own, in every framework's kernel."""
    labels = np.array([[1, 2, 1, 0], second])
    counts = np.count_nonzero(labels, axis=1)
    expected = [
        negative_log_likelihood(row[:n].tolist(), logits)
        for row, n, logits in zip(labels, counts, LOGITS, strict=True)
    ]
    got = keras.losses.CTC(reduction=None)(labels, LOGITS)
    np.testing.assert_allclose(ops.convert_to_numpy(got), expected, rtol=1e-5)
    mean = float(keras.losses.CTC()(labels, LOGITS))
    np.testing.assert_allclose(mean, np.mean(expected), rtol=1e-5)
    if second == [1, 2, 0, 2]:
        assert abs(mean - 2.4486) < 1e-4
        direct = ops.ctc_loss(labels, LOGITS, counts, [4, 4])
        np.testing.assert_allclose(ops.convert_to_numpy(direct), expected, rtol=1e-5)


@pytest.mark.parametrize(
    ("dtype", "strategy"),
    [("float16", "greedy"), ("bfloat16", "greedy"), ("float16", "beam_search")],
)
def test_scores_of_half_precision_are_float32(dtype: str, strategy: str) -> None:
    logits = ops.cast(LOGITS * 64, dtype)
    rounded = ops.convert_to_numpy(ops.cast(logits, "float32"))
    options = {"strategy": strategy, "beam_width": 4}
    paths, scores = ops.ctc_decode(logits, [4, 4], **options)
    wide_paths, wide_scores = ops.ctc_decode(rounded, [4, 4], **options)
    assert ops.dtype(scores) == "float32"
    np.testing.assert_array_equal(ops.convert_to_numpy(paths), ops.convert_to_numpy(wide_paths))
    wide = ops.convert_to_numpy(wide_scores)
    np.testing.assert_allclose(ops.convert_to_numpy(scores), wide, rtol=1e-6)
    shape = keras.KerasTensor((2, 4, 3), dtype)
    assert ops.ctc_decode(shape, [4, 4], **options)[1].dtype == "float32"


def test_labels_that_do_not_fit_have_no_gradient() -> None:
    variable = keras.Variable(np.random.default_rng(0).normal(size=(2, 2, 3)).astype("float32"))

    def loss():
        each = ops.ctc_loss([[1, 1], [1, 2]], variable.value, [2, 2], [2, 2])
        return ops.sum(each), each

    (_, each), (grad,) = current().value_and_grad(loss, [variable])()
    each, grad = ops.convert_to_numpy(each), ops.convert_to_numpy(grad)
    assert np.isinf(each[0]) and np.isfinite(each[1])
    assert (grad[0] == 0).all() and np.isfinite(grad).all() and (grad[1] != 0).any()


def test_a_long_sequence_that_is_nearly_certain_is_found_by_few_beams() -> None:
    rng = np.random.default_rng(1)
    way = rng.integers(0, 20, (2, 60))
    logits = 12.0 * np.eye(20, dtype="float32")[way] + rng.normal(size=(2, 60, 20)) * 0.1
    paths, scores = ops.ctc_decode(
        logits.astype("float32"), [60, 41], "beam_search", beam_width=8, top_paths=2
    )
    greedy, _ = ops.ctc_decode(logits.astype("float32"), [60, 41])
    best = ops.convert_to_numpy(paths)
    np.testing.assert_array_equal(best[0], ops.convert_to_numpy(greedy)[0])
    assert (best[0] != best[1]).any(-1).all()
    scores = ops.convert_to_numpy(scores)
    assert (scores[:, 0] > -1).all() and (scores[:, 1] < scores[:, 0]).all()
    labels = np.where(best[0] < 0, 0, best[0])
    counts = (best[0] >= 0).sum(-1)
    loss = ops.ctc_loss(labels, logits.astype("float32"), counts, [60, 41])
    np.testing.assert_allclose(-scores[:, 0], ops.convert_to_numpy(loss), rtol=0.02)
