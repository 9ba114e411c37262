"""Tests that need 8 devices of JAX: `test_virtual_devices.py` runs them."""

import copy
import pickle
import re

import jax
import numpy as np
import pytest

import keras_fn as keras
from keras_fn import distribution, initializers, layers, ops
from keras_fn.distribution import DataParallel, DeviceMesh, LayoutMap, ModelParallel, TensorLayout


@pytest.fixture(autouse=True)
def no_distribution():
    yield
    distribution.set_distribution(None)


def mesh() -> DeviceMesh:
    return DeviceMesh((2, 4), ("batch", "model"))


def two_layers(units: int = 64) -> keras.Model:
    x = inputs = keras.Input((24,))
    x = layers.Dense(units, activation="relu", name="first")(x)
    return keras.Model(inputs, layers.Dense(8, name="second")(x))


def bytes_of_device(variables) -> int:
    first = jax.devices()[0]
    shards = [s for v in variables for s in v.value.addressable_shards if s.device == first]
    return sum(s.data.nbytes for s in shards)


def data(count: int = 40) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(1)
    return rng.normal(size=(count, 24)).astype("f4"), rng.normal(size=(count, 8)).astype("f4")


def test_there_are_8_devices():
    assert distribution.list_devices() == [f"cpu:{i}" for i in range(8)]
    assert distribution.get_device_count("cpu") == 8
    assert DataParallel().num_model_replicas == 8


@pytest.mark.parametrize("axes", [("batch", None), (None, "model"), (("batch", "model"), None)])
@pytest.mark.parametrize(
    "name", ["glorot_uniform", "he_normal", "random_normal", "random_uniform", "ones", "zeros",
             "orthogonal", "identity", "truncated_normal"]
)  # fmt: skip
def test_values_are_drawn_in_parts_as_they_are_as_a_whole(name, axes):
    keras.utils.set_random_seed(4)
    whole = keras.Variable(name, shape=(16, 16)).numpy()
    keras.utils.set_random_seed(4)
    v = keras.Variable(name, shape=(16, 16), layout=TensorLayout(axes, mesh()))
    assert v.value.sharding.shard_shape(v.shape) == (
        16 // mesh().axis_size(axes[0]), 16 // mesh().axis_size(axes[1])
    )  # fmt: skip
    np.testing.assert_array_equal(v.numpy(), whole)


def test_each_element_is_drawn_once_for_rows(monkeypatch):
    drawn = []
    draw = initializers.GlorotUniform._values

    def note(self, shape, dtype, key, start=0, stop=None):
        values = draw(self, shape, dtype, key, start, stop)
        drawn.append(values.size)
        return values

    monkeypatch.setattr(initializers.VarianceScaling, "_values", note)
    with DataParallel(shard_weights=True).scope():
        keras.Variable("glorot_uniform", shape=(64, 32)).numpy()
    assert drawn == [256] * 8


def test_half_precision_is_drawn_in_parts():
    layout = TensorLayout(["model"], mesh())
    a = keras.Variable(initializers.RandomUniform(0, 1, seed=3), (64, 4), "bfloat16", layout=layout)
    b = keras.Variable(initializers.RandomUniform(0, 1, seed=3), (64, 4), "bfloat16")
    np.testing.assert_array_equal(a.numpy().astype("f4"), b.numpy().astype("f4"))


def test_custom_initializers_run_once():
    calls = []

    def random(shape, dtype=None):
        calls.append(shape)
        return np.random.default_rng(0).normal(size=shape).astype(dtype)

    v = keras.Variable(random, shape=(8, 4), layout=TensorLayout(["batch"], mesh()))
    assert v.numpy().shape == (8, 4) and calls == [(8, 4)]


def test_an_assignment_keeps_the_layout():
    layout = TensorLayout((None, "model"), mesh())
    v = keras.Variable(np.zeros((4, 8), "f4"), layout=layout)
    values = np.arange(32, dtype="f4").reshape(4, 8)
    v.assign(values)
    assert v.value.sharding == layout.backend_layout
    values[:] = 0  # it shares no memory
    assert v.numpy()[3, 7] == 31
    v.assign_add(np.ones((4, 8), "f4"))
    v.accumulate(ops.ones((4, 8)))
    assert v.value.sharding == layout.backend_layout and v.numpy()[3, 7] == 33
    other = v.value
    v.assign(other)
    assert v.value is not other


