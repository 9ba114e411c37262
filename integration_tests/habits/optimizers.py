"""Optimizers and schedules."""

from habits import Raises

HABITS = {
    "rate": ("float(keras.optimizers.Adam(0.01).learning_rate)", 0.01),
    "rate by its full name": ("float(keras.optimizers.SGD(learning_rate=0.5).learning_rate)", 0.5),
    "set the rate": (
        "o = keras.optimizers.Adam()\no.learning_rate = 0.5\nfloat(o.learning_rate)",
        0.5,
    ),
    "assign the rate": (
        "o = keras.optimizers.Adam()\no.learning_rate.assign(0.25)\nfloat(o.learning_rate)",
        0.25,
    ),
    "default rates": (
        "[float(getattr(keras.optimizers, n)().learning_rate) for n in ('SGD', 'Adam', 'RMSprop')]",
        [0.01, 0.001, 0.001],
    ),
    "get by name": ("type(keras.optimizers.get('rmsprop')).__name__", "RMSprop"),
    "get by a wrong name": ("keras.optimizers.get('sgdd')", Raises(ValueError)),
    "step": (
        "v = keras.Variable([1.0, 2.0])\n"
        "keras.optimizers.SGD(0.5).apply([ops.array([1.0, 1.0])], [v])\nv",
        [0.5, 1.5],
    ),
    "apply_gradients with pairs": (
        "v = keras.Variable(1.0)\n"
        "keras.optimizers.SGD(1.0).apply_gradients([(ops.array(0.25), v)])\nv",
        0.75,
    ),
    "momentum": (
        "v, o = keras.Variable(0.0), keras.optimizers.SGD(1.0, momentum=0.5)\n"
        "for _ in range(2):\n    o.apply_gradients([(ops.array(1.0), v)])\nv",
        -2.5,
    ),
    "first step of adam is the rate": (
        "v = keras.Variable([1.0, 1.0])\n"
        "keras.optimizers.Adam(0.1).apply_gradients([(ops.array([3.0, -5.0]), v)])\nv",
        [0.9, 1.1],
    ),
    "clip by value": (
        "v = keras.Variable(0.0)\n"
        "keras.optimizers.SGD(1.0, clipvalue=0.5).apply_gradients([(ops.array(9.0), v)])\nv",
        -0.5,
    ),
    "clip by norm": (
        "v = keras.Variable([0.0, 0.0])\n"
        "keras.optimizers.SGD(1.0, clipnorm=1.0).apply_gradients([(ops.array([3.0, 4.0]), v)])\nv",
        [-0.6, -0.8],
    ),
    "weight decay": (
        "v = keras.Variable(1.0)\n"
        "keras.optimizers.SGD(0.1, weight_decay=0.5).apply_gradients([(ops.array(0.0), v)])\nv",
        0.95,
    ),
    "iterations": (
        "v, o = keras.Variable(0.0), keras.optimizers.SGD()\nbefore = int(o.iterations)\n"
        "o.apply_gradients([(ops.array(1.0), v)])\nbefore, int(o.iterations)",
        [0, 1],
    ),
    "build and variables": (
        "v, o = keras.Variable(0.0), keras.optimizers.Adam()\no.build([v])\nlen(o.variables)",
        4,
    ),
    "config": ("keras.optimizers.Adam(0.5, beta_1=0.8).get_config()['beta_1']", 0.8),
    "from config": (
        "o = keras.optimizers.SGD(0.5, momentum=0.9)\n"
        "keras.optimizers.SGD.from_config(o.get_config()).momentum",
        0.9,
    ),
    "serialize": (
        "f"
        "l"
        "o"
        "a"
        "t"
        "("
        "k"
        "e"
        "r"
        "a"
        "s"
        "."
        "o"
        "p"
        "t"
        "i"
        "m"
        "i"
        "z"
        "ers.deserialize(keras.optimizers.serialize(keras.optimizers.Adam(0.25))).learning_rate)",
        0.25,
    ),
    "schedule": (
        "s = keras.optimizers.schedules.ExponentialDecay(0.1, decay_steps=10, decay_rate=0.5)\n"
        "s(0), s(10), s(20)",
        [0.1, 0.05, 0.025],
    ),
    "schedule in an optimizer": (
        "s = keras.optimizers.schedules.PiecewiseConstantDecay([1], [0.5, 0.1])\n"
        "v, o = keras.Variable(0.0), keras.optimizers.SGD(s)\n"
        "for _ in range(3):\n    o.apply_gradients([(ops.array(1.0), v)])\n"
        "v, float(o.learning_rate)",
        [-1.1, 0.1],
    ),
    "cosine": ("keras.optimizers.schedules.CosineDecay(1.0, 10)(5)", 0.5),
    "cosine with warm-up": (
        "s = keras.optimizers.schedules.CosineDecay(0.0, 10, warmup_target=1.0, "
        "warmup_steps=2)\n"
        "s(1), s(2)",
        [0.5, 1],
    ),
    "custom schedule": (
        "class Half(keras.optimizers.schedules.LearningRateSchedule):\n"
        "    def __call__(self, step):\n        return 0.5\n"
        "float(keras.optimizers.SGD(Half()).learning_rate)",
        0.5,
    ),
    "set the rate where a schedule is": (
        "o = keras.optimizers.SGD(keras.optimizers.schedules.CosineDecay(1.0, 10))\n"
        "o.learning_rate.assign(1.0)",
        Raises(AttributeError),
    ),
    "moving average": (
        "v, o = keras.Variable(1.0), keras.optimizers.SGD(1.0, use_ema=True, ema_momentum=0.5)\n"
        "for _ in range(2):\n    o.apply_gradients([(ops.array(1.0), v)])\n"
        "o.finalize_variable_values([v])\nv",
        -0.5,
    ),
    "accumulate": (
        "v, o = keras.Variable(0.0), keras.optimizers.SGD(1.0, gradient_accumulation_steps=2)\n"
        "seen = []\nfor g in (1.0, 3.0):\n    o.apply_gradients([(ops.array(g), v)])\n"
        "    seen.append(float(v.numpy()))\nseen",
        [0, -2],
    ),
    "stateless": (
        "v, o = keras.Variable(1.0), keras.optimizers.SGD(0.5)\no.build([v])\n"
        "new, _ = o.stateless_apply([x.value for x in o.variables], [ops.array(1.0)], "
        "[v.value])\n"
        "new",
        [0.5],
    ),
    "a rate that is text": ("keras.optimizers.Adam('0.001')", Raises((ValueError, TypeError))),
    "lr is not an argument": ("keras.optimizers.Adam(lr=0.1)", Raises((ValueError, TypeError))),
}
