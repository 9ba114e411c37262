"""ONNX models: onnxruntime computes what the model does."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import keras_fn as keras
from keras_fn.core import tree
from keras_fn.errors import SpecError

L = keras.layers
IS_TORCH = keras.backend.backend() == "torch"
HAS_EXPORTER = all(
    importlib.util.find_spec(name) for name in ("torch", "onnxscript", "onnxruntime")
)
pytestmark = pytest.mark.skipif(not HAS_EXPORTER, reason="no exporter to ONNX, or no runtime")
on_torch = pytest.mark.skipif(not IS_TORCH, reason="exported in this process on PyTorch alone")


def run(path, feeds: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    import onnxruntime

    session = onnxruntime.InferenceSession(path)
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(None, feeds), strict=True))


def draw(spec: keras.KerasTensor, batch: int, size: int, seed: int) -> np.ndarray:
    shape = [n or (size if axis else batch) for axis, n in enumerate(spec.shape)]
    wave = np.sin(np.arange(np.prod(shape)) * 1.7 + seed).reshape(shape) * 1.5
    return (np.abs(wave * 3) if spec.dtype == "int32" else wave).astype(spec.dtype)


def assert_same(
    model: keras.Model, path: str, names: list[str], tolerance: float = 1e-5, **options
) -> None:
    """Exports, and compares for several sizes of the axes that are None."""
    model.export(path, format="onnx", verbose=False, **options)
    for batch, size in ((1, 6), (2, 9)):
        arrays = [draw(x, batch, size, i) for i, x in enumerate(model.inputs)]
        outputs = tree.flatten(model(tree.unflatten(model.input, arrays), training=False))
        found = run(path, dict(zip(model.input_names, arrays, strict=True)))
        assert list(found) == names
        for expected, array in zip(outputs, found.values(), strict=True):
            expected = keras.ops.convert_to_numpy(expected)
            assert array.dtype == expected.dtype
            np.testing.assert_allclose(array, expected, tolerance, tolerance)


@on_torch
@pytest.mark.thorough
def test_convolutions_of_images_of_any_size(tmp_path):
    x = keras.Input((None, None, 3), name="image")
    y = L.Conv2D(4, 3, padding="same", activation="relu")(L.Rescaling(1 / 255)(x))
    y = L.BatchNormalization()(L.MaxPooling2D(padding="same")(y))
    y = L.Dense(2, name="score")(L.Dropout(0.5)(L.GlobalAveragePooling2D()(y)))
    assert_same(keras.Model(x, y), str(tmp_path / "m.onnx"), ["score"])


@on_torch
@pytest.mark.thorough
def test_recurrent_layers_over_masked_sequences_of_any_length(tmp_path):
    x = keras.Input(("time",), dtype="int32", name="tokens")
    y = L.LSTM(3, return_sequences=True, name="states")(L.Embedding(7, 4, mask_zero=True)(x))
    path = str(tmp_path / "m.onnx")
    assert_same(keras.Model(x, y), path, ["states"])
    onnx = pytest.importorskip("onnx")
    graph = onnx.load(path).graph
    dims = [[d.dim_param or d.dim_value for d in v.type.tensor_type.shape.dim]
            for v in (*graph.input, *graph.output)]  # fmt: skip
    assert dims == [["batch", "time"], ["batch", "time", 3]]


@on_torch
def test_several_inputs_and_outputs_have_names(tmp_path):
    a, b = keras.Input((None, 8)), keras.Input((None, 8))
    y = L.MultiHeadAttention(2, 4)(a, L.LayerNormalization()(b), use_causal_mask=True)
    model = keras.Model(
        {"left": a, "right": b}, {"all": [y, keras.ops.mean(y, axis=1)], "left": y * 2, "most": a}
    )
    path = str(tmp_path / "model")  # any ending will do
    names = ["left_1" if name == "left" else name for name in model.output_names]
    assert_same(model, path, names, opset_version=20)  # no output has the name of an input
    onnx = pytest.importorskip("onnx")
    assert onnx.load(path).opset_import[0].version == 20
    onnx.checker.check_model(path, full_check=True)
    with pytest.raises(SpecError, match="opset_version='20'"):
        model.export(path, format="onnx", verbose=False, opset_version="20")


@on_torch
@pytest.mark.thorough
def test_quantized_and_half_precision_models(tmp_path):
    model = keras.Sequential([keras.Input((8,)), L.Dense(4, "relu"), L.Dense(2, name="last")])
    model.quantize("int8")
    assert_same(model, str(tmp_path / "m.onnx"), ["last"])
    x = keras.Input((8,))
    y = L.Dense(2, dtype="float32", name="out")(L.Dense(4, "relu", dtype="mixed_float16")(x))
    assert_same(keras.Model(x, y), str(tmp_path / "m.onnx"), ["out"], 2e-3)


MODULE = """
import keras_fn as keras


