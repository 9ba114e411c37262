"""Shapes and elements: making, indexing, reshaping, joining, gathering; control flow; images."""

from habits import Raises

SETUP = """
x = ops.reshape(ops.arange(6), (2, 3))
v = ops.array([10, 20, 30])
"""

HABITS = {
    # ----------------------------------------------------------------- making
    "zeros of a tuple": ("ops.zeros((2, 3)).shape == (2, 3)", True),
    "zeros of a number": ("ops.zeros(3)", [0, 0, 0]),
    "ones with a dtype": ("ops.ones((2,), dtype='int32')", [1, 1]),
    "full": ("ops.full((2,), 7)", [7, 7]),
    "ones like": ("ops.ones_like(v)", [1, 1, 1]),
    "range": ("ops.arange(3)", [0, 1, 2]),
    "range with a step": ("ops.arange(0, 1, 0.25)", [0, 0.25, 0.5, 0.75]),
    "linspace": ("ops.linspace(0, 1, 5)", [0, 0.25, 0.5, 0.75, 1]),
    "eye": ("ops.eye(2)", [[1, 0], [0, 1]]),
    "triangle": ("ops.tril(ops.ones((2, 2)))", [[1, 0], [1, 1]]),
    "causal mask": ("i = ops.arange(2)\ni[:, None] >= i", [[True, False], [True, True]]),
    "diagonal matrix": ("ops.diag([1, 2])", [[1, 0], [0, 2]]),
    "one-hot": ("ops.one_hot([0, 2], 3)", [[1, 0, 0], [0, 0, 1]]),
    "one-hot with num_classes": ("ops.one_hot(1, num_classes=2)", [0, 1]),
    "meshgrid": ("ops.meshgrid([1, 2], [3, 4])", [[[1, 2], [1, 2]], [[3, 3], [4, 4]]]),
    "list of arrays": ("ops.convert_to_tensor([np.ones(2), np.zeros(2)])", [[1, 1], [0, 0]]),
    "list of tensors": ("ops.convert_to_tensor([v, v])", [[10, 20, 30]] * 2),
    # ----------------------------------------------------------------- to NumPy and Python
    "np.array of a tensor": ("np.array(v).tolist()", [10, 20, 30]),
    "convert_to_numpy": ("ops.convert_to_numpy(x)[1]", [3, 4, 5]),
    "len": ("len(x)", 2),
    "shape in a tuple": ("tuple(x.shape)", [2, 3]),
    "ops.shape": ("ops.shape(x)", [2, 3]),
    "unpack ops.shape": ("rows, columns = ops.shape(x)\nrows * columns", 6),
    "ndim": ("x.ndim, len(x.shape), ops.ndim(x)", [2, 2, 2]),
    "loop over rows": ("[int(ops.sum(row)) for row in x]", [3, 12]),
    "is_tensor": ("ops.is_tensor(v), ops.is_tensor(np.ones(1))", [True, False]),
    # ----------------------------------------------------------------- indexing
    "first row": ("x[0]", [0, 1, 2]),
    "last column": ("x[:, -1]", [2, 5]),
    "ellipsis": ("x[..., 0]", [0, 3]),
    "new axis": ("tuple(v[:, None].shape)", [3, 1]),
    "slice with a step": ("v[::2]", [10, 30]),
    "every step but the last": ("x[:, :-1]", [[0, 1], [3, 4]]),
    "take": ("ops.take(v, [2, 0])", [30, 10]),
    "take columns": ("ops.take(x, 1, axis=1)", [1, 4]),
    "take along an axis": ("ops.take_along_axis(x, ops.array([[2], [0]]), axis=1)", [[2], [3]]),
    "slice of a start and a shape": ("ops.slice(x, [0, 1], [2, 2])", [[1, 2], [4, 5]]),
    "update of elements": (
        "ops.scatter_update(ops.zeros(4), [[1], [3]], [5.0, 6.0])",
        [0, 5, 0, 6],
    ),
    "scatter adds": ("ops.scatter([[0], [0], [2]], [1, 2, 3], (3,))", [3, 0, 3]),
    "slice update": ("ops.slice_update(ops.zeros(3), [1], [5.0])", [0, 5, 0]),
    # ----------------------------------------------------------------- reshaping
    "reshape with -1": ("ops.reshape(x, (-1, 2))", [[0, 1], [2, 3], [4, 5]]),
    "reshape to flat": ("ops.reshape(x, -1)", [0, 1, 2, 3, 4, 5]),
    "reshape with a list": ("ops.reshape(x, [3, 2])", [[0, 1], [2, 3], [4, 5]]),
    "flatten all but the batch": (
        "tuple(ops.reshape(ops.ones((2, 3, 4)), (2, -1)).shape)",
        [2, 12],
    ),
    "transpose": ("ops.transpose(x)", [[0, 3], [1, 4], [2, 5]]),
    "transpose with a list": (
        "tuple(ops.transpose(ops.ones((1, 2, 3)), [0, 2, 1]).shape)",
        [1, 3, 2],
    ),
    "expand and squeeze": ("ops.squeeze(ops.expand_dims(v, -1), axis=-1)", [10, 20, 30]),
    "expand of several axes": ("tuple(ops.expand_dims(v, (0, -1)).shape)", [1, 3, 1]),
    "swapaxes": ("tuple(ops.swapaxes(ops.ones((1, 2, 3)), 1, 2).shape)", [1, 3, 2]),
    "moveaxis": ("tuple(ops.moveaxis(ops.ones((1, 2, 3)), -1, 0).shape)", [3, 1, 2]),
    "broadcast": ("ops.broadcast_to([1, 2], (2, 2))", [[1, 2], [1, 2]]),
    "pad by a number": ("ops.pad([5], 1)", [0, 5, 0]),
    "pad by pairs": ("ops.pad([[5]], [[0, 1], [1, 0]])", [[0, 5], [0, 0]]),
    "pad with a value": ("ops.pad([5], (1, 1), constant_values=9)", [9, 5, 9]),
    "flip": ("ops.flip(v)", [30, 20, 10]),
    "roll": ("ops.roll(v, 1)", [30, 10, 20]),
    "tile": ("ops.tile([1, 2], 2)", [1, 2, 1, 2]),
    "repeat rows": ("ops.repeat([[1, 2]], 2, axis=0)", [[1, 2], [1, 2]]),
    # ----------------------------------------------------------------- joining and splitting
    "concatenate": ("ops.concatenate([x, x], axis=-1)[0]", [0, 1, 2, 0, 1, 2]),
    "concatenate ints and floats": ("ops.concatenate([[1], [0.5]])", [1, 0.5]),
    "stack": ("ops.stack([v, v], axis=1)", [[10, 10], [20, 20], [30, 30]]),
    "stack numbers and tensors": ("ops.stack([1.0, ops.array(2.0)])", [1, 2]),
    "append a number": ("ops.append(v, 40)", [10, 20, 30, 40]),
    "split in three": ("ops.split(x, 3, axis=1)", [[[0], [3]], [[1], [4]], [[2], [5]]]),
    "split at places": ("a, b = ops.split(v, [1])\na, b", [[10], [20, 30]]),
    "unstack": ("a, b = ops.unstack(x)\nb", [3, 4, 5]),
    "vstack and hstack": ("ops.vstack([v, v])[1] + ops.hstack([v, v])[3:]", [20, 40, 60]),
    # ----------------------------------------------------------------- sorting and counting
    "sort": ("ops.sort([3, 1, 2])", [1, 2, 3]),
    "argsort, largest first": ("ops.flip(ops.argsort(v))", [2, 1, 0]),
    "top k": ("values, indices = ops.top_k([1, 3, 2], k=2)\nvalues, indices", [[3, 2], [1, 2]]),
    "bincount": ("ops.bincount([0, 1, 1])", [1, 2]),
    "digitize": ("ops.digitize([0.5, 2.5], [1.0, 2.0])", [0, 2]),
    "sum of segments": ("ops.segment_sum(v, [0, 0, 1], num_segments=2)", [30, 30]),
    # ----------------------------------------------------------------- control flow
    "while loop": ("ops.while_loop(lambda i: i < 5, lambda i: (i + 1,), (0,))[0]", 5),
    "while loop of one value": ("ops.while_loop(lambda i: i < 5, lambda i: i + 2, [0])[0]", 6),
    "for loop": ("ops.fori_loop(0, 4, lambda i, total: total + i, 0)", 6),
    "cond": ("ops.cond(ops.sum(v) > 50, lambda: v + 1, lambda: v)", [11, 21, 31]),
    "cond of a Python bool": ("ops.cond(False, lambda: 1, lambda: 2)", 2),
    "switch": ("ops.switch(1, [lambda a: a, lambda a: -a], 3)", -3),
    "map": ("ops.map(lambda row: ops.sum(row), x)", [3, 12]),
    "vectorized map": ("ops.vectorized_map(lambda row: row * 2, x)[1]", [6, 8, 10]),
    "scan": ("ops.scan(lambda c, e: (c + e, c + e), 0, ops.array([1, 2, 3]))[1]", [1, 3, 6]),
    # ----------------------------------------------------------------- images
    "resize": ("ops.image.resize(np.ones((1, 2, 2, 3)), (4, 4)).shape == (1, 4, 4, 3)", True),
    "resize one image": ("tuple(ops.image.resize(np.ones((2, 2, 3)), (5, 4)).shape)", [5, 4, 3]),
    "nearest": (
        "ops.image.resize([[[1.0], [2.0]]], (1, 4), interpolation='nearest')[0, :, 0]",
        [1, 1, 2, 2],
    ),
    "grayscale": ("tuple(ops.image.rgb_to_grayscale(np.ones((2, 2, 3))).shape)", [2, 2, 1]),
    "max pool": (
        "ops.max_pool(ops.reshape(ops.arange(4, dtype='float32'), (1, 2, 2, 1)), 2)",
        [[[[3]]]],
    ),
    # ----------------------------------------------------------------- in graphs
    "slice of an Input": ("keras.Input((5, 3))[:, -1].shape", [None, 3]),
    "mean of an Input": ("ops.mean(keras.Input((5, 3)), axis=1).shape", [None, 3]),
    "reshape of an Input": ("ops.reshape(keras.Input((4, 3)), (-1, 12)).shape", [None, 12]),
    "concatenate Inputs": (
        "ops.concatenate([keras.Input((2,)), keras.Input((3,))], -1).shape",
        [None, 5],
    ),
    "Input plus number": ("(keras.Input((3,), dtype='float16') + 1).dtype", "float16"),
    "a KerasTensor is not an array": ("np.array(keras.Input((3,)))", Raises(ValueError)),
    "no truth in a KerasTensor": ("bool(keras.Input((3,)))", Raises(TypeError)),
    "no loop over a KerasTensor": (
        "[x for x in keras.Input((3,))]",
        Raises((TypeError, NotImplementedError)),
    ),
}
