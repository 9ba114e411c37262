"""Multi-head and grouped-query attention, next to NumPy in float64."""

import json

import numpy as np
import pytest

import keras_fn as keras
from keras_fn import layers, ops
from keras_fn.backend.loader import current
from keras_fn.core.masking import get_mask
from keras_fn.errors import KerasError, UnsupportedError
from keras_fn.layers.attention import base_multi_head_attention as base

BACKEND = keras.config.backend()
BATCH, TARGETS, SOURCES = 2, 4, 5
RANDOM = np.random.default_rng(0)
QUERY = RANDOM.standard_normal((BATCH, TARGETS, 6)).astype("float32")
VALUE = RANDOM.standard_normal((BATCH, SOURCES, 3)).astype("float32")
KEY = RANDOM.standard_normal((BATCH, SOURCES, 7)).astype("float32")
SEEN = np.array([[1, 0, 1, 1, 0], [1, 1, 0, 0, 0]], bool)  # of the sources
TARGET = np.array([[1, 1, 1, 0], [1, 0, 1, 1]], bool)
MASK = (RANDOM.random((BATCH, TARGETS, SOURCES)) < 0.6) | np.eye(TARGETS, SOURCES, dtype=bool)
HEADS = np.stack([MASK, ~MASK | np.eye(TARGETS, SOURCES, dtype=bool)], 1)  # a mask for each head


def thorough(*values):
    return pytest.param(*values, marks=pytest.mark.thorough)


def array(x):
    return ops.convert_to_numpy(x)


def softmax(x):
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def projected(dense, x):
    kernel, bias = dense.kernel.numpy(), dense.bias
    y = np.tensordot(x.astype("float64"), kernel.astype("float64"), 1)
    return y if bias is None else y + bias.numpy()


def reference(layer, query, value, key=None, mask=None, groups=1):
    """Outputs and weights; `mask` is of the shape of the weights. Rows without a source are 0."""
    q = projected(layer._query_dense, query)
    k = projected(layer._key_dense, value if key is None else key).repeat(groups, 2)
    v = projected(layer._value_dense, value).repeat(groups, 2)
    logits = np.einsum("btnh,bsnh->bnts", q, k) / np.sqrt(q.shape[-1])
    mask = np.ones_like(logits, bool) if mask is None else np.broadcast_to(mask, logits.shape)
    weights = np.where(mask, softmax(np.where(mask, logits, -1e30)), 0.0)
    y = np.einsum("bnts,bsnh->btnh", weights, v)
    if layer._gate_dense is not None:
        y = y / (1 + np.exp(-projected(layer._gate_dense, query)))
    output = layer._output_dense
    outputs = np.tensordot(y, output.kernel.numpy().astype("float64"), 2)
    return outputs if output.bias is None else outputs + output.bias.numpy(), weights


def make(**arguments):
    return layers.MultiHeadAttention(
        **{"num_heads": 2, "key_dim": 3, "bias_initializer": "normal", **arguments}
    )


def band(window=None, causal=False, targets=TARGETS, sources=SOURCES):
    distance = np.arange(targets)[:, None] - np.arange(sources)
    near = np.ones_like(distance, bool) if window is None else np.abs(distance) < window
    return near & (distance >= 0) if causal else near


MASKS = {
    "none": ({}, True),
    "attention, rank 2": ({"attention_mask": MASK[0]}, MASK[0]),
    "attention, rank 3": ({"attention_mask": MASK}, MASK[:, None]),
    "attention, rank 3, integers": ({"attention_mask": MASK.astype("int32")}, MASK[:, None]),
    "attention, rank 4": ({"attention_mask": HEADS}, HEADS),
    "attention, one head": ({"attention_mask": MASK[:, None]}, MASK[:, None]),
    "causal": ({"use_causal_mask": True}, band(causal=True)),
    "value": ({"value_mask": SEEN}, SEEN[:, None, None]),
    "key": ({"key_mask": SEEN}, SEEN[:, None, None]),
    "all": (
        {
            "attention_mask": HEADS, "query_mask": np.ones_like(TARGET), "value_mask": SEEN,
            "use_causal_mask": True,
        },
        HEADS & SEEN[:, None, None] & band(causal=True),
    ),
}  # fmt: skip

