"""The base class of Keras's own tests, which libraries take from `keras.src.testing`.

It needs absl (`pip install absl-py`), whose parameterized tests it is made of.
"""

import json
import shutil
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from keras_fn import saving
from keras_fn._lazy import LazyModule
from keras_fn.alias.layer_test import LayerTest, is_on_device
from keras_fn.backend.loader import current
from keras_fn.core.dtypes import standardize_dtype
from keras_fn.core.keras_tensor import KerasTensor
from keras_fn.core.variable import Variable
from keras_fn.utils.session import clear_session

_parameterized: Any = LazyModule("absl.testing.parameterized", pip="absl-py")


class TestCase(_parameterized.TestCase):
    """Test case with assertions about tensors, and checks of whole layers.

    Tensors of the backend, variables, arrays and lists are compared alike.
    """

    maxDiff = None
    __test__ = False  # the class itself; those that are derived from it are tests

    def __init_subclass__(cls, **kwargs: Any):
        super().__init_subclass__(**kwargs)
        cls.__test__ = True

    def setUp(self) -> None:
        """Clears what earlier tests left in the process."""
        super().setUp()
        clear_session(free_memory=False)

    def get_temp_dir(self) -> str:
        """Returns the path of a new folder, which is removed after the test."""
        folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, folder, ignore_errors=True)
        return folder

    def convert_to_numpy(self, x: Any) -> np.ndarray:
        """Returns a tensor, a variable, or what NumPy takes, as an array."""
        if current().is_tensor(x) or isinstance(x, Variable):
            return current().convert_to_numpy(x.value if isinstance(x, Variable) else x)
        return np.array(x)

    def assertAllClose(
        self,
        actual: Any,
        desired: Any,
        atol: float = 1e-6,
        rtol: float = 1e-6,
        tpu_atol: float | None = None,
        tpu_rtol: float | None = None,
        msg: str | None = None,
    ) -> None:
        """Fails if shapes differ, or any elements by more than the tolerances.

        Args:
            actual: What was computed.
            desired: What is right.
            atol: Absolute tolerance.
            rtol: Relative tolerance.
            tpu_atol: Absolute tolerance on a TPU.
            tpu_rtol: Relative tolerance on a TPU.
            msg: What the error says in addition.
        """
        is_tpu = (tpu_atol, tpu_rtol) != (None, None) and is_on_device("tpu")
        np.testing.assert_allclose(
            self.convert_to_numpy(actual),
            self.convert_to_numpy(desired),
            atol=tpu_atol if is_tpu and tpu_atol is not None else atol,
            rtol=tpu_rtol if is_tpu and tpu_rtol is not None else rtol,
            err_msg=msg or "",
        )

    def assertNotAllClose(
        self, x1: Any, x2: Any, atol: float = 1e-6, rtol: float = 1e-6, msg: str | None = None
    ) -> None:
        """Fails if `assertAllClose` does not."""
        try:
            self.assertAllClose(x1, x2, atol, rtol)
        except AssertionError:
            return
        self.fail(self._formatMessage(msg, f"all elements are close to each other: {x1}"))

    def assertAlmostEqual(
        self,
        actual: Any,
        desired: Any,
        decimal: int = 3,
        tpu_decimal: int | None = None,
        msg: str | None = None,
    ) -> None:
        """Fails if shapes differ, or any elements in a number of decimal places."""
        is_tpu = tpu_decimal is not None and is_on_device("tpu")
        np.testing.assert_almost_equal(
            self.convert_to_numpy(actual),
            self.convert_to_numpy(desired),
            decimal=tpu_decimal if is_tpu and tpu_decimal is not None else decimal,
            err_msg=msg or "",
        )

    def assertAllEqual(self, actual: Any, desired: Any, msg: str | None = None) -> None:
        """Fails if shapes or elements differ."""
        np.testing.assert_array_equal(
            self.convert_to_numpy(actual), self.convert_to_numpy(desired), err_msg=msg or ""
        )

    def assertLen(self, iterable: Any, expected_len: int, msg: str | None = None) -> None:
        """Fails if something has another length."""
        self.assertEqual(len(iterable), expected_len, msg)

    def assertSparse(self, x: Any, sparse: bool = True) -> None:
        """Fails if a tensor or KerasTensor is sparse, or is not."""
        self._assert_kind("sparse", x, sparse)

    def assertRagged(self, x: Any, ragged: bool = True) -> None:
        """Fails if a tensor or KerasTensor is ragged, or is not."""
        self._assert_kind("ragged", x, ragged)

    def _assert_kind(self, kind: str, x: Any, expected: bool) -> None:
        # A backend without such tensors has no function that recognizes them.
        is_of_kind = getattr(current(), f"is_{kind}", lambda _: False)
        found = getattr(x, kind) if isinstance(x, KerasTensor) else is_of_kind(x)
        self.assertEqual(bool(found), expected, f"{kind}: {type(x).__name__}")

    def assertDType(self, x: Any, dtype: Any, msg: str | None = None) -> None:
        """Fails if a tensor, or the type of a Python number, has another dtype."""
        found = standardize_dtype(getattr(x, "dtype", None) or type(x))
        self.assertEqual(found, standardize_dtype(dtype), msg)

    def assertFileExists(self, path: str) -> None:
        """Fails if there is no file at a path."""
        self.assertTrue(Path(path).is_file(), f"no file at {path}")

    def run_class_serialization_test(self, instance: Any, custom_objects: Any = None) -> Any:
        """Checks that an object is made again of its config, and of its serialized form.

        Args:
            instance: A layer, loss, metric, initializer ...
            custom_objects: Classes and functions by their names.

        Returns:
            The object that was made last.
        """
        config = encode(instance.get_config())
        with saving.custom_object_scope(custom_objects or {}):
            made = [type(instance).from_config(instance.get_config())]
            serialized = decode(encode(saving.serialize_keras_object(instance)))
            made.append(saving.deserialize_keras_object(serialized))
        for other in made:
            self.assertEqual(encode(other.get_config()), config)
            self.assertEqual(set(dir(other)), set(dir(instance)))
        return made[-1]

    def run_layer_test(self, *args: Any, **kwargs: Any) -> None:
        """Checks a layer: config, build, symbolic and concrete calls, training, mixed precision.

        Args:
            *args: The class of the layer, and the arguments of its constructor in a dict.
            **kwargs: What is expected: see `LayerTest`.
        """
        LayerTest(self, *args, **kwargs).run()


