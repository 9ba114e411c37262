"""Ops on sparse tensors: they compute what they compute of dense ones, and stay sparse."""

import warnings

import numpy as np
import pytest
import scipy.sparse

import keras_fn as keras
from keras_fn import ops
from keras_fn.core.sparse import is_sparse

rng = np.random.default_rng(0)
MATRIX = scipy.sparse.random(4, 6, 0.4, "csr", "float32", rng)
MATRIX.data[:] = rng.uniform(-1, 1, MATRIX.nnz)
OTHER = scipy.sparse.random(4, 6, 0.4, "csr", "float32", rng)
X, Y = MATRIX.toarray(), OTHER.toarray()
DENSE = rng.uniform(0.5, 2, (4, 6)).astype("float32")
ROW = DENSE[0]
KERNEL = rng.normal(size=(6, 3)).astype("float32")
BATCH = rng.normal(size=(2, 3, 2)).astype("float32")


def compare(result, expected, name=""):
    result = ops.convert_to_numpy(result)
    expected = np.asarray(expected)
    assert result.shape == expected.shape, name
    assert result.dtype == expected.dtype, name
    np.testing.assert_allclose(result, expected, rtol=1e-5, atol=1e-6, err_msg=name)


def test_a_matrix_of_scipy_becomes_a_sparse_tensor_and_back():
    for data in (MATRIX, MATRIX.tocsc(), MATRIX.tocoo(), scipy.sparse.csr_array(MATRIX)):
        x = ops.convert_to_tensor(data)
        assert is_sparse(x) and ops.is_tensor(x)
        assert ops.shape(x) == (4, 6) and ops.dtype(x) == "float32"
        compare(x, X)
        dense = ops.convert_to_tensor(x, sparse=False)
        assert not is_sparse(dense)
        compare(dense, X)
    symbolic = keras.Input((6,), sparse=True)
    assert symbolic.sparse and not ops.convert_to_tensor(symbolic, sparse=False).sparse
    assert ops.dtype(ops.convert_to_tensor(MATRIX, "int32")) == "int32"


QUICK = {
    "tanh",
    "add",
    "multiply_row",
    "matmul",
    "sum_rows",
    "max_columns",
    "reshape",
    "concatenate",
}
QUICK |= {"getitem_slices"}


def quick_or_thorough(names):
    """JAX compiles every op: the cases that no other covers at each push, all of them weekly."""
    return [n if n in QUICK else pytest.param(n, marks=pytest.mark.thorough) for n in names]


UNARY = """
    absolute arcsin arcsinh arctan arctanh ceil celu conj copy deg2rad elu erf erfinv expm1 fix
    floor gelu hard_shrink hard_tanh imag isinf isnan isneginf isposinf leaky_relu log1p nan_to_num
    negative positive rad2deg real relu relu6 round selu sign signbit silu sin sinh soft_shrink
    softsign square tan tanh tanh_shrink trunc
"""


@pytest.mark.parametrize(
    "name", quick_or_thorough([name for name in UNARY.split() if hasattr(ops, name)])
)
def test_an_elementwise_op_that_is_zero_at_zero_stays_sparse(name):
    op = getattr(ops, name)
    result = op(ops.convert_to_tensor(MATRIX))
    assert is_sparse(result)
    compare(result, ops.convert_to_numpy(op(X)))
    spec = op(keras.KerasTensor((None, 6), sparse=True))
    assert spec.sparse and spec.dtype == ops.dtype(result)


