"""Files of layers in both directions: Keras reads ours, and we read Keras's, in the same process.

`nox -s "parity(jax)"` runs it: a file of each format for every row of the table of layers. What is
read must compute what the same layer with the same weights computes where it is read. A `training`
argument is left out: Keras records one for each call, which is dropped on reading.
"""

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from layer_cases import CASES
from layer_cases.case import LayerCase, fill
from real_keras import keras

import keras_fn
from keras_fn.core.naming import reset_names

pytestmark = pytest.mark.filterwarnings("ignore")  # warnings are Keras's here
PACKAGES = {"keras_fn": keras_fn, "keras": keras}
FORMATS = (".keras", "", ".weights.h5", ".h5")


def fresh() -> None:
    """Starts both packages' numbers of names again."""
    reset_names()
    keras.src.backend.common.global_state.set_global_attribute("object_name_uids", None)


def make(package: Any, case: LayerCase) -> Any:
    """Returns a model of one layer whose weights are the same everywhere."""
    fresh()
    layer, inputs = case.make(package), case.symbols(package)
    options = {k: v for k, v in case.options(package).items() if k != "training"}
    outputs = layer(*inputs, **options)
    more = [x for x in options.values() if isinstance(x, package.KerasTensor)]
    flat = package.tree.flatten([inputs, more])
    model = package.Model(flat, outputs, name="model")
    fill(layer)
    return model


def run(package: Any, model: Any, case: LayerCase) -> list[np.ndarray]:
    symbolic = [v for v in case.call.values() if hasattr(v, "draw")]
    inputs = package.tree.flatten([case.draw(), [v.draw(1) for v in symbolic]])
    outputs = model(inputs if len(inputs) > 1 else inputs[0], training=False)
    return [np.array(package.ops.convert_to_numpy(x)) for x in leaves(outputs)]


def leaves(x: Any) -> list[Any]:
    """Returns the tensors in a structure, of dicts in the order of their keys."""
    if isinstance(x, (dict, list, tuple)):
        inner = [x[key] for key in sorted(x)] if isinstance(x, dict) else x
        return [leaf for value in inner for leaf in leaves(value)]
    return [] if x is None else [x]


def save(model: Any, path: Path, ending: str) -> None:
    if ending == ".weights.h5":
        model.save_weights(str(path))
    else:
        model.save(str(path), **({"zipped": False} if ending == "" else {}))


def load(package: Any, path: Path, ending: str, case: LayerCase) -> Any:
    if ending != ".weights.h5":
        fresh()
        return package.saving.load_model(str(path))
    model = make(package, case)
    model.set_weights([blank(v) for v in model.weights])
    model.load_weights(str(path))
    return model


def blank(variable: Any) -> np.ndarray:
    """Returns other values than those of a variable; the state of a generator stays."""
    value = np.array(variable.numpy())
    return value if value.dtype.kind != "f" else value * 0 + 7


def same(one: list[np.ndarray], other: list[np.ndarray]) -> None:
    assert len(one) == len(other)
    for a, b in zip(one, other, strict=True):
        if a.dtype.kind in "OUS":
            assert a.tolist() == b.tolist()
        else:
            np.testing.assert_allclose(a, b, 1e-5, 1e-6)


def attempt(function: Any) -> Any:
    """Returns what a function returns, or the exception."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return function()
    except Exception as error:
        return error


@pytest.mark.parametrize("ending", FORMATS, ids=lambda e: e or "folder")
@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case.keras])
def test_a_layer(name: str, ending: str, tmp_path: Path, record_property: Any) -> None:
    case = CASES[name]
    expected: dict[str, Any] = {}
    for label, package in PACKAGES.items():
        expected[label] = attempt(lambda p=package: run(p, make(p, case), case))
    if isinstance(expected["keras"], Exception):
        record_property("file", f"{ending or 'folder'}: keras cannot make it")
        return
    assert not isinstance(expected["keras_fn"], Exception), expected["keras_fn"]
    for label, package in PACKAGES.items():
        path = tmp_path / f"{label}{ending}"
        written = attempt(lambda p=package, to=path: save(make(p, case), to, ending))
        if label == "keras":
            back = attempt(lambda p=package, at=path: load(p, at, ending, case))
            if isinstance(written or back, Exception):
                record_property("file", f"{ending or 'folder'}: keras cannot read its own")
                continue
        elif isinstance(written, Exception) and ending == ".h5":
            record_property("file", f"{ending}: refused, {type(written).__name__}")
            continue
        assert written is None, f"{label} did not write: {written}"
        record_property("file", f"{ending or 'folder'}: written by {label}")
        (other,) = (n for n in PACKAGES if n != label)
        read = attempt(lambda at=path, p=PACKAGES[other]: load(p, at, ending, case))
        if isinstance(read, Exception) and other == "keras" and ending == ".h5":
            own = tmp_path / "own.h5"
            back = attempt(lambda: save(make(keras, case), own, ending))
            back = back or attempt(lambda at=own: load(keras, at, ending, case))
            if isinstance(back, Exception):
                record_property("file", f"{ending}: keras cannot read its own")
                continue
        if isinstance(read, Exception):
            raise AssertionError(f"{other} does not read what {label} wrote") from read
        same(run(PACKAGES[other], read, case), expected[other])
        record_property("file", f"{ending or 'folder'}: read by {other}, equal")
