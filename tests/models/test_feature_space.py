"""FeatureSpace: encoding, adapting, models, pipelines and files."""

import json
import pickle
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import keras_fn as keras
from keras_fn.errors import DTypeError, SpecError
from keras_fn.utils import FeatureSpace

FIXTURES = Path(__file__).parents[1] / "fixtures" / "keras_feature_space"
TABLE = {
    "a": np.arange(4.0),
    "s": ["x", "y", "x", "z"],
    "i": [1, 2, 3, 1],
    "f": [1.0, 2, 3, 4],
    "r": [1.0, 2, 3, 4],
    "d": [1.0, 2, 3, 4],
    "ih": [1, 2, 3, 4],
    "sh": ["x", "y", "x", "z"],
}  # what the fixture was adapted to


def values(x):
    return keras.ops.convert_to_numpy(x)


def space_of_all_types():
    space = FeatureSpace(
        {
            "a": "float_normalized",
            "s": "string_categorical",
            "i": "integer_categorical",
            "f": "float",
            "r": FeatureSpace.float_rescaled(2.0, 1.0),
            "d": FeatureSpace.float_discretized(3),
            "ih": "integer_hashed",
            "sh": "string_hashed",
        },
        crosses=[("s", "i")],
    )
    space.adapt(TABLE)
    return space


def small_space(output_mode="concat", data=None):
    types = {"b": "float_normalized", "a": "string_categorical"}
    space = FeatureSpace(types, output_mode=output_mode)
    space.adapt({"b": [0.0, 2.0], "a": ["x", "y"]} if data is None else data)
    return space


def small_batch():
    return {"a": ["x", "q"], "b": [1, 3]}


SMALL = [[0, 0, 1, 0], [1, 0, 0, 2]]  # [UNK], y, x; then the number
# The vocabulary of equally frequent tokens is in descending order.


def test_all_types_encode_as_in_keras():
    assert_allclose(values(space_of_all_types()(TABLE)), np.load(FIXTURES / "encoded.npy"), 1e-6)


def test_a_file_of_keras_is_read():
    space = keras.saving.load_model(FIXTURES / "space.keras")
    assert isinstance(space, FeatureSpace)
    assert space.crosses[0].name == "s_X_i" and list(space.features) == list(TABLE)
    assert_allclose(values(space(TABLE)), np.load(FIXTURES / "encoded.npy"), 1e-6)


def test_a_file_has_what_keras_writes(tmp_path):
    path = tmp_path / "space.keras"
    keras.utils.clear_session()  # for the same automatic names
    space_of_all_types().save(path)
    again = keras.saving.load_model(path)
    assert_allclose(values(again(TABLE)), np.load(FIXTURES / "encoded.npy"), 1e-6)
    ours, theirs = read_config(path), read_config(FIXTURES / "space.keras")
    assert ours.pop("name") == again.name
    assert ours == theirs


def read_config(path):
    config = json.loads(zipfile.ZipFile(path).read("config.json"))["config"]
    return without(config, "shared_object_id", "registered_name", "tuples", "build_config")


def without(x, *keys):
    if isinstance(x, dict):
        return {k: without(v, *keys) for k, v in x.items() if k not in keys}
    if isinstance(x, list):
        return [without(v, *keys) for v in x]
    return x


def test_a_space_that_was_not_adapted_stays_so_in_a_file(tmp_path):
    with pytest.warns(UserWarning, match="not built"):
        FeatureSpace({"a": "float_normalized"}).save(tmp_path / "space.keras")
    space = keras.saving.load_model(tmp_path / "space.keras")
    with pytest.raises(SpecError, match="adapt"):
        space({"a": [1.0]})


@pytest.mark.parametrize(
    "data",
    [
        lambda: {"a": np.array(["x", "q"]), "b": np.array([1.0, 3.0])},
        lambda: {"a": [["x"], ["q"]], "b": [[1.0], [3.0]]},
        lambda: {"a": ["x", "q"], "b": keras.ops.convert_to_tensor([1.0, 3.0])},
        lambda: {**small_batch(), "other": [0, 0]},
    ],
    ids=["arrays", "of rank 2", "tensors", "with another column"],
)
def test_a_batch_is_encoded(data):
    assert_allclose(values(small_space()(data())), SMALL)