CALLS = {
    "cast": lambda x, y: ops.cast(x, "int32"),
    "sqrt": lambda x, y: ops.sqrt(ops.absolute(x)),
    "round_decimals": lambda x, y: ops.round(x, 1),
    "clip": lambda x, y: ops.clip(x, -0.2, 0.3),
    "clip_above_zero": lambda x, y: ops.clip(x, 0.1, 0.3),
    "power": lambda x, y: ops.power(x, 2),
    "not_equal": lambda x, y: ops.not_equal(x, 0),
    "greater": lambda x, y: ops.greater(x, 0),
    "add": ops.add,
    "subtract": lambda x, y: ops.subtract(y, x),
    "maximum": ops.maximum,
    "minimum": ops.minimum,
    "multiply": ops.multiply,
    "divide": lambda x, y: ops.divide(x, DENSE),
    "add_dense": lambda x, y: ops.add(x, DENSE),
    "subtract_from_dense": lambda x, y: ops.subtract(ROW, x),
    "maximum_dense": lambda x, y: ops.maximum(x, DENSE),
    "multiply_dense": lambda x, y: ops.multiply(x, DENSE),
    "multiply_row": lambda x, y: ops.multiply(ROW, x),
    "multiply_column": lambda x, y: ops.multiply(x, DENSE[:, :1]),
    "multiply_larger": lambda x, y: ops.multiply(x, np.stack([DENSE, DENSE + 1])),
    "multiply_number": lambda x, y: ops.multiply(x, 2),
    "multiply_scalar": lambda x, y: ops.multiply(np.float32(2.5), x),
    "divide_row": lambda x, y: ops.true_divide(x, ROW),
    "divide_number": lambda x, y: ops.divide(x, 4),
    "add_number": lambda x, y: ops.add(x, 1),
    "divide_by_sparse": lambda x, y: ops.divide(DENSE, x),
    "add_row": lambda x, y: ops.add(x, ops.getitem(y, slice(0, 1))),
    "matmul": lambda x, y: ops.matmul(x, KERNEL),
    "matmul_vector": lambda x, y: ops.matmul(x, KERNEL[:, 0]),
    "matmul_from_right": lambda x, y: ops.matmul(KERNEL.T, ops.transpose(x)),
    "matmul_sparse": lambda x, y: ops.matmul(x, ops.transpose(y)),
    "matmul_batch": lambda x, y: ops.matmul(ops.reshape(x, (2, 4, 3)), BATCH),
    "matmul_rank_3": lambda x, y: ops.matmul(ops.reshape(x, (2, 2, 6)), KERNEL),
    "matmul_batch_from_right": lambda x, y: ops.matmul(
        np.swapaxes(BATCH, 1, 2), ops.reshape(x, (2, 3, 4))
    ),
    "dot": lambda x, y: ops.dot(x, KERNEL),
    "tensordot": lambda x, y: ops.tensordot(ops.reshape(x, (2, 2, 6)), KERNEL, axes=[[2], [0]]),
    "tensordot_two": lambda x, y: ops.tensordot(x, DENSE, axes=2),
    "sum": lambda x, y: ops.sum(x),
    "sum_rows": lambda x, y: ops.sum(x, axis=0),
    "sum_keepdims": lambda x, y: ops.sum(x, axis=-1, keepdims=True),
    "sum_integers": lambda x, y: ops.sum(ops.cast(ops.multiply(x, 9), "int8"), 0),
    "mean": lambda x, y: ops.mean(x),
    "mean_columns": lambda x, y: ops.mean(x, axis=1),
    "max": lambda x, y: ops.max(x),
    "max_columns": lambda x, y: ops.max(x, axis=1),
    "min_rows": lambda x, y: ops.min(x, axis=0, keepdims=True),
    "min_initial": lambda x, y: ops.min(x, axis=0, initial=-0.5),
    "any": lambda x, y: ops.any(x, axis=0),
    "all": lambda x, y: ops.all(x, axis=0),
    "count_nonzero": lambda x, y: ops.count_nonzero(x, axis=1),
    "reshape": lambda x, y: ops.reshape(x, (3, -1)),
    "ravel": lambda x, y: ops.ravel(x),
    "transpose": lambda x, y: ops.transpose(ops.reshape(x, (2, 3, 4)), (2, 0, 1)),
    "swapaxes": lambda x, y: ops.swapaxes(x, 0, -1),
    "moveaxis": lambda x, y: ops.moveaxis(ops.reshape(x, (2, 3, 4)), 0, -1),
    "expand_dims": lambda x, y: ops.expand_dims(x, (0, -1)),
    "squeeze": lambda x, y: ops.squeeze(ops.expand_dims(x, 1), 1),
    "concatenate": lambda x, y: ops.concatenate([x, y, x], axis=1),
    "concatenate_dense": lambda x, y: ops.concatenate([x, DENSE], axis=0),
    "getitem_row": lambda x, y: ops.getitem(x, 1),
    "getitem_last": lambda x, y: ops.getitem(x, (-1, slice(None, None, 2))),
    "getitem_slices": lambda x, y: ops.getitem(x, (slice(1, -1), slice(2, 20, 3))),
    "getitem_new_axis": lambda x, y: ops.getitem(x, (Ellipsis, None, slice(0, 2))),
    "getitem_empty": lambda x, y: ops.getitem(x, slice(2, 2)),
    "getitem_element": lambda x, y: ops.getitem(x, (1, 2)),
    "softmax": lambda x, y: ops.softmax(x),
    "exp": lambda x, y: ops.exp(x),
}
DENSE_RESULTS = {
    "clip_above_zero", "add_dense", "subtract_from_dense", "maximum_dense", "add_number",
    "divide_by_sparse", "matmul", "matmul_vector", "matmul_from_right", "matmul_batch",
    "matmul_rank_3", "matmul_batch_from_right", "dot", "tensordot", "tensordot_two", "sum", "mean",
    "max", "max_columns", "min_rows", "min_initial", "any", "all", "count_nonzero",
    "concatenate_dense", "getitem_element", "softmax", "exp",
}  # fmt: skip


@pytest.mark.parametrize("name", quick_or_thorough(CALLS))
@pytest.mark.filterwarnings("ignore:.*has no sparse form")
def test_an_op_computes_what_it_computes_of_dense_tensors(name):
    call = CALLS[name]
    with np.errstate(all="ignore"):
        expected = ops.convert_to_numpy(call(X, Y))
    for _ in range(2):  # the second call is warm
        result = call(ops.convert_to_tensor(MATRIX), ops.convert_to_tensor(OTHER))
        assert is_sparse(result) == (name not in DENSE_RESULTS)
        compare(result, expected)
    symbolic = [keras.KerasTensor((4, 6), sparse=True) for _ in range(2)]
    spec = call(*symbolic)
    assert spec.sparse == is_sparse(result)
    assert spec.shape == expected.shape and spec.dtype == ops.dtype(result)


