"""Trainings on several devices or processes, compared with one: they differ by rounding only.

On JAX a process sees 8 virtual devices. On PyTorch and TensorFlow a process is a replica.
"""

import json
from pathlib import Path

import pytest
from device_programs import HELPERS, launched, run_whole
from distribution_cases import CASES, sharded_layouts

from keras_fn.backend import backend

pytestmark = pytest.mark.multi_device
on_jax = pytest.mark.skipif(backend() != "jax", reason="a process has several devices on JAX")
on_replicas = pytest.mark.skipif(backend() == "jax", reason="a process has several devices on JAX")
LAYOUTS = tuple(sharded_layouts())
REPLICA_LAYOUTS = {2: ("replicated", "sharded"), 3: LAYOUTS[:2], 4: LAYOUTS}  # by processes
# What each push runs on JAX: many things at once, on meshes of one axis and of two; and each kind
# of model. `test_processes.py` and `on_8_devices.py` train replicated and sharded weights.
CORE = {
    "core": ("sharded+tensor",),
    "mask_sgd": ("tensor",),
    "transformer": ("sharded+tensor",),
    "convolution": ("tensor",),
    "custom_step": ("sharded",),
}
# What each push runs on TensorFlow, which traces each step.
TENSORFLOW_CORE = {
    "core": ("replicated", "sharded"),
    "mask_sgd": ("sharded",),
}
MOST_IN_LOSSES = 2e-6


def check(cases: dict[str, tuple[str, ...]], folder: Path, processes: int = 1) -> None:
    program = [str(HELPERS / "distribution_cases.py"), str(folder / "found.json")]
    program += [f"{name}:{','.join(layouts)}" for name, layouts in cases.items()]
    if processes == 1:
        run_whole(program, 8)
    else:
        run_whole(launched(processes, program), 1, OMP_NUM_THREADS="1")
    found = [json.loads((folder / f"found.{i}").read_text("utf-8")) for i in range(processes)]
    assert len(found[0]) == sum(map(len, cases.values()))
    wrong = []
    for key, differences in found[0].items():
        name, _, layout = key.partition(":")
        tolerance = CASES[name].tolerance
        limits = dict.fromkeys(("history", "evaluate", "predict"), max(tolerance, MOST_IN_LOSSES))
        limits |= {"weights": tolerance, "slots": tolerance}
        wrong += [f"{key} {k}: {differences[k]}" for k in limits if differences[k] > limits[k]]
        if (layout != "replicated" and name != "convolution") and not differences["sharded"]:
            wrong.append(f"{key}: no weight is sharded")
        if len({other[key]["digest"] for other in found}) > 1:
            wrong.append(f"{key}: processes are not alike, bit by bit")
    assert not wrong


@on_jax
def test_each_layout_trains_as_one_device(tmp_path):
    check(CORE, tmp_path)


@on_jax
@pytest.mark.thorough
@pytest.mark.parametrize("name", CASES)
def test_the_whole_matrix(name, tmp_path):
    check({name: LAYOUTS}, tmp_path)


@on_replicas
def test_replicas_train_as_one_device(tmp_path):
    whole = dict.fromkeys(CASES, REPLICA_LAYOUTS[2])
    check(whole if backend() == "torch" else TENSORFLOW_CORE, tmp_path, 2)


@on_replicas
@pytest.mark.thorough
@pytest.mark.parametrize("processes", REPLICA_LAYOUTS)
@pytest.mark.parametrize("name", CASES)
def test_the_whole_matrix_of_replicas(name, processes, tmp_path):
    check({name: REPLICA_LAYOUTS[processes]}, tmp_path, processes)
