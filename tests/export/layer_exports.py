"""Every public layer in every format: a model of the layer alone is exported, and its file is run.

`UNSUPPORTED` says what a format cannot do; docs/export.md shows it as a table, which
`generate_export_table.py` writes.
"""

import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "layers"))

from layer_cases import LAYERS, interop
from layer_cases.case import LayerCase, fill

import keras_fn as keras
from keras_fn.core import tree
from keras_fn.core.endpoint import unique_names

BACKEND = keras.config.backend()
TOLERANCE = 1e-5
CASES = {name: case for name, case in LAYERS.items() if name not in interop.LAYERS}
"""The rows of the layers that run on every backend."""

# ---------------------------------------------------------------- running artifacts


class Artifact(NamedTuple):
    """A file with what its model is called on.

    Attributes:
        path: The file or folder.
        names: The name of each input.
        inputs: The inputs, flat.
        outputs: The name of each output.
    """

    path: str
    names: list[str]
    inputs: list[np.ndarray]
    outputs: list[str]

    @property
    def nested(self) -> Any:
        """The argument of the model: a list, or the only input."""
        return self.inputs if len(self.inputs) > 1 else self.inputs[0]


def run_torch(artifact: Artifact) -> Any:
    import torch

    program = torch.export.load(artifact.path).module()
    return program(tree.map_structure(torch.from_numpy, artifact.nested))


def run_onnx(artifact: Artifact) -> Any:
    import onnxruntime

    session = onnxruntime.InferenceSession(artifact.path)
    return session.run(None, dict(zip(artifact.names, artifact.inputs, strict=True)))


def run_saved_model(artifact: Artifact) -> Any:
    import tensorflow as tf

    saved = tf.saved_model.load(artifact.path)
    return saved.serve(tree.map_structure(tf.constant, artifact.nested))


def run_litert(artifact: Artifact) -> Any:
    import tensorflow as tf

    run = tf.lite.Interpreter(artifact.path).get_signature_runner("serving_default")
    found = run(**dict(zip(artifact.names, artifact.inputs, strict=True)))
    if set(found) == set(artifact.outputs):
        return [found[name] for name in artifact.outputs]
    is_numbered = all(name.startswith("output_") for name in found)
    return [found[name] for name in sorted(found, key=len)] if is_numbered else found


def run_stablehlo(artifact: Artifact) -> Any:
    from jax import export

    return export.deserialize(bytearray(Path(artifact.path).read_bytes())).call(artifact.nested)


class Route(NamedTuple):
    """A way from a model to a file.

    Attributes:
        title: The head of its column.
        format: The value of `format`.
        backend: The backend whose models it takes.
        suffix: The ending of the file.
        run: Runs the file, and returns nested arrays.
    """

    title: str
    format: str
    backend: str
    suffix: str
    run: Callable[[Artifact], Any]


ROUTES = {
    route.title: route
    for route in (
        Route("SavedModel", "tf_saved_model", "tensorflow", "", run_saved_model),
        Route("SavedModel (JAX)", "tf_saved_model", "jax", "", run_saved_model),
        Route("StableHLO", "stablehlo", "jax", ".stablehlo", run_stablehlo),
        Route("torch.export", "torch", "torch", ".pt2", run_torch),
        Route("ONNX", "onnx", "torch", ".onnx", run_onnx),
        Route("LiteRT", "litert", "tensorflow", ".tflite", run_litert),
    )
}

# ---------------------------------------------------------------- what cannot be exported

_HOST = "it computes with strings or hashes, in Python"
_TEXT: dict[str, str] = dict.fromkeys(
    ("StringLookup", "IntegerLookup", "TextVectorization", "Hashing", "HashedCrossing"), _HOST
)
_POOLING = "LiteRT has no 3D pooling: the interpreter must have TensorFlow's ops (Flex)"

UNSUPPORTED: dict[str, dict[str, str]] = {title: dict(_TEXT) for title in ROUTES}
"""Layers that a route cannot export, by its title, and why."""
UNSUPPORTED["LiteRT"] |= {
    "MaxPooling3D": _POOLING,
    "AveragePooling3D": _POOLING,
    "ConvLSTM3D": "LiteRT slices tensors of at most five axes: the file cannot be run",
}