def triple(x):
    return 3 * x


@keras.saving.register_keras_serializable("shop")
class Shift(keras.layers.Layer):
    def __init__(self, by=1.0, **kwargs):
        super().__init__(**kwargs)
        self.by = by

    def call(self, x):
        return x + self.by

    def get_config(self):
        return {**super().get_config(), "by": self.by}
"""


@pytest.mark.thorough
def test_custom_objects_of_modules_reach_the_other_process(tmp_path, monkeypatch):
    if IS_TORCH:
        pytest.skip("there is no other process")
    (tmp_path / "shop_layers.py").write_text(MODULE)
    monkeypatch.syspath_prepend(str(tmp_path))
    import shop_layers

    x = keras.Input((None, 3), name="x")
    y = L.GRU(2, name="out")(L.Dense(4, shop_layers.triple)(shop_layers.Shift(2.0)(x)))
    assert_same(keras.Model(x, y), str(tmp_path / "m.onnx"), ["out"])


class Local(L.Layer):
    def call(self, x):
        if keras.backend.backend() == "torch":
            return keras.ops.convert_to_tensor(x.tolist())
        return x


@pytest.mark.thorough
def test_an_error_of_the_other_process_names_the_layer(tmp_path):
    if IS_TORCH:
        pytest.skip("there is no other process")
    model = keras.Sequential([keras.Input((3,)), Local(name="local")])
    with pytest.raises(SpecError, match="Local layer 'local'"):
        model.export(str(tmp_path / "m.onnx"), format="onnx")


_FLOAT32 = {"INFERENCE_PRECISION_HINT": "f32"}  # where CPUs have it, OpenVINO computes in bfloat16


@pytest.mark.thorough
@pytest.mark.skipif(not importlib.util.find_spec("openvino"), reason="OpenVINO is not installed")
def test_openvino(tmp_path):
    import openvino

    x = keras.Input((3,), name="x")
    model = keras.Model(x, L.Dense(2)(x))
    path = str(tmp_path / "m.xml")
    model.export(path, format="openvino", verbose=False)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["m.bin", "m.xml"]
    array = draw(model.inputs[0], 3, 0, 0)
    found = openvino.Core().compile_model(path, "CPU", _FLOAT32)([array])[0]
    np.testing.assert_allclose(found, keras.ops.convert_to_numpy(model(array)), 1e-5, 1e-5)


def test_a_class_of_the_main_program_is_refused(tmp_path):
    if IS_TORCH:
        pytest.skip("there is no other process")
    program = tmp_path / "main.py"
    text = "\nm = keras.Sequential([keras.Input((3,)), Shift()])\nm.export('m', format='onnx')\n"
    program.write_text(MODULE + text)
    home = str(Path(keras.__file__).parents[1])
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([home, *sys.path])}
    command = [sys.executable, str(program)]
    done = subprocess.run(command, capture_output=True, env=environment, check=False)
    assert b"Shift, which is defined in the main program" in done.stderr
