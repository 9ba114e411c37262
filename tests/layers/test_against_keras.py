"""Every layer against what Keras 3.15.1 gave: configs, names, weights, shapes and values.

To note them again, where Keras and pytest are installed:
`KERAS_BACKEND=jax python test_against_keras.py`.
"""

import json
import math
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

FOLDER = Path(__file__).parent.parent / "fixtures" / "keras_values"
CONFIGS, VALUES = FOLDER / "layers.json", FOLDER / "layers.npz"


class Case(NamedTuple):
    """A layer and a call of it."""

    cls: str
    arguments: dict[str, Any]
    shapes: list[tuple[int, ...]]  # of the inputs; a single one is not passed as a list
    call: dict[str, Any] = {}  # noqa: RUF012 (a tuple's default is never written to)
    free: tuple[int, ...] = (0,)  # axes that are None in the symbolic call
    kind: str = "float"  # of the inputs: "float", "int", "byte", or "steps" (some of them 0)


def case(cls: str, *shapes: tuple[int, ...], **arguments: Any) -> Case:
    return Case(cls, arguments, list(shapes))


FIRST = {"data_format": "channels_first"}
STEPS = np.array([[True, True, False, True], [False, True, True, False]])
LINE, PLANE, SPACE = (2, 9, 4), (2, 6, 7, 4), (1, 5, 4, 5, 4)
TURNED = {3: (2, 4, 9), 4: (2, 4, 6, 7), 5: (1, 4, 5, 4, 5)}  # with the channels first


def window_cases() -> dict[str, Case]:
    """Convolutions and pooling, over each number of axes."""
    cases: dict[str, Case] = {}
    for rank, shape in ((1, LINE), (2, PLANE), (3, SPACE)):
        turned = TURNED[rank + 2]
        uneven = tuple(range(2, 2 + rank))
        conv, back = f"Conv{rank}D", f"Conv{rank}DTranspose"
        for cls in (conv, back):
            made = {
                "plain": case(cls, shape, filters=6, kernel_size=3),
                "same, strides": case(
                    cls, shape, filters=3, kernel_size=uneven, strides=2, padding="same",
                    activation="relu", kernel_regularizer="l2", kernel_constraint="max_norm",
                ),
                "valid, strides": case(cls, shape, filters=3, kernel_size=2, strides=3),
                "dilation": case(cls, shape, filters=2, kernel_size=2, dilation_rate=2),
                "same, dilation": case(
                    cls, shape, filters=2, kernel_size=2, dilation_rate=3, padding="same"
                ),
                "channels first": case(cls, turned, filters=3, kernel_size=2, **FIRST),
                "channels first, same": case(
                    cls, turned, filters=3, kernel_size=3, strides=2, padding="same", **FIRST
                ),
                "no bias": case(cls, shape, filters=1, kernel_size=1, use_bias=False),
            }  # fmt: skip
            cases.update({f"{cls}, {name}": made[name] for name in made})
        cases[f"{conv}, groups"] = case(conv, shape, filters=6, kernel_size=3, groups=2)
        cases[f"{conv}, groups first"] = case(
            conv, turned, filters=4, kernel_size=3, groups=4, **FIRST
        )
        for padding in ("valid", "same"):
            cases[f"{back}, output padding, {padding}"] = case(
                back, shape, filters=2, kernel_size=3, strides=2, output_padding=1, padding=padding
            )
        for kind in ("Max", "Average"):
            cls = f"{kind}Pooling{rank}D"
            cases[f"{cls}"] = case(cls, shape, pool_size=2)
            cases[f"{cls}, same"] = case(cls, shape, pool_size=uneven, strides=2, padding="same")
            cases[f"{cls}, first"] = case(cls, turned, pool_size=3, strides=1, **FIRST)
            cls = f"Global{kind}Pooling{rank}D"
            cases[f"{cls}"] = case(cls, shape)
            cases[f"{cls}, first"] = case(cls, turned, keepdims=True, **FIRST)
    for rank, shape in ((1, LINE), (2, PLANE)):
        cls = f"DepthwiseConv{rank}D"
        cases[cls] = case(cls, shape, kernel_size=3, depth_multiplier=2)
        cases[f"{cls}, first"] = case(
            cls, TURNED[rank + 2], kernel_size=2, strides=2, padding="same", **FIRST
        )
        cls = f"SeparableConv{rank}D"
        cases[cls] = case(cls, shape, filters=3, kernel_size=3, depth_multiplier=2)
        cases[f"{cls}, same"] = case(
            cls, shape, filters=3, kernel_size=2, padding="same", activation="tanh"
        )
    cases["Conv1D, causal"] = case("Conv1D", LINE, filters=3, kernel_size=3, padding="causal")
    cases["Conv1D, causal, dilation"] = case(
        "Conv1D", LINE, filters=3, kernel_size=2, padding="causal", dilation_rate=3
    )
    cases["Conv1D, causal, first"] = case(
        "Conv1D", TURNED[3], filters=3, kernel_size=3, strides=2, padding="causal", **FIRST
    )
    return cases


