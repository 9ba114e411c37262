"""Training on sparse data: the results are those of dense data, which it never becomes."""

import numpy as np
import pytest
import scipy.sparse

import keras_fn as keras
from keras_fn import layers, ops
from keras_fn.core.sparse import is_sparse
from keras_fn.data_adapters import sparse_rows

FEATURES = scipy.sparse.random(20, 30, 0.2, "csr", "float32", np.random.default_rng(0))
X = FEATURES.toarray()
Y = np.random.default_rng(1).normal(size=(20, 2)).astype("float32")
WEIGHTS = np.random.default_rng(2).uniform(size=20).astype("float32")


def functional(sparse):
    x = keras.Input((30,), sparse=sparse)
    return keras.Model(x, layers.Dense(2)(layers.Dense(4, "tanh")(x)))


def sequential():
    return keras.Sequential([layers.Dense(4, "tanh"), layers.Dense(2)])


def train(model, data, targets=Y, **options):
    keras.utils.set_random_seed(0)
    model = model()
    model.compile("sgd", "mse", metrics=["mae"])
    options = {"batch_size": 8, "epochs": 2, "verbose": 0, "sample_weight": WEIGHTS} | options
    history = model.fit(data, targets, validation_split=0.2, **options)
    evaluation = model.evaluate(data, targets, 8, verbose=0)
    return [*model.get_weights(), *history.history.values(), evaluation, model.predict(data, 8, 0)]


def compare(received, expected):
    for a, b in zip(received, expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=2e-4, atol=1e-5)


@pytest.fixture(scope="module")
def of_dense_data():
    return train(lambda: functional(False), X)


@pytest.mark.parametrize(
    "form",
    ["csr_matrix", *(pytest.param(f, marks=pytest.mark.thorough) for f in ("coo_array", "tensor"))],
)
def test_fit_on_sparse_data_equals_fit_on_dense_data(of_dense_data, form):
    data = {
        "csr_matrix": FEATURES,
        "coo_array": scipy.sparse.coo_array(FEATURES.astype("float64")),
        "tensor": ops.convert_to_tensor(FEATURES),
    }[form]
    compare(train(lambda: functional(True), data), of_dense_data)


def test_a_dense_input_takes_dense_batches(of_dense_data):
    compare(train(lambda: functional(False), FEATURES), of_dense_data)


def test_a_model_without_an_input_takes_sparse_batches(of_dense_data):
    compare(train(sequential, FEATURES), of_dense_data)


def test_the_data_is_never_dense_as_a_whole(monkeypatch):
    sizes = []

    def to_array(self):
        array = plain(self)
        sizes.append(array.shape)
        return array

    plain = sparse_rows.SparseRows.to_array
    monkeypatch.setattr(sparse_rows.SparseRows, "to_array", to_array)
    functional(True).predict(FEATURES, 8, 0)
    assert not sizes
    functional(False).predict(FEATURES, 8, 0)
    assert [rows for rows, _ in sizes] == [8, 8, 4]


def test_a_million_columns():
    """A dense batch would take 4 GB."""
    rows = np.repeat(np.arange(1000), 3)
    columns = np.random.default_rng(0).integers(0, 10**6, 3000)
    data = scipy.sparse.csr_matrix((np.ones(3000, "float32"), (rows, columns)), (1000, 10**6))
    x = keras.Input((10**6,), sparse=True)
    model = keras.Model(x, layers.Dense(1, kernel_initializer="zeros")(x))
    model.compile(keras.optimizers.SGD(1.0), "mse")
    model.fit(data, np.ones(1000, "float32"), batch_size=1000, verbose=0)
    kernel = model.layers[1].kernel.numpy()
    assert np.count_nonzero(kernel) == len(np.unique(columns))


@pytest.mark.parametrize("sparse", [True, pytest.param(False, marks=pytest.mark.thorough)])
def test_batches_of_a_generator(sparse):
    def generate(data):
        for i in range(0, 20, 5):
            yield data[i : i + 5], Y[i : i + 5]

    results = []
    for data in (X, FEATURES):
        keras.utils.set_random_seed(0)
        model = functional(sparse)
        model.compile("sgd", "mse")
        model.fit(generate(data), verbose=0)
        results.append(model.get_weights())
    compare(results[1], results[0])


