"""Control flow: the same values eagerly, compiled and inferred; variables; gradients; refusals."""

import numpy as np
import pytest

import keras_fn as keras
from keras_fn import ops
from keras_fn.backend.loader import current
from keras_fn.core.scopes import StatelessScope
from keras_fn.errors import SpecError


def compiled(function, *args, state=()):
    """The results of a compiled call, as NumPy arrays."""
    args = [ops.convert_to_tensor(a) for a in args]
    return keras.tree.map_structure(
        ops.convert_to_numpy, current().compile(function, list(state))(*args)
    )


def plain(structure):
    return keras.tree.map_structure(lambda x: ops.convert_to_numpy(x).tolist(), structure)


def both(function, *args):
    """Eager results, after compiled ones have been found equal."""
    eager = function(*(ops.convert_to_tensor(a) for a in args))
    flat = keras.tree.flatten(compiled(function, *args))
    for a, b in zip(keras.tree.flatten(eager), flat, strict=True):
        np.testing.assert_allclose(ops.convert_to_numpy(a), b, rtol=1e-6)
    return plain(eager)


def gradient(function, value):
    v = keras.Variable(value)
    _, (grad,) = current().value_and_grad(lambda: (function(v.value), None), [v])()
    return ops.convert_to_numpy(grad).tolist()


def compiled_gradient(function, value):
    v = keras.Variable(value)

    def run():
        return current().value_and_grad(lambda: (function(v.value), None), [v])()[1][0]

    return ops.convert_to_numpy(current().compile(run, [v])()).tolist()


# ---------------------------------------------------------------- branches


@pytest.mark.parametrize(("x", "wanted"), [(3.0, 30.0), (1.0, 0.0)])
def test_cond_calls_one_function(x, wanted):
    def run(x):
        return ops.cond(x > 2, lambda: {"b": x * 10, "a": None}, lambda: {"b": x - 1, "a": None})

    eager = run(ops.convert_to_tensor(x))
    assert list(eager) == ["b", "a"]
    assert float(eager["b"]) == wanted
    assert float(compiled(lambda x: run(x)["b"], x)) == wanted


def test_cond_takes_python_booleans_and_numbers():
    assert float(ops.cond(True, lambda: 1.0, lambda: 2.0)) == 1.0
    assert float(ops.cond(0, lambda: 1.0, lambda: 2.0)) == 2.0


def test_cond_calls_only_the_branch_that_it_takes():
    called = []
    ops.cond(ops.convert_to_tensor(True), lambda: called.append(1) or 1, lambda: called.append(2))
    assert called == [1]


@pytest.mark.parametrize("jit", [False, True])
@pytest.mark.parametrize("pred", [True, False])
def test_cond_carries_variables(pred, jit):
    a, b = keras.Variable(1.0), keras.Variable(10.0)

    def run(pred):
        def then():
            a.assign_add(1.0)
            return a * 2

        def otherwise():
            b.assign(a + b)
            return b * 1

        return ops.cond(pred, then, otherwise)

    pred = ops.convert_to_tensor(pred)
    result = current().compile(run, [a, b])(pred) if jit else run(pred)
    assert ops.convert_to_numpy(result) == (4.0 if pred else 11.0)
    assert (float(a), float(b)) == ((2.0, 10.0) if pred else (1.0, 11.0))


def test_cond_carries_variables_in_a_stateless_scope():
    v = keras.Variable(1.0)

    def run(pred):
        with StatelessScope([(v, ops.convert_to_tensor(5.0))]) as scope:
            ops.cond(pred, lambda: (v.assign_add(1.0), 0)[1], lambda: 0)
        return scope.get_current_value(v)

    assert both(run, True) == 6.0
    assert float(v) == 1.0


def test_cond_has_gradients():
    def f(x):
        return ops.cond(x > 2, lambda: x * x, lambda: -x)

    assert gradient(f, 3.0) == compiled_gradient(f, 3.0) == 6.0
    assert gradient(f, 1.0) == compiled_gradient(f, 1.0) == -1.0


def test_cond_in_a_model():
    x = keras.Input((), batch_size=2)
    y = ops.cond(ops.sum(x) > 2, lambda: x * 10, lambda: x)
    assert (y.shape, y.dtype) == ((2,), "float32")
    model = keras.Model(x, y)
    assert ops.convert_to_numpy(model(np.array([1.0, 2.0]))).tolist() == [10.0, 20.0]
    assert ops.convert_to_numpy(model(np.array([0.0, 1.0]))).tolist() == [0.0, 1.0]