def test_slots_are_laid_out_as_their_weights_and_stay_so():
    layout_map = LayoutMap(mesh())
    layout_map["first/kernel"] = (None, "model")
    x, y = data()
    with ModelParallel(layout_map=layout_map).scope():
        model = two_layers()
        model.compile("adam", "mse")
        model.fit(x, y, 16, epochs=2, verbose=0)
    expected = layout_map["first/kernel"].backend_layout
    variables = [*model.variables, *model.optimizer.variables]
    found = [v for v in variables if "first" in v.path and "kernel" in v.path]
    assert len(found) == 3 and all(v.value.sharding == expected for v in found)
    others = [v for v in variables if not any(v is f for f in found)]
    assert all(v.value.sharding.is_fully_replicated for v in others)


def test_state_of_a_device_is_one_part_of_8():
    with DataParallel(shard_weights=True).scope():
        model = two_layers(512)
        model.compile("adam", "mse")
        model.optimizer.build(model.trainable_variables)
    variables = [*model.variables, *model.optimizer.variables]
    whole = sum(v.value.nbytes for v in variables)
    assert bytes_of_device(variables) <= 1.02 / 8 * whole
    lines = []
    distribution.summary(model, lines.append)
    assert f"{bytes_of_device(variables):,} bytes a device of {whole:,}" in lines[0]
    assert re.search(r"first/kernel +\(24, 512\) +\(-, batch\) +gathered", lines[0])
    assert re.search(r"optimizer/iterations|iteration.* whole", lines[0])


def test_a_step_is_computed_in_parts():
    x, y = data(64)

    def program() -> str:
        model = two_layers(256)
        model.compile("sgd", "mse")
        model.fit(x, y, 64, verbose=0)
        state, step = model._state("train"), model._make_step("train")

        def run(values, x, y):
            with keras.StatelessScope(zip(state, values, strict=True)) as scope:
                step(([x], [y], None), None)
            return [scope.get_current_value(v) for v in state]

        values = [v.value for v in state]
        return jax.jit(run).lower(values, x, y).compile().as_text()

    assert "f32[64,256]" in program()
    with DataParallel().scope():
        in_parts = program()
    assert "f32[8,256]" in in_parts and "f32[64,256]" not in in_parts


def test_weights_and_files_keep_the_layout(tmp_path):
    x, y = data()
    with DataParallel(shard_weights=True).scope():
        model = two_layers()
        model.compile("adam", "mse")
        model.fit(x, y, 16, verbose=0)
        weights = model.get_weights()
        model.set_weights([w + 1 for w in weights])
        model.save(tmp_path / "model.keras")
        loaded = keras.saving.load_model(tmp_path / "model.keras")
        model.load_weights(tmp_path / "model.keras")
    for v, other, w in zip(model.variables, loaded.variables, weights, strict=True):
        assert v.layout.axes == other.layout.axes
        assert v.value.sharding == other.value.sharding == v.layout.backend_layout
        np.testing.assert_array_equal(other.numpy(), w + 1)
    alone = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(alone.predict(x, verbose=0).shape, (40, 8))
    assert all(v.layout is None for v in alone.variables)


def test_a_model_of_before_is_laid_out_when_it_is_trained():
    x, y = data()
    keras.utils.set_random_seed(2)
    model = two_layers()
    model.compile("adam", "mse")
    with DataParallel(shard_weights=True).scope():
        model.fit(x, y, 16, verbose=0, shuffle=False)
        assert bytes_of_device(model.variables) < sum(v.value.nbytes for v in model.variables) / 4
    keras.utils.set_random_seed(2)
    other = two_layers()
    other.compile("adam", "mse")
    other.fit(x, y, 16, verbose=0, shuffle=False)
    for v, w in zip(model.variables, other.variables, strict=True):
        np.testing.assert_allclose(v.numpy(), w.numpy(), atol=1e-5)


def test_one_model_under_several_distributions():
    x, y = data()
    model = two_layers()
    model.compile("sgd", "mse")
    expected = model.predict(x, verbose=0)
    for made in (DataParallel(), None, DataParallel(shard_weights=True), None):
        distribution.set_distribution(made)
        np.testing.assert_allclose(model.predict(x, batch_size=16, verbose=0), expected, atol=1e-6)
        model.evaluate(x, y, verbose=0)


