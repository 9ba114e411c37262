"""Trainings on 8 virtual devices, compared with one device: they differ by rounding only."""

import json
from pathlib import Path

import pytest
from device_programs import HELPERS, run_whole
from distribution_cases import CASES, TWELVE, sharded_layouts

from keras_fn.backend import backend

pytestmark = [
    pytest.mark.multi_device,
    pytest.mark.skipif(backend() != "jax", reason="several devices work on JAX today"),
]
LAYOUTS = tuple(sharded_layouts())
# What each push runs: many things at once, on meshes of one axis and of two; and each kind of
# model. `test_processes.py` and `on_8_devices.py` train replicated weights.
CORE = {
    "core": ("sharded", "sharded+tensor"),
    "mask_sgd": ("tensor",),
    "transformer": ("sharded+tensor",),
    "convolution": ("tensor",),
    "outputs": ("sharded",),
    "custom_step": ("sharded",),
    "float16": ("sharded+tensor",),
}
MOST_IN_LOSSES = 2e-6


def check(cases: dict[str, tuple[str, ...]], folder: Path) -> None:
    path = folder / "found.json"
    arguments = [f"{name}:{','.join(layouts)}" for name, layouts in cases.items()]
    run_whole([str(HELPERS / "distribution_cases.py"), str(path), *arguments], 8)
    found = json.loads(path.read_text("utf-8"))
    assert len(found) == sum(map(len, cases.values()))
    wrong = []
    for key, differences in found.items():
        name, _, layout = key.partition(":")
        tolerance = CASES[name].tolerance
        limits = dict.fromkeys(("history", "evaluate", "predict"), max(tolerance, MOST_IN_LOSSES))
        limits |= {"weights": tolerance, "slots": tolerance}
        wrong += [f"{key} {k}: {differences[k]}" for k in limits if differences[k] > limits[k]]
        if (layout != "replicated" and name != "convolution") and not differences["sharded"]:
            wrong.append(f"{key}: no weight is sharded")
    assert not wrong


def test_each_layout_trains_as_one_device(tmp_path):
    check(CORE, tmp_path)


@pytest.mark.thorough
@pytest.mark.parametrize("name", [*TWELVE, *list(CASES)[len(TWELVE) :]])
def test_the_whole_matrix(name, tmp_path):
    check({name: LAYOUTS}, tmp_path)
