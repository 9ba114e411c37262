"""Maps of dtype policies: each layer goes by its path."""

from typing import Any

import numpy as np
import pytest

import keras_fn as keras
from keras_fn import layers, ops
from keras_fn.dtype_policies import DTypePolicy, DTypePolicyMap

X = np.ones((2, 3), "float32")


def policies(**entries: str) -> DTypePolicyMap:
    """A map over float32; `_` in a key stands for the slash."""
    return DTypePolicyMap(
        "float32", {key.replace("_", "/"): DTypePolicy(name) for key, name in entries.items()}
    )


def dtypes(layer: Any) -> dict[str, tuple[str, str]]:
    """Returns the compute dtypes and dtypes of layers with weights, by their paths."""
    found = {}
    for each in layer._flatten_layers():
        if each._weights:
            assert {v.dtype for v in each._weights} == {each.variable_dtype}
            assert {v.path.rpartition("/")[0] for v in each._weights} == {each.path}
            found[each.path] = (each.compute_dtype, each.variable_dtype)
    return found


@keras.saving.register_keras_serializable("tests.layers.test_policy")
class Block(layers.Layer):
    def __init__(self, dtype: Any = None, **kwargs: Any):
        super().__init__(dtype=dtype, **kwargs)
        self.a = layers.Dense(4, dtype=self.dtype_policy, name="a")
        self.b = layers.Dense(4, dtype=self.dtype_policy, name="b")

    def call(self, x):
        return self.b(self.a(x))

    def get_config(self):
        return super().get_config()


@keras.saving.register_keras_serializable("tests.layers.test_policy")
class Nest(keras.Model):
    def __init__(self, dtype: Any = None, **kwargs: Any):
        super().__init__(dtype=dtype, **kwargs)
        self.a = layers.Dense(4, dtype=self.dtype_policy, name="a")
        self.block = Block(dtype=self.dtype_policy, name="block")

    def call(self, x):
        return self.block(self.a(x))

    def get_config(self):
        return super().get_config()


HALF, MIXED, FULL = ("bfloat16",) * 2, ("bfloat16", "float32"), ("float32",) * 2


@pytest.mark.parametrize(
    ("entries", "a", "b"),
    [
        ({"block_a": "bfloat16"}, HALF, FULL),
        ({"block_b": "mixed_bfloat16"}, FULL, MIXED),
        ({"block_.*": "bfloat16"}, HALF, HALF),
        # The path itself wins over a pattern.
        ({"block_.*": "bfloat16", "block_a": "mixed_bfloat16"}, MIXED, HALF),
        ({"block": "bfloat16", "a": "bfloat16"}, FULL, FULL),
    ],
)
@pytest.mark.parametrize("symbolic", [False, True])
def test_sublayers_go_by_their_paths(entries, a, b, symbolic):
    block = Block(dtype=policies(**entries), name="block")
    assert block.path is None and block.a.path is None
    if symbolic:
        inputs = keras.Input((3,))
        model = keras.Model(inputs, block(inputs))
        assert model.output.dtype == b[0]
    outs = {ops.dtype(block(X)) for _ in range(3)}
    assert outs == {b[0]}
    assert dtypes(block) == {"block/a": a, "block/b": b}
    assert block.path == "block"
    assert block.compute_dtype == ("bfloat16" if "block" in entries else "float32")


def test_a_custom_build_and_build_by_hand_give_the_same():
    class Built(Block):
        def build(self, input_shape):
            self.a.build(input_shape)
            self.b.build((None, 4))

    for cls in (Block, Built):
        block = cls(dtype=policies(block_a="bfloat16"), name="block")
        block.build((None, 3))
        assert dtypes(block) == {"block/a": HALF, "block/b": FULL}


def test_a_nest_of_models_and_layers_trains_and_comes_back_from_a_file(tmp_path):
    wanted = {"nest/a": HALF, "nest/block/a": FULL, "nest/block/b": MIXED}
    model = Nest(dtype=policies(nest_a="bfloat16", nest_block_b="mixed_bfloat16"), name="nest")
    model.compile("sgd", "mse")
    model.fit(X, np.ones((2, 4)), verbose=0)
    assert dtypes(model) == wanted
    predicted = model.predict(X, verbose=0)
    assert predicted.dtype.name == "bfloat16"
    model.save(tmp_path / "nest.keras")
    again = keras.saving.load_model(tmp_path / "nest.keras")
    assert dtypes(again) == wanted and again.dtype_policy == model.dtype_policy
    assert (again.predict(X, verbose=0) == predicted).all()


