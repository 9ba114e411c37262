"""Trainings on 8 virtual devices in real Keras and here, and what layout maps answer. JAX only."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest

PROGRAM = """
import importlib, json, sys
import numpy as np
keras = importlib.import_module(sys.argv[1])
distribution = keras.distribution
rng = np.random.default_rng(0)
count = int(sys.argv[3])
x, y = rng.normal(size=(count, 8)).astype("f4"), rng.normal(size=(count, 4)).astype("f4")
mesh = distribution.DeviceMesh((2, 4), ("batch", "model"), distribution.list_devices())
layout_map = distribution.LayoutMap(mesh)
layout_map["first/kernel"] = (None, "model")
layout_map[".*second.*"] = distribution.TensorLayout(("model",))
made = {
    "data": distribution.DataParallel(),
    "model": distribution.ModelParallel(layout_map=layout_map),
}[sys.argv[2]]
distribution.set_distribution(made)
i = keras.Input((8,))
h = keras.layers.Dense(16, activation="tanh", name="first")(i)
model = keras.Model(i, keras.layers.Dense(4, name="second")(h))
model.set_weights([rng.normal(size=v.shape).astype("f4") * 0.3 for v in model.variables])
model.compile(keras.optimizers.SGD(0.1, momentum=0.9), "mse")
history = model.fit(x, y, batch_size=16, epochs=2, shuffle=False, verbose=0)
paths = ["first/kernel", "second/kernel", "model/second/bias", "first/bias", "x/first/kernel"]
layouts = [layout_map[path] for path in paths]
print(json.dumps({
    "weights": [w.tolist() for w in model.get_weights()],
    "loss": history.history["loss"],
    "layouts": [None if layout is None else list(layout.axes) for layout in layouts],
    "facts": [
        made.num_model_replicas, made.num_processes, made.data_shard_id, made.batch_dim_name,
        list(made.get_data_layout((16, 3, 2)).axes), list(mesh.shape), list(mesh.axis_names),
        distribution.get_device_count(), distribution.list_devices("cpu"),
        [len(v.value.sharding.device_set) for v in model.variables],
    ],
}))
"""

pytestmark = pytest.mark.skipif(os.environ.get("KERAS_BACKEND") != "jax", reason="JAX only")


def run(library: str, kind: str, count: int) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-W", "ignore", "-c", PROGRAM, library, kind, str(count)],
        env={**os.environ, "XLA_FLAGS": "--xla_force_host_platform_device_count=8"},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )


@pytest.mark.parametrize("kind", ["data", "model"])
def test_even_batches(kind):
    theirs, ours = (run(library, kind, 48) for library in ("keras", "keras_fn"))
    assert theirs.returncode == 0, theirs.stderr
    assert ours.returncode == 0, ours.stderr
    expected, found = (json.loads(done.stdout.splitlines()[-1]) for done in (theirs, ours))
    assert found["facts"] == expected["facts"] and found["layouts"] == expected["layouts"]
    assert found["loss"] == pytest.approx(expected["loss"], abs=1e-5)
    for a, b in zip(found["weights"], expected["weights"], strict=True):
        np.testing.assert_allclose(a, b, atol=1e-5)


def test_a_last_batch_that_does_not_divide():
    theirs, ours = (run(library, "data", 37) for library in ("keras", "keras_fn"))
    assert theirs.returncode and "IndivisibleError" in theirs.stderr
    assert ours.returncode == 0, ours.stderr
