"""Callbacks."""

SETUP = '''
x = np.linspace(-1, 1, 4, dtype="float32")[:, None]
y = 2 * x
m = keras.Sequential([
    keras.Input((1,)), layers.Dense(1, kernel_initializer="ones", use_bias=False),
])
m.compile(optimizer="sgd", loss="mse", metrics=["mae"])


def fit(*callbacks, **options):
    """Fits the shared model, from weight 1, at rate 0.01."""
    m.set_weights([np.ones((1, 1))])
    m.optimizer.learning_rate = 0.01
    return m.fit(x, y, **{"verbose": 0, "batch_size": 2, "callbacks": list(callbacks), **options})
'''

HABITS = {
    "custom callback": (
        "class Note(keras.callbacks.Callback):\n"
        "    def __init__(self):\n        super().__init__()\n        self.seen = []\n"
        "    def on_epoch_end(self, epoch, logs=None):\n"
        "        self.seen.append((epoch, sorted(logs)))\n"
        "n = Note()\nfit(n, epochs=2)\nn.seen",
        [[0, ["loss", "mae"]], [1, ["loss", "mae"]]],
    ),
    "order of the calls": (
        "calls = []\nnames = ['on_train_begin', 'on_epoch_begin', 'on_train_batch_begin', "
        "'on_train_batch_end', 'on_epoch_end', 'on_train_end']\n"
        "Note = type('Note', (keras.callbacks.Callback,), "
        "{n: lambda self, *a, n=n, **k: calls.append(n) for n in names})\n"
        "fit(Note(), batch_size=4)\ncalls",
        [
            "on_train_begin",
            "on_epoch_begin",
            "on_train_batch_begin",
            "on_train_batch_end",
            "on_epoch_end",
            "on_train_end",
        ],
    ),
    "the model of a callback": (
        "seen = []\n"
        "c = keras.callbacks.LambdaCallback(on_epoch_end=lambda e, logs: seen.append(e))\n"
        "fit(c, epochs=2)\nseen, c.model is m",
        [[0, 1], True],
    ),
    "logs hold floats": (
        "seen = []\n"
        "fit(keras.callbacks.LambdaCallback(on_epoch_end=lambda e, logs: "
        "seen.append(logs['loss'])))\n"
        "isinstance(seen[0], float)",
        True,
    ),
    "stop training": (
        "class Stop(keras.callbacks.Callback):\n"
        "    def on_epoch_end(self, epoch, logs=None):\n"
        "        self.model.stop_training = epoch == 1\n"
        "fit(Stop(), epochs=9).epoch",
        [0, 1],
    ),
    "early stopping": (
        "fit(keras.callbacks.EarlyStopping('loss', min_delta=9.0, patience=2), epochs=9).epoch",
        [0, 1, 2],
    ),
    "early stopping of a metric's name": (
        "c = keras.callbacks.EarlyStopping(monitor='val_mae', min_delta=9.0, patience=1)\n"
        "fit(c, epochs=5, validation_data=(x, y)).epoch",
        [0, 1],
    ),
    "early stopping restores": (
        "c = keras.callbacks.EarlyStopping('loss', min_delta=9.0, patience=1, "
        "restore_best_weights=True)\n"
        "fit(c, epochs=5)\nc.best_epoch, c.stopped_epoch",
        [0, 1],
    ),
    "schedule by epoch": (
        "fit(keras.callbacks.LearningRateScheduler(lambda epoch, lr: 0.5 / (epoch + 1)), "
        "epochs=2)\n"
        "float(m.optimizer.learning_rate)",
        0.25,
    ),
    "rate in the history": (
        "fit(keras.callbacks.LearningRateScheduler(lambda epoch: 0.5)).history['learning_rate']",
        [0.5],
    ),
    "reduce on plateau": (
        "fit(keras.callbacks.ReduceLROnPlateau('loss', factor=0.5, patience=1, "
        "min_delta=9.0), epochs=3)\n"
        "float(m.optimizer.learning_rate)",
        0.0025,
    ),
    "checkpoint": (
        "import os\n"
        "fit(keras.callbacks.ModelCheckpoint('best.keras', monitor='loss', "
        "save_best_only=True))\n"
        "os.path.exists('best.keras')",
        True,
    ),
    "checkpoints with a pattern": (
        "import os\n"
        "fit(keras.callbacks.ModelCheckpoint('{epoch:02d}.weights.h5', "
        "save_weights_only=True), epochs=2)\n"
        "sorted(os.listdir('.'))",
        ["01.weights.h5", "02.weights.h5"],
    ),
    "log to a table": (
        "fit(keras.callbacks.CSVLogger('log.csv'), epochs=2)\nopen('log.csv').read().split()[0]",
        "epoch,loss,mae,val_loss,val_mae",
    ),
    "end at NaN": (
        "m.optimizer.learning_rate = 0.01\nm.set_weights([np.full((1, 1), np.nan)])\n"
        "m.fit(x, y, epochs=5, verbose=0, callbacks=[keras.callbacks.TerminateOnNaN()]).epoch",
        [0],
    ),
    "a single callback, not in a list": (
        "m.set_weights([np.ones((1, 1))])\n"
        "m.fit(x, y, verbose=0, callbacks=keras.callbacks.EarlyStopping('loss')).epoch",
        [0],
    ),
    "callbacks of evaluate and predict": (
        "seen = []\nc = keras.callbacks.LambdaCallback()\n"
        "c.on_test_batch_end = lambda b, logs=None: seen.append(b)\n"
        "c.on_predict_batch_end = lambda b, logs=None: seen.append(b)\n"
        "m.evaluate(x, y, batch_size=2, verbose=0, callbacks=[c])\n"
        "m.predict(x, verbose=0, callbacks=[c])\nseen",
        [0, 1, 0],
    ),
    "history as a callback": (
        "h = keras.callbacks.History()\nfit(h)\nlist(h.history)",
        ["loss", "mae"],
    ),
}
