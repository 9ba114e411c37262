"""Every row of the table of layers next to real Keras, in the same process, with the same weights.

`nox -s "parity(jax)"` runs it. Compared are configs, also that each loads in the other, weights,
specs under each float policy, outputs at inference, and in training where nothing is random. What
differs, and who is right, stands in `layer_differences.py`.
"""

import json
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from layer_cases import CASES, LAYERS
from layer_cases.case import LayerCase, fill
from layer_differences import known_difference
from real_keras import keras

import keras_fn
from keras_fn.core.naming import reset_names

pytestmark = pytest.mark.filterwarnings("ignore")  # warnings are Keras's here
BOTH = (keras_fn, keras)
POLICIES = ("float16", "bfloat16", "float64", "mixed_float16", "mixed_bfloat16")
Config = dict[str, Any]


class Refused(str):
    """The error that a call raised, where the other one may answer."""


def answer(function: Callable[[Any, LayerCase], Any], package: Any, case: LayerCase) -> Any:
    try:
        return function(package, case)
    except Exception as error:
        return Refused(f"{type(error).__name__}: {str(error).strip().splitlines()[:1]}"[:200])


def built(package: Any, case: LayerCase, **changes: Any) -> Any:
    """Returns a layer that a symbolic call built."""
    layer = case.make(package, **changes)
    layer(*case.symbols(package), **case.options(package))
    return layer


def config(package: Any, case: LayerCase) -> Any:
    return without_absent(json.loads(json.dumps(case.make(package).get_config())))


def without_absent(value: Any) -> Any:
    """Returns a config without what asks for nothing, and without the module of built-ins."""
    if isinstance(value, dict):
        skipped = {"quantization_config", "lora_rank", "lora_alpha"}
        return {k: without_absent(v) for k, v in value.items() if v is not None or k not in skipped}
    return list(map(without_absent, value)) if isinstance(value, list) else value


def config_of_the_other(package: Any, case: LayerCase) -> Any:
    """Returns the config of the layer that the config of the other package makes."""
    (other,) = (one for one in BOTH if one is not package)
    made = getattr(package.layers, case.cls).from_config(case.make(other).get_config())
    return without_absent(json.loads(json.dumps(made.get_config())))


def flags(package: Any, case: LayerCase) -> Any:
    layer = case.make(package)
    return (
        layer.built,
        layer.supports_masking,
        layer.trainable,
        layer.stateful if hasattr(layer, "stateful") else None,
    )


def weights(package: Any, case: LayerCase) -> Any:
    layer = built(package, case)
    return [[v.path.split("/")[-1], tuple(v.shape), v.dtype, v.trainable] for v in layer.weights]


def specs(package: Any, case: LayerCase) -> Any:
    layer = case.make(package)
    outputs = layer(*case.symbols(package), **case.options(package))
    return [(tuple(x.shape), x.dtype) for x in flat(package, outputs)]


def specs_of_policy(policy: str) -> Callable[[Any, LayerCase], Any]:
    def find(package: Any, case: LayerCase) -> Any:
        layer = case.make(package, dtype=policy)
        outputs = layer(*case.symbols(package), **case.options(package))
        return [(tuple(x.shape), x.dtype) for x in flat(package, outputs)]

    return find


def shapes(package: Any, case: LayerCase) -> Any:
    """Returns what `compute_output_shape` gives."""
    (symbols,) = case.symbols(package, ())
    shape = keras_fn.tree.map_structure(lambda x: tuple(x.shape), symbols)
    found = built(package, case).compute_output_shape(shape)
    return [tuple(found)] if all(n is None or isinstance(n, int) for n in found) else [
        tuple(n) for n in found
    ]  # fmt: skip


def outputs(training: bool | None) -> Callable[[Any, LayerCase], Any]:
    def find(package: Any, case: LayerCase) -> Any:
        layer = built(package, case)
        fill(layer)
        options = case.options()
        if training is not None:
            options["training"] = training
        found = flat(package, layer(*case.draw(), **options))
        if training:
            found += [v for v in layer.non_trainable_variables if "seed" not in v.path]
        return [array(package, x) for x in found]

    return find


def flat(package: Any, values: Any) -> list[Any]:
    return [x for x in package.tree.flatten(values) if x is not None]


def array(package: Any, x: Any) -> Any:
    return np.array(package.ops.convert_to_numpy(x))


def differs(ours: Any, theirs: Any, tolerance: float) -> str | None:
    """Returns how two answers differ."""
    if isinstance(ours, Refused) and isinstance(theirs, Refused):
        return None
    is_values = isinstance(ours, list) and ours and isinstance(ours[0], np.ndarray)
    if not is_values or isinstance(theirs, Refused):
        return (
            None if ours == theirs else f"ours {short(ours, theirs)}, Keras's {short(theirs, ours)}"
        )
    for one, other in zip(ours, theirs, strict=True):
        if one.shape != other.shape:
            return f"shapes: ours {one.shape}, Keras's {other.shape}"
        if one.dtype.kind in "OUS":
            if one.tolist() != other.tolist():
                return f"ours {one.tolist()}, Keras's {other.tolist()}"
        elif not np.allclose(one, other, tolerance, tolerance, equal_nan=True):
            return f"values: ours {one.ravel()[:5]}, Keras's {other.ravel()[:5]}"
    dtypes = [[str(x.dtype) for x in values] for values in (ours, theirs)]
    return None if dtypes[0] == dtypes[1] else "dtypes: ours {}, Keras's {}".format(*dtypes)


def short(one: Any, other: Any) -> str:
    """Returns what differs of a config, or the whole answer."""
    if isinstance(one, dict) and isinstance(other, dict):
        one = {k: v for k, v in one.items() if k not in other or v != other[k]}
    return str(one)[:300]


def is_random(case: LayerCase) -> bool:
    """Returns whether outputs in training are random: also where a row of other arguments says so.

    The numbers that are drawn are other ones in Keras, also for the same seed.
    """
    given = case.arguments if isinstance(case.arguments, dict) else {}
    return case.random or LAYERS[case.cls].random or bool(given.get("dropout"))


def checks(case: LayerCase) -> dict[str, Callable[[Any, LayerCase], Any]]:
    """Returns the questions that both are asked, by name."""
    found: dict[str, Callable[[Any, LayerCase], Any]] = {
        "config": config, "config of the other": config_of_the_other, "flags": flags,
        "weights": weights, "spec": specs,
    }  # fmt: skip
    if len(case.positional) == 1 and not case.call:
        found["compute_output_shape"] = shapes
    if not case.host:
        found |= {f"spec in {policy}": specs_of_policy(policy) for policy in POLICIES}
    found["outputs"] = outputs(None)
    takes_training = case.make(keras_fn)._signature.has_training and "training" not in case.call
    if takes_training and not is_random(case):
        found["outputs in training"] = outputs(True)
    return found


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case.keras])
def test_a_layer(name: str, record_property: Any) -> None:
    case, unexplained = CASES[name], []
    for question, function in checks(case).items():
        answers = []
        for package in BOTH:
            reset_names()
            keras.src.backend.common.global_state.set_global_attribute("object_name_uids", None)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                answers.append(answer(function, package, case))
        found = differs(*answers, case.tolerance)
        if found is None:
            record_property("layer", "the same")
        elif (reason := known_difference(case, question, found)) is not None:
            record_property("layer", f"known: {reason}"[:60])
        else:
            unexplained.append(f"{question}: {found}")
    assert not unexplained, "\n".join([name, *unexplained])