RARE = (
    "none", "attention, rank 2", "attention, rank 3, integers", "attention, one head", "value",
    "key",
)  # fmt: skip


@pytest.mark.parametrize("name", [thorough(name) if name in RARE else name for name in MASKS])
def test_masks_of_every_rank(name):
    options, mask = MASKS[name]
    layer = make()
    scored, weights = layer(QUERY, VALUE, **options, return_attention_scores=True)
    expected, expected_weights = reference(layer, QUERY, VALUE, mask=mask)
    np.testing.assert_allclose(array(weights), expected_weights, 1e-4, 1e-6)
    np.testing.assert_allclose(array(scored), expected, 1e-4, 1e-5)
    has_source = expected_weights.any(3).all(1)
    fused = array(layer(QUERY, VALUE, **options))
    np.testing.assert_allclose(fused[has_source], expected[has_source], 1e-4, 1e-5)
    assert np.isfinite(fused).all()


@pytest.mark.parametrize(
    "arguments",
    [
        {"value_dim": 5, "use_gate": True, "output_shape": (3, 2)},
        thorough({"value_dim": 2, "use_bias": False}),
        thorough({"output_shape": 4}),
    ],
)
def test_keys_values_and_outputs_of_other_sizes(arguments):
    layer = make(**arguments)
    expected, expected_weights = reference(layer_after(layer), QUERY, VALUE, KEY)
    np.testing.assert_allclose(array(layer(QUERY, VALUE, KEY)), expected, 1e-4, 1e-5)
    y, weights = layer(QUERY, VALUE, KEY, return_attention_scores=True)
    np.testing.assert_allclose(array(y), expected, 1e-4, 1e-5)
    np.testing.assert_allclose(array(weights), expected_weights, 1e-4, 1e-6)
    shapes = (QUERY.shape, VALUE.shape, KEY.shape)
    assert layer.compute_output_shape(*shapes) == expected.shape
    again = layers.MultiHeadAttention.from_config(json.loads(json.dumps(layer.get_config())))
    again.build(*shapes)
    again.set_weights(layer.get_weights())
    np.testing.assert_allclose(array(again(QUERY, VALUE, KEY)), expected, 1e-4, 1e-5)


def layer_after(layer):
    layer(QUERY, VALUE, KEY)
    return layer


@pytest.mark.parametrize("causal", [True, thorough(False)])
def test_a_sliding_window_is_a_band(causal):
    layer = make(sliding_window=2)
    y, weights = layer(QUERY, VALUE, use_causal_mask=causal, return_attention_scores=True)
    expected, expected_weights = reference(layer, QUERY, VALUE, mask=band(2, causal))
    np.testing.assert_allclose(array(weights), expected_weights, 1e-4, 1e-6)
    np.testing.assert_allclose(array(y), expected, 1e-4, 1e-5)
    fused = layer(QUERY, VALUE, use_causal_mask=causal)
    np.testing.assert_allclose(array(fused), expected, 1e-4, 1e-5)


def test_masks_that_travel_with_the_inputs_combine():
    layer, steps = make(), layers.Masking()
    query, value = QUERY * TARGET[..., None], VALUE * SEEN[..., None]
    x, s = steps(query), steps(value)
    y, weights = layer(x, s, return_attention_scores=True)
    mask = TARGET[:, None, :, None] & SEEN[:, None, None]
    expected, expected_weights = reference(layer, query, value, mask=mask)
    np.testing.assert_allclose(array(weights), expected_weights, 1e-4, 1e-6)
    np.testing.assert_allclose(array(y), expected, 1e-4, 1e-5)
    np.testing.assert_array_equal(array(get_mask(y)), TARGET)
    assert get_mask(weights) is None and get_mask(x) is not None
    assert get_mask(layer(query, s)) is None  # not the mask of the sources
    fused = array(layer(x, s))
    np.testing.assert_allclose(fused[TARGET], expected[TARGET], 1e-4, 1e-5)
    inputs = keras.Input((None, 6)), keras.Input((None, 3))
    model = keras.Model(inputs, layer(*map(steps, inputs)))
    np.testing.assert_allclose(array(model([query, value])), fused, 1e-4, 1e-5)


