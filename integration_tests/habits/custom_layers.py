"""Layers that users write."""

from habits import Raises

SETUP = '''
class Linear(keras.layers.Layer):
    def __init__(self, units=2, **kwargs):
        super().__init__(**kwargs)
        self.units = units

    def build(self, input_shape):
        shape = (input_shape[-1], self.units)
        self.w = self.add_weight(shape=shape, initializer="ones", trainable=True)
        self.b = self.add_weight(shape=(self.units,), initializer="zeros", name="b")

    def call(self, inputs):
        return ops.matmul(inputs, self.w) + self.b

    def get_config(self):
        return {**super().get_config(), "units": self.units}


class Block(layers.Layer):
    def __init__(self):
        super().__init__()
        self.first = Linear(3)
        self.rest = [Linear(3), layers.Dropout(0.5)]

    def call(self, x, training=None):
        x = self.first(x)
        for layer in self.rest:
            x = layer(x, training=training) if isinstance(layer, layers.Dropout) else layer(x)
        return x


class Sampling(layers.Layer):
    """The layer of the VAE example."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.seed_generator = keras.random.SeedGenerator(1337)

    def call(self, inputs):
        mean, log_var = inputs
        epsilon = keras.random.normal(ops.shape(mean), seed=self.seed_generator)
        return mean + ops.exp(0.5 * log_var) * epsilon


class Counter(layers.Layer):
    def __init__(self):
        super().__init__()
        self.total = self.add_weight(shape=(), initializer="zeros", trainable=False, name="total")

    def call(self, x):
        self.total.assign_add(ops.sum(x))
        return self.total


class Activity(layers.Layer):
    def call(self, x):
        self.add_loss(0.5 * ops.sum(x))
        return x


class Noted(layers.Layer):
    def call(self, x, training=False):
        return x + 1 if training else x


x = np.ones((2, 4), "float32")
'''

HABITS = {
    "call": ("Linear()(x)", [[4, 4], [4, 4]]),
    "weights of build": (
        "l = Linear()\nl(x)\nlen(l.weights), len(l.trainable_weights), l.b.name",
        [2, 2, "b"],
    ),
    "automatic name": ("keras.utils.clear_session(free_memory=False)\nLinear().name", "linear"),
    "chosen name": ("Linear(name='top').name", "top"),
    "dtype of a layer": ("Linear(dtype='float16')(x).dtype == ops.ones(1, 'float16').dtype", True),
    "on an Input": ("Linear(3)(keras.Input((4,))).shape", [None, 3]),
    "config and back": ("Linear.from_config(Linear(7).get_config()).units", 7),
    "sublayers in lists are found": ("b = Block()\nb(x)\nlen(b.weights)", 4),
    "training is handed on": ("Block()(x)[0]", [12, 12, 12]),
    "training by a call of the outer layer": ("float(Noted()(x, training=True)[0, 0])", 2.0),
    "seed generator in a layer": (
        "Sampling()([np.zeros((2, 3)), np.zeros((2, 3))]).shape == (2, 3)",
        True,
    ),
    "state": ("c = Counter()\nc(x)\nc(x)", 16),
    "state is not trainable": ("c = Counter()\nlen(c.trainable_weights), len(c.weights)", [0, 1]),
    "loss of a call": ("a = Activity()\na(x)\na.losses", [4]),
    "losses of the last call": ("a = Activity()\na(x)\na(x)\na.losses", [4]),
    "freeze later": (
        "l = Linear()\nl(x)\nl.trainable = False\nlen(l.trainable_weights)",
        0,
    ),
    "names in the constructor, not keywords": ("Linear(2, name='b').get_config()['name']", "b"),
    "no super().__init__()": (
        "class Bad(layers.Layer):\n    def __init__(self):\n        self.d = layers.Dense(1)\n"
        "Bad()(x)",
        Raises(RuntimeError, "super().__init__()"),
    ),
    "weights made in call are refused": (
        "class Bad(layers.Layer):\n    def call(self, x):\n"
        "        return x * self.add_weight(shape=(), initializer='ones')\n"
        "bad = Bad()\nbad(x)\nbad(x)",
        Raises(Exception),
    ),
    "an argument of another name": (
        "class Scale(layers.Layer):\n    def call(self, x, factor=1):\n        return x * factor\n"
        "Scale()(x, factor=3)[0, 0]",
        3,
    ),
    "two inputs": (
        "class Plus(layers.Layer):\n    def call(self, a, b):\n        return a + b\n"
        "Plus()(x, x)[0, 0]",
        2,
    ),
    "inputs as a dict": (
        "class Plus(layers.Layer):\n    def call(self, d):\n        return d['a'] + d['b']\n"
        "Plus()({'a': x, 'b': x})[0, 0]",
        2,
    ),
    "a variable as an attribute": (
        "class Scale(layers.Layer):\n    def __init__(self):\n        super().__init__()\n"
        "        self.s = keras.Variable(3.0)\n    def call(self, x):\n        return x * self.s\n"
        "s = Scale()\ns(x)[0, 0], len(s.weights)",
        [3, 1],
    ),
    "weights shared by two layers": (
        "d = layers.Dense(4, kernel_initializer='ones')\nd(x)\n"
        "t = lambda z: ops.matmul(z, ops.transpose(d.kernel))\nt(x)[0, 0]",
        4,
    ),
    "call in a call": (
        "class Twice(layers.Layer):\n    def __init__(self, layer):\n        super().__init__()\n"
        "        self.layer = layer\n    def call(self, x):\n"
        "        return self.layer(self.layer(x))\n"
        "Twice(layers.Rescaling(2.0))(x)[0, 0]",
        4,
    ),
    "add_weight with a name first": (
        "class L(layers.Layer):\n    def build(self, shape):\n"
        "        self.k = self.add_weight((shape[-1],), 'ones', name='k')\n"
        "    def call(self, x):\n        return x * self.k\nl = L()\nl(x)\nl.k.path.endswith('/k')",
        True,
    ),
    "output shape of a custom layer": ("Linear(3).compute_output_shape((None, 4))", [None, 3]),
    "input_spec by hand": (
        "l = Linear()\nl.input_spec = keras.layers.InputSpec(ndim=2)\nl(np.ones((2, 3, 4)))",
        Raises(ValueError),
    ),
    "stateless call": (
        "l = Linear()\nl.build((None, 4))\n"
        "y, state = l.stateless_call(l.trainable_variables, l.non_trainable_variables, x)\ny[0]",
        [4, 4],
    ),
}
