"""Which part of a variable each process stores, where a process computes on one device."""

from typing import Any

import numpy as np

from keras_fn.core.sharded_variable import Index, ShardedVariable
from keras_fn.core.variable import Variable
from keras_fn.distribution.device_mesh import DeviceMesh
from keras_fn.distribution.tensor_layout import TensorLayout


def shard_over_processes(variable: Variable, layout: TensorLayout, process: int) -> None:
    """Makes a variable a sharded one, or one that is whole on each process, as its layout says.

    Args:
        variable: The variable. It keeps its value.
        layout: Its layout.
        process: The index of this process.
    """
    mesh = layout.device_mesh
    is_plain = type(variable) in (Variable, ShardedVariable)
    if not is_plain or mesh is None or variable.synchronization == "on_read":
        return  # of a metric, of whose state each process has its own part
    indices = find_indices(mesh, layout.axes, variable.shape) if layout.is_sharded else None
    if indices == getattr(variable, "_shard_indices", None):
        return
    value = None if variable._handle is None else variable.numpy()
    if indices is None:
        ShardedVariable.revert(variable)
    else:
        ShardedVariable.convert(variable, indices, process)
    if value is not None:
        variable._handle = None
        variable._assign_new_array(value)


def find_indices(mesh: DeviceMesh, axes: Any, shape: tuple[int, ...]) -> list[Index]:
    """Returns the index of the part of a tensor that each process has.

    Args:
        mesh: The mesh, of devices that are numbered as their processes.
        axes: The mesh axes by which each axis of the tensor is sharded.
        shape: The shape of the whole tensor.

    Example:
        >>> find_indices(keras.distribution.DeviceMesh((1,), ["batch"], ["cpu:0"]), ["batch"], (4,))
        [(slice(0, 4, None),)]
    """
    numbers = [int(name.rpartition(":")[2]) for name in mesh.devices.flat]
    indices: dict[int, Index] = {}
    for place, number in zip(np.ndindex(*mesh.shape), numbers, strict=True):
        position = dict(zip(mesh.axis_names, place, strict=True))
        indices[number] = tuple(
            _find_slice(mesh, axes[i] if i < len(axes) else None, position, size)
            for i, size in enumerate(shape)
        )
    return [indices[i] for i in range(len(numbers))]


def _find_slice(mesh: DeviceMesh, names: Any, position: dict[str, int], size: int) -> slice:
    """Returns the part of an axis that the device at a position of the mesh has."""
    part, parts = 0, 1
    for name in names if isinstance(names, tuple) else (names,):
        if name is not None:
            count = mesh.axis_size(name)
            part, parts = part * count + position[name], parts * count
    return slice(part * size // parts, (part + 1) * size // parts)
