"""Text as the input of models: layers on the host run on each batch, before the compiled step."""

import io
import threading

import numpy as np
import pytest
from host_layers import Lengths, Upper

import keras_fn as keras
from keras_fn import layers, ops
from keras_fn.debugging.layer_hooks import hook_layers
from keras_fn.errors import DTypeError, SpecError

TEXT = np.array([["a"], ["bcd"], ["ef"], [""]] * 2)
NUMBERS = np.linspace(0, 1, 16, dtype="float32").reshape(8, 2)
TARGETS = np.array([[1.0], [3.0], [2.0], [0.0]] * 2, "float32")


def text_stack(*first):
    stack = [*first, Lengths(), layers.Rescaling(0.5), layers.Dense(1)]
    model = keras.Sequential(stack)
    model.compile(keras.optimizers.SGD(0.05), "mse")
    return model


def text_model():
    return text_stack(keras.Input((1,), dtype="string"))


def mixed_model():
    """A model of a column of text and columns of numbers."""
    text, numbers = keras.Input((1,), dtype="string", name="text"), keras.Input((2,), name="n")
    x = layers.Concatenate()([layers.Rescaling(0.5)(Lengths()(Upper()(text))), numbers])
    model = keras.Model({"text": text, "n": numbers}, layers.Dense(1)(x))
    model.compile(keras.optimizers.SGD(0.05), "mse")
    return model


def expected_of(model, lengths):
    dense = model.layers[-1]
    kernel, bias = (ops.convert_to_numpy(w) for w in (dense.kernel, dense.bias))
    return lengths.astype("float32") * 0.5 @ kernel + bias


LENGTHS = np.char.str_len(TEXT)
FORMS = {
    "U": TEXT,
    "without the last axis": TEXT[:, 0],
    "S": TEXT.astype("S"),
    "objects": TEXT.astype(object),
    "a list": TEXT[:, 0].tolist(),
    "a list of lists": TEXT.tolist(),
}


@pytest.mark.parametrize("form", FORMS)
def test_each_form_of_text_gives_the_same_predictions(form):
    model = text_model()
    expected = expected_of(model, LENGTHS)
    data = FORMS[form]
    for result in (model(data), model.predict(data, verbose=0), model.predict_on_batch(data)):
        np.testing.assert_allclose(ops.convert_to_numpy(result), expected, rtol=1e-5)


MIXED = {
    "arrays": {"text": TEXT, "n": NUMBERS},
    "lists": {"text": TEXT[:, 0].tolist(), "n": NUMBERS.tolist()},
    "other order": {"n": NUMBERS, "text": TEXT.tolist()},
    "by position": [TEXT, NUMBERS],
}


@pytest.mark.parametrize("form", MIXED)
def test_columns_of_text_and_numbers_are_matched(form):
    keras.utils.set_random_seed(1)
    model, data = mixed_model(), MIXED[form]
    expected = model.predict(MIXED["arrays"], verbose=0)
    np.testing.assert_allclose(model.predict(data, verbose=0, batch_size=3), expected, rtol=1e-5)
    np.testing.assert_allclose(ops.convert_to_numpy(model(data)), expected, rtol=1e-5)


def test_several_inputs_of_text_are_matched_by_position():
    first, second = (keras.Input((1,), dtype="string") for _ in range(2))
    model = keras.Model([first, second], layers.Subtract()([Lengths()(first), Lengths()(second)]))
    for data in ([TEXT, Upper()(TEXT)], [TEXT.tolist(), TEXT[:, 0].tolist()], (TEXT, TEXT)):
        assert not model.predict(data, verbose=0).any()
        assert not ops.convert_to_numpy(model(data)).any()


