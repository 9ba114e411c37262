"""The Variable: values, dtypes, assignment, scopes."""

import operator
import subprocess
import sys
import weakref

import numpy as np
import pytest

import keras_fn as keras
from keras_fn import StatelessScope, Variable, initializers, name_scope, ops
from keras_fn.core.scopes import AutocastScope, BuildScope, DeferredInitScope, SymbolicScope
from keras_fn.core.sharded_variable import ShardedVariable
from keras_fn.errors import SpecError


@pytest.mark.parametrize(
    ("value", "dtype", "expected"),
    [
        (1.5, None, "float32"),
        ([1.0, 2.0], None, "float32"),
        (3, None, "int32"),
        ([True, False], None, "bool"),
        (np.ones(2, "float16"), None, "float16"),
        (np.ones(2, "uint8"), None, "uint8"),
        ([1, 2], "bfloat16", "bfloat16"),
        (np.float32(2.0), "int32", "int32"),
        ([1, 0], "bool", "bool"),
        ([2.5, 0.0], "bool", "bool"),
        (1, "bool", "bool"),
        ([1.5, -1.5], "int32", "int32"),
    ],
)
def test_the_dtype_is_the_one_asked_for_or_the_values(value, dtype, expected):
    variable = Variable(value, dtype=dtype)
    assert variable.dtype == expected
    assert ops.dtype(variable.value) == expected
    assert variable.shape == np.shape(value)
    assert (variable.numpy() == np.asarray(value).astype(variable.numpy().dtype)).all()


def test_a_variable_of_booleans_is_assigned_numbers():
    variable = Variable([True, False], dtype="bool")
    variable.assign([0, 2])
    assert variable.numpy().tolist() == [False, True]
    variable.assign(ops.convert_to_tensor([0.5, 0.0]))
    assert variable.numpy().tolist() == [True, False]


def test_an_initializer_is_called_with_shape_and_dtype():
    seen = []

    def initializer(shape, dtype):
        seen.append((shape, dtype))
        return ops.ones(shape, dtype)

    variable = Variable(initializer, shape=(2, 3), dtype="float16")
    assert seen == [((2, 3), "float16")]
    assert variable.numpy().tolist() == [[1.0] * 3] * 2


def test_what_cannot_be_made_is_refused():
    with pytest.raises(ValueError, match="an initializer is a function of the shape"):
        Variable(initializers.Zeros())
    with pytest.raises(ValueError, match=r"expected: a value of shape \(3,\)"):
        Variable([1.0, 2.0], shape=(3,))
    with pytest.raises(ValueError, match=r"an initializer that returns shape \(2,\)"):
        Variable(lambda shape, dtype: ops.ones((1,)), shape=(2,))
    with pytest.raises(TypeError, match=r"Variable\n.*\n  received: color="):
        Variable(1.0, color="red")
    with pytest.raises(SpecError) as caught:
        Variable(initializers.Zeros(), shape=(None, 2), name="kernel")
    assert str(caught.value) == (
        "Variable 'kernel'\n  expected: a shape whose sizes are all known\n"
        "  received: shape (None, 2)\n"
        "  fix:      name the sizes that the weight depends on in Input(shape=...)"
    )


def test_an_assigned_value_is_converted_to_the_dtype():
    variable = Variable([1.0, 2.0])
    variable.assign([3, 4])
    assert (variable.dtype, variable.numpy().tolist()) == ("float32", [3.0, 4.0])
    variable.assign(Variable([5.0, 6.0], dtype="float16"))
    assert ops.dtype(variable.value) == "float32"
    variable.assign_add(np.array([1.0, 1.0]))
    variable.assign_sub([0.0, 7.0])
    assert (variable.numpy().tolist(), ops.dtype(variable.value)) == ([6.0, 0.0], "float32")


def test_counting_in_an_integer_variable_keeps_its_dtype():
    variable = Variable(0, dtype="int16")
    for _ in range(3):
        variable.assign_add(1)
    assert (int(variable), ops.dtype(variable.value)) == (3, "int16")