FIXED_SIZES: dict[str, tuple[str, ...]] = {
    "SavedModel": (),
    "SavedModel (JAX)": (
        "Conv1D", "Conv2D", "Conv3D", "DepthwiseConv1D", "DepthwiseConv2D", "SeparableConv1D",
        "SeparableConv2D",
    ),
    "StableHLO": (
        "CenterCrop", "RandomCrop", "Add", "Average", "Maximum", "Minimum", "Multiply", "Subtract",
    ),
    "torch.export": ("CenterCrop", "RandomCrop"),
    "ONNX": ("CenterCrop", "RandomCrop"),
    "LiteRT": ("Attention", "Conv3D"),
}  # fmt: skip
"""Layers of which a route leaves only the batch size open, by its title."""

# ---------------------------------------------------------------- the comparison


def free_axes(case: LayerCase) -> tuple[int, ...]:
    """Returns the axes whose sizes a file of a row leaves open."""
    return case.free if 0 in case.free and not case.mixes else ()


def make_model(
    case: LayerCase, axes: tuple[int, ...] = (0,)
) -> tuple[keras.Model, list[np.ndarray]]:
    """Returns a model of the layer of a row, and inputs of other sizes than its own.

    Args:
        case: The row.
        axes: The axes of other sizes, if they are free.
    """
    free = [axis for axis in axes if axis in free_axes(case)]
    symbols = list(case.symbols(keras, tuple(free)))
    options = {k: v for k, v in case.options(keras).items() if k != "training"}
    layer = case.make(keras)
    outputs = layer(*symbols, **options)
    fill(layer)
    leaves = tree.flatten([symbols, options])
    values = tree.flatten([list(case.draw()), {k: case.options()[k] for k in options}])
    pairs = [(x, v) for x, v in zip(leaves, values, strict=True) if is_symbol(x)]
    inputs = [x for x, _ in pairs]
    arrays = [_repeat(v, x.shape) for x, v in pairs]
    return keras.Model(inputs if len(inputs) > 1 else inputs[0], outputs), arrays


def _repeat(array: np.ndarray, shape: tuple[int | None, ...]) -> np.ndarray:
    """Returns an array twice as long along each axis that is None."""
    for axis, size in enumerate(shape):
        if size is None:
            array = np.concatenate([array, array], axis)
    return array


def is_symbol(x: Any) -> bool:
    return isinstance(x, keras.KerasTensor)


def export_and_compare(
    route: Route, case: LayerCase, folder: Path, axes: tuple[int, ...] = (0,)
) -> None:
    """Exports the layer of a row, runs the file, and compares what it computes with the layer.

    Raises:
        Exception: The export is refused, the file cannot be run, or the values are others.
    """
    model, inputs = make_model(case, axes)
    path = str(folder / f"model{route.suffix}")
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)  # of ops that LiteRT lacks
        model.export(path, route.format, verbose=False)
    names = unique_names(model.output_names)
    artifact = Artifact(path, [x.name for x in model.inputs], inputs, names)
    results, expected = route.run(artifact), model(artifact.nested, training=False)
    # Flat results are in the order of the model's outputs; frameworks sort the keys of a dict.
    flatten = tree.flatten if isinstance(results, list) else tree.flatten_sorted
    found, expected = to_arrays(flatten(results)), to_arrays(flatten(expected))
    assert [x.shape for x in found] == [x.shape for x in expected]
    for x, y in zip(found, expected, strict=True):
        x, y = x.astype("float64"), y.astype("float64")
        scale = max(1.0, float(np.abs(y).max(initial=0)))
        np.testing.assert_allclose(x, y, rtol=0, atol=TOLERANCE * scale)


def to_arrays(tensors: list[Any]) -> list[np.ndarray]:
    return [np.asarray(x.detach() if hasattr(x, "detach") else x) for x in tensors if x is not None]