def test_fit_evaluate_and_single_batches_train_as_with_numbers():
    model, data = mixed_model(), MIXED["arrays"]
    numbers = keras.Sequential([keras.Input((3,)), layers.Dense(1)])
    numbers.compile(keras.optimizers.SGD(0.05), "mse")
    numbers.set_weights(model.get_weights())
    table = np.concatenate([LENGTHS * 0.5, NUMBERS], axis=1)
    options = {"sample_weight": np.arange(8.0), "class_weight": {0: 2.0}, "epochs": 2}
    options |= {"batch_size": 3, "verbose": 0, "shuffle": False, "validation_split": 0.25}
    histories = [m.fit(x, TARGETS, **options) for m, x in ((model, data), (numbers, table))]
    for name, losses in histories[1].history.items():
        np.testing.assert_allclose(histories[0].history[name], losses, rtol=1e-4)
    for method, count in (("train_on_batch", 3), ("test_on_batch", 2)):  # sizes compiled already
        batch = {name: column[:count] for name, column in data.items()}
        result = getattr(model, method)(batch, TARGETS[:count])
        expected = getattr(numbers, method)(table[:count], TARGETS[:count])
        np.testing.assert_allclose(result, expected, rtol=1e-4)
    results = [
        m.evaluate(x, TARGETS, batch_size=2, verbose=0)
        for m, x in ((model, data), (numbers, table))
    ]
    np.testing.assert_allclose(*results, rtol=1e-4)


class Batches(keras.utils.PyDataset):
    def __len__(self):
        return 2

    def __getitem__(self, index):
        rows = slice(index * 4, index * 4 + 4)
        return TEXT[rows], TARGETS[rows]


SOURCES = {
    "generator": lambda: ((TEXT[i : i + 4], TARGETS[i : i + 4]) for i in (0, 4)),
    "lists": lambda: ((TEXT[i : i + 4, 0].tolist(), TARGETS[i : i + 4]) for i in (0, 4)),
    "PyDataset": Batches,
    "arrays": lambda: TEXT,
}


@pytest.mark.parametrize("name", SOURCES)
def test_batches_of_any_source_are_text(name):
    keras.utils.set_random_seed(1)
    model = text_model()
    options = {"verbose": 0, "shuffle": False}
    options |= {"y": TARGETS, "batch_size": 4} if name == "arrays" else {}
    losses = [model.fit(SOURCES[name](), **options).history["loss"][0] for _ in range(3)]
    assert losses[2] < losses[0]
    assert model.predict(SOURCES[name](), verbose=0).shape == (8, 1)


def test_a_data_loader_of_strings():
    data = pytest.importorskip("torch.utils.data")
    samples = list(zip(TEXT[:, 0].tolist(), TARGETS, strict=True))
    model = text_model()
    losses = model.fit(data.DataLoader(samples, batch_size=4), epochs=3, verbose=0).history["loss"]
    assert losses[-1] < losses[0]


def test_a_sequential_without_an_input_is_built_for_text():
    model = text_stack()
    model.fit(TEXT, TARGETS, verbose=0)
    assert model.inputs[0].dtype == "string"
    assert model.predict(TEXT[:3], verbose=0).shape == (3, 1)


def test_nested_models_are_split_at_the_same_border():
    inner = keras.Sequential(
        [keras.Input((1,), dtype="string"), Lengths(), layers.Rescaling(0.5), layers.Dense(3)]
    )
    text = keras.Input((1,), dtype="string")
    shared = inner(text)
    model = keras.Model(text, layers.Dense(1)(layers.Add()([shared, inner(Upper()(text))])))
    expected = ops.convert_to_numpy(model(TEXT))
    np.testing.assert_allclose(model.predict(TEXT, verbose=0), expected, rtol=1e-5)
    model.compile("sgd", "mse")
    before = ops.convert_to_numpy(inner.layers[-1].kernel)
    model.fit(TEXT, TARGETS, verbose=0)
    assert not np.allclose(before, ops.convert_to_numpy(inner.layers[-1].kernel))
    assert [type(layer).__name__ for layer in model.layers][1:] == [
        "Upper", "Sequential", "Add", "Dense",
    ]  # fmt: skip