def test_branches_that_differ_are_refused():
    x = keras.Input((3,))
    with pytest.raises(SpecError, match="the result of the first function"):
        ops.cond(ops.sum(x) > 0, lambda: x, lambda: ops.sum(x))
    with pytest.raises(SpecError, match="a scalar for pred"):
        ops.cond(ops.ones((2,)), lambda: 1, lambda: 2)


@pytest.mark.skipif(current().name == "torch", reason="PyTorch runs one branch, in Python")
def test_compiled_branches_that_differ_are_refused():
    with pytest.raises(SpecError, match="the result of the first function"):
        compiled(lambda x: ops.cond(x > 0, lambda: x, lambda: ops.cast(x, "int32")), 1.0)


@pytest.mark.parametrize("index", [-3, 0, 1, 2, 9])
def test_switch_clamps_its_index(index):
    branches = [lambda x: x + 1, lambda x: x * 10, lambda x: x - 1]
    wanted = [3.0, 20.0, 1.0][min(max(index, 0), 2)]
    assert both(lambda i, x: ops.switch(i, branches, x), index, 2.0) == wanted
    x = keras.Input((), dtype="int32", batch_size=1)
    y = ops.switch(ops.sum(x), branches, ops.cast(ops.sum(x), "float32") * 0 + 2)
    assert float(keras.Model(x, y)(np.array([index]))) == wanted


def test_switch_wants_functions():
    with pytest.raises(SpecError, match="one function or more"):
        ops.switch(0, [])


# ---------------------------------------------------------------- loops


def test_while_loop_takes_structures():
    assert both(lambda x: ops.while_loop(lambda i: i < 10, lambda i: i + 3, x), 0) == 12
    i, (total,) = both(
        lambda x: ops.while_loop(
            lambda i, parts: i < 4, lambda i, parts: (i + 1, [parts[0] + i]), (0, [x])
        ),
        10,
    )
    assert (i, total) == (4, 16)
    state = both(
        lambda x: ops.while_loop(lambda s: s["n"] < 3, lambda s: {**s, "n": s["n"] + 1},
                                 {"n": x, "a": 1.5}), 0)  # fmt: skip
    assert state == {"n": 3, "a": 1.5}


@pytest.mark.parametrize(("most", "wanted"), [(0, 0), (2, 2), (99, 5)])
def test_while_loop_stops_in_time(most, wanted):
    def run(x):
        return ops.while_loop(lambda i: i < 5, lambda i: i + 1, x, maximum_iterations=most)

    assert both(run, 0) == wanted


@pytest.mark.parametrize("jit", [False, True])
def test_while_loop_carries_variables(jit):
    v = keras.Variable(1.0)

    def run(x):
        def body(i):
            v.assign(v * 2)
            return i + 1

        return ops.while_loop(lambda i: v.value < 50, body, x)

    x = ops.convert_to_tensor(0)
    result = current().compile(run, [v])(x) if jit else run(x)
    assert (int(result), float(v)) == (6, 64.0)


def test_while_loop_refuses_another_structure():
    with pytest.raises(SpecError, match="the loop variables: int32"):
        ops.while_loop(lambda i: i < 3, lambda i: ops.cast(i, "float32"), 0)
    with pytest.raises(SpecError, match="the loop variables"):
        compiled(lambda x: ops.while_loop(lambda i: ops.sum(i) < 3, lambda i: i[None] + 1, x), 0)


def test_while_loop_in_a_model():
    x = keras.Input((), dtype="int32", batch_size=1)
    y = ops.while_loop(lambda i: ops.sum(i) < 10, lambda i: i + 4, x)
    assert (y.shape, y.dtype) == ((1,), "int32")
    assert ops.convert_to_numpy(keras.Model(x, y)(np.array([3], "int32"))).tolist() == [11]


def test_fori_loop_counts():
    assert both(lambda x: ops.fori_loop(2, 5, lambda i, s: s + i, x), 0) == 9
    assert both(lambda n: ops.fori_loop(0, n, lambda i, s: (s[0] + i, s[1] * 2.0), (0, 1.0)),
                3) == (3, 8.0)  # fmt: skip
    assert both(lambda x: ops.fori_loop(5, 2, lambda i, s: s + i, x), 7) == 7


