"""Built-in layers called on arrays and on Inputs."""

from habits import Raises

SETUP = """
x = np.arange(6, dtype="float32").reshape(2, 3)
image = np.arange(16, dtype="float32").reshape(1, 4, 4, 1)
steps = np.ones((2, 5, 3), "float32")
dense = layers.Dense(2, kernel_initializer="ones")
dense(x)
"""

HABITS = {
    # ----------------------------------------------------------------- Dense, by all its handles
    "call on an array": ("dense(x)", [[3, 3], [12, 12]]),
    "call on a list of lists": ("dense(ops.array([[1.0, 1.0, 1.0]]))", [[3, 3]]),
    "call on more axes": ("layers.Dense(4)(steps).shape == (2, 5, 4)", True),
    "activation by name": ("layers.Dense(1, 'relu', kernel_initializer='ones')(-x)", [[0], [0]]),
    "activation by function": (
        "layers.Dense(1, activation=ops.abs, kernel_initializer='ones')(-x)",
        [[3], [12]],
    ),
    "kernel and bias": ("tuple(dense.kernel.shape), tuple(dense.bias.shape)", [[3, 2], [2]]),
    "number of parameters": ("dense.count_params()", 8),
    "weights by name": ("[w.name for w in dense.weights]", ["kernel", "bias"]),
    "units as an attribute": ("dense.units, dense.use_bias", [2, True]),
    "activation of a layer": ("layers.Dense(1, activation='tanh').activation.__name__", "tanh"),
    "get and set weights": (
        "d = layers.Dense(1)\nd.build((None, 2))\nd.set_weights([[[1], [2]], [3]])\n"
        "d(np.ones((1, 2)))",
        [[6]],
    ),
    "set_weights of another shape": ("dense.set_weights([np.ones((2, 2))])", Raises(ValueError)),
    "build by hand": (
        "d = layers.Dense(4)\nd.build((None, 3))\nd.built, len(d.weights)",
        [True, 2],
    ),
    "no weights before the first call": ("len(layers.Dense(4).weights)", 0),
    "frozen": (
        "d = layers.Dense(1, trainable=False)\nd(x)\nlen(d.trainable_weights), "
        "len(d.non_trainable_weights)",
        [0, 2],
    ),
    "another number of features": ("dense(np.ones((2, 4)))", Raises(ValueError)),
    "config": ("layers.Dense(5, name='a').get_config()['units']", 5),
    "from config": (
        "layers.Dense.from_config(layers.Dense(5, activation='relu').get_config()).units",
        5,
    ),
    "regularizer in losses": (
        "d = layers.Dense(1, kernel_initializer='ones', kernel_regularizer='l2')\nd(x)\nd.losses",
        [0.03],
    ),
    "output shape without a call": ("layers.Dense(4).compute_output_shape((None, 3))", [None, 4]),
    "a wrong argument": ("layers.Dense(4, activaton='relu')", Raises((TypeError, ValueError))),
    # ----------------------------------------------------------------- shapes
    "flatten": ("layers.Flatten()(image).shape == (1, 16)", True),
    "reshape with -1": ("layers.Reshape((-1, 2))(image).shape == (1, 8, 2)", True),
    "permute": ("layers.Permute((2, 1))(steps).shape == (2, 3, 5)", True),
    "repeat vector": ("layers.RepeatVector(3)(x).shape == (2, 3, 3)", True),
    "crop and pad": (
        "layers.Cropping2D(1)(layers.ZeroPadding2D(1)(image)).shape == (1, 4, 4, 1)",
        True,
    ),
    "upsampling": ("layers.UpSampling2D()(image).shape == (1, 8, 8, 1)", True),
    "lambda": ("layers.Lambda(lambda t: t * 2)(x)", [[0, 2, 4], [6, 8, 10]]),
    "identity": ("layers.Identity()(x)", [[0, 1, 2], [3, 4, 5]]),
    "rescaling": ("layers.Rescaling(1 / 2, offset=1)(x)", [[1, 1.5, 2], [2.5, 3, 3.5]]),
    # ----------------------------------------------------------------- merging
    "add": ("layers.Add()([x, x])", [[0, 2, 4], [6, 8, 10]]),
    "add as a function": ("layers.add([x, x, x])[0]", [0, 3, 6]),
    "concatenate": ("layers.Concatenate()([x, x]).shape == (2, 6)", True),
    "concatenate as a function": ("layers.concatenate([x, x], axis=0).shape == (4, 3)", True),
    "average and maximum": ("layers.Average()([x, x])[0] + layers.maximum([x, -x])[0]", [0, 2, 4]),
    "subtract and multiply": ("layers.subtract([x, x])[0] + layers.multiply([x, x])[0]", [0, 1, 4]),
    "dot": ("layers.Dot(axes=1)([x, x])", [[5], [50]]),
    "add of shapes that do not fit": (
        "layers.Add()([keras.Input((2,)), keras.Input((3,))])",
        Raises(ValueError),
    ),
    # ----------------------------------------------------------------- activations, dropout
    "relu layer": ("layers.ReLU()(-x)", [[0, 0, 0], [0, 0, 0]]),
    "leaky relu": ("layers.LeakyReLU(negative_slope=0.5)(-x)[0]", [0, -0.5, -1]),
    "softmax layer": ("layers.Softmax()(np.zeros((1, 4)))", [[0.25] * 4]),
    "activation layer": ("layers.Activation('relu')(-x)[1]", [0, 0, 0]),
    "dropout does nothing in inference": ("layers.Dropout(0.5)(x)[1]", [3, 4, 5]),
    "dropout scales what it keeps": (
        "sorted(set(np.unique(layers.Dropout(0.5, seed=0)(np.ones((9, 9)), training=True))))",
        [0, 2],
    ),
    # ----------------------------------------------------------------- normalization
    "batch normalization in training": (
        "layers.BatchNormalization(epsilon=1e-9)(x, training=True)",
        [[-1] * 3, [1] * 3],
    ),
    "batch normalization in inference": (
        "layers.BatchNormalization(epsilon=0.0)(x)",
        [[0, 1, 2], [3, 4, 5]],
    ),
    "weights of batch normalization": (
        "b = layers.BatchNormalization()\nb.build((None, 3))\n[w.name for w in b.weights]",
        ["gamma", "beta", "moving_mean", "moving_variance"],
    ),
    "layer normalization": (
        "layers.LayerNormalization(epsilon=1e-9)(np.array([[1.0, 3.0]]))",
        [[-1, 1]],
    ),
    "unit normalization": ("layers.UnitNormalization()(np.array([[3.0, 4.0]]))", [[0.6, 0.8]]),
    # ----------------------------------------------------------------- images
    "convolution": ("layers.Conv2D(8, 3)(image).shape == (1, 2, 2, 8)", True),
    "same convolution with strides": (
        "layers.Conv2D(8, (3, 3), strides=2, padding='same').compute_output_shape((None, 28, "
        "28, 1))",
        [None, 14, 14, 8],
    ),
    "sum of a window": (
        "layers.Conv2D(1, 2, kernel_initializer='ones', strides=2)(image)[0, :, :, 0]",
        [[10, 18], [42, 50]],
    ),
    "max pooling": ("layers.MaxPooling2D()(image)[0, :, :, 0]", [[5, 7], [13, 15]]),
    "average pooling": (
        "layers.AveragePooling2D((2, 2))(image)[0, :, :, 0]",
        [[2.5, 4.5], [10.5, 12.5]],
    ),
    "global average pooling": ("layers.GlobalAveragePooling2D()(image)", [[7.5]]),
    "global max pooling": ("layers.GlobalMaxPooling1D()(steps)", [[1] * 3] * 2),
    "transposed convolution": (
        "layers.Conv2DTranspose(2, 3, strides=2, padding='same')(keras.Input((4, 4, 1))).shape",
        [None, 8, 8, 2],
    ),
    "separable convolution": (
        "layers.SeparableConv2D(4, 3)(keras.Input((4, 4, 3))).shape",
        [None, 2, 2, 4],
    ),
    "causal convolution": (
        "layers.Conv1D(1, 2, padding='causal', kernel_initializer='ones')(np.ones((1, 3, "
        "1)))[0, :, 0]",
        [1, 2, 2],
    ),
    "convolution of a missing channel axis": (
        "layers.Conv2D(8, 3)(np.ones((1, 28, 28)))",
        Raises(ValueError),
    ),
    # ----------------------------------------------------------------- sequences
    "embedding": ("layers.Embedding(10, 4)(np.array([[1, 2, 3]])).shape == (1, 3, 4)", True),
    "embedding with the length of its input": (
        "keras.Sequential([layers.Embedding(9, 2, input_length=5), layers.Flatten()])"
        "(np.ones((3, 5), int)).shape == (3, 10)",
        True,
    ),
    "embedding of a list of ints": (
        "layers.Embedding(3, 2, embeddings_initializer='ones')(ops.array([1]))",
        [[1, 1]],
    ),
    "mask of an embedding": (
        "layers.Embedding(5, 2, mask_zero=True).compute_mask(ops.array([[1, 0]]))",
        [[True, False]],
    ),
    "lstm": ("layers.LSTM(4)(steps).shape == (2, 4)", True),
    "lstm with sequences": (
        "layers.LSTM(4, return_sequences=True)(keras.Input((5, 3))).shape",
        [None, 5, 4],
    ),
    "lstm with states": (
        "out, h, c = layers.LSTM(4, return_state=True)(keras.Input((5, 3)))\nc.shape",
        [None, 4],
    ),
    "gru with states": ("len(layers.GRU(4, return_state=True)(keras.Input((5, 3))))", 2),
    "bidirectional": ("layers.Bidirectional(layers.LSTM(4))(keras.Input((5, 3))).shape", [None, 8]),
    "simple rnn by hand": (
        "layers.SimpleRNN(1, activation='linear', kernel_initializer='ones', "
        "recurrent_initializer='ones')(np.ones((1, 4, 1)))",
        [[4]],
    ),
    "masked rnn": (
        "r = layers.SimpleRNN(1, activation='linear', kernel_initializer='ones', "
        "recurrent_initializer='ones')\n"
        "r(layers.Masking(0.0)(np.array([[[1.0], [1.0], [0.0]]], 'float32')))",
        [[2]],
    ),
    "time distributed": (
        "layers.TimeDistributed(layers.Dense(2))(keras.Input((5, 3))).shape",
        [None, 5, 2],
    ),
    # ----------------------------------------------------------------- Input
    "shape of an Input": ("keras.Input(shape=(28, 28, 1)).shape", [None, 28, 28, 1]),
    "Input of one number": ("keras.Input((3,), batch_size=2).shape", [2, 3]),
    "Input from layers": ("layers.Input((None, 3), name='a').name", "a"),
    "dtype of an Input": ("keras.Input((3,), dtype='int32').dtype", "int32"),
    "automatic names count": (
        "keras.utils.clear_session()\nlayers.Dense(1).name, layers.Dense(1).name, "
        "layers.MaxPooling2D().name",
        ["dense", "dense_1", "max_pooling2d"],
    ),
}
