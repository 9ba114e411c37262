"""Meshes, layouts, layout maps and distributions, as far as one device shows them."""

import warnings

import numpy as np
import pytest

import keras_fn as keras
from keras_fn import distribution, layers, ops
from keras_fn.backend import backend
from keras_fn.distribution import DataParallel, DeviceMesh, LayoutMap, ModelParallel, TensorLayout


@pytest.fixture(autouse=True)
def no_distribution():
    yield
    distribution.set_distribution(None)


def first_device() -> str:
    return distribution.list_devices()[0]


def one_device(*names: str) -> DeviceMesh:
    return DeviceMesh((1,) * len(names), names, [first_device()])


def test_devices():
    assert distribution.get_device_count() == len(distribution.list_devices()) >= 1
    assert distribution.list_devices("cpu")[0] == "cpu:0"
    assert distribution.list_devices("tpu") == []
    with pytest.raises(TypeError, match="kind of a device"):
        distribution.list_devices(0)


def test_arguments_of_other_types():
    mesh = one_device("batch", "model")
    wrong = {
        "shape: a tuple of integers": lambda: DeviceMesh(1, ["a"], ["cpu:0"]),
        "shape=\\(1.5,\\)": lambda: DeviceMesh((1.5,), ["a"], ["cpu:0"]),
        "axis_names='a'": lambda: DeviceMesh((1,), "a", ["cpu:0"]),
        "axis_names=\\(3,\\)": lambda: DeviceMesh((1,), (3,), ["cpu:0"]),
        "axes=None": lambda: TensorLayout(None, mesh),
        "device_mesh='mesh'": lambda: TensorLayout(["batch"], "mesh"),
        "a key that is a path": lambda: LayoutMap(mesh).update({3: ("batch",)}),
        "job_addresses=5": lambda: distribution.initialize(5),
        "num_processes='2'": lambda: distribution.initialize(num_processes="2"),
    }
    for message, call in wrong.items():
        with pytest.raises(TypeError, match=message):
            call()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (((), (), ["cpu:0"]), "one axis or more"),
        (((1,), ("a", "b"), ["cpu:0"]), "as many different axis_names"),
        (((1, 1), ("a", "a"), ["cpu:0"]), "as many different axis_names"),
        (((2,), ("a",), ["cpu:0"]), "a shape of 1 devices"),
        (((2,), ("a",), ["cpu:0", "cpu:0"]), "each device once"),
    ],
)
def test_a_mesh_that_is_none(arguments, message):
    with pytest.raises(ValueError, match=message):
        DeviceMesh(*arguments)


def test_a_mesh():
    mesh = DeviceMesh([2, 3], ["a", "b"], [f"cpu:{i}" for i in range(6)])
    assert (mesh.shape, mesh.axis_names) == ((2, 3), ("a", "b"))
    assert mesh.devices[1].tolist() == ["cpu:3", "cpu:4", "cpu:5"]
    assert [mesh.axis_size(a) for a in (None, "a", "b", ("a", "b"))] == [1, 2, 3, 6]
    assert repr(mesh) == "<DeviceMesh shape=(2, 3), axis_names=('a', 'b')>"


def test_a_layout():
    mesh = one_device("batch", "model")
    layout = TensorLayout((None, "model"))
    layout.device_mesh = mesh
    assert layout.axes == (None, "model") and layout.device_mesh is mesh
    with pytest.raises(ValueError, match="set once"):
        layout.device_mesh = mesh
    with pytest.raises(ValueError, match="names among 'batch', 'model'"):
        TensorLayout(["row"], mesh)
    with pytest.raises(ValueError, match="each once"):
        TensorLayout(["batch", "batch"])
    with pytest.raises(TypeError, match="axes: a tuple"):
        TensorLayout("batch")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="with a device mesh"):
        TensorLayout(["batch"]).backend_layout  # noqa: B018


def test_a_layout_map_looks_up_paths():
    layout_map = LayoutMap(one_device("batch", "model"))
    layout_map[".*dense.*kernel"] = (None, "model")
    layout_map[".*dense.*bias"] = ["model"]
    layout_map["conv/kernel"] = TensorLayout((None, None, None, "model"))
    assert layout_map["model/dense_1/kernel"].axes == (None, "model")
    assert layout_map["dense/bias"].axes == ("model",)
    assert layout_map["conv/kernel"].device_mesh is layout_map.device_mesh
    assert layout_map["model/conv/kernel"] is None and layout_map["dense/kernel/moment"] is None
    assert len(layout_map) == 3 and next(iter(layout_map)) == ".*dense.*kernel"
    layout_map[".*ense/kernel"] = (None, None)
    with pytest.raises(ValueError, match="one key that matches"):
        layout_map["dense/kernel"]
    with pytest.raises(ValueError, match="a new key"):
        layout_map["conv/kernel"] = (None,)
    with pytest.raises(TypeError, match="a TensorLayout, or a tuple"):
        layout_map["x"] = "model"  # type: ignore[assignment]
    with pytest.raises(ValueError, match="regular expression"):
        layout_map["(x"] = (None,)
    del layout_map["conv/kernel"]
    assert layout_map["conv/kernel"] is None
    with pytest.raises(TypeError, match="device_mesh: a"):
        LayoutMap(None)  # type: ignore[arg-type]