@pytest.mark.parametrize("shape", [(), (1,), (3,), (2, 1), (1, 2)])
def test_a_value_of_another_shape_is_refused_and_changes_nothing(shape):
    variable = Variable([1.0, 2.0], name="pair")
    with pytest.raises(SpecError) as caught:
        variable.assign(np.zeros(shape))
    assert str(caught.value) == (
        f"Variable 'pair'\n  expected: a value of shape (2,)\n  received: shape {shape}\n"
        "  fix:      reshape the value, or assign it to the variable that it belongs to"
    )
    assert variable.numpy().tolist() == [1.0, 2.0]


def test_a_sum_of_another_shape_is_refused():
    variable = Variable([1.0, 2.0])
    with pytest.raises(ValueError):
        variable.assign_add([[1.0, 1.0]])
    assert variable.numpy().tolist() == [1.0, 2.0]


def test_the_value_does_not_share_memory_with_the_array_it_came_from():
    array = np.ones(3, "float32")
    variable = Variable(array)
    array[:] = 9
    assert variable.numpy().tolist() == [1.0] * 3
    variable.assign(array)
    array[:] = 5
    assert variable.numpy().tolist() == [9.0] * 3


def test_a_numpy_copy_does_not_change_with_the_variable():
    variable = Variable([1.0, 2.0])
    before = variable.numpy()
    variable.assign([7.0, 8.0])
    assert before.tolist() == [1.0, 2.0]


def test_it_is_an_array_for_numpy():
    variable = Variable([[1.0, 2.0]])
    assert np.asarray(variable).dtype == np.float32
    assert np.asarray(variable, dtype="float64").dtype == np.float64
    assert np.array(variable).tolist() == [[1.0, 2.0]]
    assert np.sum(variable) == 3.0
    assert (len(variable), variable.ndim, variable.size) == (1, 2, 2)
    assert (float(Variable(2.5)), int(Variable(2.5)), bool(Variable(0.0))) == (2.5, 2, False)
    with pytest.raises(TypeError, match="is a scalar and has no length"):
        len(Variable(1.0))


def test_operators_compute_with_its_value():
    variable = Variable([2.0, 3.0])
    assert ops.convert_to_numpy(variable * 2 + 1).tolist() == [5.0, 7.0]
    assert ops.convert_to_numpy(6 / variable).tolist() == [3.0, 2.0]
    assert float(ops.convert_to_numpy(variable[1])) == 3.0


def test_name_path_and_repr():
    with name_scope("outer"), name_scope("inner"):
        variable = Variable(np.zeros((2, 3), "int8"), name="count")
    assert (variable.name, variable.path) == ("count", "outer/inner/count")
    assert repr(variable) == "<Variable path=outer/inner/count, shape=(2, 3), dtype=int8>"
    with pytest.raises(ValueError, match="a name of 1 to 255 characters"):
        Variable(1.0, name="a/b")


# ---------------------------------------------------------------- scopes


def test_a_symbolic_scope_changes_nothing():
    variable = Variable([1.0])
    with SymbolicScope():
        variable.assign([2.0])
        variable.assign_add([2.0])
    assert variable.numpy().tolist() == [1.0]


def test_a_stateless_scope_reads_and_writes_beside_the_variable():
    variable, other = Variable([1.0]), Variable([5.0])
    with StatelessScope([(variable, ops.convert_to_tensor([10.0]))]) as scope:
        variable.assign_add([1.0])
        assert ops.convert_to_numpy(variable.value).tolist() == [11.0]
        assert scope.get_current_value(other) is None
    assert ops.convert_to_numpy(scope.get_current_value(variable)).tolist() == [11.0]
    assert (variable.numpy().tolist(), other.numpy().tolist()) == ([1.0], [5.0])


def test_an_inner_stateless_scope_sees_the_outer_one_and_keeps_its_writes():
    a, b = Variable([1.0]), Variable([2.0])
    with StatelessScope() as outer:
        a.assign([10.0])
        with StatelessScope() as inner:
            assert a.numpy().tolist() == [10.0]
            b.assign([20.0])
        assert b.numpy().tolist() == [2.0]
        assert outer.get_current_value(b) is None
    assert ops.convert_to_numpy(inner.get_current_value(b)).tolist() == [20.0]


