"""Building models, looking into them, taking them apart."""

from habits import Raises

SETUP = """
inputs = keras.Input((4,), name="x")
hidden = layers.Dense(3, activation="relu", name="hidden")(inputs)
model = keras.Model(inputs, layers.Dense(1, name="out")(hidden), name="small")
x = np.ones((2, 4), "float32")
stack = keras.Sequential([keras.Input((4,)), layers.Dense(3, name="a"), layers.Dense(2, name="b")])


class Own(keras.Model):
    def __init__(self, units=2):
        super().__init__()
        self.d1 = layers.Dense(3, activation="relu", kernel_initializer="ones")
        self.d2 = layers.Dense(units, kernel_initializer="ones")

    def call(self, x):
        return self.d2(self.d1(x))
"""

HABITS = {
    # ----------------------------------------------------------------- Sequential
    "list of layers": ("len(keras.Sequential([layers.Dense(2), layers.Dense(1)]).layers)", 2),
    "add and pop": (
        "m = keras.Sequential()\nm.add(keras.Input((4,)))\nm.add(layers.Dense(2))\n"
        "m.add(layers.Dense(1))\nm.pop()\nm.output_shape",
        [None, 2],
    ),
    "an Input is not a layer of the list": ("[l.name for l in stack.layers]", ["a", "b"]),
    "from keras.models": (
        "keras.models.Sequential([keras.layers.Dense(1)])(x).shape == (2, 1)",
        True,
    ),
    "input_shape as an argument": (
        "keras.Sequential([layers.Dense(3, input_shape=(4,)), layers.Dense(1)]).output_shape",
        [None, 1],
    ),
    "weights before the shape is known": (
        "m = keras.Sequential([layers.Dense(2)])\nm.built, len(m.weights)",
        [False, 0],
    ),
    "build": ("m = keras.Sequential([layers.Dense(2)])\nm.build((None, 4))\nm.count_params()", 10),
    "called on arrays of two lengths": (
        "m = keras.Sequential([layers.Embedding(9, 2), layers.GlobalAveragePooling1D()])\n"
        "m(np.ones((2, 5), int)).shape == m(np.ones((2, 7), int)).shape",
        True,
    ),
    "layer by index": ("stack.layers[0].name, stack.get_layer(index=1).name", ["a", "b"]),
    "last layer's output": (
        "keras.Model(stack.inputs, stack.layers[0].output)(x).shape == (2, 3)",
        True,
    ),
    "not a layer": ("keras.Sequential([layers.Dense(1), 'relu'])", Raises(ValueError)),
    # ----------------------------------------------------------------- looking into a model
    "names": ("model.name, [l.name for l in model.layers]", ["small", ["x", "hidden", "out"]]),
    "input and output": ("model.input.shape, model.output.shape", [[None, 4], [None, 1]]),
    "input_shape": ("model.input_shape, model.output_shape", [[None, 4], [None, 1]]),
    "lists of inputs": ("len(model.inputs), len(model.outputs)", [1, 1]),
    "layer by name": ("model.get_layer('hidden').units", 3),
    "layer of a wrong name": ("model.get_layer('hiden')", Raises(ValueError)),
    "number of parameters": ("model.count_params()", 19),
    "sizes of weights": ("[w.shape for w in model.get_weights()]", [[4, 3], [3], [3, 1], [1]]),
    "trainable variables": ("len(model.trainable_variables), len(model.variables)", [4, 4]),
    "paths of weights": ("model.weights[0].path", "hidden/kernel"),
    "summary into a list": (
        "lines = []\nmodel.summary(print_fn=lambda text, **_: lines.append(text))\n"
        "'hidden' in ''.join(lines), 'Total params: 19' in ''.join(lines)",
        [True, True],
    ),
    "output of a layer": ("model.get_layer('hidden').output.shape", [None, 3]),
    "is it built": ("model.built, stack.built", [True, True]),
    "find a layer by type": (
        "[l.name for l in model.layers if isinstance(l, layers.Dense)]",
        ["hidden", "out"],
    ),
    # ----------------------------------------------------------------- calling
    "call on an array": ("model(x).shape == (2, 1)", True),
    "call in training mode": ("model(x, training=True).shape == (2, 1)", True),
    "call on a list": ("model([x]).shape == (2, 1)", True),
    "call on another model's output": (
        "keras.Sequential([stack, layers.Dense(5)])(x).shape == (2, 5)",
        True,
    ),
    "feature extractor": (
        "f = keras.Model(inputs=model.input, outputs=model.get_layer('hidden').output)\n"
        "f(x).shape == (2, 3)",
        True,
    ),
    "all activations": (
        "f = keras.Model(model.inputs, [l.output for l in model.layers[1:]])\n"
        "[y.shape[-1] for y in f(x)]",
        [3, 1],
    ),
    "wrong number of features": ("model(np.ones((2, 5)))", Raises(ValueError)),
    "operators between layers": (
        "i = keras.Input((4,))\nkeras.Model(i, 2 * i + 1)(x)[0]",
        [3, 3, 3, 3],
    ),
    "residual": (
        "i = keras.Input((4,))\nh = layers.Dense(4, kernel_initializer='zeros')(i)\n"
        "keras.Model(i, h + i)(x)[0]",
        [1, 1, 1, 1],
    ),
    "op in a graph": ("i = keras.Input((4,))\nkeras.Model(i, ops.sum(i, axis=-1))(x)", [4, 4]),
    "shared layer": (
        "d = layers.Dense(2)\na, b = keras.Input((4,)), keras.Input((4,))\n"
        "keras.Model([a, b], d(a) + d(b)).count_params()",
        10,
    ),
    "two inputs": (
        "a, b = keras.Input((4,)), keras.Input((4,))\nkeras.Model([a, b], a - b)([x, x])[0]",
        [0, 0, 0, 0],
    ),
    "inputs by name": (
        "a, b = keras.Input((4,), name='a'), keras.Input((4,), name='b')\n"
        "keras.Model([a, b], a - b)({'b': x, 'a': 3 * x})[0]",
        [2, 2, 2, 2],
    ),
    "a dict of inputs and outputs": (
        "a = keras.Input((4,), name='a')\n"
        "keras.Model({'a': a}, {'double': a * 2})({'a': x})['double'][0]",
        [2, 2, 2, 2],
    ),
    "two outputs": (
        "i = keras.Input((4,))\nfirst, second = keras.Model(i, [i, i + 1])(x)\nsecond[0, 0]",
        2,
    ),
    "outputs that the inputs do not reach": (
        "keras.Model(keras.Input((4,)), keras.Input((4,)) + 1)",
        Raises(ValueError),
    ),
    # ----------------------------------------------------------------- subclasses
    "custom model": ("Own()(x)[0]", [12, 12]),
    "custom model's weights": ("m = Own()\nm(x)\nlen(m.weights), len(m.layers)", [4, 2]),
    "custom model built by a shape": ("m = Own()\nm.build((None, 4))\nm.count_params()", 23),
    "custom model in a Sequential": (
        "keras.Sequential([Own(3), layers.Dense(1)])(x).shape == (2, 1)",
        True,
    ),
    "custom model on an Input": ("Own()(keras.Input((4,))).shape", [None, 2]),
    "count of a model that is not built": ("Own().count_params()", Raises(ValueError)),
    # ----------------------------------------------------------------- weights, freezing
    "copy weights": (
        "m = keras.models.clone_model(stack)\nm.set_weights(stack.get_weights())\n"
        "bool(np.all(ops.convert_to_numpy(m(x)) == ops.convert_to_numpy(stack(x))))",
        True,
    ),
    "a clone has weights of its own": (
        "m = keras.models.clone_model(stack)\nm.layers[0].kernel is stack.layers[0].kernel",
        False,
    ),
    "freeze a model": (
        "m = keras.models.clone_model(stack)\nm.trainable = False\n"
        "len(m.trainable_weights), m.layers[0].trainable",
        [0, False],
    ),
    "freeze all but the last": (
        "m = keras.models.clone_model(stack)\nfor l in m.layers[:-1]:\n    l.trainable = False\n"
        "[tuple(w.shape) for w in m.trainable_weights]",
        [[3, 2], [2]],
    ),
    # ----------------------------------------------------------------- config
    "to json and back": (
        "m = keras.models.model_from_json(model.to_json())\n"
        "[l.name for l in m.layers], m.count_params()",
        [["x", "hidden", "out"], 19],
    ),
    "from config": ("keras.Model.from_config(model.get_config()).name", "small"),
    "Sequential from config": ("len(keras.Sequential.from_config(stack.get_config()).layers)", 2),
}