# ------------------------------------------------------------------ targets without any source


NOWHERE = MASK.copy()
NOWHERE[0, 1] = NOWHERE[1, 3] = False


def test_a_target_without_any_source():
    layer, plain = make(dropout=0.3), make()
    scored, weights = layer(QUERY, VALUE, attention_mask=NOWHERE, return_attention_scores=True)
    expected, expected_weights = reference(layer, QUERY, VALUE, mask=NOWHERE[:, None])
    assert not expected_weights[0, :, 1].any()
    np.testing.assert_allclose(array(weights), expected_weights, 1e-4, 1e-6)
    np.testing.assert_allclose(array(scored), expected, 1e-4, 1e-5)
    fused = array(layer(QUERY, VALUE, attention_mask=NOWHERE))  # the same with the fused kernel
    np.testing.assert_allclose(fused, expected, 1e-4, 1e-5)
    causal = array(layer(QUERY, VALUE, value_mask=~SEEN, use_causal_mask=True))
    mask = ~SEEN[:, None, None] & band(causal=True)
    expected, weights = reference(layer, QUERY, VALUE, mask=mask)
    assert not weights.any((1, 3)).all()
    np.testing.assert_allclose(causal, expected, 1e-4, 1e-5)
    plain(QUERY, VALUE)
    plain.set_weights(layer.get_weights())
    mean = array(plain(QUERY, VALUE, attention_mask=NOWHERE))[0, 1]  # as in Keras: of all sources
    values = projected(plain.value_dense, VALUE)[0].mean(0)
    kernel, bias = plain.output_dense.kernel.numpy(), plain.output_dense.bias.numpy()
    np.testing.assert_allclose(mean, np.tensordot(values, kernel, 2) + bias, 1e-4, 1e-5)


@pytest.mark.parametrize(
    ("dropout", "scores"), [(0.0, False), thorough(0.2, False), thorough(0.2, True)]
)
def test_gradients_are_those_of_differences(scores, dropout):
    layer = make(dropout=dropout)
    wave = np.cos(np.arange(QUERY.size)).reshape(QUERY.shape)

    def outputs():
        y = layer(
            QUERY, VALUE, attention_mask=NOWHERE, use_causal_mask=True,
            return_attention_scores=scores,
        )  # fmt: skip
        return y[0] if scores else y

    def loss():
        return ops.sum(ops.multiply(outputs(), wave.astype("float32"))), None

    loss()
    variables = [layer.query_dense.kernel, layer.key_dense.kernel, layer.value_dense.kernel]
    _, gradients = current().value_and_grad(loss, variables)()
    for variable, gradient in zip(variables, gradients, strict=True):
        found, value = array(gradient), variable.numpy()
        assert np.isfinite(found).all()
        step = 1e-2 * np.cos(np.arange(value.size) * 0.7).reshape(value.shape).astype("float32")
        sides = []
        for sign in (1, -1):
            variable.assign(value + sign * step)
            sides.append(float((array(outputs()).astype("float64") * wave).sum()))
        variable.assign(value)
        np.testing.assert_allclose((found * step).sum(), (sides[0] - sides[1]) / 2, 1e-2, 1e-4)


# ------------------------------------------------------------------ axes


GRID = RANDOM.standard_normal((2, 3, 2, 4)).astype("float32")


def test_attention_over_all_axes_is_attention_over_one():
    layer, flat = make(), make()
    y, weights = layer(GRID, GRID, return_attention_scores=True)
    rows = GRID.reshape(2, 6, 4)
    flat.build(rows.shape, rows.shape)
    flat.set_weights(layer.get_weights())
    expected, expected_weights = reference(flat, rows, rows)
    np.testing.assert_allclose(array(weights).reshape(2, 2, 6, 6), expected_weights, 1e-4, 1e-6)
    np.testing.assert_allclose(array(y).reshape(expected.shape), expected, 1e-4, 1e-5)
    np.testing.assert_allclose(array(layer(GRID, GRID)), array(y), 1e-4, 1e-5)
    assert layer.attention_axes == (1, 2)


