"""Arrays in any form: pandas, lists, tensors of the backend and of other frameworks."""

import numpy as np
import pytest

import keras_fn as keras
from keras_fn import layers, ops
from keras_fn.backend.loader import current
from keras_fn.data_adapters.array_conversion import convert_to_array

X = np.random.default_rng(2).normal(size=(6, 3)).astype("float32")
Y = X.sum(1, keepdims=True)
WEIGHTS = [np.array([[1.0], [2.0], [-1.0]], "float32"), np.array([0.5], "float32")]


def linear():
    model = keras.Sequential([keras.Input((3,)), layers.Dense(1)])
    model.compile("sgd", "mse")
    model.set_weights(WEIGHTS)
    return model


LOSS = float(((X @ WEIGHTS[0] + 0.5 - Y) ** 2).mean())


class Foreign:
    """A tensor of an unknown framework, on the host."""

    def __init__(self, array):
        self._array = array
        self.shape, self.dtype = array.shape, f"foreign.{array.dtype}"

    def __array__(self, dtype=None, copy=None):
        return np.array(self._array, dtype=dtype)


class OfTorch:
    """Behaves like a PyTorch tensor on a GPU that requires a gradient."""

    def __init__(self, array, stage="gpu"):
        self._array, self._stage = array, stage
        self.shape, self.dtype = array.shape, f"torch.{array.dtype}"

    def detach(self):
        return OfTorch(self._array, "detached")

    def cpu(self):
        assert self._stage == "detached"
        return OfTorch(self._array, "cpu")

    def __array__(self, dtype=None, copy=None):
        if self._stage != "cpu":
            raise RuntimeError("Can't call numpy() on Tensor that requires grad.")
        return np.array(self._array, dtype=dtype)


class OfBfloat16(OfTorch):
    """One of a dtype that NumPy does not have."""

    def detach(self):
        return self

    def cpu(self):
        return self

    def float(self):
        return OfTorch(self._array, "cpu")

    def __array__(self, dtype=None, copy=None):
        raise TypeError("Got unsupported ScalarType BFloat16")


FORMS = {
    "lists": lambda a: a.tolist(),
    "tensors of the backend": ops.convert_to_tensor,
    "tensors of another framework": Foreign,
    "tensors on a GPU": OfTorch,
    "tensors of bfloat16": OfBfloat16,
    "float64": lambda a: a.astype("float64"),
    "columns in memory": np.asfortranarray,
    "read-only": lambda a: np.frombuffer(a.tobytes(), "float32").reshape(a.shape),
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_an_array_is_the_same_data(form):
    x, y = FORMS[form](X), FORMS[form](Y)
    assert linear().evaluate(x, y, batch_size=4, verbose=0) == pytest.approx(LOSS, rel=1e-5)
    found = linear().predict(x, batch_size=4, verbose=0)
    np.testing.assert_allclose(found, X @ WEIGHTS[0] + 0.5, rtol=1e-5)


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_an_array_may_come_in_batches(form):
    change = FORMS[form]
    data = [(change(X[i : i + 4]), change(Y[i : i + 4])) for i in (0, 4)]
    assert linear().evaluate(iter(data), verbose=0) == pytest.approx(LOSS, rel=1e-5)


def test_data_frames_and_series():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(X, columns=["a", "b", "c"])
    target = pandas.Series(Y[:, 0], name="t")
    assert linear().evaluate(frame, target, verbose=0) == pytest.approx(LOSS, rel=1e-5)
    assert linear().evaluate(frame[:4], frame[["a"]][:4], verbose=0) >= 0


def test_columns_of_a_frame_by_name():
    pandas = pytest.importorskip("pandas")
    a, b = keras.Input((1,), name="a"), keras.Input((1,), name="b")
    model = keras.Model({"a": a, "b": b}, layers.Subtract()([a, b]))
    frame = pandas.DataFrame({"b": [1, 2], "a": [10, 20]})
    np.testing.assert_array_equal(model.predict(dict(frame), verbose=0), [[9], [18]])


def test_columns_of_different_dtypes_are_promoted():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(
        {
            "whole": [1, 2],
            "truth": [True, False],
            "own": pandas.array([3, None], "Int64"),  # an extension dtype, with a missing value
        }
    )
    identity = keras.Sequential([keras.Input((3,)), layers.Activation("linear")])
    found = identity.predict(frame, verbose=0)
    np.testing.assert_array_equal(found, [[1, 1, 3], [2, 0, np.nan]])
    found = identity.predict(frame.fillna(4), verbose=0)
    np.testing.assert_array_equal(found, [[1, 1, 3], [2, 0, 4]])


def test_a_series_of_categories_or_text_is_refused_with_a_fix():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"n": [1.0, 2.0], "kind": ["red", "blue"]})
    frame["sort"] = frame["kind"].astype("category")
    frame["day"] = pandas.to_datetime(["2020-01-01", "2020-01-02"])
    with pytest.raises(TypeError) as error:
        linear().predict(frame, verbose=0)
    text = str(error.value)
    assert "whose columns are numbers" in text and "'n'" not in text
    assert "'sort' (category)" in text and "'kind' (" in text and "'day' (datetime" in text
    assert "get_dummies" in text
    with pytest.raises(TypeError, match="'sort'"):
        linear().fit(X[:2], frame["sort"], verbose=0)


@pytest.mark.skipif(not hasattr(current(), "to_device"), reason="the framework sees to it")
def test_a_tensor_on_another_device_is_moved_to_the_default_device():
    x = ops.convert_to_tensor(X)
    assert convert_to_array(x, "x", "test") is x
    with keras.device("meta"):
        assert convert_to_array(x, "x", "test").device.type == "meta"


def test_sparse_data_is_refused_with_a_fix():
    class Sparse:
        shape, dtype = (6, 3), np.dtype("float32")

    with pytest.raises(TypeError, match=r"(?s)a Sparse.*\.toarray\(\)"):
        linear().predict(Sparse(), verbose=0)


def test_map_style_data_sets_of_samples_are_refused_with_a_fix():
    class Samples:
        def __len__(self):
            return 6

        def __getitem__(self, i):
            return X[i], Y[i]

    with pytest.raises(ValueError, match=r"(?s)a Samples.*PyDataset.*DataLoader"):
        linear().fit(Samples(), verbose=0)