def test_hooks_see_the_layers_of_a_step():
    model = text_model()
    model.run_eagerly = True
    seen = []

    def hook(path, layer, args, kwargs):
        seen.append(type(layer).__name__)
        return layer(*args, **kwargs)

    with hook_layers(model, hook):
        model.train_on_batch(TEXT, TARGETS)
    assert seen[-2:] == ["Rescaling", "Dense"]


def test_the_thread_that_prepares_batches_ends_with_the_run():
    class Stop(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            self.model.stop_training = True

    model = text_model()
    model.fit(TEXT, TARGETS, batch_size=1, callbacks=[Stop()], verbose=0)
    model.compile("sgd", "mse", run_eagerly=True)
    model.fit(TEXT, TARGETS, batch_size=1, verbose=0)
    assert not [t for t in threading.enumerate() if t.name == "keras_fn batches"]


def test_integers_of_64_bits_reach_the_layers_on_the_host():
    hashing = layers.Hashing(1000)
    model = keras.Sequential([keras.Input((1,), dtype="int64"), hashing, layers.Rescaling(1.0)])
    data = np.array([[2**40], [5]])
    expected = ops.convert_to_numpy(hashing(data)).astype("float32")
    np.testing.assert_array_equal(model.predict(data, verbose=0), expected)
    np.testing.assert_array_equal(ops.convert_to_numpy(model(data)), expected)


def test_columns_of_a_table_meet_in_layers_on_the_host_and_on_the_device():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"city": ["rome", "oslo", "?"], "zip": [10, 2, 7], "age": [3.0, 4, 5]})
    city, zips = (keras.Input((1,), dtype=d, name=n) for n, d in (("city", "string"), ("zip", int)))
    age = keras.Input((1,), name="age")
    lookup = layers.StringLookup(vocabulary=["rome", "oslo"], output_mode="one_hot")
    crossing = layers.HashedCrossing(5, output_mode="one_hot")
    known = layers.IntegerLookup(vocabulary=[10, 2], output_mode="multi_hot")
    parts = [lookup(city), crossing((city, zips)), known(zips), age]
    model = keras.Model([city, zips, age], layers.Concatenate()(parts))
    rows = model.predict(dict(frame), verbose=0)
    assert rows.shape == (3, 3 + 5 + 3 + 1)
    assert rows[:, :3].tolist() == [[0, 1, 0], [0, 0, 1], [1, 0, 0]]
    assert rows[:, 8:11].tolist() == [[0, 1, 0], [0, 0, 1], [1, 0, 0]]
    assert rows[:, 3:8].sum(1).tolist() == [1, 1, 1]
    assert rows[:, 11].tolist() == [3, 4, 5]
    inputs = {name: column.to_numpy() for name, column in frame.items()}
    np.testing.assert_array_equal(ops.convert_to_numpy(model(inputs)), rows)


@pytest.mark.parametrize("mode", ["multi_hot", "tf_idf"])
def test_sparse_results_enter_the_step(mode):
    words = {"idf_weights": [1.0, 2.0]} if mode == "tf_idf" else {}
    dense, sparse = (
        layers.TextVectorization(vocabulary=["a", "b"], output_mode=mode, sparse=sparse, **words)
        for sparse in (False, True)
    )
    text, head = keras.Input((), dtype="string"), layers.Dense(2)
    models = [keras.Model(text, head(layer(text))) for layer in (dense, sparse)]
    data = ["a b", "b b", "c", ""]
    results = [model.predict(data, verbose=0) for model in models]
    np.testing.assert_allclose(*results, rtol=1e-6)


