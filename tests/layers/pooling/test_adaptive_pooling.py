"""Adaptive pooling: windows written out, data formats, open sizes, refusals."""

import itertools

import numpy as np
import pytest

from keras_fn import layers, ops
from keras_fn.layers import Input

RANDOM = np.random.default_rng(1)


def pooled(x, output_size, reduce):
    """Every window by itself: from `floor(i * n / m)` to `ceil((i + 1) * n / m)`."""
    windows = [
        [slice(i * n // m, -(-(i + 1) * n // m)) for i in range(m)]
        for n, m in zip(x.shape[1:-1], output_size, strict=True)
    ]
    axes = tuple(range(1, x.ndim - 1))
    rows = [reduce(x[(slice(None), *window)], axis=axes) for window in itertools.product(*windows)]
    return np.stack(rows, 1).reshape(len(x), *output_size, x.shape[-1])


@pytest.mark.parametrize(
    ("sizes", "output_size"),
    [((7,), (3,)), ((8,), (4,)), ((3,), (5,)), ((6, 5), (4, 2)), ((4, 5, 3), (2, 2, 3))],
)
@pytest.mark.parametrize(("kind", "reduce"), [("Average", np.mean), ("Max", np.max)])
def test_each_window_becomes_one_element(kind, reduce, sizes, output_size):
    x = RANDOM.normal(size=(2, *sizes, 3)).astype("float32") - 5
    cls = getattr(layers, f"Adaptive{kind}Pooling{len(sizes)}D")
    expected = pooled(x.astype("float64"), output_size, reduce)
    layer = cls(output_size, dtype="float32")
    y = layer(x)
    np.testing.assert_allclose(ops.convert_to_numpy(y), expected, rtol=1e-5)
    first = cls.from_config({**layer.get_config(), "data_format": "channels_first"})
    y = ops.convert_to_numpy(first(np.moveaxis(x, -1, 1)))
    np.testing.assert_allclose(np.moveaxis(y, 1, -1), expected, rtol=1e-5)


@pytest.mark.parametrize("kind", ["Average", "Max"])
def test_open_sizes_are_pooled_to_the_output_size(kind):
    layer = getattr(layers, f"Adaptive{kind}Pooling2D")((3, 2))
    assert layer.output_size == (3, 2)
    assert layer(Input((None, 5, 4))).shape == (None, 3, 2, 4)
    assert layer.compute_output_shape((None, None, None, 4)) == (None, 3, 2, 4)
    assert layer(np.zeros((0, 7, 5, 4), "float32")).shape[1:] == (3, 2, 4)
    config = getattr(layers, f"Adaptive{kind}Pooling2D")(6).get_config()
    assert (config["output_size"], config["data_format"]) == ((6, 6), "channels_last")


@pytest.mark.parametrize("value", [0, (2, 3, 4), "2", 1.5, None])
def test_an_invalid_output_size_is_refused(value):
    with pytest.raises(ValueError, match=r"AdaptiveMaxPooling2D(.|\n)*output_size"):
        layers.AdaptiveMaxPooling2D(value)


def test_the_wrong_rank_is_refused_by_the_layer():
    with pytest.raises(ValueError, match="AdaptiveAveragePooling1D layer"):
        layers.AdaptiveAveragePooling1D(2)(Input((4, 4, 3)))
    with pytest.raises(ValueError, match="AdaptiveAveragePooling1D layer"):
        layers.AdaptiveAveragePooling1D(2)(Input((0, 3)))