def test_fori_loop_has_gradients():
    def f(x):
        return ops.fori_loop(0, 3, lambda i, s: s * x, ops.ones_like(x))

    assert gradient(f, 2.0) == compiled_gradient(f, 2.0) == 12.0


@pytest.mark.parametrize("jit", [False, True])
def test_fori_loop_carries_variables(jit):
    v = keras.Variable(1.0)

    def run(x):
        return ops.fori_loop(0, 4, lambda i, s: (v.assign_add(s), s * 1)[1], x)

    x = ops.convert_to_tensor(2.0)
    (current().compile(run, [v]) if jit else run)(x)
    assert float(v) == 9.0


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("unroll", [1, 2, True])
def test_scan_stacks_and_carries(reverse, unroll):
    def run(xs):
        return ops.scan(lambda c, x: (c + x, {"y": c * x, "none": None}), 0.0, xs,
                        reverse=reverse, unroll=unroll)  # fmt: skip

    carry, ys = run(ops.convert_to_tensor([1.0, 2.0, 3.0]))
    assert float(carry) == 6.0
    wanted = [5.0, 6.0, 0.0] if reverse else [0.0, 2.0, 9.0]
    assert ops.convert_to_numpy(ys["y"]).tolist() == wanted
    assert compiled(lambda xs: run(xs)[1]["y"], [1.0, 2.0, 3.0]).tolist() == wanted


def test_scan_carries_variables_in_a_stateless_scope():
    v = keras.Variable(0.0)

    def run(xs):
        with StatelessScope([(v, ops.convert_to_tensor(1.0))]) as scope:
            ops.scan(lambda c, x: ((v.assign_add(x), c)[1], x), 0.0, xs)
        return scope.get_current_value(v)

    assert both(run, [1.0, 2.0]) == 4.0
    assert float(v) == 0.0


def test_scan_wants_sizes():
    with pytest.raises(SpecError, match="xs or length"):
        ops.scan(lambda c, x: (c, x), 0.0)
    with pytest.raises(SpecError, match="xs of 2 slices"):
        ops.scan(lambda c, x: (c, x), 0.0, ops.ones((3,)), length=2)
    with pytest.raises(SpecError, match="one size along their first axis"):
        ops.scan(lambda c, x: (c, x[0]), 0.0, (ops.ones((3,)), ops.ones((2,))))


def test_scan_in_a_model():
    x = keras.Input((), batch_size=3)
    carry, ys = ops.scan(lambda c, x: (c + x, c * x), 0.0, x)
    assert (carry.shape, ys.shape) == ((), (3,))
    _, got = keras.Model(x, [carry, ys])(np.array([1.0, 2.0, 3.0]))
    assert ops.convert_to_numpy(got).tolist() == [0.0, 2.0, 9.0]


# ---------------------------------------------------------------- maps


@pytest.mark.parametrize("apply", [ops.map, ops.vectorized_map], ids=["map", "vectorized_map"])
def test_maps(apply):
    def run(xs):
        return apply(lambda x: {"a": x[0] * x[1], "b": x[1]}, (xs, ops.convert_to_tensor([4.0, 5])))

    assert both(run, [1.0, 2.0]) == {"a": [4.0, 10.0], "b": [4.0, 5.0]}
    x = keras.Input((3,), batch_size=2)
    y = apply(ops.sum, x)
    assert y.shape == (2,)
    assert ops.convert_to_numpy(keras.Model(x, y)(np.ones((2, 3)))).tolist() == [3.0, 3.0]
    assert apply(ops.sum, keras.Input((3,))).shape == (None,)
    with pytest.raises(SpecError, match="one size along their first axis"):
        apply(lambda x: x, ops.ones(()))


def test_vectorized_map_refuses_assignments():
    v = keras.Variable(0.0, name="total")
    with pytest.raises(SpecError, match="assigns no variables"):
        ops.vectorized_map(lambda x: (v.assign(1.0), x)[1], ops.ones((2,)))


def test_vectorized_map_has_gradients():
    def f(x):
        return ops.sum(ops.vectorized_map(lambda row: row * row, x))

    assert gradient(f, [1.0, 2.0]) == [2.0, 4.0]


