"""`DeviceMesh`: devices in a grid whose axes have names."""

import math
from collections.abc import Sequence
from typing import Any, cast

import numpy as np

from keras_fn.backend.distribution_contract import (
    SupportsDevices,
    SupportsDistribution,
    SupportsReplicas,
)
from keras_fn.backend.loader import current, supports
from keras_fn.errors import DTypeError, SpecError, UnsupportedError, check_choice

_DEVICE_TYPES = ("cpu", "gpu", "tpu", "cuda", "rocm", "mps", "xpu")


def list_devices(device_type: str | None = None) -> list[str]:
    """Returns the names of the devices: those of all processes, where there are several.

    Args:
        device_type: `"cpu"`, `"gpu"` or `"tpu"`. None (default) for the kind that the framework
            computes on by default: accelerators if it sees any, else CPUs.

    Returns:
        Names such as `"gpu:0"`; none if there are no devices of this kind.

    Raises:
        TypeError: `device_type` is not a string.
        ValueError: It is not a kind of a device.

    Example:
        >>> keras.distribution.list_devices("cpu")
        ['cpu:0']
    """
    if not isinstance(device_type, str | None):
        raise DTypeError(
            "list_devices",
            expected="device_type: the kind of a device, or None",
            received=f"device_type={device_type!r}",
            fix='for example device_type="cpu"',
        )
    if device_type is not None:
        check_choice("list_devices", "device_type", device_type, _DEVICE_TYPES)
    if not supports("list_devices"):
        return ["cpu:0"] if device_type in (None, "cpu") else []
    return cast(SupportsDevices, current()).list_devices(device_type)


def get_device_count(device_type: str | None = None) -> int:
    """Returns the number of devices: the length of `list_devices(device_type)`.

    Args:
        device_type: `"cpu"`, `"gpu"` or `"tpu"`; None (default) for the kind that the framework
            computes on by default.

    Returns:
        The number.

    Example:
        >>> keras.distribution.get_device_count("cpu")
        1
    """
    return len(list_devices(device_type))


