"""`ExportArchive`: several endpoints, collections of variables, resources; checks of arguments."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import keras_fn as keras
from keras_fn.errors import DTypeError, SpecError
from keras_fn.settings import is_installed

BACKEND = keras.config.backend()
if not is_installed("tensorflow"):
    with pytest.raises(ImportError, match="pip install tensorflow"):
        keras.export.ExportArchive()
    pytest.skip("needs TensorFlow", allow_module_level=True)

tf = pytest.importorskip("tensorflow")
ExportArchive = keras.export.ExportArchive
L = keras.layers
X = np.sin(np.arange(15.0)).reshape(5, 3).astype("float32")
SPEC = [keras.InputSpec(shape=(None, 3), dtype="float32")]
takes_functions = pytest.mark.skipif(BACKEND == "torch", reason="PyTorch exports models only")


def make_model() -> keras.Model:
    return keras.Sequential(
        [keras.Input((3,), name="x"), L.Dense(4), L.Dropout(0.5, seed=1), L.BatchNormalization()]
    )


def array(x: Any) -> np.ndarray:
    return np.asarray(keras.ops.convert_to_numpy(x))


def load(archive: keras.export.ExportArchive, path: Path, **options: Any) -> Any:
    archive.write_out(path / "saved", verbose=False, **options)
    return tf.saved_model.load(str(path / "saved"))


def test_models_under_several_names(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    model = make_model()
    part = keras.Model(model.inputs[0], model.layers[0].output)
    archive = ExportArchive()
    archive.track_and_add_endpoint("whole", model, SPEC)
    archive.track_and_add_endpoint("first", part, None)
    archive.write_out(tmp_path / "saved")
    assert "whole, first" in capsys.readouterr().out
    saved = tf.saved_model.load(str(tmp_path / "saved"))
    np.testing.assert_allclose(saved.whole(X), array(model(X, training=False)), atol=1e-5)
    np.testing.assert_allclose(saved.first(X), array(part(X)), atol=1e-5)
    assert set(saved.signatures) == {"whole", "first", "serving_default"}
    default = saved.signatures["serving_default"](x=tf.constant(X))["output_0"]
    np.testing.assert_allclose(default, saved.whole(X))


@takes_functions
def test_functions_share_variables_and_may_assign_them(tmp_path: Path):
    model = make_model()
    archive = ExportArchive()
    archive.track(model)
    archive.add_endpoint("serve", lambda x: model(x, training=False), SPEC)
    archive.add_endpoint("train", lambda x: {"y": model(x, training=True)}, SPEC)
    archive.add_variable_collection("weights_to_train", model.trainable_variables)
    saved = load(archive, tmp_path)
    assert len(saved.variables) == len(model.variables)
    assert len(saved.weights_to_train) == len(model.trainable_variables)
    before = saved.serve(X).numpy()
    np.testing.assert_allclose(before, array(model(X, training=False)), atol=1e-5)
    first, second = saved.train(X)["y"].numpy(), saved.train(X)["y"].numpy()
    assert np.abs(first - second).max() > 0  # other draws
    assert np.abs(saved.serve(X).numpy() - before).max() > 0  # moving averages have moved


@takes_functions
def test_two_arguments_of_one_function(tmp_path: Path):
    archive = ExportArchive()
    returned = archive.add_endpoint("total", lambda a, b: a + 2 * b, [*SPEC, *SPEC])
    np.testing.assert_allclose(array(returned(tf.constant(X), X) if BACKEND == "tensorflow"
                                     else returned(X, X)), 3 * X, atol=1e-6)  # fmt: skip
    np.testing.assert_allclose(load(archive, tmp_path).total(X, X), 3 * X, atol=1e-6)


@pytest.mark.skipif(BACKEND != "tensorflow", reason="objects of TensorFlow")
def test_functions_and_resources_of_tensorflow(tmp_path: Path):
    keys, values = tf.constant(["a", "b"]), tf.constant([1, 2])
    table = tf.lookup.StaticHashTable(tf.lookup.KeyValueTensorInitializer(keys, values), -1)
    look_up = tf.function(table.lookup)
    archive = ExportArchive()
    with pytest.raises(SpecError, match=r"a tf\.function that was called at least once"):
        archive.add_endpoint("find", look_up)
    look_up(tf.constant(["a"]))
    archive.track(table)
    assert archive.add_endpoint("find", look_up) is look_up
    options = tf.saved_model.SaveOptions(experimental_custom_gradients=True)
    saved = load(archive, tmp_path, options=options)
    assert saved.find(tf.constant(["b"])).numpy().tolist() == [2]


@pytest.mark.skipif(BACKEND != "jax", reason="options of jax2tf")
def test_options_of_jax(tmp_path: Path):
    model = make_model()
    archive = ExportArchive()
    archive.track(model)
    archive.add_endpoint("train", lambda x: model(x, training=True), SPEC, is_static=True)
    options = {"native_serialization_platforms": ["cpu", "cuda"]}
    archive.track_and_add_endpoint("serve", model, SPEC, jax2tf_kwargs=options)
    saved = load(archive, tmp_path)
    np.testing.assert_allclose(saved.train(X), saved.train(X))  # the seed stays as it is


@pytest.mark.skipif(BACKEND != "torch", reason="on others, functions are exported")
def test_pytorch_exports_models_only(tmp_path: Path):
    archive = ExportArchive()
    with pytest.raises(SpecError, match="track_and_add_endpoint"):
        archive.add_endpoint("serve", lambda x: x, SPEC)
    model = make_model()
    archive.track_and_add_endpoint("serve", model, None)
    archive.add_variable_collection("more", model.variables)
    with pytest.raises(SpecError, match="endpoints alone"):
        archive.write_out(tmp_path / "saved")


def test_arguments_are_checked():
    model, archive = make_model(), ExportArchive()
    with pytest.raises(SpecError, match="format: 'saved_model'"):
        ExportArchive("onnx")
    with pytest.raises(SpecError, match="a built layer"):
        archive.track(L.Dense(2))
    with pytest.raises(DTypeError, match="a layer, a model, or a trackable object"):
        archive.track("model")
    with pytest.raises(DTypeError, match="a layer or a model"):
        archive.track_and_add_endpoint("serve", lambda x: x, SPEC)  # type: ignore[arg-type]
    with pytest.raises(DTypeError, match="a list, tuple or set of variables"):
        archive.add_variable_collection("more", ["kernel"])  # type: ignore[list-item]
    with pytest.raises(DTypeError, match="a function of tensors"):
        archive.add_endpoint("serve", 3, SPEC)  # type: ignore[arg-type]
    with pytest.raises(SpecError, match="at least one endpoint"):
        archive.write_out("nowhere")
    archive.track_and_add_endpoint("serve", model, SPEC)
    with pytest.raises(SpecError, match="which was added before"):
        archive.track_and_add_endpoint("serve", model, SPEC)
    with pytest.raises(SpecError, match="an identifier"):
        archive.track_and_add_endpoint("to serve", model, SPEC)
    for name in ("variables", "signatures", "_hidden"):  # attributes of the SavedModel
        with pytest.raises(SpecError, match=f"name='{name}'"):
            archive.track_and_add_endpoint(name, model, SPEC)
    with pytest.raises(SpecError, match="which was added before"):
        archive.add_variable_collection("serve", model.variables)
    archive.add_variable_collection("more", model.variables)
    with pytest.raises(SpecError, match="which was added before"):
        archive.track_and_add_endpoint("more", model, SPEC)
    if BACKEND != "jax":
        with pytest.raises(SpecError, match="is_static= on the jax backend only"):
            archive.track_and_add_endpoint("other", model, SPEC, is_static=True)