def test_a_sample_is_encoded():
    assert_allclose(values(small_space()({"a": "q", "b": 3})), SMALL[1])
    sample = {"a": np.array("q"), "b": np.float32(3)}
    encoded = small_space("dict")(sample)
    assert {name: x.shape for name, x in encoded.items()} == {"a": (3,), "b": (1,)}
    assert_allclose(np.concatenate([values(x) for x in encoded.values()]), SMALL[1])


def test_features_are_in_the_order_of_their_names_before_the_crosses():
    space = FeatureSpace(
        {
            "b": FeatureSpace.integer_hashed(3, output_mode="int"),
            "a": FeatureSpace.string_hashed(4, output_mode="int"),
        },
        crosses=[FeatureSpace.cross(("b", "a"), 5, "int"), ("a", "b")],
        crossing_dim=7,
        output_mode="dict",
    )
    encoded = space({"b": [1, 2, 3], "a": ["x", "y", "z"]})
    assert list(encoded) == ["a", "b", "a_X_b", "b_X_a"]
    assert [x.shape for x in encoded.values()] == [(3, 1), (3, 1), (3, 7), (3, 1)]
    assert values(encoded["b_X_a"]).ravel().tolist() == [4, 1, 3]  # of Keras
    assert values(encoded["b"]).ravel().tolist() == [0, 1, 0]
    assert space.crossers["b_X_a"].num_bins == 5


def test_edges_of_bins_need_no_data():
    types = {"a": FeatureSpace.float_discretized(3, bin_boundaries=[1.0, 2.0])}
    assert_array_equal(values(FeatureSpace(types)({"a": [0, 1, 3]})), np.eye(3))


def test_several_values_in_a_feature_are_multi_hot():
    space = FeatureSpace({"a": "integer_categorical"})
    space.adapt({"a": np.array([[1, 2], [3, 4]])})
    assert values(space({"a": np.array([[1, 2]])})).tolist() == [[0, 0, 0, 1, 1]]


def test_a_layer_of_the_caller_preprocesses_a_feature():
    layer = keras.layers.TextVectorization(output_mode="tf_idf")
    space = FeatureSpace({"t": FeatureSpace.feature("string", layer, "float")})
    space.adapt({"t": ["1st string", "2nd string", "3rd string"]})
    assert_allclose(
        values(space({"t": ["1st string"]})), [[0, 0.5596158, 0, 0, 0.9162908]], rtol=1e-6
    )  # of Keras
    assert space.preprocessors["t"] is layer


class Range(keras.layers.Layer):
    """A layer of a program: division by the largest number, with an `adapt` of its own."""

    def adapt(self, data):
        self.largest = float(np.max(data))

    def call(self, x):
        return x / self.largest


def test_a_custom_layer_is_adapted():
    space = FeatureSpace({"a": FeatureSpace.feature("float32", Range(), "float")})
    space.adapt(iter([{"a": [1.0, 4.0]}, {"a": [8.0]}]))
    assert values(space({"a": [2.0]})).tolist() == [[0.25]]


# ---------------------------------------------------------------- data of adapt


def batches():
    yield {"a": ["x"], "b": [0.0]}, [1]
    yield {"a": ["y"], "b": [2.0]}, [0]


def samples():
    yield {"a": "x", "b": 0.0}
    yield {"a": "y", "b": 2.0}


class Batches(keras.utils.PyDataset):
    def __len__(self):
        return 2

    def __getitem__(self, index):
        return [*batches()][index]


def frame():
    pandas = pytest.importorskip("pandas")
    return pandas.DataFrame({"a": ["x", "y"], "b": [0.0, 2.0], "other": [1, 2]})


@pytest.mark.parametrize(
    "data", [batches, samples, Batches, frame], ids=["batches", "samples", "Batches", "frame"]
)
def test_data_of_any_kind_is_adapted_to(data):
    assert_allclose(values(small_space(data=data())(small_batch())), SMALL)


