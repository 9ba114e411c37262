"""The Variable: values, dtypes, assignment, scopes."""

import numpy as np
import pytest

from keras_fn import StatelessScope, Variable, initializers, name_scope, ops
from keras_fn.core.scopes import AutocastScope, BuildScope, DeferredInitScope, SymbolicScope
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
