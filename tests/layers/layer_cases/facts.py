"""What there is to know of a row in an implementation of Keras, and what Keras 3.15.1 answered."""

import json
from pathlib import Path
from typing import Any

import numpy as np

from layer_cases.case import LayerCase, fill

FOLDER = Path(__file__).parents[2] / "fixtures" / "keras_values" / "layers"


def facts_of(keras: Any, case: LayerCase) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Returns the facts of a layer of `keras` as plain values, and its outputs as arrays."""
    layer = case.make(keras)
    facts = {
        "built": layer.built,
        "config": json.loads(json.dumps(layer.get_config())),
        "supports_masking": layer.supports_masking,
    }
    specs = flatten(keras, layer(*case.symbols(keras), **case.options(keras)))
    facts["symbol"] = [[list(spec.shape), spec.dtype] for spec in specs]
    fill(layer)
    outputs = flatten(keras, layer(*case.draw(), **case.options()))
    facts["weights"] = [
        [v.path.split("/")[-1], list(v.shape), v.dtype, v.trainable] for v in layer.weights
    ]
    arrays = {f"{case.name}|output {k}": to_numpy(keras, x) for k, x in enumerate(outputs)}
    if case.call.get("training"):
        state = [v for v in layer.weights if not v.trainable]
        arrays.update({f"{case.name}|state {k}": to_numpy(keras, v) for k, v in enumerate(state)})
    return facts, arrays


def flatten(keras: Any, outputs: Any) -> list[Any]:
    """Returns the tensors of nested outputs."""
    return [x for x in keras.tree.flatten(outputs) if x is not None]


def to_numpy(keras: Any, x: Any) -> np.ndarray:
    """Returns a tensor or variable as an array."""
    is_text = isinstance(x, np.ndarray) or "string" in str(x.dtype)
    array = np.asarray(x if is_text else keras.ops.convert_to_numpy(x))
    if array.dtype.kind != "O":
        return array
    words = [v.decode() if isinstance(v, bytes) else v for v in array.ravel()]
    return np.array(words, str).reshape(array.shape)


def note(family: str, cases: dict[str, LayerCase]) -> None:
    """Writes what real Keras makes of the rows of a family."""
    import keras

    configs: dict[str, Any] = {"keras": keras.__version__}
    values: dict[str, np.ndarray] = {}
    for case in cases.values():
        if case.keras:
            keras.backend.clear_session()
            configs[case.name], found = facts_of(keras, case)
            values.update(found)
    FOLDER.mkdir(exist_ok=True)
    (FOLDER / f"{family}.json").write_text(json.dumps(configs, indent=0) + "\n", "utf-8")
    np.savez_compressed(FOLDER / f"{family}.npz", **values)


def noted(family: str) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Returns what was noted."""
    with np.load(FOLDER / f"{family}.npz") as found:
        return json.loads((FOLDER / f"{family}.json").read_text("utf-8")), dict(found)
