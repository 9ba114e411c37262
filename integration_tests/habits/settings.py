"""utils, tree, config, activations, initializers, regularizers, constraints, dtype policies."""

from habits import Raises

HABITS = {
    # ----------------------------------------------------------------- utils
    "to_categorical": ("keras.utils.to_categorical([0, 2])", [[1, 0, 0], [0, 0, 1]]),
    "to_categorical with a number of classes": (
        "keras.utils.to_categorical([1], num_classes=3)",
        [[0, 1, 0]],
    ),
    "to_categorical of a column": (
        "keras.utils.to_categorical(np.array([[0], [1]])).shape",
        [2, 2],
    ),
    "normalize": ("keras.utils.normalize(np.array([[3.0, 4.0]]))", [[0.6, 0.8]]),
    "pad_sequences": ("keras.utils.pad_sequences([[1], [2, 3]])", [[0, 1], [2, 3]]),
    "pad_sequences after": (
        "keras.utils.pad_sequences([[1], [2, 3, 4]], maxlen=2, padding='post', truncating='post')",
        [[1, 0], [2, 3]],
    ),
    "set_random_seed": (
        "keras.utils.set_random_seed(1)\na = keras.random.normal((3,))\n"
        "keras.utils.set_random_seed(1)\n"
        "bool(ops.all(a == keras.random.normal((3,))))",
        True,
    ),
    "set_random_seed seeds NumPy": (
        "keras.utils.set_random_seed(1)\na = np.random.rand()\nkeras.utils.set_random_seed(1)\n"
        "a == np.random.rand()",
        True,
    ),
    "get_source_inputs": (
        "i = keras.Input((2,))\nkeras.utils.get_source_inputs(i * 2)[0] is i",
        True,
    ),
    "is_keras_tensor": (
        "keras.utils.is_keras_tensor(keras.Input((2,))), keras.utils.is_keras_tensor(np.ones(1))",
        [True, False],
    ),
    "progress bar": (
        "bar = keras.utils.Progbar(2, verbose=0)\nbar.update(1, values=[('loss', 0.5)])\n"
        "bar.add(1)",
        None,
    ),
    # ----------------------------------------------------------------- tree
    "map_structure": (
        "keras.tree.map_structure(lambda v: v * 2, {'a': 1, 'b': [2, 3]})",
        {"a": 2, "b": [4, 6]},
    ),
    "map of two structures": (
        "keras.tree.map_structure(lambda a, b: a + b, [1, (2,)], [3, (4,)])",
        [4, [6]],
    ),
    "flatten": ("keras.tree.flatten({'b': [2, 3], 'a': 1})", [1, 2, 3]),
    "pack": ("keras.tree.pack_sequence_as([1, [2]], [3, 4])", [3, [4]]),
    "is nested": ("keras.tree.is_nested([1]), keras.tree.is_nested(1)", [True, False]),
    # ----------------------------------------------------------------- config, backend
    "floatx": ("keras.config.floatx(), keras.backend.floatx()", ["float32", "float32"]),
    "epsilon": ("keras.config.epsilon()", 1e-7),
    "image data format": ("keras.config.image_data_format()", "channels_last"),
    "name of the backend": ("keras.backend.backend() == keras.config.backend()", True),
    "version": ("int(keras.__version__.split('.')[0]) >= 0", True),
    "standardize a dtype": (
        "keras.backend.standardize_dtype('int')[:3], keras.backend.standardize_dtype(float)",
        ["int", "float32"],
    ),
    "standardize NumPy's": ("keras.backend.standardize_dtype(np.dtype('int64'))", "int64"),
    "is it a float dtype": (
        "keras.backend.is_float_dtype('bfloat16'), keras.backend.is_int_dtype('uint8')",
        [True, True],
    ),
    "result type": ("keras.backend.result_type('int32', 'float16')", "float16"),
    "another floatx": (
        "keras.config.set_floatx('float64')\ntry:\n    d = layers.Dense(1).dtype\n"
        "finally:\n    keras.config.set_floatx('float32')\nlayers.Dense(1).dtype",
        "float32",
    ),
    "a wrong floatx": ("keras.config.set_floatx('float')", Raises(ValueError)),
    # ----------------------------------------------------------------- dtype policies
    "mixed precision": (
        "keras.config.set_dtype_policy('mixed_float16')\ntry:\n    d = layers.Dense(1)\n"
        "finally:\n    keras.config.set_dtype_policy('float32')\nd.compute_dtype, d.variable_dtype",
        ["float16", "float32"],
    ),
    "mixed precision of a layer": (
        "layers.Dense(1, dtype='mixed_bfloat16').compute_dtype",
        "bfloat16",
    ),
    "global policy": ("keras.config.dtype_policy().name", "float32"),
    "the old name": ("keras.mixed_precision.global_policy().name", "float32"),
    "policy object": ("keras.DTypePolicy('mixed_float16').variable_dtype", "float32"),
    # ----------------------------------------------------------------- activations
    "activation function": ("keras.activations.relu([-1.0, 2.0])", [0, 2]),
    "activation by name": ("keras.activations.get('sigmoid')(0.0)", 0.5),
    "activation by None": ("keras.activations.get(None)(3.0)", 3),
    "activation by a wrong name": ("keras.activations.get('reluu')", Raises(ValueError)),
    "swish is silu": ("keras.activations.get('swish') is keras.activations.silu", True),
    "softmax of a matrix": ("keras.activations.softmax(ops.zeros((1, 4)))", [[0.25] * 4]),
    "gelu of 0": ("keras.activations.gelu(ops.array([0.0]))", [0]),
    "relu with a cap": (
        "keras.activations.relu(ops.array([-5.0, 5.0]), negative_slope=0.1, max_value=3.0)",
        [-0.5, 3],
    ),
    "serialize an activation": ("keras.activations.serialize(keras.activations.relu)", "relu"),
    # ----------------------------------------------------------------- initializers and others
    "ones": ("keras.initializers.Ones()(shape=(2,))", [1, 1]),
    "constant": ("keras.initializers.Constant(3.0)((2,))", [3, 3]),
    "initializer by name": (
        "keras.initializers.get('glorot_uniform').__class__.__name__",
        "GlorotUniform",
    ),
    "glorot's limit": (
        "bool(ops.max(ops.abs(keras.initializers.GlorotUniform(seed=0)((50, 4)))) <= (6 / "
        "54) ** 0.5)",
        True,
    ),
    "a seed repeats": (
        "i = keras.initializers.RandomNormal(seed=3)\nbool(ops.all(i((4,)) == i((4,))))",
        True,
    ),
    "orthogonal": (
        "w = keras.initializers.Orthogonal(seed=0)((2, 2))\nops.matmul(w, ops.transpose(w))",
        [[1, 0], [0, 1]],
    ),
    "identity": ("keras.initializers.Identity()((2, 2))", [[1, 0], [0, 1]]),
    "initializer by a wrong name": ("keras.initializers.get('glorot')", Raises(ValueError)),
    "initializer from a function": (
        "layers.Dense(2, kernel_initializer=lambda shape, dtype=None: ops.ones(shape, "
        "dtype=dtype) * 5)"
        "(np.ones((1, 1)))",
        [[5, 5]],
    ),
    "l2": ("keras.regularizers.L2(0.1)(ops.array([1.0, 2.0]))", 0.5),
    "l1 and l2": ("keras.regularizers.l1_l2(l1=1.0, l2=1.0)(ops.array([-1.0, 2.0]))", 8),
    "regularizer by name": ("keras.regularizers.get('l2')(ops.array([1.0]))", 0.01),
    "max norm": ("keras.constraints.MaxNorm(1.0)(ops.array([[3.0], [4.0]]))", [[0.6], [0.8]]),
    "non-negative": ("keras.constraints.NonNeg()(ops.array([-1.0, 2.0]))", [0, 2]),
    "unit norm": ("keras.constraints.UnitNorm(axis=0)(ops.array([[3.0], [4.0]]))", [[0.6], [0.8]]),
}