def test_the_values_are_those_of_scipy():
    x, y = ops.convert_to_tensor(MATRIX), ops.convert_to_tensor(OTHER)
    compare(ops.matmul(x, ops.transpose(y)), (MATRIX @ OTHER.T).toarray())
    compare(ops.maximum(x, y), MATRIX.maximum(OTHER).toarray())
    compare(ops.matmul(MATRIX, KERNEL), MATRIX @ KERNEL)


@pytest.mark.thorough
def test_division_by_zero_is_nan_between_the_entries_too():
    divisor = DENSE.copy()
    divisor[0, :3], divisor[1, 1] = 0, np.nan
    with np.errstate(all="ignore"):
        expected = X / divisor
    result = ops.divide(ops.convert_to_tensor(MATRIX), divisor)
    assert is_sparse(result)
    np.testing.assert_allclose(ops.convert_to_numpy(result), expected, rtol=1e-5)


def test_the_maximum_of_a_row_without_zeros_is_one_of_its_values():
    full = -np.ones((2, 3), "float32")
    full[1, 1] = 0
    x = ops.convert_to_tensor(scipy.sparse.csr_matrix(full))
    compare(ops.max(x, axis=1), np.array([-1, 0], "float32"))


def test_an_op_without_a_sparse_form_says_so_once():
    x = ops.convert_to_tensor(MATRIX)
    with pytest.warns(UserWarning, match="ops.logaddexp has no sparse form"):
        ops.logaddexp(x, x)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        compare(ops.logaddexp(x, x), ops.convert_to_numpy(ops.logaddexp(X, X)))


def test_errors_are_those_of_dense_tensors():
    x = ops.convert_to_tensor(MATRIX)
    for call in (
        lambda x: ops.matmul(x, KERNEL[:4]),
        lambda x: ops.reshape(x, (5, 5)),
        lambda x: ops.transpose(x, (0, 0)),
        lambda x: ops.concatenate([x, ops.reshape(x, (6, 4))]),
        lambda x: ops.add(x, ops.reshape(x, (6, 4))),
        lambda x: ops.squeeze(x, 0),
        lambda x: ops.sum(x, axis=2),
    ):
        with pytest.raises(ValueError) as dense:
            call(X)
        with pytest.raises(ValueError) as sparse:
            call(x)
        assert type(sparse.value) is type(dense.value)


@pytest.mark.parametrize("axis", [-1, pytest.param(0, marks=pytest.mark.thorough)])
def test_one_hot(axis):
    classes = np.array([[1, 0], [4, 9], [-1, 3]])
    result = ops.one_hot(classes, 5, axis=axis, dtype="int32", sparse=True)
    assert is_sparse(result)
    compare(result, ops.convert_to_numpy(ops.one_hot(classes, 5, axis=axis, dtype="int32")))
    spec = ops.one_hot(keras.KerasTensor((None, 2), "int32"), 5, axis=axis, sparse=True)
    dense = ops.one_hot(keras.KerasTensor((None, 2), "int32"), 5, axis=axis)
    assert spec.sparse and spec.shape == dense.shape and spec.dtype == dense.dtype


def test_multi_hot():
    classes = np.array([[1, 0, 1], [4, 9, 4]])
    for options in ({"dtype": "bool"}, {"axis": 0}):
        result = ops.multi_hot(classes, 5, sparse=True, **options)
        assert is_sparse(result)
        compare(result, ops.convert_to_numpy(ops.multi_hot(classes, 5, **options)))
    compare(ops.multi_hot(classes[0], 5, sparse=True), np.array([1, 1, 0, 0, 0], "float32"))
    assert ops.multi_hot(keras.KerasTensor((None, 3), "int32"), 5, sparse=True).sparse


def test_bincount():
    for x in (np.array([1, 4, 1]), np.array([[1, 4, 1], [0, 0, 0]])):
        for options in ({"weights": x * np.float32(0.5)}, {"minlength": 7}):
            result = ops.bincount(x, sparse=True, **options)
            assert is_sparse(result)
            compare(result, ops.convert_to_numpy(ops.bincount(x, **options)))
    assert ops.bincount(keras.KerasTensor((3,), "int32"), sparse=True).sparse


def test_a_million_classes_take_the_memory_of_their_entries():
    result = ops.one_hot(np.arange(0, 10**6, 10**5), 10**6, sparse=True)
    assert ops.shape(result) == (10, 10**6)
    from keras_fn.core.sparse import get_sparse_backend

    indices, values = get_sparse_backend().sparse_parts(result)
    entries = ops.shape(values)[0]  # JAX pads them
    assert ops.shape(indices) == (entries, 2) and entries <= 16
    product = ops.matmul(result, np.ones((10**6, 2), "float32"))
    compare(product, np.ones((10, 2), "float32"))
