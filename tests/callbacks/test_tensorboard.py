"""TensorBoard's files, read by TensorBoard's own reader."""

import io
import subprocess
import sys

import numpy as np
import pytest

import keras_fn as keras
from keras_fn.backend.loader import current
from keras_fn.callbacks.event_files import make_graph_def, weight_to_images

pytest.importorskip("tensorboard")
from tensorboard.backend.event_processing import event_accumulator
from tensorboard.util.tensor_util import make_ndarray

X = np.random.default_rng(0).normal(size=(32, 4)).astype("float32")
Y = X.sum(axis=1, keepdims=True)


def model_of(layers=None):
    x = keras.Input((4,), name="x")
    y = x
    for layer in layers or [keras.layers.Dense(1, name="out")]:
        y = layer(y)
    model = keras.Model(x, y)
    model.compile(keras.optimizers.SGD(0.25), "mse", metrics=["mae"])
    return model


def fit(model, *, x=X, y=Y, **options):
    options = {"epochs": 3, "batch_size": 8, "verbose": 0, **options}
    return model.fit(x, y, **options).history


def read(folder):
    """Opens the one event file of a folder."""
    (path,) = folder.glob("events.out.tfevents.*")
    sizes = {event_accumulator.TENSORS: 0}
    accumulator = event_accumulator.EventAccumulator(str(path), size_guidance=sizes)
    return accumulator.Reload()


def series(events, tag):
    return {e.step: float(make_ndarray(e.tensor_proto)) for e in events.Tensors(tag)}


def test_epoch_losses_match_the_history(tmp_path):
    callback = keras.callbacks.TensorBoard(tmp_path, write_steps_per_second=True)
    history = fit(model_of(), validation_data=(X, Y), callbacks=[callback])
    train, validation = read(tmp_path / "train"), read(tmp_path / "validation")
    for name in ("loss", "mae"):
        found = series(train, f"epoch_{name}")
        assert list(found) == [0, 1, 2]
        np.testing.assert_allclose(list(found.values()), history[name], rtol=1e-6)
        found = series(validation, f"epoch_{name}")
        np.testing.assert_allclose(list(found.values()), history[f"val_{name}"], rtol=1e-6)
        found = series(validation, f"evaluation_{name}_vs_iterations")
        assert list(found) == [4, 8, 12]
    assert set(series(train, "epoch_learning_rate").values()) == {0.25}
    assert all(v > 0 for v in series(train, "epoch_steps_per_second").values())
    assert not [tag for tag in train.Tags()["tensors"] if tag.startswith("batch_")]


@pytest.mark.parametrize(("freq", "steps"), [("batch", range(1, 13)), (3, (3, 6, 9, 12))])
def test_batch_losses_are_written_at_update_freq(tmp_path, freq, steps):
    callback = keras.callbacks.TensorBoard(tmp_path, update_freq=freq, write_steps_per_second=True)
    seen = []
    note = keras.callbacks.LambdaCallback(
        on_train_batch_end=lambda batch, logs: seen.append(logs["loss"])
    )
    fit(model_of(), callbacks=[callback, note])
    found = series(read(tmp_path / "train"), "batch_loss")
    assert list(found) == list(steps)
    np.testing.assert_allclose(list(found.values()), [seen[s - 1] for s in steps], rtol=1e-6)
    assert len(series(read(tmp_path / "train"), "batch_steps_per_second")) == len(found)


def test_batch_hooks_are_set_only_if_needed():
    def watches(**options):
        callbacks = keras.callbacks.CallbackList(keras.callbacks.TensorBoard(**options))
        return callbacks.wants_train_batches

    assert not watches(write_steps_per_second=True, histogram_freq=1)
    assert watches(update_freq=5)
    assert watches(profile_batch=2)


def test_histograms_and_images_of_weights(tmp_path):
    image = pytest.importorskip("PIL.Image")
    callback = keras.callbacks.TensorBoard(tmp_path, histogram_freq=2, write_images=True)
    model = model_of()
    fit(model, callbacks=[callback])
    train = read(tmp_path / "train")
    events = train.Tensors("out/kernel/histogram")
    assert [e.step for e in events] == [0, 2]
    left, right, number = make_ndarray(events[-1].tensor_proto).T
    kernel = model.layers[-1].kernel.numpy()
    assert number.sum() == kernel.size
    np.testing.assert_allclose([left[0], right[-1]], [kernel.min(), kernel.max()], rtol=1e-6)
    width, height, png = make_ndarray(train.Tensors("out/kernel/image")[-1].tensor_proto)
    assert (int(width), int(height)) == (1, 4)
    pixels = np.asarray(image.open(io.BytesIO(png)))
    assert pixels.shape == (4, 1)
    assert pixels.argmax() == kernel.argmax() and pixels.max() == 255 and pixels.min() == 0