def test_a_scope_ends_after_an_error_too():
    variable = Variable([1.0])
    with pytest.raises(RuntimeError), StatelessScope():
        variable.assign([2.0])
        raise RuntimeError
    variable.assign([3.0])
    assert variable.numpy().tolist() == [3.0]


def test_a_value_of_another_shape_is_no_state():
    variable = Variable([1.0], name="v")
    with pytest.raises(ValueError) as caught:
        StatelessScope([(variable, np.zeros((2,)))])
    assert str(caught.value) == (
        "StatelessScope, variable 'v'\n  expected: a value of shape (1,)\n  received: shape (2,)\n"
        "  fix:      pair each variable with a value of its own shape"
    )


def test_autocast_reads_floats_lower_and_leaves_the_rest():
    weight, index = Variable([1.0]), Variable([1], dtype="int32")
    fixed = Variable([1.0], autocast=False)
    with AutocastScope("bfloat16"):
        dtypes = [ops.dtype(v.value) for v in (weight, index, fixed)]
        weight.assign(weight + 0.5)
    assert dtypes == ["bfloat16", "int32", "float32"]
    assert (ops.dtype(weight.value), weight.numpy().tolist()) == ("float32", [1.5])


def test_a_lazy_variable_draws_when_it_is_read_what_it_would_have_drawn_at_once():
    seeded = initializers.RandomNormal(seed=5)
    at_once = Variable(seeded, shape=(3,))
    drawn = []

    def initializer(shape, dtype):
        drawn.append(shape)
        return ops.ones(shape, dtype)

    with DeferredInitScope():
        lazy = Variable(initializers.RandomNormal(seed=5), shape=(3,))
        never, assigned = (Variable(initializer, shape=(2,)) for _ in range(2))
    assert lazy.numpy().tolist() == at_once.numpy().tolist()
    assigned.assign([4.0, 5.0])
    assert (assigned.numpy().tolist(), drawn) == ([4.0, 5.0], [])
    assert (never.numpy().tolist(), drawn) == ([1.0, 1.0], [(2,)])


def test_a_build_scope_makes_real_variables_inside_other_scopes():
    with StatelessScope(), SymbolicScope(), AutocastScope("float16"), BuildScope():
        variable = Variable([1.0])
        variable.assign([2.0])
    assert variable.numpy().tolist() == [2.0]


def test_freezing_is_seen_at_once():
    variable = Variable([1.0], trainable=True)
    variable.trainable = False
    assert not variable.trainable
    variable.trainable = True
    assert variable.trainable


def values(x):
    return ops.convert_to_numpy(x).tolist()


def test_comparisons_are_elementwise():
    v = Variable([1.0, 2.0])
    w = Variable([2.0, 2.0])
    assert values(v == 1) == [True, False] and values(v != 1) == [False, True]
    assert values(v == w) == [False, True] and values(v == [1.0, 3.0]) == [True, False]
    assert values(v == np.array([1.0, 2.0])) == [True, True]
    assert np.asarray(np.array([1.0, 0.0]) == v).tolist() == [True, False]
    assert values(1 == v) == [True, False]  # noqa: SIM300
    assert values(v < w) == [True, False] and values(v >= 2) == [False, True]
    assert (v == keras.KerasTensor((2,))).dtype == "bool"
    counter = Variable(3)
    assert counter == 3 and bool(counter != 2)  # as in `if optimizer.iterations == 3`


def test_a_variable_differs_from_what_is_no_number():
    v = Variable([1.0, 2.0])
    for other in (None, "adam", object(), {}, ["a"]):
        assert (v == other) is False
        assert (v != other) is True


def test_variables_are_keys_by_their_identity():
    v, w = Variable([1.0, 2.0]), Variable([1.0, 2.0])
    assert {v: "v", w: "w"} == {v: "v", w: "w"}
    assert {v: "v", w: "w"}[w] == "w" and len({v, w, v}) == 2
    assert hash(v) != hash(w)


def test_optimizers_and_layers_find_their_variables_among_equal_ones():
    layer = keras.layers.Dense(2, kernel_initializer="ones", bias_initializer="ones")
    layer.build((None, 2))
    optimizer = keras.optimizers.SGD(1.0, momentum=0.9)
    optimizer.build(layer.trainable_variables)
    grads = [np.full(v.shape, 1.0, "float32") for v in layer.trainable_variables]
    optimizer.apply(grads, layer.trainable_variables)
    assert values(layer.kernel) == [[0.0, 0.0]] * 2
    assert optimizer.iterations == 1