def shape_cases() -> dict[str, Case]:
    """Layers that move elements about."""
    cases = {
        "Reshape": case("Reshape", (2, 6, 4), target_shape=(8, 3)),
        "Reshape, -1": case("Reshape", (2, 6, 4), target_shape=(-1, 2, 3)),
        "Reshape, scalar": case("Reshape", (2, 1), target_shape=()),
        "Flatten": case("Flatten", PLANE),
        "Flatten, first": case("Flatten", PLANE, **FIRST),
        "Flatten, vector": case("Flatten", (3,)),
        "Permute": case("Permute", PLANE, dims=(3, 1, 2)),
        "RepeatVector": case("RepeatVector", (2, 3), n=4),
        "ZeroPadding1D": case("ZeroPadding1D", LINE, padding=(2, 1)),
        "ZeroPadding1D, first": case("ZeroPadding1D", LINE, padding=2, **FIRST),
        "ZeroPadding2D": case("ZeroPadding2D", PLANE),
        "ZeroPadding2D, pairs": case("ZeroPadding2D", PLANE, padding=((1, 2), (0, 3)), **FIRST),
        "ZeroPadding3D": case("ZeroPadding3D", SPACE, padding=(1, 2, 0)),
        "Cropping1D": case("Cropping1D", LINE, cropping=(2, 1)),
        "Cropping1D, default": case("Cropping1D", LINE),
        "Cropping2D": case("Cropping2D", PLANE, cropping=((1, 2), (0, 3))),
        "Cropping2D, default": case("Cropping2D", PLANE),
        "Cropping2D, first": case("Cropping2D", PLANE, cropping=(2, 1), **FIRST),
        "Cropping3D": case("Cropping3D", SPACE),
        "UpSampling1D": case("UpSampling1D", LINE, size=3),
        "UpSampling2D": case("UpSampling2D", PLANE),
        "UpSampling2D, first": case("UpSampling2D", PLANE, size=(1, 3), **FIRST),
        "UpSampling3D": case("UpSampling3D", (2, 2, 3, 2, 3), size=(1, 2, 3)),
        "UpSampling3D, first": case("UpSampling3D", (2, 2, 3, 2, 3), **FIRST),
    }
    for method in ("bilinear", "bicubic", "lanczos3", "lanczos5"):
        cases[f"UpSampling2D, {method}"] = case(
            "UpSampling2D", (2, 4, 3, 2), size=(2, 3), interpolation=method
        )
    return cases


def norm_cases() -> dict[str, Case]:
    """Normalization, in inference and in training."""
    train = {"training": True}
    batch = {
        "": case("BatchNormalization", PLANE),
        ", axis": case("BatchNormalization", PLANE, axis=1, momentum=0.8, epsilon=0.1),
        ", bare": case("BatchNormalization", LINE, center=False, scale=False),
        ", described": case(
            "BatchNormalization", (4, 3), gamma_initializer="zeros", beta_regularizer="l2",
            gamma_constraint="non_neg", moving_mean_initializer="ones",
        ),
        ", renorm": case("BatchNormalization", LINE, renorm=True),
        ", renorm, clipped": case(
            "BatchNormalization", LINE, renorm=True, renorm_momentum=0.5, scale=False,
            renorm_clipping={"rmin": 0.9, "rmax": 1.1, "dmax": 0.2},
        ),
    }  # fmt: skip
    cases = {f"BatchNormalization{name}": made for name, made in batch.items()}
    cases.update({f"{n}, training": c._replace(call=train) for n, c in list(cases.items())})
    masked = case("BatchNormalization", (2, 4, 3))
    cases["BatchNormalization, masked"] = masked._replace(call={"training": True, "mask": STEPS})
    group = {"groups": 2}
    cases |= {
        "LayerNormalization": case("LayerNormalization", LINE),
        "LayerNormalization, axes": case("LayerNormalization", PLANE, axis=[1, 3]),
        "LayerNormalization, bare": case("LayerNormalization", LINE, center=False, scale=False),
        "LayerNormalization, axis": case("LayerNormalization", LINE, axis=1, epsilon=0.1),
        "LayerNormalization, rms": case("LayerNormalization", LINE, rms_scaling=True),
        "RMSNormalization": case("RMSNormalization", LINE),
        "RMSNormalization, axes": case("RMSNormalization", PLANE, axis=[2, 3], epsilon=0.1),
        "UnitNormalization": case("UnitNormalization", LINE),
        "UnitNormalization, axes": case("UnitNormalization", PLANE, axis=[1, 2]),
        "GroupNormalization": case("GroupNormalization", PLANE, **group),
        "GroupNormalization, axis": case("GroupNormalization", PLANE, axis=1, **group),
        "GroupNormalization, instance": case("GroupNormalization", PLANE, groups=-1),
        "GroupNormalization, bare": case(
            "GroupNormalization", LINE, center=False, scale=False, **group
        ),
    }
    return cases


