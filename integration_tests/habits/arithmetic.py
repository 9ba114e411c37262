"""Numbers in, numbers out: operators, elementwise ops, reductions, comparisons."""

from habits import Raises

SETUP = """
x = ops.convert_to_tensor([[1.0, -2.0], [3.0, 4.0]])
v = ops.array([1.0, 2.0, 3.0])
"""

HABITS = {
    # ----------------------------------------------------------------- operators of tensors
    "tensor plus number": ("x + 1", [[2, -1], [4, 5]]),
    "number minus tensor": ("1 - x", [[0, 3], [-2, -3]]),
    "number over tensor": ("6 / v", [6, 3, 2]),
    "tensor to a power": ("v ** 2", [1, 4, 9]),
    "number to a tensor": ("2 ** v", [2, 4, 8]),
    "negative and absolute": ("abs(-x)", [[1, 2], [3, 4]]),
    "at sign": ("x @ x", [[-5, -10], [15, 10]]),
    "floor division": ("ops.array([7, 8]) // 3", [2, 2]),
    "remainder has the sign of the divisor": ("ops.array([-1, 5]) % 3", [2, 2]),
    "tensor compared with a number": ("x > 0", [[True, False], [True, True]]),
    "tensor compared with a tensor": ("v == ops.array([1.0, 0.0, 3.0])", [True, False, True]),
    "and of two conditions": ("(v > 1) & (v < 3)", [False, True, False]),
    "tensor plus an array": ("v + np.ones(3, 'float32')", [2, 3, 4]),
    "array plus tensor": ("ops.add(np.ones(3, 'float32'), v)", [2, 3, 4]),
    "lists as operands": ("ops.add([1, 2], [3, 4])", [4, 6]),
    "a list and a number": ("ops.multiply([1.0, 2.0], 3)", [3, 6]),
    "two Python numbers": ("ops.add(2, 3)", 5),
    # ----------------------------------------------------------------- elementwise
    "relu by maximum": ("ops.maximum(x, 0)", [[1, 0], [3, 4]]),
    "number first in minimum": ("ops.minimum(2.0, v)", [1, 2, 2]),
    "clip": ("ops.clip(x, 0, 3)", [[1, 0], [3, 3]]),
    "where with numbers": ("ops.where(x > 0, 1, 0)", [[1, 0], [1, 1]]),
    "where with a tensor and a number": ("ops.where(x > 0, x, 0.0)", [[1, 0], [3, 4]]),
    "where with a condition alone": ("ops.where(ops.array([0, 1, 1]))[0]", [1, 2]),
    "sigmoid of 0": ("ops.sigmoid(0.0)", 0.5),
    "softmax of a list": ("ops.softmax([1.0, 1.0])", [0.5, 0.5]),
    "softmax over another axis": ("ops.softmax(ops.zeros((2, 4)), axis=0)", [[0.5] * 4] * 2),
    "square root of an integer": ("ops.sqrt([4, 9])", [2, 3]),
    "log of 1": ("ops.log(1)", 0),
    "round half to even": ("ops.round([0.5, 1.5, 2.5])", [0, 2, 2]),
    "sign": ("ops.sign(x)", [[1, -1], [1, 1]]),
    "is nan": ("ops.isnan([1.0, float('nan')])", [False, True]),
    "nan to num": ("ops.nan_to_num([float('nan'), 2.0])", [0, 2]),
    "logical not": ("ops.logical_not([True, False])", [False, True]),
    "cast to int drops the fraction": ("ops.cast([1.7, -1.7], 'int32')", [1, -1]),
    "cast to bool": ("ops.cast([0.0, 0.1, 2.0], 'bool')", [False, True, True]),
    "cast of a comparison": ("ops.cast(v > 1, 'float32')", [0, 1, 1]),
    # ----------------------------------------------------------------- reductions
    "sum of all": ("ops.sum(x)", 6),
    "sum as a Python number": ("float(ops.sum(x))", 6.0),
    "mean of an axis": ("ops.mean(x, axis=0)", [2, 1]),
    "mean of a list of ints": ("ops.mean([1, 2])", 1.5),
    "max of the last axis kept": ("ops.max(x, axis=-1, keepdims=True)", [[1], [4]]),
    "sum of two axes": ("ops.sum(ops.ones((2, 3, 4)), axis=(1, 2))", [12, 12]),
    "axes as a list": ("ops.sum(ops.ones((2, 3, 4)), axis=[1, 2])", [12, 12]),
    "argmax of rows": ("ops.argmax(x, axis=-1)", [0, 1]),
    "argmax as an int": ("int(ops.argmax([1, 3, 2]))", 1),
    "variance and deviation": ("ops.var(v), ops.std(v)", [2 / 3, (2 / 3) ** 0.5]),
    "any and all": ("bool(ops.any(x < 0)), bool(ops.all(x < 0))", [True, False]),
    "a condition in an if": ("'yes' if ops.sum(x) > 5 else 'no'", "yes"),
    "norm of a vector": ("ops.norm([3.0, 4.0])", 5),
    "logsumexp": ("ops.logsumexp([0.0, 0.0])", 0.6931472),
    "cumulative sum": ("ops.cumsum(v)", [1, 3, 6]),
    "weighted average": ("ops.average(v, weights=[1.0, 0.0, 1.0])", 2),
    "median": ("ops.median([3.0, 1.0, 2.0])", 2),
    "quantile": ("ops.quantile([0.0, 1.0, 2.0], 0.25)", 0.5),
    "mean and variance together": ("ops.moments(x, axes=[0])", [[2, 1], [1, 9]]),
    "count of nonzero": ("ops.count_nonzero([0, 1, 2])", 2),
    "accuracy by hand": ("ops.mean(ops.equal([1, 2, 3], [1, 0, 3]))", 2 / 3),
    "mean squared error by hand": ("ops.mean(ops.square(v - ops.array([1.0, 2.0, 6.0])))", 3),
    # ----------------------------------------------------------------- products
    "dot of lists": ("ops.dot([1, 2], [3, 4])", 11),
    "matmul of a matrix and a vector": ("ops.matmul(x, [1.0, 1.0])", [-1, 7]),
    "einsum": ("ops.einsum('ij,kj->ik', x, x)", [[5, -5], [-5, 25]]),
    "outer": ("ops.outer([1, 2], [3, 4])", [[3, 4], [6, 8]]),
    "tensordot": ("ops.tensordot(x, x, axes=1)", [[-5, -10], [15, 10]]),
    "inverse": ("ops.inv([[2.0, 0.0], [0.0, 4.0]])", [[0.5, 0], [0, 0.25]]),
    "solve": ("ops.solve([[2.0, 0.0], [0.0, 4.0]], [[2.0], [4.0]])", [[1], [1]]),
    "determinant": ("ops.linalg.det(x)", 10),
    # ----------------------------------------------------------------- dtypes
    "an int list is int32": ("keras.backend.standardize_dtype(ops.array([1, 2]).dtype)", "int32"),
    "a float list is float32": (
        "keras.backend.standardize_dtype(ops.array([1.0]).dtype)",
        "float32",
    ),
    "int plus float": ("keras.backend.standardize_dtype(ops.add([1], 0.5).dtype)", "float32"),
    "mean of ints is a float": (
        "keras.backend.standardize_dtype(ops.mean([1, 2]).dtype)",
        "float32",
    ),
    "dtype of half plus a number": (
        "keras.backend.standardize_dtype((ops.ones(2, 'float16') * 2.0).dtype)",
        "float16",
    ),
    # ----------------------------------------------------------------- mistakes
    "shapes that do not multiply": (
        "ops.matmul(keras.Input((3,)), ops.ones((4, 2)))",
        Raises(ValueError),
    ),
}