def test_iteration_and_signs():
    v = Variable([[1.0, -2.0], [3.0, 4.0]])
    assert [values(row) for row in v] == [[1.0, -2.0], [3.0, 4.0]]
    assert values(+v) == [[1.0, -2.0], [3.0, 4.0]] and values(-v)[0] == [-1.0, 2.0]
    assert values(abs(v))[0] == [1.0, 2.0]
    with pytest.raises(TypeError, match="has no length"):
        iter(Variable(1.0)).__next__()
    assert values(round(Variable([1.26, 2.5]), 1)) == pytest.approx([1.3, 2.5])
    assert values(round(Variable([1.26, 2.5]))) == [1.0, 2.0]
    assert values(round(Variable([1.26]), None)) == [1.0]
    x = keras.KerasTensor((2,))
    assert +x is x and round(x).shape == (2,)


def test_assignments_return_the_new_value():
    v = Variable([1.0, 2.0])
    assigned = v.assign([3, 4])
    added = v.assign_add([1.0, 1.0])
    raised = v.assign_add(1.0)
    subtracted = v.assign_sub(2)
    expected = [[3.0, 4.0], [4.0, 5.0], [5.0, 6.0], [3.0, 4.0]]
    for x, numbers in zip((assigned, added, raised, subtracted), expected, strict=True):
        assert ops.is_tensor(x) and ops.dtype(x) == "float32" and values(x) == numbers
    assert values(v) == [3.0, 4.0]
    with StatelessScope() as scope:
        assert values(v.assign_add(1.0)) == [4.0, 5.0]
    assert values(scope.get_current_value(v)) == [4.0, 5.0] and values(v) == [3.0, 4.0]


def test_assignments_in_a_symbolic_call_have_a_spec_and_check_the_shape():
    v = Variable([1.0, 2.0], dtype="float16")
    with SymbolicScope():
        assert (v.assign([3, 4]).shape, v.assign_add(1).dtype) == ((2,), "float16")
        with pytest.raises(SpecError, match=r"a value of shape \(2,\)"):
            v.assign(keras.KerasTensor((3,)))
    with pytest.raises(TypeError):
        v.assign(keras.KerasTensor((2,)))
    assert values(v) == [1.0, 2.0]


@pytest.mark.parametrize(
    "initializer",
    [
        "uniform",
        "glorot_normal",
        initializers.RandomNormal(),
        initializers.RandomNormal,
        {"class_name": "RandomUniform", "config": {"minval": 0.5, "maxval": 1.0, "seed": 1}},
        lambda shape, dtype: ops.full(shape, 0.5, dtype),
    ],
)
def test_an_initializer_in_any_form(initializer):
    v = Variable(shape=(2, 3), initializer=initializer, dtype="float16")
    assert (v.shape, v.dtype, v.numpy().dtype.name) == ((2, 3), "float16", "float16")
    assert np.isfinite(v.numpy()).all() and v.numpy().any()


@pytest.mark.thorough
def test_a_variable_may_be_the_first_name_that_a_program_uses():
    program = (
        "from keras_fn import Variable\n"
        "v = Variable(shape=(2,), initializer='ones')\n"
        "print((v + 1).shape, bool((v == 1)[0]))"
    )
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert "True" in run.stdout, run.stderr


def test_words_and_attributes_are_checked():
    with pytest.raises(ValueError, match=r"(?s)aggregation.*'only_first_replica'.*'max'"):
        Variable(1.0, aggregation="max")
    with pytest.raises(ValueError, match=r"(?s)synchronization.*'on_read'.*'later'"):
        Variable(1.0, synchronization="later")
    with pytest.raises(TypeError, match="unknown"):
        Variable("unknown", shape=(2,))
    v = Variable(1.0, aggregation=None, synchronization=None)
    assert (v.aggregation, v.synchronization) == ("none", "none")
    for name in ("regularizer", "constraint"):
        with pytest.raises(ValueError, match=name):
            setattr(v, name, 3)
        setattr(v, name, abs)
        assert getattr(v, name) is abs
    with pytest.raises(TypeError, match="overwrite_with_gradient"):
        v.overwrite_with_gradient = 1
    v.overwrite_with_gradient = True
    assert v.overwrite_with_gradient