def test_methods_of_one_batch():
    model = functional(True)
    model.compile("sgd", "mse")
    model.set_weights([np.ones(w.shape) * 0.1 for w in model.get_weights()])
    assert model.test_on_batch(FEATURES, Y) == pytest.approx(model.test_on_batch(X, Y), rel=1e-5)
    compare([model.predict_on_batch(FEATURES)], [model.predict_on_batch(X)])
    compare([ops.convert_to_numpy(model(FEATURES))], [ops.convert_to_numpy(model(X))])
    model.train_on_batch(FEATURES, Y)


def test_targets_of_a_sparse_matrix():
    labels = scipy.sparse.csr_matrix(FEATURES[:, :2] != 0)
    model = keras.Sequential([keras.Input((30,)), layers.Dense(2, "sigmoid")])
    model.compile("sgd", "binary_crossentropy")
    sparse = model.evaluate(FEATURES, labels, verbose=0)
    assert sparse == pytest.approx(model.evaluate(X, labels.toarray(), verbose=0), rel=1e-5)


def test_several_inputs():
    x, y = keras.Input((30,), sparse=True, name="x"), keras.Input((2,), name="y")
    joined = layers.Concatenate()([layers.Dense(2)(x), y])
    model = keras.Model([x, y], layers.Dense(2)(joined))
    compare([model.predict({"y": Y, "x": FEATURES}, 8, 0)], [model.predict([X, Y], verbose=0)])


def test_layers_stay_sparse_until_one_has_weights():
    x = keras.Input((30,), sparse=True)
    y = layers.Multiply()([layers.ReLU()(x), layers.Reshape((30,))(x)])
    y = layers.Concatenate()([layers.Dropout(0.5)(y), layers.Flatten()(x)])
    assert y.sparse
    output = layers.Dense(2)(y)
    assert not output.sparse
    model = keras.Model(x, output)
    compare([model.predict(FEATURES, verbose=0)], [model.predict(X, verbose=0)])


@pytest.mark.thorough
def test_a_model_may_return_a_sparse_tensor():
    x = keras.Input((30,), sparse=True)
    model = keras.Model(x, layers.Multiply()([x, x]))
    assert is_sparse(model(ops.convert_to_tensor(FEATURES)))
    compare([model.predict(FEATURES, verbose=0)], [X * X])


def test_a_sparse_input_is_saved_and_cloned(tmp_path):
    model = functional(True)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert loaded.inputs[0].sparse and keras.models.clone_model(model).inputs[0].sparse
    compare([loaded.predict(FEATURES, verbose=0)], [model.predict(X, verbose=0)])


def test_an_embedding_looks_up_sparse_class_indices():
    ids = np.array([[1, 0, 2], [0, 3, 0]] * 4)
    x = keras.Input((3,), dtype="int32", sparse=True)
    table = layers.Embedding(5, 2, mask_zero=True)
    model = keras.Model(x, layers.SimpleRNN(3)(table(x)))
    sparse = scipy.sparse.csr_matrix(ids)
    compare([model.predict(sparse, verbose=0)], [model.predict(ids, verbose=0)])


def test_gradients_flow_through_sparse_inputs_to_weights():
    x, w = ops.convert_to_tensor(FEATURES), keras.Variable(np.ones((30, 2), "float32"))

    def loss(x):
        return ops.sum(ops.square(ops.matmul(ops.multiply(x, 2.0), w))), None

    def grad(x):
        return keras.value_and_grad(lambda: loss(x)[0], [w])()[1][0]

    compare([ops.convert_to_numpy(grad(x))], [ops.convert_to_numpy(grad(X))])


@pytest.mark.skipif(keras.config.backend() != "tensorflow", reason="a function of TensorFlow")
def test_a_custom_layer_of_sparse_functions_of_the_framework():
    import tensorflow as tf

    class Product(layers.Layer):
        def call(self, x):
            return tf.sparse.sparse_dense_matmul(x, tf.ones((30, 2)))

    x = keras.Input((30,), sparse=True)
    model = keras.Model(x, Product()(x))
    compare([model.predict(FEATURES, verbose=0)], [X @ np.ones((30, 2), "float32")])