class DeviceMesh:
    """A device mesh: devices in a grid, whose axes have names to lay tensors out by.

    Args:
        shape: The sizes of the mesh's axes, for example `(8,)` for data parallelism, or `(2, 4)`
            for two groups of devices that share the data, with the weights sharded over four.
        axis_names: A name for each axis, for example `("batch", "model")`.
        devices: Names of devices, as `list_devices` returns them. Default: all of them.

    Raises:
        ValueError: There is not a name for each axis, a name occurs twice, or the shape is not one
            of that many devices.

    Example:
        >>> mesh = keras.distribution.DeviceMesh((1,), ["batch"], devices=["cpu:0"])
        >>> mesh.devices.tolist()
        ['cpu:0']
    """

    def __init__(
        self,
        shape: Sequence[int],
        axis_names: Sequence[str],
        devices: Sequence[Any] | np.ndarray | None = None,
    ):
        _check_sequence("shape", shape, (int, np.integer), "integers", "(2, 4)")
        _check_sequence("axis_names", axis_names, str, "names", '("batch", "model")')
        self._shape = tuple(int(size) for size in shape)
        self._axis_names = tuple(axis_names)
        names = [_device_name(d) for d in np.ravel(list_devices() if devices is None else devices)]
        self._check(names)
        self._devices = np.array(names).reshape(self._shape)
        self._backend_mesh: Any = None

    def _check(self, devices: list[str]) -> None:
        names = self._axis_names
        if not names or len(names) != len(self._shape) or len(set(names)) != len(names):
            raise SpecError(
                "DeviceMesh",
                expected="one axis or more, and as many different axis_names as there are axes",
                received=f"shape={self._shape}, axis_names={names}",
                fix='for example DeviceMesh((2, 4), ("batch", "model"))',
            )
        if min(self._shape) < 1 or math.prod(self._shape) != len(devices):
            raise SpecError(
                "DeviceMesh",
                expected=f"a shape of {len(devices)} devices, as there are that many",
                received=f"shape={self._shape}, of {math.prod(self._shape)}",
                fix="change the shape, or pass devices= to use some of list_devices()",
            )
        if len(set(devices)) != len(devices):
            raise SpecError(
                "DeviceMesh",
                expected="each device once",
                received=f"devices={devices}",
                fix="remove those that occur twice",
            )

    @property
    def shape(self) -> tuple[int, ...]:
        """The sizes of the axes."""
        return self._shape

    @property
    def axis_names(self) -> tuple[str, ...]:
        """The names of the axes."""
        return self._axis_names

    @property
    def devices(self) -> np.ndarray:
        """The names of the devices: an array of the mesh's shape."""
        return self._devices

    @property
    def backend_mesh(self) -> Any:
        """The mesh of the framework: `jax.sharding.Mesh` on JAX.

        None for one device, where the backend computes on one only.

        Raises:
            UnsupportedError: There are several devices, and the backend computes on one.
        """
        if self._backend_mesh is None and self.check_supported():
            backend = cast(SupportsDistribution, current())
            self._backend_mesh = backend.make_mesh(self._devices, self._axis_names)
        return self._backend_mesh

    def check_supported(self) -> bool:
        """Returns whether the backend has meshes; raises if it cannot compute on this one."""
        if supports("new_sharded_variable"):
            return True
        if supports("all_reduce_sum"):
            self._check_process_count(cast(SupportsReplicas, current()).process_count())
        elif self._devices.size > 1:
            raise UnsupportedError(
                f"keras.distribution computes on one device with the backend {current().name!r} "
                f"today, and this mesh has {self._devices.size}. Several devices, and several "
                "processes, work with the backend 'jax'.",
                fix="set KERAS_BACKEND=jax, or make the mesh of one device",
            )
        return False

    def _check_process_count(self, count: int) -> None:
        """Raises unless each device has a process of its own."""
        if self._devices.size != count:
            raise UnsupportedError(
                f"A process computes on one device with the backend {current().name!r}: this mesh "
                f"has {self._devices.size}, and the number of processes is {count}.",
                fix=f"start a process for each device (python -m keras_fn.launch -n "
                f"{self._devices.size} script.py), which calls keras.distribution.initialize() "
                "first; or make a mesh of all devices",
            )

    def axis_size(self, axes: Any) -> int:
        """Returns the number of parts of a tensor's axis.

        Args:
            axes: The mesh axis by which it is sharded, a tuple of several, or None.
        """
        names = axes if isinstance(axes, tuple) else (axes,)
        sizes = dict(zip(self._axis_names, self._shape, strict=True))
        return math.prod(sizes[name] for name in names if name is not None)

    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), "_backend_mesh": None}  # devices cannot be pickled

    def __repr__(self) -> str:
        return f"<DeviceMesh shape={self._shape}, axis_names={self._axis_names}>"


def _check_sequence(argument: str, value: Any, kind: Any, what: str, example: str) -> None:
    is_sequence = isinstance(value, (tuple, list, np.ndarray))
    if not is_sequence or not all(isinstance(item, kind) for item in value):
        raise DTypeError(
            "DeviceMesh",
            expected=f"{argument}: a tuple of {what}",
            received=f"{argument}={value!r}",
            fix=f"for example {argument}={example}",
        )


def _device_name(device: Any) -> str:
    """Returns the name of a device, which may be JAX's own object."""
    if hasattr(device, "platform") and hasattr(device, "id"):
        return f"{device.platform}:{device.id}"
    return str(device).lower()


def check_device_mesh(device_mesh: object, source: str) -> None:
    """Raises an error for anything but a `DeviceMesh`.

    Args:
        device_mesh: The argument.
        source: Who received it.

    Raises:
        DTypeError: It is of another type.
    """
    if not isinstance(device_mesh, DeviceMesh):
        raise DTypeError(
            source,
            expected="device_mesh: a keras.distribution.DeviceMesh",
            received=f"device_mesh={device_mesh!r}",
            fix='for example DeviceMesh((2, 4), ("batch", "model"))',
        )