def test_only_a_scalar_is_a_python_number():
    v = Variable([2.0])
    for convert in (float, int, bool):
        with pytest.raises(TypeError, match=r"(?s)a scalar.*shape \(1,\)"):
            convert(v)
    assert [10, 20, 30][Variable(1)] == 20
    with pytest.raises(TypeError):
        operator.index(Variable(1.5))


def test_the_dtype_is_that_of_the_value_in_an_autocast_scope():
    v, count = Variable([1.0, 2.0]), Variable(1)
    with AutocastScope("float16"):
        assert (v.dtype, ops.dtype(v.value), count.dtype) == ("float16", "float16", "int32")
        v.assign([3.0, 4.0])
    assert (v.dtype, ops.dtype(v.value)) == ("float32", "float32")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("__add__", [3.0, 5.0]), ("__radd__", [3.0, 5.0]), ("__sub__", [1.0, 1.0]),
        ("__rsub__", [-1.0, -1.0]), ("__mul__", [2.0, 6.0]), ("__rmul__", [2.0, 6.0]),
        ("__truediv__", [2.0, 1.5]), ("__rtruediv__", [0.5, 2 / 3]), ("__floordiv__", [2.0, 1.0]),
        ("__rfloordiv__", [0.0, 0.0]), ("__mod__", [0.0, 1.0]), ("__rmod__", [1.0, 2.0]),
        ("__pow__", [2.0, 9.0]), ("__rpow__", [1.0, 8.0]), ("__matmul__", 8.0),
        ("__rmatmul__", 8.0), ("__lt__", [False, False]), ("__le__", [False, False]),
        ("__gt__", [True, True]), ("__ge__", [True, True]), ("__eq__", [False, False]),
        ("__ne__", [True, True]),
    ],
)  # fmt: skip
def test_every_operator_of_two_operands(name, expected):
    result = getattr(Variable([2.0, 3.0]), name)(np.array([1.0, 2.0], "float32"))
    np.testing.assert_allclose(ops.convert_to_numpy(result), expected, rtol=1e-6)


@pytest.mark.parametrize(
    ("name", "expected"),
    [("__and__", [True, False]), ("__rand__", [True, False]), ("__or__", [True, True]),
     ("__ror__", [True, True]), ("__xor__", [False, True]), ("__rxor__", [False, True])],
)  # fmt: skip
def test_operators_of_booleans(name, expected):
    v = Variable([True, False])
    assert values(getattr(v, name)([True, True])) == expected
    assert values(~v) == [False, True]


def test_a_variable_takes_over_a_new_one_and_views_of_it_stay_valid():
    for shape in ((2, 3), ()):
        variable = Variable(np.zeros(shape, "float32"), name="w")
        before = variable.value
        view = before.detach() if keras.backend.backend() == "torch" else None
        for number in (1, 2):
            variable._assign_new_array(np.full(shape, number, "float32"))
            assert variable.numpy().tolist() == np.full(shape, number).tolist()
        variable.assign_add(np.ones(shape, "float32"))
        assert variable.numpy().sum() == 3 * np.prod(shape)
        if view is not None:  # one tensor object for good, as optimizers of PyTorch need it
            assert variable.value is before
            assert view.numpy().tolist() == variable.numpy().tolist()


def test_a_part_of_an_array_does_not_keep_the_whole_in_memory(monkeypatch):
    monkeypatch.setattr(ShardedVariable, "exist", False)
    variable = Variable(np.zeros((4, 3), "float32"))
    variable._handle = None
    parts = [(slice(0, 2), slice(0, 3)), (slice(2, 4), slice(0, 3))]
    ShardedVariable.convert(variable, parts, 1)
    for assign in (
        variable._assign_new_array,
        lambda array: variable._assign_handle(variable._read_handle(array.__getitem__)),
    ):
        whole = np.ones((4, 3), "float32")
        kept = weakref.ref(whole)
        assign(whole)
        del whole
        assert kept() is None