def test_a_space_whose_adapt_failed_encodes_nothing():
    def fail():
        yield {"color": ["red", "blue"]}
        raise OSError("the connection was lost")

    for data, error in ((fail(), OSError), ([], DTypeError)):
        space = FeatureSpace({"color": "string_categorical"})
        space.adapt({"color": ["red", "blue"]})
        with pytest.raises(error):
            space.adapt(data)
        with pytest.raises(SpecError, match="call adapt"):
            space({"color": "red"})
        space.adapt({"color": ["blue"]})
        assert values(space({"color": "blue"})).tolist() == [0, 1]


def test_a_later_adapt_replaces_an_earlier_one():
    space = small_space()
    space(small_batch())
    space.adapt({"a": ["u", "v", "w"], "b": [1.0, 1.0, 4.0]})
    assert space.get_encoded_features().shape == (None, 5)
    assert_allclose(values(space({"a": ["v"], "b": [2.0]})), [[0, 0, 1, 0, 0]], atol=1e-6)


# ---------------------------------------------------------------- models


def test_encoded_features_are_the_outputs_of_a_graph(tmp_path):
    space = small_space()
    encoded = space.get_encoded_features()
    assert encoded.shape == (None, 4) and list(space.get_inputs()) == ["b", "a"]
    model = keras.Model(space.get_inputs(), keras.layers.Dense(1)(encoded))
    check_model(model, tmp_path)


def test_a_space_is_a_layer_of_a_graph(tmp_path):
    space = small_space()
    inputs = {name: keras.Input((1,), dtype=t.dtype) for name, t in space.get_inputs().items()}
    outputs = keras.layers.Dense(1)(space(inputs))
    model = keras.Model(inputs, outputs)
    assert space in model.layers
    again = check_model(model, tmp_path)
    assert any(isinstance(layer, FeatureSpace) for layer in again.layers)


def check_model(model, tmp_path):
    """Trains a model, and compares its predictions with those of the file."""
    data = {name: np.array(x)[:, None] for name, x in small_batch().items()}
    model.compile("sgd", "mse")
    model.fit(data, np.ones((2, 1)), verbose=0)
    predicted = model.predict(data, verbose=0)
    assert_allclose(values(model(data)), predicted, rtol=1e-5)
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    assert_allclose(again.predict(data, verbose=0), predicted, rtol=1e-5)
    return again


def test_a_copy_encodes_the_same():
    space = small_space()
    assert_allclose(values(pickle.loads(pickle.dumps(space))(small_batch())), SMALL)


def test_batches_of_grain_stay_arrays():
    grain = pytest.importorskip("grain")
    rows = [{"a": "x", "b": 1}, {"a": "q", "b": 3}]
    source = grain.MapDataset.source(rows)
    encoded = source.map(small_space())
    assert isinstance(encoded[0], np.ndarray)
    assert_allclose(np.stack([encoded[0], encoded[1]]), SMALL)
    for output_mode in ("concat", "dict"):  # here the numbers come first
        space = FeatureSpace({"a": "string_hashed", "B": "float_rescaled"}, output_mode)
        encoded = grain.MapDataset.source([{"a": "x", "B": 1}]).batch(1).map(space)[0]
        for array in encoded.values() if output_mode == "dict" else [encoded]:
            assert isinstance(array, np.ndarray)


def test_a_data_loader_calls_it():
    data = pytest.importorskip("torch.utils.data")
    rows = [{"a": "x", "b": 1}, {"a": "q", "b": 3}]
    workers = 1 if keras.backend.backend() == "torch" else 0  # others do not survive a fork
    encoded = data.DataLoader(Encoded(rows, small_space()), batch_size=2, num_workers=workers)
    assert_allclose(next(iter(encoded)).numpy(), SMALL)


class Encoded:
    def __init__(self, rows, space):
        self.rows, self.space = rows, space

    def __len__(self):
        return len(self.rows)

    def __getitem__(self, index):
        return self.space(self.rows[index])


