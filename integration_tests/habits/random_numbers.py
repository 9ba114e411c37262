"""Random numbers: shapes, ranges, seeds."""

from habits import Raises

HABITS = {
    "shape": ("keras.random.normal((2, 3)).shape == (2, 3)", True),
    "the seed of a call": (
        "bool(ops.all(keras.random.uniform((4,), seed=1) == keras.random.uniform((4,), seed=1)))",
        True,
    ),
    "without a seed numbers go on": (
        "bool(ops.all(keras.random.uniform((4,)) == keras.random.uniform((4,))))",
        False,
    ),
    "a generator goes on": (
        "g = keras.random.SeedGenerator(1)\n"
        "bool(ops.all(keras.random.normal((4,), seed=g) == keras.random.normal((4,), seed=g)))",
        False,
    ),
    "a generator can be repeated": (
        "a, b = (keras.random.normal((4,), seed=keras.random.SeedGenerator(5)) for _ in "
        "range(2))\n"
        "bool(ops.all(a == b))",
        True,
    ),
    "range": (
        "u = keras.random.uniform((99,), 3.0, 5.0, seed=0)\n"
        "bool(ops.min(u) >= 3), bool(ops.max(u) < 5)",
        [True, True],
    ),
    "range in half precision": (
        "bool(ops.max(keras.random.uniform((4096,), 3.0, 5.0, dtype='float16', seed=0)) < 5)",
        True,
    ),
    "integers": ("sorted(set(np.unique(keras.random.randint((99,), 0, 3, seed=0))))", [0, 1, 2]),
    "dtype of integers": (
        "keras.backend.standardize_dtype(keras.random.randint((2,), 0, 3).dtype)",
        "int32",
    ),
    "mean and deviation": (
        "n = keras.random.normal((4096,), mean=2.0, stddev=0.5, seed=0)\n"
        "round(float(ops.mean(n)), 1), round(float(ops.std(n)), 1)",
        [2, 0.5],
    ),
    "truncated": (
        "bool(ops.max(ops.abs(keras.random.truncated_normal((4096,), seed=0))) <= 2)",
        True,
    ),
    "shuffle": ("ops.sort(keras.random.shuffle(ops.arange(5), seed=0))", [0, 1, 2, 3, 4]),
    "categorical": ("keras.random.categorical(np.log([[1e-9, 1.0]]), 3, seed=0)", [[1, 1, 1]]),
    "dropout": (
        "sorted(set(np.unique(keras.random.dropout(ops.ones((64,)), 0.5, seed=0))))",
        [0, 2],
    ),
    "a shape of one number": ("keras.random.normal((3,)).shape == (3,)", True),
    "a dtype": (
        "keras.backend.standardize_dtype(keras.random.normal((2,), dtype='float16').dtype)",
        "float16",
    ),
    "seed of a layer": (
        "a, b = (layers.Dense(2, "
        "kernel_initializer=keras.initializers.GlorotUniform(seed=1)) for _ in range(2))\n"
        "a.build((None, 2)), b.build((None, 2))\n"
        "bool(np.all(a.get_weights()[0] == b.get_weights()[0]))",
        True,
    ),
    "seed of a model": (
        "def make():\n    keras.utils.set_random_seed(7)\n"
        "    return keras.Sequential([keras.Input((2,)), layers.Dense(2)]).get_weights()[0]\n"
        "bool(np.all(make() == make()))",
        True,
    ),
    "a seed that is text": ("keras.random.normal((2,), seed='a')", Raises((ValueError, TypeError))),
    "an integer range in uniform": (
        "keras.random.uniform((2,), 0, 5, dtype='int32')",
        Raises((ValueError, TypeError)),
    ),
}
