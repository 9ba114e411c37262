"""EinsumDense and ReversibleEmbedding."""

import numpy as np
import pytest

import keras_fn as keras
from keras_fn import layers, ops
from keras_fn.core.masking import get_mask
from keras_fn.errors import KerasError

RANDOM = np.random.default_rng(0)


def array(x):
    return ops.convert_to_numpy(x)


EQUATIONS = {  # output shape, axes of the bias, inputs, shape of the bias, contracted axes
    "ab,bc->ac": (4, "c", (2, 3), (4,), 1),
    "abc,cd->abd": ((None, 4), "d", (2, 5, 3), (4,), 1),
    "...x,xy->...y": (4, "y", (2, 5, 3), (4,), 1),
    "ab...,bc->ac...": (4, "c", (2, 3, 5, 6), (4, 1, 1), 0),
    "abc,cde->abde": ((None, 2, 4), "de", (2, 5, 3), (2, 4), 1),
    "abc, cde -> abde": ((None, 2, 4), "d", (2, 5, 3), (2, 1), 0),
    "abcd,cde->abe": ((None, 4), "e", (2, 5, 3, 2), (4,), 2),
    "abc,bcd->abd": ((5, 4), "bd", (2, 5, 3), (5, 4), 0),
    "abc,dc->adb": ((4, None), None, (2, 5, 3), None, 0),
}


@pytest.mark.parametrize("equation", EQUATIONS)
def test_equations(equation):
    output_shape, bias_axes, shape, bias_shape, contracted = EQUATIONS[equation]
    layer = layers.EinsumDense(equation, output_shape, "tanh", bias_axes, bias_initializer="normal")
    x = RANDOM.standard_normal(shape).astype("float32")
    y = array(layer(x))
    bias = 0.0 if layer.bias is None else layer.bias.numpy()
    wide = np.einsum(equation, x.astype("float64"), layer.kernel.numpy().astype("float64"))
    np.testing.assert_allclose(y, np.tanh(wide + bias), 1e-4, 1e-5)
    assert (None if layer.bias is None else layer.bias.shape) == bias_shape
    assert layer._contracted == contracted  # so many axes are merged for one product of matrices
    assert layer.compute_output_shape((None, *shape[1:])) == (None, *y.shape[1:])
    again = layers.EinsumDense.from_config(layer.get_config())
    assert again(keras.Input(shape[1:])).shape == (None, *y.shape[1:])


def test_a_bias_may_have_axes_that_the_kernel_lacks():
    layer = layers.EinsumDense("abc,cde->abde", (7, 3, 4), bias_axes="be")
    x = np.arange(28.0, dtype="float32").reshape(2, 7, 2)
    layer.build(x.shape)
    bias = np.arange(28.0, dtype="float32").reshape(7, 1, 4)
    layer.bias.assign(bias)
    expected = np.einsum("abc,cde->abde", x, layer.kernel.numpy()) + bias
    np.testing.assert_allclose(ops.convert_to_numpy(layer(x)), expected, rtol=1e-5, atol=1e-5)


def test_unknown_sizes_stay_unknown():
    layer = layers.EinsumDense("abc,cde->abde", (None, 2, 4), bias_axes="de")
    assert layer(keras.Input((None, 3))).shape == (None, None, 2, 4)


def test_fans_are_those_of_the_equation():
    layer = layers.EinsumDense("abcd,cde->abe", (None, 50), kernel_initializer="he_uniform")
    layer.build((None, None, 40, 30))
    limit = np.sqrt(6 / (40 * 30))  # not 40 * 30 * 40, as of a convolution
    np.testing.assert_allclose(np.abs(layer.kernel.numpy()).max(), limit, 1e-3)


