"""The symbolic tensor: operators, indexing, and what it refuses."""

import operator

import numpy as np
import pytest

import keras_fn as keras
from keras_fn import KerasTensor, ops
from keras_fn.errors import SpecError

BINARY = [
    operator.add, operator.sub, operator.mul, operator.truediv, operator.floordiv, operator.mod,
    operator.pow, operator.lt, operator.le, operator.gt, operator.ge, operator.ne,
]  # fmt: skip
BITS = [operator.and_, operator.or_, operator.xor]


@pytest.mark.parametrize("function", BINARY)
@pytest.mark.parametrize("side", ["left", "right"])
def test_an_operator_with_a_number_on_either_side_computes_and_infers(function, side):
    x = np.array([[1.5, 2.0, 4.0]], "float32")
    with_number = (lambda t: function(t, 2)) if side == "left" else (lambda t: function(2, t))
    keras_tensor = KerasTensor((None, 3))
    result = with_number(keras_tensor)
    expected = with_number(x)
    assert (result.shape, result.dtype) == ((None, 3), str(expected.dtype))
    value = keras.Function(keras_tensor, result)(x)
    np.testing.assert_allclose(ops.convert_to_numpy(value), expected, rtol=1e-6)


@pytest.mark.parametrize("function", BITS)
def test_bitwise_operators(function):
    a, b = np.array([[5, 6]], "int32"), np.array([[3, 3]], "int32")
    x, y = KerasTensor((None, 2), "int32"), KerasTensor((None, 2), "int32")
    result = function(x, y)
    assert (result.shape, result.dtype) == ((None, 2), "int32")
    value = keras.Function([x, y], result)([a, b])
    assert ops.convert_to_numpy(value).tolist() == function(a, b).tolist()


@pytest.mark.parametrize("function", [operator.neg, abs, round])
def test_operators_of_one_operand(function):
    x = KerasTensor((None, 2))
    array = np.array([[-1.7, 2.2]], "float32")
    value = keras.Function(x, function(x))(array)
    expected = np.round(array) if function is round else function(array)
    np.testing.assert_allclose(ops.convert_to_numpy(value), expected)


def test_an_array_or_a_tensor_beside_a_keras_tensor_is_a_constant():
    x = KerasTensor((None, 2))
    for constant in (np.array([1.0, 2.0], "float32"), ops.convert_to_tensor([1.0, 2.0])):
        for function in (lambda t, c: t + c, lambda t, c: ops.multiply(c, t)):
            assert function(x, constant).shape == (None, 2)
    y = keras.Function(x, x @ np.ones((2, 5), "float32"))
    assert ops.convert_to_numpy(y(np.ones((3, 2), "float32"))).tolist() == [[2.0] * 5] * 3


def test_transpose_reshape_and_squeeze_are_methods():
    x = KerasTensor((4, 3, 1))
    assert x.T.shape == (1, 3, 4)
    assert x.reshape(6, 2).shape == x.reshape((6, 2)).shape == (6, 2)
    assert x.squeeze().shape == x.squeeze(-1).shape == (4, 3)
    assert (x.ndim, x.size, KerasTensor((None, 2)).size) == (3, 12, None)


def test_equality_is_identity_so_that_tensors_are_keys():
    x, y = KerasTensor((2,)), KerasTensor((2,))
    assert x.__eq__(x) and not x.__eq__(y)
    assert len({x, y, x}) == 2


def test_names_are_given_or_automatic():
    keras.utils.clear_session()
    assert [KerasTensor((1,)).name for _ in range(2)] == ["keras_tensor", "keras_tensor_1"]
    assert KerasTensor((1,), name="mine").name == "mine"
    shown = repr(KerasTensor((None, 2), "int8", name="mine"))
    assert shown == "<KerasTensor shape=(None, 2), dtype=int8, name=mine>"


# ---------------------------------------------------------------- indexing

KEYS = {
    "first": 0,
    "last": -1,
    "slice": slice(1, None),
    "step": slice(None, None, 2),
    "backwards": slice(None, None, -1),
    "empty": slice(3, 1),
    "beyond": slice(0, 99),
    "ellipsis": (Ellipsis, 1),
    "ellipsis in the middle": (0, Ellipsis, slice(1, 3)),
    "new axis": (None, Ellipsis, None),
    "new axis inside": (slice(None), None, 1),
    "new axis after ellipsis": (Ellipsis, None, 0),
    "tensor": np.array([1, 0, 1]),
    "tensor of rank 2": np.array([[1, 0], [0, 0]]),
    "tensor inside": (slice(None), np.array([2, 0])),
    "tensors together": (slice(None), np.array([2, 0]), np.array([1, 1])),
    "tensors that broadcast": (np.array([[1], [0]]), np.array([2, 0, 1])),
    "tensors apart": (np.array([1, 0]), slice(None), np.array([3, 2])),
    "tensors apart behind an axis": (slice(None), np.array([1, 0]), None, np.array([3, 2])),
    "tensor and integer apart": (0, slice(None), np.array([3, 2, 1])),
    "tensor and integer together": (slice(None), 1, np.array([3, 2, 1])),
    "integers apart": (0, slice(None), 1),
}


@pytest.mark.parametrize("name", KEYS)
def test_indexing_gives_numpys_values_and_the_shape_it_infers(name):
    key = KEYS[name]
    array = np.arange(2 * 3 * 4, dtype="float32").reshape(2, 3, 4)
    expected = array[key]
    value = ops.convert_to_numpy(ops.getitem(array, _native(key)))
    np.testing.assert_array_equal(value, expected)
    assert KerasTensor(array.shape)[key].shape == expected.shape


