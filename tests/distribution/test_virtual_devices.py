"""Layouts of weights and data on 8 virtual devices: `on_8_devices.py`, in a process of its own."""

import pytest
from device_programs import HERE, run_whole

from keras_fn.backend import backend

pytestmark = [
    pytest.mark.multi_device,
    pytest.mark.skipif(backend() != "jax", reason="several devices work on JAX today"),
]


def test_layouts_on_8_devices():
    run_whole(["-m", "pytest", "-q", "-p", "no:cacheprovider", str(HERE / "on_8_devices.py")], 8)
