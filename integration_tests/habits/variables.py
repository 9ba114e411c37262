"""Variables: values, operators, assignments."""

from habits import Raises

HABITS = {
    "value of a number": ("float(keras.Variable(2.0))", 2.0),
    "value of a list": ("keras.Variable([1.0, 2.0]).numpy()", [1, 2]),
    "np.array of a variable": ("np.array(keras.Variable([1.0, 2.0]))", [1, 2]),
    "dtype of a list of ints": ("keras.Variable([1, 2], dtype='int32').dtype", "int32"),
    "dtype of floats": ("keras.Variable([1.0, 2.0]).dtype", "float32"),
    "shape": ("keras.Variable(np.zeros((2, 3))).shape == (2, 3)", True),
    "name": ("keras.Variable(0.0, name='counter').name", "counter"),
    "path under a name scope": (
        "with keras.name_scope('outer'):\n    v = keras.Variable(0.0, name='v')\nv.path",
        "outer/v",
    ),
    "assign": ("v = keras.Variable([1.0, 2.0])\nv.assign([3, 4])\nv", [3, 4]),
    "assign returns the value": ("keras.Variable(1.0).assign(5.0)", 5),
    "assign add": ("v = keras.Variable(1.0)\nv.assign_add(2)\nv.assign_sub(0.5)\nv", 2.5),
    "assign of another shape": ("keras.Variable([1.0]).assign([1.0, 2.0])", Raises(ValueError)),
    "operators": ("v = keras.Variable([1.0, 2.0])\n2 * v + 1 - v / 2", [2.5, 4]),
    "equals": ("keras.Variable([1, 2]) == 1", [True, False]),
    "not equals": ("keras.Variable([1, 2]) != 1", [False, True]),
    "a count that is compared": ("bool(keras.Variable(3, dtype='int32') == 3)", True),
    "greater": ("keras.Variable([1.0, 3.0]) > 2", [False, True]),
    "negative and absolute": ("abs(-keras.Variable([1.0, -2.0]))", [1, 2]),
    "matrix product": ("keras.Variable([[1.0, 2.0]]) @ np.ones((2, 1), 'float32')", [[3]]),
    "power": ("keras.Variable([2.0, 3.0]) ** 2", [4, 9]),
    "index": ("keras.Variable([[1.0, 2.0], [3.0, 4.0]])[1]", [3, 4]),
    "op of a variable": ("ops.sum(keras.Variable([1.0, 2.0]))", 3),
    "list of variables": ("ops.stack([keras.Variable(1.0), keras.Variable(2.0)])", [1, 2]),
    "cast": (
        "keras.backend.standardize_dtype(ops.cast(keras.Variable(1.5), 'int32').dtype)",
        "int32",
    ),
    "initializer and shape": (
        "keras.Variable(shape=(2, 3), initializer='ones').numpy().sum()",
        6,
    ),
    "initializer called": (
        "keras.Variable(keras.initializers.Zeros()(shape=(2,))).numpy()",
        [0, 0],
    ),
    "shape and a name of an initializer": (
        "keras.Variable(shape=(3,), initializer='uniform').shape == (3,)",
        True,
    ),
    "trainable": ("keras.Variable(1.0, trainable=False).trainable", False),
    "numpy dtype": ("keras.Variable(1, dtype=np.float32).dtype", "float32"),
}