def encode(value: Any) -> str:
    """Returns a config as text, in which tuples and lists differ.

    Args:
        value: The config.
    """

    def mark(x: Any) -> Any:
        if isinstance(x, tuple):
            return {"__class__": "tuple", "__value__": [mark(item) for item in x]}
        if isinstance(x, list):
            return [mark(item) for item in x]
        return {key: mark(item) for key, item in x.items()} if isinstance(x, dict) else x

    return json.dumps(mark(value), sort_keys=True, indent=1)


def decode(text: str) -> Any:
    """Returns the config in the result of `encode`.

    Args:
        text: The text.
    """

    def unmark(x: dict[str, Any]) -> Any:
        is_tuple = x.keys() == {"__class__", "__value__"}
        return tuple(x["__value__"]) if is_tuple else x

    return json.loads(text, object_hook=unmark)


def uses_gpu() -> bool:
    """Returns whether the backend computes on a GPU."""
    return is_on_device("gpu")


def uses_tpu() -> bool:
    """Returns whether the backend computes on a TPU."""
    return is_on_device("tpu")


def jax_uses_gpu() -> bool:
    """Returns whether the backend is JAX, on a GPU."""
    return is_on_device("gpu", "jax")


def jax_uses_tpu() -> bool:
    """Returns whether the backend is JAX, on a TPU."""
    return is_on_device("tpu", "jax")


def tensorflow_uses_gpu() -> bool:
    """Returns whether the backend is TensorFlow, on a GPU."""
    return is_on_device("gpu", "tensorflow")


def tensorflow_uses_tpu() -> bool:
    """Returns whether the backend is TensorFlow, on a TPU."""
    return is_on_device("tpu", "tensorflow")


def torch_uses_gpu() -> bool:
    """Returns whether the backend is PyTorch, on a GPU."""
    return is_on_device("gpu", "torch")