def test_non_finite_weights_are_written_too(tmp_path):
    model = model_of()
    model.layers[-1].kernel.assign(np.full((4, 1), np.nan))
    callback = keras.callbacks.TensorBoard(tmp_path, histogram_freq=1, write_images=True)
    fit(model, callbacks=[callback])
    assert "out/kernel/histogram" in read(tmp_path / "train").Tags()["tensors"]


@pytest.mark.parametrize(
    ("shape", "pictures"),
    [((), (1, 1, 1)), ((5,), (1, 1, 5)), ((3, 2), (1, 3, 2)), ((3, 2, 7), (7, 3, 2)),
     ((3, 2, 4, 8), (8, 3, 8))],
)  # fmt: skip
def test_a_weight_of_any_shape_is_an_image(shape, pictures):
    weight = np.arange(np.prod(shape, dtype=int)).reshape(shape)
    drawn = weight_to_images(weight)
    assert drawn.shape == pictures
    assert sorted(drawn.ravel()) == sorted(weight.ravel())


def test_the_graph_has_a_node_for_each_layer_and_groups_for_nested_models():
    x = keras.Input((4,), name="x")
    y = keras.layers.Dense(3, activation="relu", name="first")(x)
    inner = keras.Model(x, y, name="inner")
    a, b = keras.Input((4,), name="a"), keras.Input((4,), name="b")
    merged = keras.layers.Concatenate(name="join")([inner(a), b])
    graph = make_graph_def(keras.Model([a, b], keras.layers.Dense(2, name="out")(merged)))
    nodes = {node.name: node for node in graph.node}
    assert {name: list(node.input) for name, node in nodes.items()} == {
        "a": [],
        "b": [],
        "inner/x": ["a"],
        "inner/first": ["inner/x"],
        "join": ["inner/first", "b"],
        "out": ["join"],
    }
    assert nodes["out"].op == "Dense"
    assert nodes["inner/first"].attr["output_shape"].s == b"(None, 3)"
    assert nodes["inner/first"].attr["activation"].s == b"relu"


def test_the_graph_is_not_written_without_write_graph(tmp_path):
    fit(model_of(), callbacks=[keras.callbacks.TensorBoard(tmp_path / "with")])
    assert {n.name for n in _graph_in(tmp_path / "with")} == {"x", "out"}
    fit(model_of(), callbacks=[keras.callbacks.TensorBoard(tmp_path / "no", write_graph=False)])
    assert not read(tmp_path / "no" / "train").Tags()["graph"]


def _graph_in(folder):
    from tensorboard.compat.proto.graph_pb2 import GraphDef

    events = read(folder / "train")
    return GraphDef.FromString(events._graph).node


def test_a_subclassed_model_is_one_node(tmp_path):
    class Own(keras.Model):
        def __init__(self):
            super().__init__(name="own")
            self.dense = keras.layers.Dense(1)

        def call(self, x):
            return self.dense(x)

    model = Own()
    model.compile("sgd", "mse")
    fit(model, callbacks=[keras.callbacks.TensorBoard(tmp_path)])
    assert [n.op for n in _graph_in(tmp_path)] == ["Own"]


def embedding_model():
    x = keras.Input((2,), dtype="int32")
    y = keras.layers.Embedding(5, 3, name="words")(x)
    model = keras.Model(x, keras.layers.Dense(1)(keras.layers.Flatten()(y)))
    model.compile("sgd", "mse")
    return model


def test_embeddings_are_written_for_the_projector(tmp_path):
    (tmp_path / "words.txt").write_text("a\nb\nc\nd\ne\n")
    model = embedding_model()
    callback = keras.callbacks.TensorBoard(
        tmp_path, embeddings_freq=1, embeddings_metadata={"words": "words.txt"}
    )
    x = np.random.default_rng(0).integers(0, 5, (32, 2))
    fit(model, x=x, callbacks=[callback])
    written = np.loadtxt(tmp_path / "words.tsv", delimiter="\t")
    np.testing.assert_allclose(written, model.get_layer("words").embeddings.numpy(), rtol=1e-5)
    assert (tmp_path / "projector_config.pbtxt").read_text().splitlines() == [
        "embeddings {",
        '  tensor_name: "words"',
        '  metadata_path: "words.txt"',
        '  tensor_path: "words.tsv"',
        "}",
    ]
    wrong = keras.callbacks.TensorBoard(
        tmp_path, embeddings_freq=1, embeddings_metadata={"other": "words.txt"}
    )
    with pytest.raises(ValueError, match=r"Embedding layers: \['words'\]"):
        fit(model, x=x, callbacks=[wrong])


