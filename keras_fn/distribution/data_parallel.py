"""`DataParallel`: each device computes a part of the batch."""

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from keras_fn.distribution.device_mesh import DeviceMesh, list_devices
from keras_fn.distribution.distribution_base import Distribution
from keras_fn.errors import SpecError


class DataParallel(Distribution):
    """Data parallelism: each device computes a part of each batch, and gradients are summed.

    The batch is global: `batch_size` is the number of samples in a step of all devices together,
    and the results are those of one device, but for rounding.

    Args:
        device_mesh: A mesh; its first axis is the batch axis. Not together with `devices`.
        devices: Names of devices, as `list_devices` returns them.
        auto_shard_dataset: Whether all processes read the same data, and each takes its part of a
            batch. Default True.
        shard_weights: Whether each device also stores a part of the weights, of the state of the
            optimizer and of the gradients only (fully sharded data parallelism, ZeRO-3). A weight
            is gathered where it is used. Default False: each device has all weights.

    Raises:
        ValueError: Both `device_mesh` and `devices` are given.
        UnsupportedError: The backend computes on one device, and there are several.

    Example:
        >>> distribution = keras.distribution.DataParallel(devices=["cpu:0"])
        >>> with distribution.scope():
        ...     model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
        >>> distribution.num_model_replicas
        1

    References:
        Rajbhandari et al., "ZeRO: Memory Optimizations Toward Training Trillion Parameter Models",
        2020.
    """

    def __init__(
        self,
        device_mesh: DeviceMesh | None = None,
        devices: Sequence[Any] | np.ndarray | None = None,
        auto_shard_dataset: bool = True,
        shard_weights: bool = False,
    ):
        if device_mesh is not None and devices is not None:
            raise SpecError(
                "DataParallel",
                expected="device_mesh or devices",
                received="both",
                fix="remove one",
            )
        if device_mesh is None:
            names = np.ravel(list_devices() if devices is None else devices)
            device_mesh = DeviceMesh((len(names),), ("batch",), names)
        axis_names = getattr(device_mesh, "axis_names", ("batch",))
        super().__init__(device_mesh, axis_names[0], auto_shard_dataset, shard_weights)
        if len(axis_names) > 1:
            warnings.warn(
                f"DataParallel shards batches over the axis {axis_names[0]!r} of the mesh only: "
                f"the devices along {axis_names[1:]} do the same work. Use ModelParallel, or a "
                "mesh of one axis.",
                stacklevel=2,
            )

    @property
    def num_model_replicas(self) -> int:
        """The number of devices, each of which computes with the whole model."""
        return self.device_mesh.devices.size
