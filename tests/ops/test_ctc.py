"""The loss of labels that do not fit, and a search too wide to write out."""

import numpy as np

import keras_fn as keras
from keras_fn import ops
from keras_fn.backend.loader import current


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
