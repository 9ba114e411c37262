"""Interoperability with TensorFlow: its tools work with our layers and functions."""

import os
import subprocess
import sys

import numpy as np
import pytest

if os.environ.get("KERAS_BACKEND") != "tensorflow":
    pytest.skip("is about the TensorFlow backend", allow_module_level=True)

import tensorflow as tf

import keras_fn_tensorflow as backend
from keras_fn import ops, random
from keras_fn.core.keras_tensor import KerasTensor
from keras_fn.core.scopes import StatelessScope
from keras_fn.core.variable import Variable
from keras_fn.errors import SpecError
from keras_fn.layers.layer import Layer


class Affine(Layer):
    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.units = units

    def build(self, input_shape):
        self.kernel = self.add_weight((input_shape[-1], self.units), name="kernel")
        self.bias = self.add_weight((self.units,), initializer="zeros", name="bias")

    def call(self, inputs):
        return ops.matmul(inputs, self.kernel) + self.bias


class Tower(Layer):
    """Two layers as attributes, two more in a list, and a counter that is not trainable."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.first = Affine(4)
        self.rest = [Affine(4), Affine(2)]
        self.count = self.add_weight((), "zeros", "int32", trainable=False, name="count")

    def call(self, inputs):
        x = self.first(inputs)
        for layer in self.rest:
            x = layer(x)
        return x


X = np.linspace(-1, 1, 15, dtype="float32").reshape(5, 3)


def built_tower():
    tower = Tower()
    tower(tf.constant(X))
    return tower


# ------------------------------------------------------------------ import


def test_importing_the_backend_imports_neither_keras_nor_other_frameworks():
    code = (
        "import sys, keras_fn_tensorflow, tensorflow as tf\n"
        "assert tf.constant([1.0]).numpy().tolist() == [1.0]\n"
        "print([m for m in ('keras', 'tf_keras', 'jax', 'torch') if m in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip().splitlines()[-1] == "[]"


# ------------------------------------------------------------------ tensors and variables


@pytest.mark.parametrize(
    ("value", "dtype"),
    [
        (1.5, "float32"),
        (2, "int32"),
        (True, "bool"),
        ([1, 2], "int32"),
        ([1, 2.5], "float32"),
        (np.zeros(2), "float64"),
        (np.zeros(2, "int8"), "int8"),
        ([np.float64(1.0), tf.constant(2.0)], "float32"),
        ("text", "string"),
    ],
)
def test_dtype_of_a_converted_value(value, dtype):
    assert backend.dtype_name(backend.convert_to_tensor(value)) == dtype


def test_is_tensor_accepts_eager_and_symbolic_tensors_and_variables():
    seen = []
    tf.function(lambda x: seen.append(backend.is_tensor(x)))(tf.constant(1.0))
    assert seen == [True]
    assert backend.is_tensor(tf.constant(1.0)) and backend.is_tensor(tf.Variable(1.0))
    assert not any(map(backend.is_tensor, (1.0, np.ones(1), [tf.constant(1.0)], None)))


def test_unknown_sizes_of_a_graph_are_scalar_tensors():
    @tf.function(input_signature=[tf.TensorSpec([None, 3])])
    def flat(x):
        batch, width = ops.shape(x)
        assert backend.is_tensor(batch) and width == 3
        return ops.reshape(x, (batch * width,)), ops.zeros((batch, 2))

    a, b = flat(tf.constant(X))
    assert a.shape == (15,) and b.shape == (5, 2)


def test_a_variable_is_assigned_in_place_and_shares_nothing_with_its_value():
    array = np.zeros(1024, "float32")
    variable = Variable(array)
    handle = variable.value
    assert isinstance(handle, tf.Variable)
    variable.assign_add(np.ones(1024, "float32"))
    assert variable.value is handle
    assert array[0] == 0 and handle.numpy()[0] == 1


def test_a_frozen_variable_is_not_watched_by_a_tape():
    variable = Variable([1.0], trainable=False)
    with tf.GradientTape() as tape:
        ops.multiply(variable, 2.0)
    assert tape.watched_variables() == ()
    variable.trainable = True
    with tf.GradientTape() as tape:
        ops.multiply(variable, 2.0)
    assert [v is variable.value for v in tape.watched_variables()] == [True]


@pytest.mark.parametrize("dtype", ["bool", "int8", "uint16", "uint64", "bfloat16", "float8_e5m2"])
def test_variables_of_rare_dtypes(dtype):
    variable = Variable(np.ones(2), dtype=dtype)
    variable.assign(np.zeros(2))
    assert variable.numpy().astype("float32").tolist() == [0, 0]
    assert variable.dtype == dtype


# ------------------------------------------------------------------ tf.Module


def test_a_layer_is_a_module_whose_layers_are_its_submodules():
    tower = built_tower()
    assert isinstance(tower, tf.Module)
    assert list(tower.submodules) == [tower.first, *tower.rest]
    assert type(tower.rest) is list and type(vars(tower)["rest"]) is list


def test_a_tf_module_finds_the_variables_of_our_layers():
    class Outer(tf.Module):
        def __init__(self):
            super().__init__()
            self.tower = built_tower()

    outer = Outer()
    ids = {id(v.value) for v in outer.tower.variables}
    assert {id(v) for v in outer.variables} == ids
    assert len(outer.trainable_variables) == 6


def test_a_tape_differentiates_with_respect_to_our_variables():
    layer = Affine(2)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(layer(tf.constant(X)))
    kernel, bias = tape.gradient(loss, layer.trainable_variables)
    np.testing.assert_allclose(kernel, np.tile(X.sum(0)[:, None], (1, 2)), atol=1e-6)
    np.testing.assert_allclose(bias, [5, 5])


def test_tensorflow_functions_accept_our_variables():
    variable = Variable([[1.0, 2.0]])
    assert tf.matmul(variable, variable, transpose_b=True).numpy().tolist() == [[5.0]]
    assert tf.function(lambda v: v * 2)(variable).numpy().tolist() == [[2.0, 4.0]]


def test_a_checkpoint_restores_a_layer_whose_automatic_names_differ(tmp_path):
    tower = built_tower()
    tower.count.assign(7)
    path = tf.train.Checkpoint(model=tower).save(str(tmp_path / "ckpt"))
    other = built_tower()
    assert other.name != tower.name
    tf.train.Checkpoint(model=other).restore(path).assert_consumed()
    for a, b in zip(tower.variables, other.variables, strict=True):
        np.testing.assert_array_equal(a.numpy(), b.numpy())
    assert int(other.count) == 7


def test_checkpoint_keys_are_attributes_and_indices(tmp_path):
    path = tf.train.Checkpoint(model=built_tower()).write(str(tmp_path / "ckpt"))
    keys = [key for key, _ in tf.train.list_variables(path)]
    assert "model/first/kernel/.ATTRIBUTES/VARIABLE_VALUE" in keys
    assert "model/layer-2/bias/.ATTRIBUTES/VARIABLE_VALUE" in keys


def test_a_saved_model_round_trip_with_a_function_and_an_unknown_batch(tmp_path):
    tower = built_tower()
    tower.table = tf.Variable([10.0])  # the user's own, which is not one of our variables
    tower.serve = tf.function(
        lambda x: {"y": tower(x) + tower.table},
        input_signature=[tf.TensorSpec([None, 3])],
        autograph=False,
    )
    tf.saved_model.save(tower, str(tmp_path / "saved"))
    loaded = tf.saved_model.load(str(tmp_path / "saved"))
    for rows in (1, 5):
        expected = tower(tf.constant(X[:rows])).numpy() + 10
        np.testing.assert_allclose(loaded.serve(X[:rows])["y"], expected, atol=1e-6)
    assert loaded.first.kernel.shape == (3, 4)


def test_a_random_layer_is_saved_with_its_seed(tmp_path):
    class Noisy(Layer):
        def __init__(self):
            super().__init__()
            self.generator = random.SeedGenerator(3)

        def call(self, inputs):
            return inputs + random.normal(ops.shape(inputs), seed=self.generator)

    layer = Noisy()
    layer.draw = tf.function(layer.__call__, input_signature=[tf.TensorSpec([2])])
    tf.saved_model.save(layer, str(tmp_path / "saved"))
    loaded = tf.saved_model.load(str(tmp_path / "saved"))
    first, second = loaded.draw(tf.zeros(2)), loaded.draw(tf.zeros(2))
    assert np.abs(first - second).max() > 0  # the seed moved on in the loaded model
    np.testing.assert_allclose(layer.draw(tf.zeros(2)), first)


# ------------------------------------------------------------------ functions


def symbolic(shape, dtype="float32"):
    return KerasTensor(shape, dtype, record_history=False)


def test_abstract_eval_keeps_unknown_and_known_sizes():
    def function(x, scale):
        steps = [tf.reduce_sum(x[:, i]) for i in range(x.shape[1])]  # needs an int
        return {"a": tf.matmul(x, tf.ones((3, 7))) * scale, "b": tf.stack(steps), "c": None}

    result = backend.abstract_eval(function, (symbolic((None, 3)),), {"scale": 2.0})
    assert (result["a"].shape, result["a"].dtype) == ((None, 7), "float32")
    assert (result["b"].shape, result["c"]) == ((3,), None)


def test_abstract_eval_computes_nothing_and_changes_no_variable():
    variable, ran = Variable([1.0]), []

    def function(x):
        tf.py_function(lambda: ran.append(1), [], [])
        variable.assign_add([1.0])
        return x * variable

    assert backend.abstract_eval(function, (symbolic((2, 1)),), {}).shape == (2, 1)
    assert variable.numpy().tolist() == [1.0] and ran == []


def test_abstract_eval_refuses_a_result_of_unknown_rank():
    def function(x):
        return tf.numpy_function(lambda a: a, [x], tf.float32)

    with pytest.raises(SpecError, match="ensure_shape"):
        backend.abstract_eval(function, (symbolic((2,)),), {})


def test_a_layer_of_tensorflow_code_builds_a_graph():
    class Native(Layer):
        def call(self, inputs):
            return tf.concat([inputs, tf.nn.relu(inputs)], -1)

    assert Native()(KerasTensor((None, 4))).shape == (None, 8)


@pytest.mark.parametrize("mode", ["eager", "graph", "xla"])
def test_value_and_grad_agrees_with_the_analytic_derivative(mode):
    w, unused, seen = Variable([1.0, -2.0]), Variable([3.0]), Variable(0.0, trainable=False)

    def loss(x):
        seen.assign_add(1.0)
        return ops.sum(w * w * x), {"twice": w * 2}

    run = backend.value_and_grad(loss, [w, unused])
    if mode != "eager":
        run = tf.function(run, autograph=False, jit_compile=mode == "xla")
    (value, more), grads = run(tf.constant([1.0, 3.0]))
    assert float(value) == 13 and more["twice"].numpy().tolist() == [2, -4]
    assert [g.numpy().tolist() for g in grads] == [[2, -12], [0]]
    assert float(seen) == 1


def test_value_and_grad_differentiates_the_values_of_a_stateless_scope():
    w = Variable([1.0])
    run = backend.value_and_grad(lambda: (ops.sum(w * w), None), [w])
    with StatelessScope([(w, tf.constant([5.0]))]):
        (value, _), grads = run()
    assert float(value) == 25 and grads[0].numpy().tolist() == [10]


def test_value_and_grad_returns_a_dense_gradient_of_an_embedding():
    table = Variable(np.arange(6, dtype="float32").reshape(3, 2))
    run = backend.value_and_grad(lambda i: (ops.sum(ops.take(table, i, axis=0)), None), [table])
    _, (grad,) = run(tf.constant([0, 2, 2, -1]))
    assert isinstance(grad, tf.Tensor)
    assert grad.numpy().tolist() == [[1, 1], [0, 0], [3, 3]]


def counting_step():
    """A step that counts its traces, and the variable that it trains."""
    w, traces = Variable([0.0]), []

    def step(x, y, weight=None):
        traces.append(1)
        (loss, _), (grad,) = backend.value_and_grad(
            lambda: (ops.mean(ops.square(x * w - y)), None), [w]
        )()
        w.assign(w - grad * 0.1)
        return {"loss": loss, "weighted": weight is not None, "rate": 0.1}

    return step, w, traces


def test_compile_traces_once_for_each_set_of_shapes():
    step, w, traces = counting_step()
    compiled = backend.compile(step, [w])
    handle = w.value
    for _ in range(3):  # epochs: two full batches and a rest, from the host or the device
        for rows in (4, 4, 2):
            x = np.ones((rows, 1), "float32")
            logs = compiled(x, tf.constant(2 * x), None)
    assert len(traces) == 2
    assert w.value is handle and 1.5 < float(w.numpy()[0]) < 2
    assert all(isinstance(v, tf.Tensor) for v in logs.values())
    compiled(np.ones((2, 1), "float32"), np.ones((2, 1), "float32"), np.ones(2, "float32"))
    assert len(traces) == 3  # another structure


def test_compile_does_not_retrace_for_another_number():
    _, w, _ = counting_step()
    traces = []
    compiled = backend.compile(lambda n: traces.append(1) or w * n, [w])
    assert [compiled(float(n)).shape for n in range(4)] == [(1,)] * 4 and len(traces) == 1


def test_compile_with_none_for_jit_is_the_function_itself():
    step, w, _ = counting_step()
    assert backend.compile(step, [w], jit=None) is step


def test_compiled_with_options_of_xla_agrees_with_eager():
    step, w, _ = counting_step()
    compiled = backend.compile(step, [w], jit={"jit_compile": True})
    x = np.linspace(0, 1, 4, dtype="float32")[:, None]
    compiled(x, 3 * x)
    fast = w.numpy()
    w.assign([0.0])
    step(tf.constant(x), tf.constant(3 * x))
    np.testing.assert_allclose(fast, w.numpy(), rtol=1e-6)


def test_compile_falls_back_where_xla_lacks_an_op(monkeypatch):
    monkeypatch.setattr("keras_fn_tensorflow.transforms.has_gpu", lambda: True)
    total = Variable(0.0)

    def step(x):
        total.assign_add(1.0)
        return tf.strings.length(tf.strings.as_string(x))  # XLA knows no strings

    compiled = backend.compile(step, [total])
    assert [int(compiled(tf.constant(12))) for _ in range(2)] == [2, 2]
    assert float(total) == 2  # the attempt that failed assigned nothing


def test_gradients_flow_through_a_compiled_call():
    w = Variable([2.0])
    call = backend.compile_call(lambda x: ops.square(x) * w, [w])
    x = tf.constant([3.0])
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = call(x)
    gx, gw = tape.gradient(y, [x, w])
    assert (float(gx[0]), float(gw[0])) == (12, 9)


def test_a_compiled_function_reads_current_values_of_variables():
    w = Variable([1.0])
    call = backend.compile_call(lambda x: x * w, [w])
    x = tf.constant([1.0])
    assert float(call(x)[0]) == 1
    w.assign([4.0])
    assert float(call(x)[0]) == 4


# ------------------------------------------------------------------ ops in graphs


@pytest.mark.parametrize("draw", [random.uniform, random.normal])
def test_random_numbers_depend_on_the_seed_alone_in_every_mode(draw):
    def run(seed):
        return draw((1000,), seed=seed)

    seed = tf.constant([7, 2**32 - 9], tf.uint32)
    np.testing.assert_array_equal(tf.function(run)(seed), run(seed))
    compiled = tf.function(run, jit_compile=True)
    values = compiled(seed).numpy()
    np.testing.assert_array_equal(compiled(seed), values)
    mean, deviation = (0.5, 12**-0.5) if draw is random.uniform else (0, 1)
    assert abs(values.mean() - mean) < 0.1 and abs(values.std() - deviation) < 0.1


def test_random_integers_are_the_same_under_xla():
    def run(seed):
        return random.randint((50,), -5, 90, seed=seed)

    seed = tf.constant([7, 9], tf.uint32)
    np.testing.assert_array_equal(tf.function(run, jit_compile=True)(seed), run(seed))


@pytest.mark.parametrize("jit", ["auto", False, True, {"jit_compile": True}])
@pytest.mark.parametrize("loops", [False, True])
def test_a_step_that_loops_runs_in_no_loop_of_steps_that_xla_compiles_for_a_cpu(jit, loops):
    def step(tensors, indices):
        total = tf.reduce_sum(tf.gather(tensors, indices))
        if loops:
            total = tf.while_loop(lambda x: x < 10.0, lambda x: (x + 1.0,), (total,))[0]
        return total

    batches = tf.zeros((2, 3), "int32")
    run = backend.compile_multi_step(step, [], tf.zeros(8), batches, lambda x: x, jit)
    is_compiled = jit is True or isinstance(jit, dict)
    assert (run is None) == (loops and is_compiled and not tf.config.list_physical_devices("GPU"))


@pytest.mark.parametrize("jit", [None, False, True])
@pytest.mark.parametrize(("reverse", "unroll"), [(False, 1), (True, 3), (False, 7)])
def test_scan_and_its_gradient_in_every_mode(jit, reverse, unroll):
    def run(x, w):
        with tf.GradientTape() as tape:
            tape.watch([x, w])
            last, ys = ops.scan(
                lambda c, x: (c * w + x, {"c": c}), tf.zeros(2), x, reverse=reverse, unroll=unroll
            )
            loss = tf.reduce_sum(last) + tf.reduce_sum(ys["c"] ** 2)
        return ys["c"], tape.gradient(loss, [x, w])

    x, w = np.arange(14, dtype="float64").reshape(7, 2) / 7, 0.5

    def by_hand(x, w):
        c, ys = np.zeros(2), np.zeros((7, 2))
        for i in range(7)[::-1] if reverse else range(7):
            ys[i] = c
            c = c * w + x[i]
        return c.sum() + (ys**2).sum(), ys

    compiled = run if jit is None else tf.function(run, autograph=False, jit_compile=jit)
    ys, (gx, gw) = compiled(tf.constant(x, tf.float32), tf.constant(w))
    np.testing.assert_allclose(ys, by_hand(x, w)[1], rtol=1e-5, atol=1e-6)
    step = 1e-6
    by_difference = (by_hand(x, w + step)[0] - by_hand(x, w - step)[0]) / (2 * step)
    np.testing.assert_allclose(gw, by_difference, rtol=1e-3)
    bump = np.zeros_like(x)
    bump[3, 1] = step
    by_difference = (by_hand(x + bump, w)[0] - by_hand(x - bump, w)[0]) / (2 * step)
    np.testing.assert_allclose(gx[3, 1], by_difference, rtol=1e-3)


def test_scan_over_an_unknown_number_of_steps():
    @tf.function(input_signature=[tf.TensorSpec([None, 2])], autograph=False)
    def sums(x):
        return ops.scan(lambda c, x: (c + x, c + x), ops.zeros((2,)), x)[1]

    np.testing.assert_allclose(sums(tf.ones((4, 2)))[:, 0], [1, 2, 3, 4])


@pytest.mark.parametrize(
    ("size", "groups", "strides", "dilation"),
    [((9,), 2, 1, 1), ((8, 9), 4, 2, 1), ((8, 9), 2, 1, 2), ((9, 8), 1, 2, 2)],
)
def test_both_layouts_of_a_convolution_agree_with_an_unknown_batch(size, groups, strides, dilation):
    rank = len(size)
    generator = np.random.default_rng(0)
    x = generator.normal(size=(2, *size, 4)).astype("float32")
    kernel = tf.constant(generator.normal(size=(3,) * rank + (4 // groups, 8)), tf.float32)

    def run(x, data_format):
        return ops.conv(x, kernel, strides, "same", data_format, dilation)

    last = tf.function(
        lambda x: run(x, "channels_last"), input_signature=[tf.TensorSpec([None, *size, 4])]
    )(x)
    first = run(np.moveaxis(x, -1, 1), "channels_first")
    np.testing.assert_allclose(np.moveaxis(first, 1, -1), last, atol=1e-5)
    assert last.shape == (2, *(-(-n // strides) for n in size), 8)


@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize(("strides", "dilation"), [(1, 2), (2, 1), (2, 2)])
def test_convolutions_of_unknown_sizes(padding, strides, dilation):
    x, kernel = tf.random.normal((2, 9, 8, 3)), tf.random.normal((3, 3, 3, 5))

    def both(x):
        y = ops.conv(x, kernel, strides, padding, "channels_last", dilation)
        back = ops.conv_transpose(y, kernel, strides, padding, None, "channels_last", dilation)
        return y, back

    traced = tf.function(both, input_signature=[tf.TensorSpec([None, None, None, 3])])
    for known, unknown in zip(both(x), traced(x), strict=True):
        np.testing.assert_allclose(known, unknown, atol=1e-4)


def test_autograph_does_not_convert_our_code():
    seen = []

    class Peek(Layer):
        def call(self, inputs):
            seen.append(type(self).call.__code__.co_filename)
            return ops.relu(inputs)

    layer = Peek()
    assert tf.function(lambda x: layer(x) if tf.reduce_sum(x) > 0 else x)(tf.ones(2)).shape == (2,)
    assert seen == [__file__]


def test_variables_are_operands_of_every_kind_of_op():
    v = Variable(np.arange(6, dtype="float32").reshape(2, 3))
    for result, expected in [
        (ops.add(1, v), v.numpy() + 1),
        (ops.matmul(v, ops.transpose(v)), v.numpy() @ v.numpy().T),
        (ops.sum(v, axis=-1), v.numpy().sum(-1)),
        (ops.concatenate([v, v], 1), np.concatenate([v.numpy()] * 2, 1)),
        (v[:, ::-1], v.numpy()[:, ::-1]),
        (v[[1, 0]], v.numpy()[[1, 0]]),
        (ops.take(v, Variable([1, 0]), axis=1), v.numpy()[:, [1, 0]]),
        (ops.where(ops.greater(v, 2), v, 0), np.where(v.numpy() > 2, v.numpy(), 0)),
        (ops.softmax(v), np.exp(v.numpy()) / np.exp(v.numpy()).sum(-1, keepdims=True)),
        (ops.pad(v, 1), np.pad(v.numpy(), 1)),
    ]:
        np.testing.assert_allclose(result, expected, rtol=1e-6)


def test_a_compiled_function_accepts_variables_and_tensors_alternately():
    function = backend.compile_call(lambda x, y: x * y, [])
    x, variable = tf.constant([1.0, 2.0]), tf.Variable([3.0, 4.0])
    for _ in range(2):
        for a, b in ((x, x), (variable, x), (x, variable), (variable, variable)):
            assert np.array_equal(function(a, b), a.numpy() * b.numpy())
    with tf.GradientTape() as tape:
        y = function(variable, x)
    assert np.array_equal(tape.gradient(y, variable), x)


@pytest.mark.parametrize("jit", [False, True])
def test_a_slice_is_updated_at_a_traced_position(jit):
    x = np.zeros((2, 5), "int32")
    run = tf.function(
        lambda k: ops.slice_update(x, (0, k), ops.ones((2, 2), "int32")), jit_compile=jit
    )
    for start, first in ((1, 1), (9, 3)):  # moved inside, as everywhere
        found = np.flatnonzero(run(tf.constant(start)).numpy()[0])
        assert found.tolist() == [first, first + 1]
