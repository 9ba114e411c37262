"""The optional part of the backend contract about devices: one, several, of several processes."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

import numpy as np

from keras_fn.backend.backend_types import Handle, Tensor


class SupportsDeviceScope(Protocol):
    """Optional: a backend whose framework lets the program choose the device of new tensors."""

    def device_scope(self, name: str) -> AbstractContextManager[Any]:
        """Returns a context in which new tensors are on the named device: `"cpu"`, `"gpu:0"`."""
        ...


class SupportsToDevice(Protocol):
    """Optional: a backend whose framework refuses operands on different devices."""

    def to_device(self, x: Tensor) -> Tensor:
        """Moves a tensor to the device of new tensors; returns `x` itself if it is there."""
        ...


class SupportsDevices(Protocol):
    """Optional: a backend whose framework can name its devices."""

    def list_devices(self, device_type: str | None = None) -> list[str]:
        """Returns the names of the devices, such as `"gpu:0"`, of all processes.

        Args:
            device_type: `"cpu"`, `"gpu"` or `"tpu"`; None for the kind that computes by default.
        """
        ...


class SupportsProcesses(SupportsDevices, Protocol):
    """Optional: a framework whose processes find and tell each other.

    `list_devices` returns the devices of all processes: one each, with `SupportsReplicas`.
    """

    def local_values(self, x: Tensor) -> np.ndarray | None:
        """Returns the values of a tensor of which this process has all; None for another one."""
        ...

    def process_index(self) -> int:
        """Returns the index of this process, 0 if it is alone."""
        ...

    def process_count(self) -> int:
        """Returns the number of processes."""
        ...

    def initialize_processes(
        self,
        address: str,
        process_count: int,
        process_index: int,
        local_index: int | None,
        timeout: float,
    ) -> None:
        """Connects this process with the others, before it computes anything.

        Args:
            address: Host and port of process 0, as in `"10.0.0.1:1234"`.
            process_count: Number of processes.
            process_index: Index of this one.
            local_index: The number of the only accelerator that it uses; None for all.
            timeout: Seconds to wait for the others. Where the framework ends a process because
                another stands still, it does so later: the frontend says why, and ends it first.
        """
        ...

    def exchange_text(self, name: str, text: str, timeout: float) -> list[str | None]:
        """Returns the texts of all processes, by process; None for one that did not send it.

        Args:
            name: A name that is the same on all processes, and new for each exchange.
            text: The text of this process.
            timeout: Seconds to wait for the others.
        """
        ...

    def exchange_counts(self, count: int) -> list[int]:
        """Publishes a count, and returns those of all processes, at once; 0 for one without."""
        ...


class SupportsDistribution(SupportsProcesses, Protocol):
    """Optional: a framework whose arrays are spread over the devices of a mesh.

    Arrays are global: ops see the whole array, wherever its shards are, and compute with all
    devices what they would compute with one. A *sharding* is the framework's own object for a mesh
    and the mesh axes by which each axis of an array is sharded. `assign` keeps the sharding of the
    handle, `compile` that of its state, and `convert_to_numpy` gathers an array whose shards are on
    several processes (all of them call it).
    """

    def make_mesh(self, devices: np.ndarray, axis_names: Sequence[str]) -> Any:
        """Returns the framework's mesh of named devices.

        Args:
            devices: Names of devices, an array of the shape of the mesh.
            axis_names: A name for each axis.
        """
        ...

    def make_sharding(self, mesh: Any, axes: Sequence[Any]) -> Any:
        """Returns a sharding.

        Args:
            mesh: A result of `make_mesh`.
            axes: For each axis of an array, the name of a mesh axis, a tuple of several, or None
                for an axis that is not sharded. Further axes are not sharded.
        """
        ...

    def new_sharded_variable(
        self,
        draw_shard: Callable[[tuple[slice, ...]], np.ndarray],
        shape: tuple[int, ...],
        dtype: str,
        sharding: Any,
    ) -> Handle:
        """Creates the state of a variable, one shard after the other.

        Args:
            draw_shard: Returns the values at an index, which the handle does not share. It is
                called for the shards of this process, once for each that differs.
            shape: The shape of the whole variable.
            dtype: Its dtype.
            sharding: Its sharding.
        """
        ...

    def shard(self, x: Tensor, sharding: Any) -> Tensor:
        """Returns a tensor in another sharding; in a trace, what the compiler is to choose.

        A tensor of one device has the same values in all processes.
        """
        ...


class SupportsReplicas(SupportsProcesses, Protocol):
    """Optional: a framework whose arrays are those of a process, on one device.

    A process is a replica: the frontend gives it its rows of each global batch
    (`keras_fn.core.replicas`), and what is of all rows comes from these functions. All processes
    call them in the same order, with tensors of the same shapes and dtypes; a compiled step may
    contain them. With one process they are the identity.
    """

    def all_reduce_sum(self, tensors: Sequence[Tensor]) -> list[Tensor]:
        """Returns the sums of tensors over the processes, of any dtype but strings.

        Gradients flow through it: the gradient of each process is the sum of those of all.
        """
        ...

    def summed_value_and_grad(
        self, function: Callable[..., tuple[Tensor, Any]], variables: Sequence[Any]
    ) -> Callable[..., tuple[tuple[Tensor, Any], list[Tensor]]]:
        """Same as `value_and_grad`, with the gradients summed over the processes.

        Gradients with respect to variables that are sharded (`variable.shard_index` is not None)
        are those of `variable.shard`: `gather_shards` has summed them.
        """
        ...

    def gather_shards(
        self,
        shard: Tensor,
        indices: Sequence[tuple[slice, ...]],
        shape: tuple[int, ...],
        sums_gradients: bool,
    ) -> Tensor:
        """Returns a whole tensor, of which each process has a part.

        Where a backend can, the whole tensor is not kept for the backward pass, but gathered again.

        Args:
            shard: The part of this process; all parts have one shape.
            indices: The index of the part of each process. Several may have the same part, whose
                gradients are then equal, bit by bit.
            shape: The shape of the whole tensor.
            sums_gradients: Whether the gradient with respect to the shard is its part of the sum
                over the processes of the gradients of the whole tensor; else it is its part of the
                gradient of this process.
        """
        ...


class SupportsOwnRows(Protocol):
    """Optional: a framework whose arrays are made of the rows that each process has read."""

    def join_rows(self, x: np.ndarray, counts: Sequence[int], sharding: Any) -> Tensor:
        """Returns a tensor with the rows of all processes, first those of process 0.

        All processes call it.

        Args:
            x: The rows of this process.
            counts: The number of rows of each.
            sharding: Any sharding, for its mesh.
        """
        ...


class SupportsOwnedSlices(Protocol):
    """Optional: a framework whose arrays have shards in several processes."""

    def owned_slices(self, x: Tensor) -> list[tuple[tuple[slice, ...], np.ndarray]] | None:
        """Returns the slices of a tensor that this process writes to a file.

        Each element is in one slice of one process.

        Args:
            x: The tensor.

        Returns:
            Each index with its values; None where all processes have all of the tensor.
        """
        ...

    def spans_processes(self, x: Tensor) -> bool:
        """Returns whether no process has all of a tensor."""
        ...


class SupportsAllReduce(Protocol):
    """Optional part of `Backend.ops`: collectives of a distributed program."""

    def all_reduce_mean(self, x: Tensor) -> Tensor:
        """Returns the mean of `x` over all replicas; `x` itself where there is one replica."""
        ...