@pytest.mark.parametrize("axis", [-2, thorough(1)])
def test_attention_over_one_of_two_axes(axis):
    layer, flat = make(attention_axes=axis), make()
    moved = np.moveaxis(GRID, axis, 2).reshape(-1, GRID.shape[axis], 4)
    flat.build(moved.shape, moved.shape)
    time = GRID.shape[axis]
    mask = band(causal=True, targets=time, sources=time)
    y, weights = layer(GRID, GRID, use_causal_mask=True, return_attention_scores=True)
    flat.set_weights(layer.get_weights())
    expected, expected_weights = reference(flat, moved, moved, mask=mask)
    others = [n for i, n in enumerate(GRID.shape[:3]) if i != axis % 4]
    expected = np.moveaxis(expected.reshape(*others, time, 4), 2, axis)
    np.testing.assert_allclose(array(y), expected, 1e-4, 1e-5)
    expected_weights = expected_weights.reshape(*others, 2, time, time)
    np.testing.assert_allclose(array(weights), expected_weights, 1e-4, 1e-6)
    fused = layer(GRID, GRID, attention_mask=mask)
    np.testing.assert_allclose(array(fused), expected, 1e-4, 1e-5)


@pytest.mark.thorough
def test_the_mask_of_a_grid():
    layer = make(attention_axes=(2, 1))
    seen = RANDOM.random((2, 3, 2)) < 0.7
    y, weights = layer(GRID, GRID, value_mask=seen, return_attention_scores=True)
    shown = np.moveaxis(array(weights).any((1, 2, 3)), 2, 1)
    np.testing.assert_array_equal(shown, seen)
    np.testing.assert_allclose(array(layer(GRID, GRID, value_mask=seen)), array(y), 1e-4, 1e-5)


# ------------------------------------------------------------------ grouped queries