def test_vectorize_broadcasts():
    add = ops.vectorize(lambda a, b: a + b)
    assert both(lambda x: add(x, [[10], [20]]), [1, 2]) == [[11, 12], [21, 22]]
    assert plain(add([1, 2], 3)) == [4, 5]
    assert plain(add(1, 3)) == 4
    np.testing.assert_array_equal(
        ops.convert_to_numpy(
            ops.vectorize(ops.matmul, signature="(m,n),(n)->(m)")(
                np.ones((2, 1, 3, 4), "float32"), np.ones((5, 4), "float32")
            )
        ),
        np.full((2, 5, 3), 4.0),
    )
    power = ops.vectorize(lambda x, n: x**n, excluded={1})
    assert plain(power([1.0, 2.0], 3)) == [1.0, 8.0]


def test_vectorize_reads_its_signature():
    for wrong in ("(n)", "n->()", "(n)->(m", "()->"):
        with pytest.raises(SpecError, match="a signature such as"):
            ops.vectorize(lambda x: x, signature=wrong)([1])
    with pytest.raises(SpecError, match="arguments with the axes"):
        ops.vectorize(ops.dot, signature="(n),(n)->()")([1, 2], [1, 2, 3])


@pytest.mark.parametrize("size", range(1, 12))
@pytest.mark.parametrize("reverse", [False, True])
def test_associative_scan(size, reverse):
    xs = np.random.default_rng(size).normal(size=(2, size)).astype("float32")
    got = ops.associative_scan(ops.add, ops.convert_to_tensor(xs), reverse=reverse, axis=1)
    wanted = np.cumsum(xs[:, ::-1], 1)[:, ::-1] if reverse else np.cumsum(xs, 1)
    np.testing.assert_allclose(ops.convert_to_numpy(got), wanted, rtol=1e-5, atol=1e-5)


def test_associative_scan_of_pairs_that_do_not_commute():
    def f(a, b):  # the composition of x -> m * x + c
        return {"m": a["m"] * b["m"], "c": a["c"] * b["m"] + b["c"]}

    def run(m):
        return ops.associative_scan(f, {"m": m, "c": ops.ones((4,))})

    assert both(run, [2.0, 3.0, 4.0, 5.0])["c"] == [1.0, 4.0, 17.0, 86.0]
    assert ops.associative_scan(ops.add, keras.Input((3,))).shape == (None, 3)
    with pytest.raises(SpecError, match="one known size along axis 0"):
        ops.associative_scan(lambda a, b: a, (ops.ones((2,)), ops.ones((3,))))


# ---------------------------------------------------------------- derivatives


@ops.custom_gradient
def doubled(x, y):
    return {"sum": x + y, "x": x * 1}, lambda a, b: (a * 2, b * 3)


def test_custom_gradient_is_used():
    assert plain(doubled(1.0, 2.0)) == {"sum": 3.0, "x": 1.0}
    assert gradient(lambda x: doubled(x, x)["sum"], 1.0) == 2.0

    def f(x):
        out = doubled(x, ops.ones(()))
        return out["sum"] + out["x"] * 10

    assert gradient(f, 1.0) == compiled_gradient(f, 1.0) == 2.0


def test_custom_gradient_in_keras_forms():
    @ops.custom_gradient
    def by_either(x):
        def grad(*args, upstream=None):
            return (args[0] if upstream is None else upstream) * 7

        return x * x, grad

    @ops.custom_gradient
    def by_name(x):
        def grad(*args, upstream):
            return upstream * args[0]

        return x * x, grad

    assert gradient(by_either, 3.0) == 7.0
    assert gradient(by_name, 3.0) == 3.0
    assert by_name(keras.Input((2,))).shape == (None, 2)


def test_custom_gradient_wants_one_for_each():
    @ops.custom_gradient
    def wrong(x, y):
        return x + y, lambda upstream: upstream

    with pytest.raises(SpecError, match="2 gradients, one for each"):
        gradient(lambda x: wrong(x, x), 1.0)


def test_jvp():
    def run(x):
        return ops.jvp(lambda a, b: (a * b, a + b), (x, x), (ops.ones_like(x), x))

    assert both(run, 3.0) == ((9.0, 6.0), (12.0, 4.0))
    value, slope, aux = ops.jvp(lambda x: (ops.sin(x), x), (0.0,), (1.0,), has_aux=True)
    assert (float(value), float(slope), float(aux)) == (0.0, 1.0, 0.0)
    assert ops.linalg.jvp is ops.jvp
    x = keras.Input((2,))
    assert [t.shape for t in ops.jvp(ops.sin, (x,), (x,))] == [(None, 2)] * 2
    with pytest.raises(SpecError, match="tangents with the specs of primals"):
        ops.jvp(ops.sin, (1.0,), (ops.ones((2,)),))
    with pytest.raises(SpecError, match="in tuples or lists"):
        ops.jvp(ops.sin, 1.0, 1.0)


