"""compile, fit, evaluate, predict, and custom loops."""

from habits import Raises

SETUP = '''
x = np.linspace(-1, 1, 8, dtype="float32")[:, None]
y = 2 * x
labels = (x[:, 0] > 0).astype("int32")


def line(**options):
    """A model of one weight, 1 in the beginning, that learns to double."""
    m = keras.Sequential([
        keras.Input((1,)), layers.Dense(1, kernel_initializer="ones", use_bias=False),
    ])
    m.compile(**{"optimizer": "sgd", "loss": "mse", **options})
    return m


def classes(count=2, **options):
    """A model that gives each class the same probability."""
    m = keras.Sequential([
        keras.Input((1,)), layers.Dense(count, "softmax", kernel_initializer="zeros"),
    ])
    m.compile(**{"loss": "sparse_categorical_crossentropy", "metrics": ["accuracy"], **options})
    return m


fitted = line(metrics=["mae"])
history = fitted.fit(x, y, batch_size=2, epochs=3, validation_data=(x, y), verbose=0)
still = line(metrics=["mae"])
two = classes()
mean_square = float(np.mean(x ** 2))
'''

HABITS = {
    # ----------------------------------------------------------------- what fit returns
    "keys of the history": ("list(history.history)", ["loss", "mae", "val_loss", "val_mae"]),
    "one number for each epoch": ("len(history.history['loss']), history.epoch", [3, [0, 1, 2]]),
    "floats in the history": ("type(history.history['loss'][0]).__name__", "float"),
    "the loss falls": ("h = history.history['loss']\nh[-1] < h[0]", True),
    "history of the model": ("fitted.history is history", True),
    "parameters of the run": ("history.params['epochs'], history.params['steps']", [3, 4]),
    "iterations": ("int(fitted.optimizer.iterations)", 12),
    "compare iterations": ("bool(fitted.optimizer.iterations == 12)", True),
    "learned": ("float(fitted.get_weights()[0][0, 0]) > 1", True),
    # ----------------------------------------------------------------- evaluate
    "loss and metrics": (
        "loss, mae = still.evaluate(x, y, verbose=0)\nloss / mean_square, mae / np.mean(abs(x))",
        [1, 1],
    ),
    "results as a dict": (
        "list(still.evaluate(x, y, verbose=0, return_dict=True))",
        ["loss", "mae"],
    ),
    "loss alone is a float": ("type(line().evaluate(x, y, verbose=0)).__name__", "float"),
    "metrics_names": ("still.evaluate(x, y, verbose=0)\nstill.metrics_names", ["loss", "mae"]),
    "accuracy of labels": ("float(two.evaluate(x, labels, verbose=0)[1])", 0.5),
    "labels as a column": ("float(two.evaluate(x, labels[:, None], verbose=0)[1])", 0.5),
    "loss of equal probabilities": ("two.evaluate(x, labels, verbose=0)[0]", 0.6931472),
    # ----------------------------------------------------------------- predict
    "predictions": ("still.predict(x, verbose=0).tolist() == x.tolist()", True),
    "predictions are NumPy arrays": ("type(still.predict(x, verbose=0)).__name__", "ndarray"),
    "predictions can be written": (
        "p = still.predict(x, verbose=0)\np[p < 0.5] = 0\nfloat(p.min())",
        0.0,
    ),
    "classes of predictions": ("np.argmax(two.predict(x, verbose=0), axis=1)", [0] * 8),
    "a threshold": ("(still.predict(x, verbose=0) > 0.5).astype(int).sum()", 2),
    "predict one": ("still.predict(x[:1], verbose=0)[0][0]", -1),
    "predict with a batch size": ("still.predict(x, batch_size=3, verbose=0).shape", [8, 1]),
    "predict a batch": ("still.predict_on_batch(x[:2]).shape", [2, 1]),
    "call and predict agree": (
        "np.abs(ops.convert_to_numpy(still(x)) - still.predict(x, verbose=0)).max()",
        0,
    ),
    "predict of a generator": (
        "still.predict((x[i : i + 4] for i in (0, 4)), verbose=0).shape",
        [8, 1],
    ),
    # ----------------------------------------------------------------- single batches
    "train on a batch": ("m = line()\nfloat(m.train_on_batch(x, y)) / mean_square", 1),
    "train on a batch, as a dict": (
        "list(line().train_on_batch(x, y, return_dict=True))",
        ["loss"],
    ),
    "test on a batch": ("still.test_on_batch(x, y)[0] / mean_square", 1),
    # ----------------------------------------------------------------- forms of data
    "a generator of batches": (
        "def batches():\n    while True:\n        yield x[:4], y[:4]\n"
        "line().fit(batches(), steps_per_epoch=2, epochs=1, verbose=0).epoch",
        [0],
    ),
    "a PyDataset": (
        "class Data(keras.utils.PyDataset):\n"
        "    def __len__(self):\n        return 2\n"
        "    def __getitem__(self, i):\n        return x[i * 4 : i * 4 + 4], y[i * 4 : i * 4 + 4]\n"
        "still.evaluate(Data(), verbose=0)[0] / mean_square",
        1,
    ),
    "loop over a PyDataset": (
        "class Data(keras.utils.PyDataset):\n"
        "    def __len__(self):\n        return 2\n"
        "    def __getitem__(self, i):\n        return i\n"
        "[Data()[i] for i in range(len(Data()))]",
        [0, 1],
    ),
    "a validation split": (
        "list(line().fit(x, y, validation_split=0.25, verbose=0).history)",
        ["loss", "val_loss"],
    ),
    "validation_data as a list": (
        "list(line().fit(x, y, validation_data=[x, y], verbose=0).history)",
        ["loss", "val_loss"],
    ),
    "sample weights": (
        "w = np.array([1.0] + [0.0] * 7)\nstill.evaluate(x, y, sample_weight=w, verbose=0)[0]",
        1 / 8,
    ),
    "class weights": (
        "classes().fit(x, labels, class_weight={0: 1.0, 1: 3.0}, verbose=0).history['loss'][0] > 1",
        True,
    ),
    "x and y of different lengths": ("still.fit(x, y[:3], verbose=0)", Raises(ValueError)),
    "fit before compile": (
        "keras.Sequential([layers.Dense(1)]).fit(x, y)",
        Raises((ValueError, RuntimeError), "compile"),
    ),
    "fit again goes on": (
        "m = line()\nfor _ in range(2):\n    m.fit(x, y, verbose=0)\nint(m.optimizer.iterations)",
        2,
    ),
    "initial_epoch": ("still.fit(x, y, epochs=2, initial_epoch=2, verbose=0).epoch", []),
    # ----------------------------------------------------------------- compile
    "optimizer by name": ("type(still.optimizer).__name__", "SGD"),
    "loss as written": ("still.loss", "mse"),
    "adam with a rate": (
        "m = line(optimizer=keras.optimizers.Adam(1e-3))\nfloat(m.optimizer.learning_rate)",
        0.001,
    ),
    "positional arguments": (
        "m = keras.Sequential([layers.Dense(1)])\nm.compile('adam', 'mse', ['mae'])\n"
        "type(m.optimizer).__name__",
        "Adam",
    ),
    "a function as a loss": (
        "m = line(loss=lambda t, p: ops.mean(ops.abs(t - p), axis=-1))\n"
        "m.evaluate(x, y, verbose=0) / np.mean(abs(x))",
        1,
    ),
    "a function as a metric": (
        "def half(t, p):\n    return ops.mean(p) * 0 + 0.5\n"
        "line(metrics=[half]).evaluate(x, y, verbose=0, return_dict=True)['half']",
        0.5,
    ),
    "metric objects and names": (
        "m = line(metrics=['mae', keras.metrics.RootMeanSquaredError()])\n"
        "list(m.evaluate(x, y, verbose=0, return_dict=True))",
        ["loss", "mae", "root_mean_squared_error"],
    ),
    "a metric alone": (
        "list(line(metrics='mae').evaluate(x, y, verbose=0, return_dict=True))",
        ["loss", "mae"],
    ),
    "a misspelt loss": ("line(loss='msee').fit(x, y, verbose=0)", Raises(ValueError)),
    "a misspelt optimizer": ("line(optimizer='adaam')", Raises(ValueError)),
    "losses of two outputs": (
        "i = keras.Input((1,))\nm = keras.Model(i, {'a': i + 0.0, 'b': i * 2.0})\n"
        "m.compile(loss={'a': 'mse', 'b': 'mae'}, loss_weights={'a': 1.0, 'b': 0.0})\n"
        "m.evaluate(x, {'a': y, 'b': y}, verbose=0, return_dict=True)['loss'] / mean_square",
        1,
    ),
    "run eagerly": ("m = line(run_eagerly=True)\nm.fit(x, y, verbose=0)\nm.run_eagerly", True),
    "a frozen model learns nothing": (
        "m = line()\nm.trainable = False\nm.compile(loss='mse')\nm.evaluate(x, y, verbose=0)\n"
        "len(m.trainable_variables)",
        0,
    ),
    # ----------------------------------------------------------------- subclasses
    "custom compute_loss": (
        "class M(keras.Model):\n"
        "    def call(self, x):\n        return x\n"
        "    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None):\n"
        "        return ops.sum(y_pred) * 0 + 7.0\n"
        "m = M()\nm.compile()\nfloat(m.test_on_batch(x, y))",
        7.0,
    ),
    "custom test_step": (
        "class M(keras.Model):\n"
        "    def call(self, x):\n        return x\n"
        "    def test_step(self, data):\n        x, y = data\n"
        "        return {'seen': ops.sum(ops.ones_like(x))}\n"
        "m = M()\nm.compile(run_eagerly=True)\n"
        "m.evaluate(x, y, verbose=0, return_dict=True)['seen']",
        8,
    ),
    "metrics in an custom model": (
        "class M(keras.Model):\n"
        "    def __init__(self):\n        super().__init__()\n"
        "        self.tracker = keras.metrics.Mean(name='loss')\n"
        "    def call(self, x):\n        return x\n"
        "    @property\n    def metrics(self):\n        return [self.tracker]\n"
        "[m.name for m in M().metrics]",
        ["loss"],
    ),
}