def test_tf_data_maps_it():
    tf = pytest.importorskip("tensorflow")
    rows = tf.data.Dataset.from_tensor_slices({"a": ["x", "q"], "b": [1.0, 3.0]})
    for dataset in (rows.map(small_space()).batch(2), rows.batch(2).map(small_space())):
        assert_allclose(next(iter(dataset)), SMALL)
    vocabulary = small_space(data=rows).preprocessors["a"].get_vocabulary()
    assert vocabulary == ["[UNK]", "x", "q"]


# ---------------------------------------------------------------- errors


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        (({},), "features"),
        (({"a": "floot"},), "'float'"),
        (({"a": "float"}, "list"), "output_mode"),
        (({"color": "float", "b": "float"}, "concat", [("colr", "b")]), "mean 'color'"),
        (({"a": "float"}, "concat", [("a",)]), "two or more"),
        (({"a": "float", "b": "float", "a_X_b": "float"}, "concat", [("a", "b")]), "rename"),
        (({"a": "float"}, "concat", None, 0), "crossing_dim"),
    ],
)
def test_an_invalid_argument_is_named(arguments, match):
    with pytest.raises(ValueError, match=match):
        FeatureSpace(*arguments)


@pytest.mark.parametrize(
    ("data", "match"),
    [
        ({"a": ["x"], "bb": [1.0]}, "is it 'bb'"),
        ({"a": ["x", "y"], "b": [1.0]}, "1 of 'b'"),
        ([1.0], "dict"),
    ],
)
def test_data_that_does_not_fit_is_refused(data, match):
    with pytest.raises(SpecError, match=match):
        small_space()(data)


@pytest.mark.parametrize("name", ["space.h5", "space"])
def test_a_file_with_another_ending_is_refused(tmp_path, name):
    with pytest.raises(SpecError, match=r"ends in \.keras"):
        small_space().save(tmp_path / name)
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("build_config", "x"),
        ("build_config", -1),
        ("compile_config", "x"),
        ("compile_config", {"a": 1}),
    ],
)
def test_a_malformed_file_is_an_error_that_names_it(tmp_path, key, value):
    small_space().save(tmp_path / "space.keras")
    with zipfile.ZipFile(tmp_path / "space.keras") as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    files["config.json"] = json.dumps({**json.loads(files["config.json"]), key: value}).encode()
    with zipfile.ZipFile(tmp_path / "other.keras", "w") as archive:
        for name, contents in files.items():
            archive.writestr(name, contents)
    with pytest.raises(ValueError, match=r"other\.keras"):
        keras.saving.load_model(tmp_path / "other.keras")


@pytest.mark.parametrize("data", [[1.0], 3, "text", iter([])])
def test_data_that_cannot_be_adapted_to_is_refused(data):
    with pytest.raises(TypeError, match="dict of arrays"):
        small_space(data=data)


def test_a_feature_that_cannot_be_concatenated_or_encoded_is_named():
    types = {"size": FeatureSpace.integer_hashed(3, output_mode="int")}
    with pytest.raises(ValueError, match="'size'"):
        FeatureSpace(types)({"size": [1]})
    types = {"size": FeatureSpace.feature("float32", keras.layers.Rescaling(2.0), "one_hot")}
    with pytest.raises(ValueError, match="'size'"):
        FeatureSpace(types)({"size": [1]})
    with pytest.raises(ValueError, match="output_mode"):
        FeatureSpace.feature("float32", keras.layers.Rescaling(2.0), "vector")


def test_a_graph_with_its_layers_is_read_in_a_new_process(tmp_path):
    space, path = FeatureSpace({"a": "float"}), str(tmp_path / "model.keras")
    keras.Model(space.get_inputs(), space.get_encoded_features()).save(path)
    program = (
        f"import keras_fn as keras; model = keras.saving.load_model({path!r}); "
        "print([type(layer).__name__ for layer in model.layers])"
    )
    command = [sys.executable, "-c", program]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert "TFDIdentity" in printed and "TFDConcat" in printed