def test_layers_of_a_graph_have_their_own_names_as_paths():
    chosen = policies(a="bfloat16", s_a="mixed_bfloat16", m_a="float16")
    inputs = keras.Input((3,))
    model = keras.Model(inputs, layers.Dense(4, dtype=chosen, name="a")(inputs), name="m")
    assert dtypes(model) == {"a": HALF} and model.output.dtype == "bfloat16"
    assert model.path == "m"
    again = keras.Model.from_config(model.get_config())
    assert dtypes(again) == {"a": HALF}
    assert dtypes(keras.models.clone_model(model)) == {"a": HALF}


@pytest.mark.parametrize("known", [False, True])
def test_layers_of_a_sequential_are_below_its_name(known):
    chosen = policies(a="bfloat16", s_a="mixed_bfloat16")
    first = [keras.Input((3,))] if known else []
    model = keras.Sequential([*first, layers.Dense(4, dtype=chosen, name="a")], name="s")
    assert ops.dtype(model(X)) == "bfloat16"
    assert dtypes(model) == {"s/a": MIXED}


def test_recurrent_layers_and_their_cells():
    x = np.ones((2, 5, 3), "float32")
    for entries, out, cell in (
        ({"l": "bfloat16"}, "bfloat16", FULL),
        ({"l_.*": "bfloat16"}, "float32", HALF),
        ({"l.*": "mixed_bfloat16"}, "bfloat16", MIXED),
    ):
        layer = layers.LSTM(4, dtype=policies(**entries), name="l")
        assert [ops.dtype(layer(x)) for _ in range(2)] == [out] * 2
        assert dtypes(layer) == {"l/lstm_cell": cell}
    chosen = DTypePolicyMap("float32", {".*/backward_l.*": DTypePolicy("mixed_bfloat16")})
    both = layers.Bidirectional(layers.LSTM(4, dtype=chosen, name="l"), name="bi")
    both(x)
    assert dtypes(both) == {
        "bi/forward_l/lstm_cell": FULL,
        "bi/backward_l/lstm_cell": MIXED,
    }
    inner = layers.Dense(4, dtype=policies(t_d="bfloat16"), name="d")
    each = layers.TimeDistributed(inner, name="t")
    assert ops.dtype(each(x)) == "bfloat16" and dtypes(each) == {"t/d": HALF}


def test_the_map_of_the_process():
    keras.config.set_dtype_policy(policies(a="bfloat16"))
    try:
        inputs = keras.Input((3,))
        hidden = layers.Dense(4, name="a")(inputs)
        model = keras.Model(inputs, layers.Dense(4, name="b")(hidden))
    finally:
        keras.config.set_dtype_policy("float32")
    assert dtypes(model) == {"a": HALF, "b": FULL}


def test_entries_that_come_before_the_layer_is_built_count():
    chosen = policies()
    layer = layers.Dense(4, dtype=chosen, name="d")
    chosen["d"] = "bfloat16"
    layer.build((None, 3))
    assert dtypes(layer) == {"d": HALF}


def test_a_policy_set_on_a_layer_with_a_map_becomes_the_entry_of_its_path():
    chosen = policies(d="bfloat16")
    layer = layers.Dense(4, dtype=chosen, name="d")
    layer(X)
    layer.dtype_policy = "mixed_float16"
    assert layer.dtype_policy is chosen and chosen["d"].name == "mixed_float16"
    assert layer.compute_dtype == "float16" and ops.dtype(layer(X)) == "float16"
    layer.dtype_policy = policies(d="float64")
    assert layer.compute_dtype == "float64"
    with pytest.raises(ValueError, match="not quantized"):
        layers.Dropout(0.5).dtype_policy = "int8_from_float32"


def test_a_policy_that_is_set_ends_what_earlier_calls_settled():
    layer = layers.Dense(4)
    for _ in range(3):
        layer(X)
    layer.dtype_policy = "mixed_bfloat16"
    assert ops.dtype(layer(ops.convert_to_tensor(X))) == "bfloat16"


def test_several_keys_for_one_path_are_refused():
    block = Block(dtype=policies(**{"block_.*": "bfloat16", ".*a": "float16"}), name="block")
    with pytest.raises(ValueError, match=r"(?s)one key.*block/a"):
        block(X)