def test_one_file_names_the_rows_of_the_one_embedding(tmp_path):
    callback = keras.callbacks.TensorBoard(
        tmp_path, embeddings_freq=1, embeddings_metadata="rows.tsv"
    )
    fit(embedding_model(), x=np.zeros((8, 2), int), y=np.zeros(8), callbacks=[callback])
    assert 'metadata_path: "rows.tsv"' in (tmp_path / "projector_config.pbtxt").read_text()


@pytest.mark.parametrize("batches", [2, (2, 3), "3, 5"])
def test_batches_are_profiled(tmp_path, batches):
    if not hasattr(current(), "profile"):
        pytest.skip("the backend has no profiler")
    callback = keras.callbacks.TensorBoard(tmp_path, profile_batch=batches)
    fit(model_of(), callbacks=[callback])
    written = [*(tmp_path / "train").rglob("*.pb"), *(tmp_path / "train").rglob("*.json*")]
    assert written and all(path.stat().st_size for path in written)


def test_the_profile_runs_from_the_first_to_the_last_batch(tmp_path, monkeypatch):
    calls = []

    class Profile:
        def __init__(self, folder):
            calls.append(folder)

        def __enter__(self):
            calls.append("begin")

        def __exit__(self, *error):
            calls.append("end")

    monkeypatch.setattr(current(), "profile", Profile, raising=False)
    note = keras.callbacks.LambdaCallback(
        on_train_batch_begin=lambda batch, logs: calls.append(batch),
    )
    callback = keras.callbacks.TensorBoard(tmp_path, profile_batch=(2, 3))
    fit(model_of(), epochs=2, callbacks=[callback, note])
    assert calls == [0, str(tmp_path / "train"), "begin", 1, 2, "end", 3, 0, 1, 2, 3]
    calls.clear()
    callback = keras.callbacks.TensorBoard(tmp_path, profile_batch=(2, 99))
    fit(model_of(), epochs=1, callbacks=[callback, note])
    assert calls[-2:] == [3, "end"]


def test_evaluation_alone_is_written(tmp_path):
    callback = keras.callbacks.TensorBoard(tmp_path)
    loss, _ = model_of().evaluate(X, Y, verbose=0, callbacks=[callback])
    found = series(read(tmp_path / "validation"), "evaluation_loss_vs_iterations")
    assert found == {0: pytest.approx(loss)}


def test_non_scalar_metrics_are_left_out(tmp_path):
    callback = keras.callbacks.TensorBoard(tmp_path)
    callback.set_model(model_of())
    callback.on_train_begin()
    callback.on_epoch_begin(0)
    callback.on_epoch_end(0, {"loss": 1.0, "each": np.ones(3)})
    callback.on_train_end()
    tags = read(tmp_path / "train").Tags()["tensors"]
    assert "epoch_loss" in tags and "epoch_each" not in tags


def test_invalid_frequencies_and_batches_raise():
    for options in ({"update_freq": "often"}, {"update_freq": 0}, {"profile_batch": "2,x"},
                    {"profile_batch": (3, 2)}, {"profile_batch": -1}):  # fmt: skip
        with pytest.raises(ValueError, match=next(iter(options))):
            keras.callbacks.TensorBoard(**options)


WITHOUT = """
import sys
sys.modules["tensorboard"] = None
import numpy as np, keras_fn as keras
x = keras.Input((1,))
model = keras.Model(x, keras.layers.Dense(1)(x))
model.compile("sgd", "mse")
try:
    model.fit(np.ones((2, 1)), np.ones(2), verbose=0, callbacks=[keras.callbacks.TensorBoard("x")])
except ImportError as error:
    print(error)
"""
WITH = """
import sys, numpy as np, keras_fn as keras
x = keras.Input((1,))
model = keras.Model(x, keras.layers.Dense(1)(x))
model.compile("sgd", "mse")
model.fit(np.ones((2, 1)), np.ones(2), verbose=0,
          callbacks=[keras.callbacks.TensorBoard("x", histogram_freq=1, write_images=True)])
print(sorted({"jax", "torch", "tensorflow"} & set(sys.modules)))
"""


def _run(program, folder):
    result = subprocess.run(
        [sys.executable, "-c", program], cwd=folder, capture_output=True, text=True, check=True
    )
    return result.stdout.strip()


def test_without_tensorboard_the_error_says_what_to_install(tmp_path):
    assert "pip install 'keras-fn[tensorboard]'" in _run(WITHOUT, tmp_path)


def test_no_framework_is_loaded_but_the_backend(tmp_path):
    assert _run(WITH, tmp_path) == f"['{current().name}']"