def test_the_layouts_are_those_of_the_distribution_in_force():
    x, y = data()
    on_mesh, sharded = mesh(), (None, "model")
    model = two_layers()
    model.compile("adafactor", "mse")
    model.train_on_batch(x, y)
    kernel = model.layers[1].kernel
    velocity = next(v for v in model.optimizer.variables if v.name == "first_kernel_velocity")
    own = keras.Variable(np.zeros((8, 8), "f4"), layout=TensorLayout(("batch",), on_mesh))
    for key, axes in ((".*kernel.*", sharded), ("first/kernel", ("batch", None))):
        layout_map = LayoutMap(on_mesh)
        layout_map[key] = axes
        layout_map["first/output"] = ("batch", "model")
        with ModelParallel(layout_map=layout_map).scope():
            model.train_on_batch(x, y)
            assert kernel.layout.axes == velocity.layout.axes == axes
            assert kernel.value.sharding == velocity.value.sharding == kernel.layout.backend_layout
            assert model.layers[1](x).sharding == layout_map["first/output"].backend_layout
            distribution.distribution().adopt([own])
            assert own.layout.axes == copy.deepcopy(own).layout.axes == ("batch",)
    with DataParallel(devices=distribution.list_devices()[:4]).scope():
        model.train_on_batch(x, y)
        assert len(model.layers[1](x).sharding.device_set) == 4
    other = pickle.loads(pickle.dumps(model))
    np.testing.assert_allclose(other(x), model(x), atol=1e-6)


def test_slots_of_a_model_of_before_are_laid_out_as_their_weights():
    model = two_layers()
    model.compile("adam", "mse")
    with DataParallel(shard_weights=True).scope():
        model.optimizer.build(model.trainable_variables)
    slots = [v for v in model.optimizer.variables if v.name.startswith("first_kernel")]
    assert [v.layout.axes for v in slots] == [(None, "batch")] * 2


def test_copies_and_pickles():
    with DataParallel(shard_weights=True).scope():
        v = keras.Variable("glorot_uniform", shape=(64, 32))
        for other in (copy.deepcopy(v), pickle.loads(pickle.dumps(v))):
            assert other.value.sharding == v.value.sharding
            np.testing.assert_array_equal(other.numpy(), v.numpy())
    alone = pickle.loads(pickle.dumps(v))
    assert alone.layout is None and len(alone.value.sharding.device_set) == 1
    assert pickle.loads(pickle.dumps(mesh())).backend_mesh == mesh().backend_mesh


def test_a_rule_that_fits_no_variable_is_an_error():
    layout_map = LayoutMap(mesh())
    layout_map["frist/kernel"] = (None, "model")
    x, y = data()
    with ModelParallel(layout_map=layout_map).scope():
        model = two_layers()
        model.compile("sgd", "mse")
        with pytest.raises(ValueError, match="no variable for 'frist/kernel'"):
            model.fit(x, y, verbose=0)


def test_a_size_that_does_not_divide_is_an_error_when_the_model_is_built():
    layout_map = LayoutMap(mesh())
    layout_map[".*kernel"] = (None, "model")
    with (
        ModelParallel(layout_map=layout_map).scope(),
        pytest.raises(ValueError, match=r"axis 1 that divides by 4(.|\n)*\(24, 6\)"),
    ):
        two_layers(6)
    layout_map = LayoutMap(mesh())
    layout_map[".*"] = (None, "model")
    with (
        ModelParallel(layout_map=layout_map).scope(),
        pytest.raises(ValueError, match="a layout of 1 axes"),
    ):
        two_layers()


def test_the_automatic_layout_map():
    with ModelParallel(layout_map="auto", device_mesh=mesh()).scope():
        model = two_layers()
    axes = {v.path: v.layout.axes for v in model.variables}
    assert axes["first/kernel"] == (None, "model") and axes["second/kernel"] == ("model", None)
    assert axes["first/bias"] == (None,)


def test_distribute_tensor():
    layout = TensorLayout(("batch", "model"), mesh())
    x = distribution.distribute_tensor(np.ones((4, 8)), layout)
    assert x.sharding.shard_shape(x.shape) == (2, 2)
    with pytest.raises(ValueError, match="axis 1 that divides by 4"):
        distribution.distribute_tensor(np.ones((4, 6)), layout)
    y = jax.jit(lambda x: distribution.distribute_tensor(x * 2, layout))(np.ones((4, 8)))
    assert y.sharding == layout.backend_layout


@pytest.mark.parametrize("kind", ["stream", "eager", "single batches"])
def test_other_kinds_of_data(kind):
    x, y = data(36)

    def train():
        keras.utils.set_random_seed(2)
        model = two_layers()
        model.compile("sgd", "mse", run_eagerly=kind == "eager")
        if kind == "stream":
            model.fit(((x[i : i + 16], y[i : i + 16]) for i in (0, 16, 32)), verbose=0)
        elif kind == "eager":
            model.fit(x[:16], y[:16], verbose=0)
        else:
            for i in (0, 16, 32):
                model.train_on_batch(x[i : i + 16], y[i : i + 16])
        return model.get_weights()

    expected = train()
    with DataParallel(shard_weights=True).scope():
        found = train()
    for a, b in zip(expected, found, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-6)


def test_unknown_devices():
    with pytest.raises(ValueError, match="cpu:9"):
        DeviceMesh((1,), ["batch"], ["cpu:9"]).backend_mesh  # noqa: B018
