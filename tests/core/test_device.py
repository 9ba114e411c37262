"""The device scope: the names of devices, and values that do not name one."""

import pytest

import keras_fn as keras
from keras_fn import ops
from keras_fn.backend.loader import current, supports

pytestmark = pytest.mark.skipif(not supports("device_scope"), reason="one device only")


@pytest.mark.parametrize("name", ["cpu", "CPU", "cpu:0", "CPU:0", "/CPU:0", "/device:CPU:0"])
def test_names_of_the_cpu(name):
    with keras.device(name):
        x = ops.ones((2,))
    assert "cpu" in str(getattr(x, "device", "cpu")).lower()


@pytest.mark.parametrize("name", ["foo", "gpu:77", "cpu:9", "cpu:x", "cuda:77", "/GPU:77"])
def test_a_device_that_does_not_exist_is_refused_with_those_that_do(name):
    with pytest.raises(ValueError, match=r"keras.device\n  expected: one of (.*)cpu"):
        enter(name)


@pytest.mark.parametrize("name", [0, 1, None, "", 1.5, True, ["cpu"]])
def test_what_is_no_name_is_refused_with_one_that_is(name):
    index = name if type(name) is int else 0
    with pytest.raises(TypeError, match=rf'for example keras.device\("gpu:{index}"\)') as caught:
        enter(name)
    assert f"received: {name!r}" in str(caught.value)


def enter(name):
    with keras.device(name):
        pass


def test_devices_of_the_framework_are_names_too():
    if current().name == "jax":
        device = __import__("jax").devices("cpu")[0]
    elif current().name == "torch":
        device = __import__("torch").device("cpu")
    else:
        pytest.skip("TensorFlow names its devices")
    enter(device)
