"""Dot-product and additive attention, next to NumPy in float64."""

import numpy as np
import pytest

import keras_fn as keras
from keras_fn import layers, ops
from keras_fn.core.masking import get_mask
from keras_fn.errors import KerasError

RANDOM = np.random.default_rng(0)
QUERY = RANDOM.standard_normal((2, 3, 4)).astype("float32")
VALUE = RANDOM.standard_normal((2, 5, 6)).astype("float32")
KEY = RANDOM.standard_normal((2, 5, 4)).astype("float32")
TARGET = np.array([[1, 1, 0], [1, 0, 1]], bool)
SEEN = np.array([[1, 0, 1, 1, 0], [0, 0, 1, 0, 1]], bool)
CAUSAL = np.arange(3)[:, None] >= np.arange(5)


def array(x):
    return ops.convert_to_numpy(x)


def softmax(x):
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def scores_of(layer, q, k):
    scale = 1.0 if layer.scale is None else layer.scale.numpy().astype("float64")
    pairs = q[..., :, None, :] + k[..., None, :, :]
    if isinstance(layer, layers.AdditiveAttention):
        return (scale * np.tanh(pairs)).sum(-1)
    if layer.score_mode == "concat":
        return layer.concat_score_weight.numpy() * np.tanh(scale * pairs).sum(-1)
    return scale * (q @ np.swapaxes(k, -1, -2))


def reference(layer, query, value, key, targets=None, mask=None):
    q, k = query.astype("float64"), key.astype("float64")
    logits = scores_of(layer, q, k)
    weights = softmax(logits if mask is None else np.where(mask, logits, -1e30))
    y = weights @ value
    return (y if targets is None else np.where(targets[..., None], y, 0)), weights


LAYERS = {
    "dot": layers.Attention,
    "scale": lambda **more: layers.Attention(use_scale=True, **more),
    "concat": lambda **more: layers.Attention(score_mode="concat", use_scale=True, **more),
    "additive": layers.AdditiveAttention,
    "additive, plain": lambda **more: layers.AdditiveAttention(use_scale=False, **more),
}


RARE = [pytest.param(n, marks=pytest.mark.thorough) for n in ("dot", "additive, plain")]


@pytest.mark.parametrize("name", ["scale", "concat", "additive", *RARE])
def test_each_score_with_each_mask(name):
    layer = LAYERS[name]()
    inputs = [QUERY, VALUE, KEY]
    layer(inputs)
    layer.set_weights([w + 0.5 for w in layer.get_weights()])
    np.testing.assert_allclose(array(layer(inputs)), reference(layer, *inputs)[0], 1e-4, 1e-5)
    for targets, seen, causal in ((TARGET, SEEN, False), (None, SEEN, True)):
        mask = SEEN[:, None] & (CAUSAL if causal else True)
        expected, expected_weights = reference(layer, *inputs, targets, mask)
        options = {"mask": [targets, seen], "use_causal_mask": causal}
        y, weights = layer(inputs, **options, return_attention_scores=True)
        np.testing.assert_allclose(array(weights), expected_weights, 1e-4, 1e-6)
        np.testing.assert_allclose(array(y), expected, 1e-4, 1e-5)
        np.testing.assert_allclose(array(layer(inputs, **options)), expected, 1e-4, 1e-5)


def test_masks_that_travel_with_the_inputs():
    steps, layer = layers.Masking(), layers.Attention()
    query, value = QUERY * TARGET[..., None], KEY * SEEN[..., None]
    y, weights = layer([steps(query), steps(value)], return_attention_scores=True)
    expected, _ = reference(layer, query, value, value, TARGET, SEEN[:, None])
    np.testing.assert_allclose(array(y), expected, 1e-4, 1e-5)
    np.testing.assert_array_equal(array(get_mask(y)), TARGET)
    assert get_mask(weights) is None
    symbol = layer([steps(keras.Input((None, 4))), keras.Input((None, 4))])
    assert symbol.shape == (None, None, 4) and symbol._keras_mask is not None


def test_a_target_without_any_source_is_the_mean_of_all():
    layer = layers.Attention()
    mask = [None, np.zeros((2, 5), bool)]
    y, weights = layer([QUERY, VALUE, KEY], mask=mask, return_attention_scores=True)
    np.testing.assert_allclose(array(weights), 0.2, 1e-6)
    mean = np.broadcast_to(VALUE.mean(1, keepdims=True), y.shape)
    np.testing.assert_allclose(array(y), mean, 1e-5, 1e-6)
    np.testing.assert_allclose(array(layer([QUERY, VALUE, KEY], mask=mask)), mean, 1e-5, 1e-6)


def test_further_axes_are_like_the_batch():
    layer = layers.Attention(use_scale=True)
    query, value = np.stack([QUERY, QUERY + 1], 1), np.stack([KEY, KEY * 2], 1)
    seen = np.stack([SEEN, ~SEEN], 1)
    y = layer([query, value], mask=[None, seen], use_causal_mask=True)
    mask = seen[:, :, None] & CAUSAL
    np.testing.assert_allclose(
        array(y), reference(layer, query, value, value, mask=mask)[0], 1e-4, 1e-5
    )


def test_dropout_is_in_training_only_and_has_a_seed():
    layers_ = [layers.AdditiveAttention(use_scale=False, dropout=0.5, seed=3) for _ in range(2)]
    first, again = (array(layer([QUERY, KEY], training=True)) for layer in layers_)
    np.testing.assert_array_equal(first, again)
    expected, _weights = reference(layers_[0], QUERY, KEY, KEY)
    assert np.abs(first - expected).max() > 1e-3
    np.testing.assert_allclose(array(layers_[0]([QUERY, KEY])), expected, 1e-4, 1e-5)
    assert layers.AdditiveAttention(dropout=0.5, seed=3).get_config()["seed"] == 3


REFUSED = {
    "a tensor": (lambda a: a(QUERY), "a list of inputs"),
    "one": (lambda a: a([QUERY]), "a list of inputs"),
    "features": (lambda a: a([QUERY, VALUE]), "equally many features"),
    "lengths": (lambda a: a([QUERY, VALUE, KEY[:, :2]]), "of equal length"),
    "a mask": (lambda a: a([QUERY, KEY], mask=SEEN), "a list of masks"),
    "shape of a mask": (lambda a: a([QUERY, KEY], mask=[SEEN, None]), r"a mask of shape \(2, 3\)"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_does_not_fit_is_refused_by_the_layer(name):
    call, match = REFUSED[name]
    with pytest.raises(KerasError, match=match) as error:
        call(layers.Attention(name="att"))
    assert str(error.value).startswith("Attention layer 'att'")