def _native(key):
    convert = lambda k: ops.convert_to_tensor(k) if isinstance(k, np.ndarray) else k  # noqa: E731
    return tuple(map(convert, key)) if isinstance(key, tuple) else convert(key)


@pytest.mark.parametrize("seed", range(40))
def test_a_drawn_index_has_numpys_shape_with_none_where_it_cannot_be_known(seed):
    draw = np.random.default_rng(seed)
    array = np.zeros(draw.integers(1, 5, size=draw.integers(1, 5)))
    keys = tuple(_drawn_key(draw, size) for size in array.shape[: draw.integers(1, 5)])
    if draw.random() < 0.3:
        keys = (*keys, Ellipsis)
    if draw.random() < 0.3:
        keys = (None, *keys)
    expected = array[keys].shape
    assert KerasTensor(array.shape)[keys].shape == expected
    unknown = tuple(None if draw.random() < 0.5 else size for size in array.shape)
    inferred = KerasTensor(unknown)[keys].shape
    assert len(inferred) == len(expected)
    assert all(a in (None, b) for a, b in zip(inferred, expected, strict=True))


def _drawn_key(draw, size):
    kind = draw.integers(4)
    if kind == 0:
        return int(draw.integers(-size, size))
    if kind == 1:
        return slice(None)
    if kind == 2:
        return draw.integers(-size, size, size=3)
    start, stop = (int(n) for n in draw.integers(-size - 1, size + 2, size=2))
    return slice(start, stop, int(draw.choice([-2, -1, 1, 2])))


def test_a_whole_unknown_axis_stays_unknown_and_indexing_takes_it_away():
    x = KerasTensor((None, 3))
    assert x[:].shape == (None, 3) and x[2:].shape == (None, 3)
    assert x[0].shape == (3,) and x[:, 0].shape == (None,)
    assert x[np.array([0, 1])].shape == (2, 3)


def test_a_mask_of_booleans_gives_an_axis_of_unknown_size():
    x = KerasTensor((4, 3, 2))
    assert x[np.ones(4, "bool")].shape == (None, 3, 2)
    assert x[np.ones((4, 3), "bool")].shape == (None, 2)


def test_too_many_indices_and_an_index_outside_are_refused():
    x = KerasTensor((None, 3))
    with pytest.raises(SpecError) as caught:
        x[0, 0, 0]
    assert str(caught.value) == (
        "indexing, ops.getitem\n  expected: at most 2 indices\n"
        "  received: 3 for a tensor of shape (None, 3)\n  fix:      remove an index"
    )
    with pytest.raises(SpecError) as caught:
        x[:, 3]
    assert str(caught.value) == (
        "indexing, ops.getitem\n  expected: an index from -3 to 2\n"
        "  received: 3 for a tensor of shape (None, 3)\n  fix:      check the index"
    )
    assert x[7].shape == (3,)  # the first axis may have that many


# ---------------------------------------------------------------- what it refuses

_FIX = (
    "\n  fix: use keras.ops (for example ops.where, ops.cond, ops.shape), or move the code into "
    "the call of a layer"
)


@pytest.mark.parametrize(
    ("use", "verb"),
    [
        (bool, "used as a boolean"),
        (int, "converted to an int"),
        (float, "converted to a float"),
        (list, "iterated over"),
        (range, "converted to an int"),
    ],
)
def test_it_has_no_value_to_give(use, verb):
    with pytest.raises(TypeError) as caught:
        use(KerasTensor((None, 2)))
    assert str(caught.value) == (
        f"A KerasTensor has a shape and a dtype but no value, so it cannot be {verb}.{_FIX}"
    )


def test_its_length_is_the_size_of_its_first_axis():
    assert len(KerasTensor((3, None))) == 3
    for shape in ((), (None, 3)):
        with pytest.raises(TypeError, match="has no length"):
            len(KerasTensor(shape))


@pytest.mark.parametrize("error", [TypeError, ValueError])
def test_numpy_cannot_take_it(error):
    with pytest.raises(error, match="has no value, so functions of NumPy, JAX, PyTorch"):
        np.sin(KerasTensor((2,)))
    with pytest.raises(TypeError, match="use the function of that name in"):
        np.asarray(KerasTensor((2,)))


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        (3, "a tuple of integers and None\n  received: 3\n"),
        (("a",), "a tuple of integers and None\n  received: ('a',)\n"),
        ((2.0,), "a tuple of integers and None\n  received: (2.0,)\n"),
        ((2, -1), "sizes that are not negative\n  received: (2, -1)\n"),
    ],
)
def test_what_is_no_shape_is_refused(shape, message):
    with pytest.raises(ValueError) as caught:
        KerasTensor(shape)
    assert str(caught.value).startswith(f"The shape of a tensor\n  expected: {message}  fix:")


def test_shapes_that_do_not_broadcast_are_refused_when_the_graph_is_built():
    with pytest.raises(SpecError, match="shapes that broadcast") as caught:
        KerasTensor((None, 3)) + KerasTensor((None, 4))
    assert caught.value.received == "(None, 3) and (None, 4)"


def test_an_unknown_argument_is_refused():
    with pytest.raises(TypeError, match=r"KerasTensor\n.*\n  received: ragged_ranks="):
        KerasTensor((2,), ragged_ranks=1)
    ragged = KerasTensor((2, None), ragged=True, ragged_rank=1, row_splits_dtype="int64")
    assert (ragged.ragged_rank, ragged.row_splits_dtype) == (1, "int64")
    assert KerasTensor((2,)).ragged_rank is None