def merge_cases() -> dict[str, Case]:
    """Layers of several inputs."""
    cases: dict[str, Case] = {}
    for cls in ("Add", "Multiply", "Average", "Maximum", "Minimum"):
        cases[cls] = case(cls, LINE, LINE, LINE)
        cases[f"{cls}, broadcast"] = case(cls, (2, 1, 4), (2, 9, 1))
        cases[f"{cls}, ranks"] = case(cls, (2, 4), LINE)
    cases["Subtract"] = case("Subtract", LINE, LINE)
    cases["Concatenate"] = case("Concatenate", (2, 3), (2, 4), (2, 1))
    cases["Concatenate, axis"] = case("Concatenate", (2, 3, 4), (2, 5, 4), axis=1)
    dots = {
        "Dot": ((2, 5), (2, 5), 1, False),
        "Dot, normalized": ((2, 5), (2, 5), -1, True),
        "Dot, matrices": ((2, 4, 5), (2, 5, 3), (2, 1), False),
        "Dot, ranks": ((2, 4, 5), (2, 5), (2, 1), False),
        "Dot, turned": ((2, 4, 5), (2, 3, 4), (1, 2), True),
        "Dot, high": ((2, 3, 4, 5), (2, 5, 2), (3, 1), False),
    }
    for name, (first, second, axes, normalize) in dots.items():
        cases[name] = case("Dot", first, second, axes=axes, normalize=normalize)
    return cases


def other_cases() -> dict[str, Case]:
    """Activations, embeddings and the rest."""
    softmax = case("Softmax", (2, 3, 4))
    pool = case("GlobalAveragePooling1D", (2, 4, 3))
    cases = {
        "ReLU": case("ReLU", LINE),
        "ReLU, all": case("ReLU", LINE, max_value=0.8, negative_slope=0.1, threshold=0.2),
        "LeakyReLU": case("LeakyReLU", LINE),
        "ELU": case("ELU", LINE, alpha=0.5),
        "PReLU": case("PReLU", PLANE),
        "PReLU, shared": case("PReLU", PLANE, shared_axes=[1, 2]),
        "Softmax": softmax,
        "Softmax, axes": case("Softmax", (2, 3, 4), axis=[1, 2]),
        "Softmax, masked": softmax._replace(call={"mask": STEPS[:, None]}),
        "Activation": case("Activation", LINE, activation="tanh"),
        "Identity": case("Identity", LINE),
        "Masking": case("Masking", (2, 4, 3))._replace(kind="steps"),
        "Embedding": case("Embedding", (2, 5), input_dim=7, output_dim=3)._replace(kind="int"),
        "Embedding, masked": case(
            "Embedding", (2, 5), input_dim=7, output_dim=3, mask_zero=True,
            embeddings_regularizer="l2", embeddings_constraint="unit_norm",
        )._replace(kind="int"),
        "Embedding, of floats": case("Embedding", (2, 5), input_dim=7, output_dim=3),
        "Rescaling": case("Rescaling", LINE, scale=0.5, offset=-1.0)._replace(kind="byte"),
        "Rescaling, channels": case(
            "Rescaling", (2, 3), scale=[1.0, 2.0, 3.0], offset=[0.0, 1.0, 2.0],
        ),
        "GlobalAveragePooling1D, masked": pool._replace(call={"mask": STEPS}),
        "Dropout": case("Dropout", LINE, rate=0.5, noise_shape=(None, 1, 4), seed=3),
        "Dropout, none": case("Dropout", LINE, rate=0)._replace(call={"training": True}),
        "Dropout, all": case("Dropout", LINE, rate=1.0)._replace(call={"training": True}),
        "SpatialDropout1D": case("SpatialDropout1D", LINE, rate=0.5),
        "SpatialDropout2D": case("SpatialDropout2D", PLANE, rate=0.5, seed=1),
        "SpatialDropout3D": case("SpatialDropout3D", SPACE, rate=0.5, **FIRST),
        "AlphaDropout": case("AlphaDropout", LINE, rate=0.5),
        "GaussianNoise": case("GaussianNoise", LINE, stddev=0.5),
        "GaussianDropout": case("GaussianDropout", LINE, rate=0.5),
        "ActivityRegularization": case("ActivityRegularization", LINE, l1=0.1, l2=0.2),
    }  # fmt: skip
    return cases