REFUSED = {
    "equation": (lambda: layers.EinsumDense("ab->ab", 3), "two terms and a result"),
    "both sides": (lambda: layers.EinsumDense("...a...,ab->...b...", 3), "on one side only"),
    "unknown letter": (lambda: layers.EinsumDense("ab,bc->ad", 3), "the letter 'd'"),
    "kernel": (lambda: layers.EinsumDense("ab,bcd->ac", 3), "the kernel's letter 'd'"),
    "bias": (lambda: layers.EinsumDense("ab,bc->ac", 3, bias_axes="x"), "letters of the output"),
    "size": (lambda: layers.EinsumDense("ab,bc->ac", 0), "a size, or a tuple"),
    "sizes": (
        lambda: layers.EinsumDense("abc,cd->abd", 3)(np.ones((2, 3, 4))), "output_shape of 2 sizes"
    ),
    "rank": (
        lambda: layers.EinsumDense("ab,bc->ac", 3)(np.ones((2, 3, 4))), "fits the first term"
    ),
    "shared": (
        lambda: layers.EinsumDense("abc,cd->abd", (7, 3))(np.ones((2, 3, 4))),
        "the size 3 of the input",
    ),
    "no size": (
        lambda: layers.EinsumDense("abc,cd->abd", (None, 3))(keras.Input((3, None))),
        "a known size of the weights' axis 'c'",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_does_not_fit_is_refused(name):
    call, match = REFUSED[name]
    with pytest.raises(KerasError, match=match):
        call()


# ------------------------------------------------------------------ ReversibleEmbedding


@pytest.mark.parametrize("tied", [True, False])
def test_vectors_are_projected_back(tied):
    layer = layers.ReversibleEmbedding(5, 3, tie_weights=tied, logit_soft_cap=0.5)
    x = layer(np.array([[1, 4]]))
    np.testing.assert_array_equal(array(x), layer.embeddings.numpy()[[[1, 4]]])
    vectors = RANDOM.standard_normal((2, 4, 3)).astype("float32")
    kernel = layer.embeddings.numpy().T if tied else layer.reverse_embeddings.numpy()
    expected = 0.5 * np.tanh(vectors.astype("float64") @ kernel / 0.5)
    np.testing.assert_allclose(array(layer(vectors, reverse=True)), expected, 1e-4, 1e-6)
    assert len(layer.weights) == (1 if tied else 2)
    assert layer.compute_output_shape((2, None, 3), reverse=True) == (2, None, 5)
    assert layer.compute_output_shape((2, None)) == (2, None, 3)


def test_a_language_model_is_saved_and_loaded(tmp_path):
    embedding = layers.ReversibleEmbedding(5, 3, mask_zero=True)
    inputs = keras.Input((None,), dtype="int32")
    x = embedding(inputs)
    model = keras.Model(inputs, embedding(layers.Dense(3)(x), reverse=True))
    assert model.output.shape == (None, None, 5)
    assert x._keras_mask is not None and model.output._keras_mask is None
    ids = np.array([[1, 0, 4]])
    np.testing.assert_array_equal(array(get_mask(embedding(ids))), ids != 0)
    model.save(tmp_path / "m.keras")
    again = keras.saving.load_model(tmp_path / "m.keras")
    np.testing.assert_allclose(array(again(ids)), array(model(ids)), 1e-5, 1e-6)
    assert len(again.weights) == 3


def test_the_projection_has_a_dtype_of_its_own():
    layer = layers.ReversibleEmbedding(5, 3, dtype="mixed_float16", reverse_dtype="float32")
    vectors = layer(np.array([[1, 4]]))
    assert ops.dtype(vectors) == "float16"
    assert ops.dtype(layer(vectors, reverse=True)) == "float32"
    assert layer(keras.Input((2, 3)), reverse=True).dtype == "float32"
    layer.reverse_dtype = None
    assert ops.dtype(layer(np.ones((1, 3), "float32"), reverse=True)) == "float16"


def test_vectors_of_another_size_are_refused():
    with pytest.raises(KerasError, match="vectors of size 3"):
        layers.ReversibleEmbedding(5, 3)(np.ones((2, 4), "float32"), reverse=True)
