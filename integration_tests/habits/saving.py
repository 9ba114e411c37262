"""Files, configs and custom objects."""

from habits import Raises

SETUP = """
x = np.ones((2, 3), "float32")
i = keras.Input((3,), name="i")
model = keras.Model(i, layers.Dense(2, name="d")(i))
model.compile("adam", "mse", metrics=["mae"])
weights = model.get_weights()


def same(other):
    return bool(np.all(ops.convert_to_numpy(other(x)) == ops.convert_to_numpy(model(x))))


@keras.saving.register_keras_serializable(package="habits")
class Scale(layers.Layer):
    def __init__(self, factor=2.0, **kwargs):
        super().__init__(**kwargs)
        self.factor = factor

    def call(self, x):
        return x * self.factor

    def get_config(self):
        return {**super().get_config(), "factor": self.factor}


def double(x):
    return 2 * x
"""

HABITS = {
    "save and load": ("model.save('m.keras')\nsame(keras.models.load_model('m.keras'))", True),
    "save by the saving namespace": (
        "keras.saving.save_model(model, 'm.keras')\nsame(keras.saving.load_model('m.keras'))",
        True,
    ),
    "save to a Path": (
        "from pathlib import Path\nmodel.save(Path('m.keras'))\nPath('m.keras').exists()",
        True,
    ),
    "save over a file": ("model.save('m.keras')\nmodel.save('m.keras', overwrite=True)", None),
    "what is compiled comes back": (
        "model.save('m.keras')\nm = keras.models.load_model('m.keras')\n"
        "m.loss, type(m.optimizer).__name__",
        ["mse", "Adam"],
    ),
    "load without compiling": (
        "model.save('m.keras')\nkeras.models.load_model('m.keras', compile=False).compiled",
        False,
    ),
    "save_weights and load_weights": (
        "model.save_weights('w.weights.h5')\nm = keras.models.clone_model(model)\n"
        "m.load_weights('w.weights.h5')\nsame(m)",
        True,
    ),
    "weights of a wrong ending": ("model.save_weights('w.txt')", Raises(ValueError, ".weights.h5")),
    "a model of a wrong ending": ("model.save('m.txt')", Raises(ValueError, ".keras")),
    "a file that is not there": (
        "keras.models.load_model('absent.keras')",
        Raises((ValueError, OSError)),
    ),
    "weights of another model": (
        "model.save_weights('w.weights.h5')\n"
        "keras.Sequential([keras.Input((3,)), layers.Dense(5)]).load_weights('w.weights.h5')",
        Raises(ValueError),
    ),
    "a registered layer": (
        "m = keras.Sequential([keras.Input((3,)), Scale(3.0)])\nm.save('m.keras')\n"
        "keras.models.load_model('m.keras')(x)[0]",
        [3, 3, 3],
    ),
    "custom objects": (
        "m = keras.Sequential([keras.Input((3,)), layers.Dense(2, activation=double)])\n"
        "m.save('m.keras')\n"
        "m = keras.models.load_model('m.keras', custom_objects={'double': double})\n"
        "m.layers[0].activation is double",
        True,
    ),
    "custom object scope": (
        "m = keras.Sequential([keras.Input((3,)), layers.Activation(double)])\nm.save('m.keras')\n"
        "with keras.utils.custom_object_scope({'double': double}):\n"
        "    m = keras.models.load_model('m.keras')\n"
        "m(x)[0]",
        [2, 2, 2],
    ),
    "registered name": ("keras.saving.get_registered_name(Scale)", "habits>Scale"),
    "registered object": ("keras.saving.get_registered_object('habits>Scale') is Scale", True),
    "serialize a layer": (
        "c = keras.saving.serialize_keras_object(layers.Dense(3))\n"
        "c['class_name'], c['config']['units']",
        ["Dense", 3],
    ),
    "deserialize a layer": (
        "k"
        "e"
        "r"
        "a"
        "s"
        "."
        "s"
        "a"
        "v"
        "i"
        "ng.deserialize_keras_object(keras.saving.serialize_keras_object(layers.Dense(3))).units",
        3,
    ),
    "json": ("import json\njson.loads(model.to_json())['class_name']", "Functional"),
    "pickle": ("import pickle\nsame(pickle.loads(pickle.dumps(model)))", True),
    "copy": ("import copy\nsame(copy.deepcopy(model))", True),
    "save a Sequential that is not built": (
        "keras.Sequential([layers.Dense(1)]).save('m.keras')\n"
        "len(keras.models.load_model('m.keras').layers)",
        1,
    ),
    "go on training": (
        "m = keras.models.clone_model(model)\nm.compile('sgd', 'mse')\n"
        "m.train_on_batch(x, x[:, :2])\n"
        "m.save('m.keras')\nint(keras.models.load_model('m.keras').optimizer.iterations)",
        1,
    ),
    "weights as arrays": (
        "np.savez('w.npz', *model.get_weights())\nm = keras.models.clone_model(model)\n"
        "f = np.load('w.npz')\nm.set_weights([f[k] for k in f.files])\nsame(m)",
        True,
    ),
    "legacy h5": ("model.save('m.h5')\nsame(keras.models.load_model('m.h5'))", True),
}