CASES = {**window_cases(), **shape_cases(), **norm_cases(), **merge_cases(), **other_cases()}


def inputs_of(made: Case) -> list[np.ndarray]:
    """Inputs that are the same everywhere, of a kind that the layer takes."""
    arrays = []
    for k, shape in enumerate(made.shapes):
        wave = np.sin(np.arange(math.prod(shape)) * 1.7 + k).reshape(shape) * 1.5
        if made.cls == "Embedding" or made.kind == "byte":
            wave = np.floor(np.abs(wave) * 4)
        if made.kind == "steps":
            wave = wave * STEPS[..., None]
        arrays.append(wave.astype({"int": "int32", "byte": "uint8"}.get(made.kind, "float32")))
    return arrays


def fill(layer: Any) -> None:
    """Gives the weights values that are the same everywhere; variances are above 0."""
    values = []
    for k, variable in enumerate(layer.weights):
        wave = np.cos(np.arange(math.prod(variable.shape)) * 0.9 + k) * 0.5
        spread = any(word in variable.path for word in ("variance", "stddev"))
        values.append((np.abs(wave) + 0.5 if spread else wave).reshape(variable.shape))
    layer.set_weights(values)


def facts_of(keras: Any, made: Case, name: str) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """What there is to know of the layer: config and shapes, and arrays."""
    layer = getattr(keras.layers, made.cls)(**made.arguments)
    config = layer.get_config()
    arrays = inputs_of(made)
    symbols = [
        keras.Input(batch_shape=[None if i in made.free else n for i, n in enumerate(x.shape)],
                    dtype=str(x.dtype))
        for x in arrays
    ]  # fmt: skip
    symbol = layer(symbols if len(symbols) > 1 else symbols[0])
    fill(layer)
    outputs = layer(arrays if len(arrays) > 1 else arrays[0], **made.call)
    facts = {
        "config": json.loads(json.dumps(config)),
        "supports_masking": layer.supports_masking,
        "symbol": [list(symbol.shape), symbol.dtype],
        "weights": [[v.path.split("/")[-1], v.trainable] for v in layer.weights],
    }
    found = {f"{name}|output": np.asarray(keras.ops.convert_to_numpy(outputs))}
    if made.call.get("training"):
        moved = [keras.ops.convert_to_numpy(v) for v in layer.weights if not v.trainable]
        found.update({f"{name}|state {k}": np.asarray(v) for k, v in enumerate(moved)})
    return facts, found


def note() -> None:
    """Writes the facts, with real Keras."""
    import keras

    configs: dict[str, Any] = {"keras": keras.__version__}
    values: dict[str, np.ndarray] = {}
    for name, made in CASES.items():
        keras.backend.clear_session()
        configs[name], found = facts_of(keras, made, name)
        values.update(found)
    CONFIGS.write_text(json.dumps(configs, indent=0) + "\n")
    np.savez_compressed(VALUES, **values)


if __name__ == "__main__":
    note()
    raise SystemExit


class Names:
    """The public names that the cases use, wherever they live."""

    from keras_fn import layers, ops
    from keras_fn.layers import Input


@pytest.fixture(scope="module")
def noted():
    with np.load(VALUES) as values:
        return json.loads(CONFIGS.read_text()), dict(values)


@pytest.mark.parametrize("name", CASES)
def test_a_layer_is_what_keras_makes_of_it(name, noted):
    from keras_fn.core.naming import reset_names

    configs, values = noted
    reset_names()
    facts, found = facts_of(Names, CASES[name], name)
    expected = configs[name]
    if "SpatialDropout" in name:  # Keras writes the name of the dtype, which loses the policy
        assert facts["config"].pop("dtype")["config"]["name"] == expected["config"].pop("dtype")
    if "Embedding" in name:  # a low-rank update or quantization is not the layer's business
        assert expected["config"].pop("quantization_config") is None
    assert facts == expected
    assert {key for key in values if key.split("|")[0] == name} == found.keys()
    for key, value in found.items():
        assert str(value.dtype) == str(values[key].dtype)
        np.testing.assert_allclose(value, values[key], rtol=2e-5, atol=2e-5, err_msg=key)


@pytest.mark.parametrize("name", CASES)
def test_a_config_of_keras_makes_the_layer_again(name, noted):
    config = noted[0][name]["config"]
    cls = getattr(Names.layers, CASES[name].cls)
    again = cls.from_config(config).get_config()
    config.pop("quantization_config", None)
    if "SpatialDropout" in name:
        config["dtype"] = again["dtype"]
    assert json.loads(json.dumps(again)) == config