# ---------------------------------------------------------------- remat


def test_remat_has_the_same_gradients():
    w = keras.Variable([[1.0, 2.0], [3.0, 4.0]])
    x = ops.convert_to_tensor([[1.0, -1.0]])

    def loss(f):
        return lambda: (ops.sum(f(x) ** 2), None)

    def f(x):
        return ops.sin(ops.matmul(ops.tanh(ops.matmul(x, w)), w))

    for compile in (lambda g: g, lambda g: current().compile(g, [w])):
        plain, again = (
            compile(lambda h=h: current().value_and_grad(loss(h), [w])()[1][0])()
            for h in (f, keras.remat(f))
        )
        np.testing.assert_allclose(*map(ops.convert_to_numpy, (plain, again)), rtol=1e-5)


@pytest.mark.skipif(current().name == "jax", reason="JAX repeats what it traced, not the function")
def test_remat_runs_the_function_again():
    calls = []

    def f(x):
        calls.append(1)
        return ops.sin(ops.sin(x))

    gradient(keras.remat(f), 1.0)
    assert len(calls) >= 2


@pytest.mark.parametrize("jit", [False, True])
def test_remat_assigns_variables_once(jit):
    count, w = keras.Variable(2.0), keras.Variable(3.0)

    def f(x):
        y = ops.sin(x * count.value) * w
        count.assign_add(1.0)
        return y

    def run():
        value = ops.convert_to_tensor(1.0)
        return current().value_and_grad(lambda: (keras.remat(f)(value), None), [w])()[1][0]

    grad = current().compile(run, [count, w])() if jit else run()
    assert float(count) == 3.0
    np.testing.assert_allclose(ops.convert_to_numpy(grad), np.sin(2.0), rtol=1e-5)


@pytest.mark.parametrize("mode", ["full", "activations", "larger_than", "list_of_layers", None])
def test_layers_made_in_a_remat_scope(mode):
    def make():
        draw = keras.initializers.GlorotUniform(seed=1)
        return keras.layers.Dense(3, "tanh", kernel_initializer=draw, name="mine")

    with keras.RematScope(mode, output_size_threshold=2, layer_names=["mine"]):
        layer = make()
    assert ("call" in vars(layer)) == (mode is not None)
    other, x = make(), np.ones((2, 4), "float32")
    np.testing.assert_allclose(*(ops.convert_to_numpy(one(x)) for one in (layer, other)))
    assert layer.get_config() == other.get_config()

    def gradients(layer):
        kernel, rest = layer.kernel, None
        return current().value_and_grad(lambda: (ops.sum(layer(x)), rest), [kernel])()[1][0]

    np.testing.assert_allclose(*map(ops.convert_to_numpy, map(gradients, (layer, other))))
    assert layer(keras.Input((4,))).shape == (None, 3)


def test_remat_scope_says_which_layers():
    with keras.RematScope("list_of_layers", layer_names=["other"]):
        assert "call" not in vars(keras.layers.Dense(1))
        with keras.RematScope(None):
            assert "call" not in vars(keras.layers.Dense(1, name="other"))
    with pytest.raises(SpecError, match="mode: 'full' or"):
        keras.RematScope("half")


def test_remat_scope_trains():
    with keras.RematScope():
        model = keras.Sequential(
            [keras.layers.Dense(4, "relu"), keras.layers.Dropout(0.5), keras.layers.Dense(1)]
        )
    model.compile("sgd", "mse")
    x = np.ones((8, 3), "float32")
    first = model.fit(x, x[:, :1], epochs=3, verbose=0).history["loss"]
    assert all(np.isfinite(first))


# ---------------------------------------------------------------- devices


def test_device_scope():
    with keras.device("cpu"):
        x = ops.zeros((2,))
        v = keras.Variable([1.0])
    assert "cpu" in str(x.device).lower()
    assert "cpu" in str(v.value.device).lower()


@pytest.mark.skipif(current().name == "torch", reason="PyTorch looks when a tensor is made")
def test_device_that_is_not_there():
    with pytest.raises(SpecError, match="one of"), keras.device("gpu:77"):
        pass
