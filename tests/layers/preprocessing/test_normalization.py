"""`Normalization`: means and variances that are given, or adapted to data."""

import numpy as np
import pytest

import keras_fn as keras
from keras_fn.errors import SpecError
from keras_fn.layers import Normalization
from keras_fn.layers.preprocessing._moments import StreamingMoments

X = np.random.default_rng(0).normal(3.0, 2.0, (10, 4, 3)).astype("float32")


def numpy(x):
    return keras.ops.convert_to_numpy(x)


@pytest.mark.parametrize("axis", [-1, None, (2, 0)], ids=str)
def test_each_index_of_the_axis_has_a_mean_and_a_variance(axis):
    layer = Normalization(axis=axis)
    layer.adapt([X[:4], X[4:]] if axis != (2, 0) else X)
    kept = [a % 3 for a in ((axis,) if isinstance(axis, int) else axis or ())]
    others = tuple(i for i in range(3) if i not in kept)
    mean = X.mean(others, keepdims=True, dtype="float64")
    variance = X.var(others, keepdims=True, dtype="float64")
    np.testing.assert_allclose(numpy(layer(X)), (X - mean) / np.sqrt(variance), 1e-5, 1e-5)
    assert tuple(layer.mean.shape) == mean.shape
    np.testing.assert_allclose(numpy(layer.variance), variance, 1e-5)
    given = Normalization(
        axis, mean.reshape(layer.adapt_mean.shape), variance.reshape(layer.adapt_mean.shape), True
    )
    np.testing.assert_allclose(numpy(given(layer(X))), X, 1e-4, 1e-4)
    again = Normalization.from_config(given.get_config())
    np.testing.assert_array_equal(numpy(again(X)), numpy(given(X)))


def test_variances_are_right_far_from_zero():
    far = (1e6 + np.random.default_rng(1).normal(size=(3000, 2))).astype("float32")
    expected = far.astype("float64").var(0)
    layer = Normalization()
    layer.adapt(far[i : i + 64] for i in range(0, 3000, 64))
    np.testing.assert_allclose(numpy(layer.adapt_variance), expected, 1e-6)
    moments = StreamingMoments((0,))
    moments.update(np.tile(far, (400, 1)))  # in parts
    np.testing.assert_allclose(moments.variance, expected, 1e-9)


def test_half_precision_does_not_round_the_inputs():
    years = np.array([[2021.0], [2022.0], [2023.0]], "float32")
    layer = Normalization(dtype="mixed_bfloat16")
    layer.adapt(years)
    y = layer(years)
    assert keras.ops.dtype(y) == "bfloat16"
    np.testing.assert_allclose(
        numpy(keras.ops.cast(y, "float32")), (years - 2022) / np.sqrt(2 / 3), 5e-3
    )


def test_adapt_again_replaces_in_a_compiled_model():
    model = keras.Sequential([keras.Input((3,)), Normalization()])
    data = X[:, 0]
    model.layers[0].adapt(data)
    first = [model.predict(data, verbose=0) for _ in range(2)][-1]
    model.layers[0].adapt(data * 10.0 + 5.0)
    second = model.predict(data * 10.0 + 5.0, verbose=0)
    np.testing.assert_allclose(first, second, 1e-4, 1e-4)


def test_integers_and_the_layer_before_adapt():
    layer = Normalization()
    y = layer(np.array([[1, 2]]))
    assert keras.ops.dtype(y) == "float32" and numpy(y).tolist() == [[1.0, 2.0]]
    layer.adapt(np.array([[1, 2], [3, 4]]))
    assert numpy(layer(np.array([[1, 4]]))).tolist() == [[-1.0, 1.0]]
    assert [w.name for w in layer.weights] == ["mean", "variance", "count"]
    assert layer.trainable_weights == []


def test_a_saved_layer_is_the_same(tmp_path):
    model = keras.Sequential([keras.Input((4, 3)), Normalization(axis=(1, 2))])
    model.layers[0].adapt(X)
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(numpy(again(X)), numpy(model(X)))


def refusals():
    adapted = Normalization()
    adapted.adapt(X)
    return {
        "mean and variance, or neither": lambda: Normalization(mean=1.0),
        "of one shape": lambda: Normalization(mean=[1.0, 2.0], variance=1.0),
        "at most 0 axes": lambda: Normalization(axis=None, mean=[1.0], variance=[1.0]),
        "numbers of 0 or more": lambda: Normalization(mean=1.0, variance=-1.0),
        "without mean= and variance=": lambda: Normalization(mean=1.0, variance=1.0).adapt(X),
        "broadcast to": lambda: Normalization(mean=[1.0, 2.0], variance=[1.0, 2.0])(X),
        "known size": lambda: Normalization()(keras.Input((None,))),
        "an axis from -3 to 2": lambda: Normalization(axis=3)(X),
        "size 3 at axis -1": lambda: adapted(X[..., :2]),
        "shape (None, None, 3)": lambda: adapted.adapt(X[..., :2]),
        "at least one sample": lambda: Normalization().adapt(iter([X[:0]])),
    }


@pytest.mark.parametrize("words", refusals())
def test_what_does_not_fit_is_refused_by_name(words):
    with pytest.raises(SpecError, match=r"[Nn]ormalization") as error:
        refusals()[words]()
    assert words in str(error.value)