def test_data_parallel():
    made = DataParallel(devices=[first_device()])
    assert made.batch_dim_name == "batch" and made.device_mesh.shape == (1,)
    assert (made.num_model_replicas, made.num_processes, made.data_shard_id) == (1, 1, 0)
    assert made.get_data_layout((8, 2, 3)).axes == ("batch", None, None)
    assert made.get_tensor_layout("dense/output") is None
    v = keras.Variable(np.ones((2, 3), "f4"))
    assert made.get_variable_layout(v).axes == (None, None)
    own = keras.Variable(np.ones((2, 3), "f4"), layout=TensorLayout(["batch"], made.device_mesh))
    assert made.get_variable_layout(own).axes == ("batch",)
    made.auto_shard_dataset = False
    assert not made.auto_shard_dataset and made.distribute_dataset(made) is made
    with pytest.raises(ValueError, match="device_mesh or devices"):
        DataParallel(made.device_mesh, [first_device()])
    with pytest.raises(TypeError, match="device_mesh: a"):
        DataParallel("cpu")  # type: ignore[arg-type]
    with pytest.warns(UserWarning, match="the axis 'batch' of the mesh only"):
        DataParallel(one_device("batch", "model"))


def test_model_parallel():
    layout_map = LayoutMap(one_device("batch", "model"))
    layout_map["dense/kernel"] = (None, "model")
    layout_map["dense/output"] = ("batch", "model")
    made = ModelParallel(layout_map=layout_map)
    assert made.batch_dim_name == "batch" and made.num_model_replicas == 1
    assert ModelParallel(layout_map=layout_map, batch_dim_name="model").batch_dim_name == "model"
    assert made.get_tensor_layout("dense/output").axes == ("batch", "model")
    for arguments, kind, message in (
        ({}, TypeError, "layout_map: a"),
        ({"layout_map": layout_map, "batch_dim_name": "data"}, ValueError, "'batch' or 'model'"),
        ({"layout_map": layout_map, "mesh": 1}, TypeError, "mesh="),
        ({"layout_map": layout_map, "device_mesh": one_device("a")}, ValueError, "mesh of the"),
        ({"layout_map": "auto"}, TypeError, "device_mesh: a"),
        ({"layout_map": "auto", "device_mesh": one_device("a")}, ValueError, "an axis for weights"),
    ):
        with pytest.raises(kind, match=message):
            ModelParallel(**arguments)  # type: ignore[arg-type]


def test_the_longest_axis_that_divides_is_sharded():
    class Mesh(DeviceMesh):
        def check_supported(self):
            return True

    mesh = Mesh((2, 4), ("batch", "model"), [f"cpu:{i}" for i in range(8)])
    made = ModelParallel(layout_map=LayoutMap(mesh), shard_weights=True)
    for axes, shape, name, expected in (
        ((), (64, 32), "model", ["model", None]),
        ((), (63, 32), "model", [None, "model"]),
        ((), (63, 33), "model", [None, None]),
        ((), (16, 16), "model", [None, None]),  # small
        ((None, "model"), (64, 128), "batch", ["batch", "model"]),
        (("model",), (64, 128), "model", ["model", None]),
        ((), (64, 128), ("batch", "model"), [None, ("batch", "model")]),
        ((), (), "model", []),
    ):
        assert list(made.shard_longest_axis(axes, shape, name)) == expected


def test_the_distribution_in_force():
    first, second = (DataParallel(devices=[first_device()]) for _ in range(2))
    distribution.set_distribution(first)
    with second.scope() as inner:
        assert distribution.distribution() is inner is second
    assert distribution.distribution() is first
    with pytest.raises(TypeError, match="a DataParallel"):
        distribution.set_distribution("all")  # type: ignore[arg-type]
    distribution.set_distribution(None)
    assert distribution.distribution() is None


def test_a_layout_without_a_mesh_is_refused():
    with pytest.raises(ValueError, match="with a device mesh"):
        keras.Variable(np.zeros((2,)), layout=("model",))
    assert keras.Variable(np.zeros((2,)), layout=()).layout is None


def test_training_on_one_device_is_training_without_a_distribution():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(12, 4)).astype("f4"), rng.normal(size=(12, 2)).astype("f4")

    def train() -> list[np.ndarray]:
        keras.utils.set_random_seed(3)
        model = keras.Sequential([keras.Input((4,)), layers.Dense(3), layers.Dense(2)])
        model.compile("adam", "mse")
        model.fit(x, y, 5, epochs=2, verbose=0)
        return [*model.get_weights(), model.predict(x, verbose=0)]

    expected = train()
    with DataParallel(devices=[first_device()], shard_weights=True).scope():
        found = train()
    for a, b in zip(expected, found, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-6, atol=1e-7)


def test_distribute_tensor_on_one_device():
    layout = TensorLayout(["batch"], one_device("batch"))
    x = distribution.distribute_tensor(np.ones((3, 2), "f4"), layout)
    assert ops.convert_to_numpy(x).tolist() == np.ones((3, 2)).tolist()
    symbolic = keras.KerasTensor((3, 2))
    assert distribution.distribute_tensor(symbolic, layout) is symbolic
    with pytest.raises(TypeError, match="layout: a"):
        distribution.distribute_tensor(x, ("batch",))  # type: ignore[arg-type]


def test_an_unknown_kind_of_device_is_an_error():
    with pytest.raises(ValueError, match=r"device_type(.|\n)*banana"):
        distribution.list_devices("banana")


@pytest.mark.skipif(backend() == "jax", reason="JAX has several devices")
def test_several_devices_are_refused_in_words():
    with pytest.raises(
        NotImplementedError,
        match=r"the number of processes is 1|several processes, work with the backend",
    ):
        DataParallel(devices=["cpu:0", "cpu:1"])


def test_initialize_alone_does_nothing():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        distribution.initialize()
    with pytest.raises(TypeError, match="timeout: a positive"):
        distribution.initialize(timeout=0)
    with pytest.raises(ValueError, match="process_id from 0 to 1"):
        distribution.initialize("127.0.0.1:1", 2, 2)