@pytest.mark.parametrize("scores", [True, thorough(False)])
@pytest.mark.parametrize(("heads", "groups"), [(4, 2), thorough(3, 1)])
def test_heads_share_keys_and_values(heads, groups, scores):
    layer = layers.GroupQueryAttention(3, heads, groups, use_gate=True, bias_initializer="normal")
    options = {"attention_mask": MASK, "use_causal_mask": True}
    y = layer(QUERY, VALUE, KEY, **options, return_attention_scores=scores)
    mask = MASK[:, None] & band(causal=True)
    expected, weights = reference(layer, QUERY, VALUE, KEY, mask, groups=heads // groups)
    if scores:
        np.testing.assert_allclose(array(y[1]), weights, 1e-4, 1e-6)
    np.testing.assert_allclose(array(y[0] if scores else y), expected, 1e-4, 1e-5)


# ------------------------------------------------------------------ dropout


def test_dropout_drops_weights_in_training_only():
    layer = make(dropout=0.5, seed=1)
    y, weights = layer(QUERY, VALUE, training=True, return_attention_scores=True)
    expected, expected_weights = reference(layer, QUERY, VALUE)
    np.testing.assert_allclose(array(weights), expected_weights, 1e-4, 1e-6)  # before dropout
    assert np.abs(array(y) - expected).max() > 1e-3
    np.testing.assert_allclose(array(layer(QUERY, VALUE)), expected, 1e-4, 1e-5)
    again = make(dropout=0.5, seed=1)
    again.build(QUERY.shape, VALUE.shape)
    again.set_weights(layer.get_weights())
    np.testing.assert_allclose(array(again(QUERY, VALUE, training=True)), array(y), 1e-5, 1e-6)
    assert np.abs(array(again(QUERY, VALUE, training=True)) - array(y)).max() > 1e-3
    assert [v.path.split("/")[-1] for v in layer.variables if "seed" in v.path]


@pytest.mark.thorough
def test_dropout_has_the_right_mean():
    layer = layers.MultiHeadAttention(1, 4, dropout=0.3, use_bias=False)
    x = np.ones((64, 32, 4), "float32")
    y, plain = array(layer(x, x, training=True)), array(layer(x, x))
    np.testing.assert_allclose(y.mean((0, 1)), plain.mean((0, 1)), 0.03)


# ------------------------------------------------------------------ precision, kernels


@pytest.mark.parametrize("policy", ["mixed_float16", thorough("mixed_bfloat16")])
def test_the_softmax_of_half_precision_is_in_float32(policy):
    layer = make(dtype=policy, kernel_initializer="ones", bias_initializer="zeros")
    x = np.linspace(-3, 3, 600 * 4).reshape(1, 600, 4).astype("float32")
    y, weights = layer(x, x, return_attention_scores=True)
    dtype = policy.removeprefix("mixed_")
    assert ops.dtype(y) == ops.dtype(weights) == ops.dtype(layer(x, x)) == dtype
    sums = array(ops.cast(weights, "float32")).astype("float64").sum(-1)
    np.testing.assert_allclose(sums, 1.0, atol=0.01 if dtype == "float16" else 0.02)
    assert np.isfinite(array(ops.cast(y, "float32"))).all()


def test_the_fused_kernel_runs_wherever_it_can(monkeypatch):
    calls = []
    kernel = base.fused_attention
    monkeypatch.setattr(base, "fused_attention", lambda *args: calls.append(args) or kernel(*args))
    layer = make(dropout=0.1)
    layer(QUERY, VALUE)
    layer(QUERY, VALUE, attention_mask=MASK, use_causal_mask=True)
    assert len(calls) == 2
    layer(QUERY, VALUE, training=True)
    layer(QUERY, VALUE, return_attention_scores=True)
    assert len(calls) == 2
    make()(QUERY, VALUE, use_causal_mask=True, training=True)
    assert calls[-1][4] is None and calls[-1][6] is True  # no mask was made
    with keras_flash(False):
        make()(QUERY, VALUE)
    assert calls[-1][7] is False


class keras_flash:
    def __init__(self, enabled):
        self.enabled = enabled

    def __enter__(self):
        (keras.config.enable_flash_attention if self.enabled else
         keras.config.disable_flash_attention)()  # fmt: skip

    def __exit__(self, *_):
        keras.config.enable_flash_attention()


def test_flash_attention_that_is_not_possible_is_refused():
    with pytest.raises(KerasError, match=r"dropout"):
        make(flash_attention=True, dropout=0.1)
    with pytest.raises(UnsupportedError, match="attention scores"):
        make(flash_attention=True)(QUERY, VALUE, return_attention_scores=True)


@pytest.mark.parametrize("dropout", [0.0, thorough(0.2)])
def test_compiled_calls_equal_eager_ones(dropout):
    layer = make(dropout=dropout)
    options = {"attention_mask": ops.convert_to_tensor(MASK), "use_causal_mask": True}
    query, value = map(ops.convert_to_tensor, (QUERY, VALUE))
    expected = layer(query, value, **options)
    grid = make()
    whole = grid(*map(ops.convert_to_tensor, (GRID, GRID)))

    def run(query, value, x):
        return layer(query, value, **options), grid(x, x)

    if BACKEND == "torch":
        import torch

        compiled = torch.compile(run, fullgraph=True, backend="eager")
        found = compiled(query, value, ops.convert_to_tensor(GRID))
    else:
        function = current().compile(
            lambda xs: list(run(*xs)), layer.variables + grid.variables, donate=False
        )
        found = function([query, value, ops.convert_to_tensor(GRID)])
    np.testing.assert_allclose(array(found[0]), array(expected), 1e-4, 1e-5)
    np.testing.assert_allclose(array(found[1]), array(whole), 1e-4, 1e-5)


# ------------------------------------------------------------------ building, subclasses, errors


def test_the_projections_are_those_of_keras():
    layer = make(use_gate=True, kernel_regularizer="l2", activity_regularizer="l2", name="att")
    layer(QUERY, VALUE)
    assert [v.path for v in layer.weights] == [
        f"att/{name}/{weight}"
        for name in ("query", "key", "gate", "value", "attention_output")
        for weight in ("kernel", "bias")
    ]
    assert len(layer.losses) == 10  # of five kernels, and of five outputs
    assert layer.query_dense is layer._query_dense
    assert layer.get_build_config() == {
        "shapes_dict": {"query_shape": QUERY.shape, "value_shape": VALUE.shape}
    }
    fresh = make(use_gate=True)
    fresh.build_from_config(layer.get_build_config())
    assert [v.shape for v in fresh.weights] == [v.shape for v in layer.weights]


def test_a_subclass_may_attend_in_its_own_way():
    class First(layers.MultiHeadAttention):
        def _compute_attention(
            self, query, key, value, attention_mask=None, training=None,
            return_attention_scores=False,
        ):  # fmt: skip
            self.received = attention_mask
            return query * 0 + value[:, :1], None

    layer = First(2, 3)
    y = layer(QUERY, VALUE, use_causal_mask=True)
    assert y.shape == QUERY.shape
    np.testing.assert_array_equal(array(layer.received)[0, 0], band(causal=True))


def test_a_subclass_need_not_return_attention_scores():
    class Own(layers.GroupQueryAttention):
        def _compute_attention(self, query, key, value, attention_mask=None, training=None):
            return super()._compute_attention(query, key, value, attention_mask, training)

    own, usual = Own(3, 4, 2, seed=1), layers.GroupQueryAttention(3, 4, 2, seed=1)
    for layer in (own, usual):
        layer.build(QUERY.shape, VALUE.shape)
    usual.set_weights(own.get_weights())
    found, expected = (layer(QUERY, VALUE, use_causal_mask=True) for layer in (own, usual))
    np.testing.assert_allclose(array(found), array(expected), 1e-5, 1e-6)


REFUSED = {
    "num_heads": (lambda: make(num_heads=0), "num_heads: a positive integer"),
    "value_dim": (lambda: make(value_dim=-1), "value_dim: a positive integer"),
    "sliding_window": (lambda: make(sliding_window=0), "sliding_window: a positive integer"),
    "output_shape": (lambda: make(output_shape=(2, 0)), "output_shape: an integer"),
    "groups": (lambda: layers.GroupQueryAttention(2, 4, 3), "divisor of num_query_heads=4"),
    "axes": (lambda: make(attention_axes=2)(QUERY, VALUE), "attention_axes from 1 to 1"),
    "no value": (lambda: make()(QUERY), "a query and a value"),
    "ranks": (lambda: make()(QUERY, GRID), "of one rank"),
    "lengths": (lambda: make()(QUERY, VALUE, KEY[:, :2]), "value and key of equal sizes"),
    "mask": (
        lambda: make()(QUERY, VALUE, attention_mask=MASK[:, :, :2]),
        r"broadcasts to \(2, 2, 4, 5\)",
    ),
    "query mask": (lambda: make()(QUERY, VALUE, query_mask=SEEN), "a mask of the axes of"),
    "several axes": (lambda: make()(GRID, GRID, use_causal_mask=True), "over one axis"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_does_not_fit_is_refused_by_the_layer(name):
    make_error, match = REFUSED[name]
    with pytest.raises(KerasError, match=match) as error:
        make_error()
    assert "Attention" in str(error.value).splitlines()[0]


def test_other_sizes_are_refused_after_building():
    layer = make()
    layer(QUERY, VALUE)
    with pytest.raises(KerasError, match=r"MultiHeadAttention layer .*\n.*3 and 3 features"):
        layer(QUERY, KEY)


def test_subclasses_may_pass_a_mask_without_the_axis_of_heads():
    class Own(layers.MultiHeadAttention):
        def call(self, x, attention_mask):
            parts = [dense(x) for dense in (self._query_dense, self._key_dense, self._value_dense)]
            out, _ = self._compute_attention(*parts, attention_mask=attention_mask)
            return self._output_dense(out)

    x, mask = QUERY, np.tril(np.ones((BATCH, TARGETS, TARGETS), "int32"))
    own = Own(2, 3)
    own.build(x.shape, x.shape)
    wanted = layers.MultiHeadAttention.call(own, x, x, attention_mask=mask)
    np.testing.assert_allclose(
        ops.convert_to_numpy(own(x, mask)), ops.convert_to_numpy(wanted), atol=1e-6
    )