def test_ragged_results_enter_the_step_with_their_mask():
    text, options = keras.Input((), dtype="string"), {"vocabulary": ["a", "b", "c"]}
    if keras.config.backend() == "jax":
        with pytest.raises(SpecError, match="jax has no ragged tensors"):
            layers.TextVectorization(ragged=True, **options)(text)
        return
    embedding, mean = layers.Embedding(6, 2, mask_zero=True), layers.GlobalAveragePooling1D()
    ragged, padded = (
        keras.Model(text, mean(embedding(layers.TextVectorization(ragged=ragged, **options)(text))))
        for ragged in (True, False)
    )
    data = ["a b c", "c", "b a"]
    expected = padded.predict(data, verbose=0)
    np.testing.assert_allclose(ragged.predict(data, verbose=0), expected, rtol=1e-5)
    np.testing.assert_allclose(ops.convert_to_numpy(ragged(data)), expected, rtol=1e-5)


def test_text_may_be_the_output():
    model = keras.Sequential([keras.Input((1,), dtype="string"), Upper()])
    result = model.predict(TEXT[:2], verbose=0)
    assert [v.decode() if isinstance(v, bytes) else v for v in result[:, 0]] == ["A", "BCD"]


def test_a_custom_train_step_gets_what_the_model_takes():
    class Custom(keras.Model):
        def train_step(self, data):
            x, y = data

            def loss():
                return ops.mean(ops.square(self(x, training=True) - y))

            value, grads = keras.value_and_grad(loss, self.trainable_variables)()
            self.optimizer.apply(grads, self.trainable_variables)
            return {"loss": value}

    graph = text_model()
    model = Custom(graph.inputs, graph.outputs)
    model.compile(keras.optimizers.SGD(0.05), "mse")
    losses = model.fit(TEXT, TARGETS, epochs=3, verbose=0).history["loss"]
    assert losses[-1] < losses[0]


def test_a_model_with_text_is_saved_and_cloned(tmp_path):
    model = mixed_model()
    expected = model.predict(MIXED["arrays"], verbose=0)
    model.save(tmp_path / "model.keras")
    objects = {"Lengths": Lengths, "Upper": Upper}
    loaded = keras.saving.load_model(tmp_path / "model.keras", custom_objects=objects)
    np.testing.assert_allclose(loaded.predict(MIXED["arrays"], verbose=0), expected, rtol=1e-5)
    assert loaded.inputs[0].dtype == "string"
    clone = keras.models.clone_model(model)
    clone.set_weights(model.get_weights())
    np.testing.assert_allclose(clone.predict(MIXED["arrays"], verbose=0), expected, rtol=1e-5)
    stream = io.StringIO()
    model.summary(print_fn=lambda line: stream.write(line + "\n"))
    assert "text (InputLayer)" in stream.getvalue()


WRONG = {
    "numbers": (np.ones((2, 1)), DTypeError, "strings"),
    "missing values": (np.array([["a"], [None]], object), DTypeError, "''"),
    "lists of unequal lengths": ([["a"], ["b", "c"]], (DTypeError, SpecError), "strings"),
    "several columns": (np.array([["a", "b"]]), SpecError, "reshape"),
}


@pytest.mark.parametrize("name", WRONG)
def test_data_that_is_not_the_text_of_the_input_is_refused(name):
    data, kind, fix = WRONG[name]
    with pytest.raises(kind) as caught:
        text_model().predict(data, verbose=0)
    assert fix in caught.value.fix
    with pytest.raises(kind):
        text_model()(data)


def test_a_subclassed_model_is_told_to_map_the_data_set():
    class Subclassed(keras.Model):
        def __init__(self):
            super().__init__()
            self.lengths, self.dense = Lengths(), layers.Dense(1)

        def call(self, inputs):
            return self.dense(ops.cast(self.lengths(inputs), "float32"))

    model = Subclassed()
    assert tuple(model(TEXT).shape) == (8, 1)
    model.compile("sgd", "mse")
    with pytest.raises(DTypeError, match="takes no text") as caught:
        model.fit(TEXT, TARGETS, verbose=0)
    assert "dataset.map(layer)" in caught.value.fix
