"""`Distribution`: what is sharded over devices and how; and the distribution in force."""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any, cast

import numpy as np

from keras_fn.backend.distribution_contract import (
    SupportsDistribution,
    SupportsOwnRows,
    SupportsProcesses,
)
from keras_fn.backend.loader import current, supports
from keras_fn.core import tree
from keras_fn.core.ragged import PaddedBatch
from keras_fn.core.replicas import GradientState, ReplicaBatch
from keras_fn.core.variable import Variable
from keras_fn.distribution.device_mesh import DeviceMesh, check_device_mesh
from keras_fn.distribution.process_shards import shard_over_processes
from keras_fn.distribution.processes import check_same, exchange_text, explain_failure, processes
from keras_fn.distribution.replica_steps import distribute_step, gather_rows, read_metrics
from keras_fn.distribution.tensor_layout import TensorLayout, distribute_tensor
from keras_fn.distribution.training_facts import describe_training
from keras_fn.errors import DTypeError, SpecError, missing_method
from keras_fn.settings import settings
from keras_fn.types import Tensor, Verbosity

_MIN_SHARDED_SIZE = 512  # elements: smaller weights are replicated, as sending them takes longer


class Distribution:
    """Base class of `DataParallel` and `ModelParallel`.

    Args:
        device_mesh: The mesh.
        batch_dim_name: The mesh axis over which batches are sharded.
        auto_shard_dataset: Whether all processes read the same data, and each takes its part.
        shard_weights: Whether weights are sharded over the batch axis, too.
    """

    def __init__(
        self,
        device_mesh: DeviceMesh,
        batch_dim_name: str,
        auto_shard_dataset: bool = True,
        shard_weights: bool = False,
    ):
        check_device_mesh(device_mesh, type(self).__name__)
        if batch_dim_name not in device_mesh.axis_names:
            raise SpecError(
                type(self).__name__,
                expected=f"batch_dim_name: {' or '.join(map(repr, device_mesh.axis_names))}",
                received=f"batch_dim_name={batch_dim_name!r}",
                fix="name an axis of the mesh",
            )
        device_mesh.check_supported()
        self._device_mesh, self._batch_dim_name = device_mesh, batch_dim_name
        self._shard_weights = bool(shard_weights)
        self._replicated = TensorLayout((), device_mesh)
        self._data_layouts: dict[int, TensorLayout] = {}  # by rank
        self._processes = _count_processes()
        self._has_replicas = self.num_processes > 1 and supports("all_reduce_sum")
        self._check_replicas()
        self.auto_shard_dataset = auto_shard_dataset

    def _check_replicas(self) -> None:
        if self._has_replicas and processes.timeout is None:
            raise SpecError(
                type(self).__name__,
                expected="processes that keras.distribution.initialize() has connected",
                received=f"{self.num_processes} processes that the program has connected",
                fix="call keras.distribution.initialize() first",
            )

    @property
    def device_mesh(self) -> DeviceMesh:
        """The mesh."""
        return self._device_mesh

    @property
    def batch_dim_name(self) -> str:
        """The mesh axis over which batches are sharded."""
        return self._batch_dim_name

    @property
    def shard_weights(self) -> bool:
        """Whether weights are sharded over the batch axis, too."""
        return self._shard_weights

    @property
    def auto_shard_dataset(self) -> bool:
        """Whether all processes read the same data, and each takes its part of a batch."""
        return self._auto_shard_dataset

    @auto_shard_dataset.setter
    def auto_shard_dataset(self, value: bool) -> None:
        self._auto_shard_dataset = bool(value)

    @property
    def num_processes(self) -> int:
        """The number of processes."""
        return self._processes[1]

    @property
    def num_model_replicas(self) -> int:
        """The number of copies of the model."""
        raise missing_method(self, "num_model_replicas")

    @property
    def data_shard_id(self) -> int:
        """Which part of the data belongs to this process."""
        index, count = self._processes
        return index // max(1, count // self.num_model_replicas)

    def get_data_layout(self, data_shape: Sequence[int | None]) -> TensorLayout:
        """Returns the layout of data: its first axis is sharded over the batch axis of the mesh.

        Args:
            data_shape: The shape of a batch.

        Returns:
            The layout.
        """
        return TensorLayout(
            [self._batch_dim_name, *[None] * (len(data_shape) - 1)], self._device_mesh
        )

    def get_variable_layout(self, variable: Variable) -> TensorLayout:
        """Returns the layout of a variable: its own, or the one that this distribution gives it.

        Args:
            variable: The variable.

        Returns:
            The layout.
        """
        if isinstance(variable.layout, TensorLayout):
            return variable.layout
        return self._derive_layout(variable)

    def _derive_layout(self, variable: Variable) -> TensorLayout:
        axes = self._own_axes(variable)
        if self._shard_weights:
            axes = self.shard_longest_axis(axes, variable.shape, self._batch_dim_name)
        return TensorLayout(axes, self._device_mesh)

    def _own_axes(self, variable: Variable) -> Sequence[Any]:
        """Returns the mesh axes of a variable's axes, before weights are sharded over batches."""
        return [None] * len(variable.shape)

    def get_tensor_layout(self, path: str) -> TensorLayout | None:
        """Returns the layout of a tensor inside the model, or None to leave it as it is.

        Args:
            path: The path of a layer and `"/output"`.

        Returns:
            The layout, or None.
        """
        del path
        return None

    def lay_out_outputs(self, layer: Any) -> None:
        """Makes a layer lay out what it returns, if `get_tensor_layout` has a layout for it.

        Args:
            layer: The layer, which has its path.
        """
        path = f"{layer.path}/output"
        is_done = getattr(layer.call, "func", None) is _call_and_lay_out
        if self.get_tensor_layout(path) is not None and not is_done:
            layer.call = partial(_call_and_lay_out, layer.call, path)

    def shard_longest_axis(
        self, axes: Sequence[Any], shape: Sequence[int], name: str | tuple[str, ...]
    ) -> Sequence[Any]:
        """Returns axes of which one more is sharded: the longest that divides evenly.

        Args:
            axes: The mesh axes of a variable's axes.
            shape: The shape of the variable. A small one stays as it is.
            name: The mesh axis to shard by.
        """
        parts = self._device_mesh.axis_size(name)
        axes = [*axes, *[None] * (len(shape) - len(axes))]
        free = [i for i, a in enumerate(axes) if a is None and shape[i] % parts == 0]
        taken = {n for a in axes for n in _names(a)}
        if not free or math.prod(shape) < _MIN_SHARDED_SIZE or taken & set(_names(name)):
            return axes
        longest = max(free, key=lambda i: shape[i])
        return [name if i == longest else a for i, a in enumerate(axes)]

    def settle_layout(self, variable: Variable) -> TensorLayout:
        """Returns the layout of a new variable, checked against its shape.

        Args:
            variable: The variable, whose `layout` is what was asked for: a layout, the names of
                mesh axes, or None.

        Raises:
            ValueError: The layout does not divide the shape evenly.
        """
        layout = variable.layout
        if layout is not None and not isinstance(layout, TensorLayout):
            layout = TensorLayout(layout)
        layout = self.get_variable_layout(variable) if layout is None else layout
        if layout.device_mesh is None:
            layout.device_mesh = self._device_mesh
        layout.check_shape(variable.shape, f"Variable {variable.path!r}")
        if self._has_replicas:
            shard_over_processes(variable, layout, self.process_index)
        return layout

    def adopt(self, variables: Sequence[Variable], layers: Iterable[Any] = ()) -> None:
        """Lays out variables that were made before this distribution was in force.

        A layout that was asked for stays where the mesh has its axes; slots follow their weights.

        Args:
            variables: The variables of a model and of its optimizer.
            layers: The layers of the model, whose outputs may have layouts.

        Raises:
            ValueError: A layout does not divide a shape evenly.
        """
        for variable in variables:
            mesh = getattr(variable.layout, "device_mesh", None)
            if variable._distribution is not self or mesh is not self._device_mesh:
                layout = self._adapt_layout(variable)
                variable._relayout(layout)
                variable._distribution = self
                if self._has_replicas:
                    shard_over_processes(variable, layout, self.process_index)
        for layer in layers:
            self.lay_out_outputs(layer)

    def _adapt_layout(self, variable: Variable) -> TensorLayout:
        """Returns the layout of a variable that was made under another distribution, or none."""
        request = variable._layout_request
        if isinstance(request, Variable):
            self.adopt([request])
            request = request.layout
        axes = getattr(request, "axes", request)
        names = {name for a in axes or () for name in _names(a)}
        if axes is None or not names <= set(self._device_mesh.axis_names):
            layout = self._derive_layout(variable)
        else:
            layout = TensorLayout(axes, self._device_mesh)
        layout.check_shape(variable.shape, f"Variable {variable.path!r}")
        return layout

    def check_rules(self, source: str) -> None:
        """Raises if a rule of the layout map is for no variable that has been made.

        Args:
            source: The model, for the error.
        """

    def check_processes(self, source: str, variables: Sequence[Variable], data: Any) -> None:
        """Raises unless all processes train the same: before it they would wait for each other.

        Args:
            source: The model and the method, for the error.
            variables: The variables of the step.
            data: The data adapter.

        Raises:
            ValueError: Weights, data, seeds or options differ. The error names the first.
        """
        if self.num_processes > 1:
            self.adopt(variables)
            check_same(source, describe_training(variables, data))

    def raise_failure(self, source: str, error: Exception) -> None:
        """Raises an error that names the process that has ended, if that caused an error.

        Args:
            source: The model and the method.
            error: What the framework or the program raised.
        """
        explained = explain_failure(source, error)
        if explained is not error:
            raise explained from error

    @property
    def process_index(self) -> int:
        """The index of this process; process 0 writes files and shows progress."""
        return self._processes[0]

    def own_verbosity(self, verbose: Verbosity) -> Verbosity:
        """Returns what this process shows of a training: process 0 shows all, the others nothing.

        Args:
            verbose: The argument of `fit`.
        """
        return verbose if self.process_index == 0 else 0

    def shard_batch(self, x: Any) -> Any:
        """Lays out a tensor of a batch; others, and what does not divide, stay whole.

        Uneven shards inside a compiled function can be silently wrong: XLA pads them, and counts
        the padding in gradients of embeddings (openxla/xla#40034 is of the same kind).

        Args:
            x: A tensor whose first axis is the samples.
        """
        if self._has_replicas:  # the step has taken its rows
            return x
        if type(x) is PaddedBatch:
            return PaddedBatch(*map(self.shard_batch, x))
        rank = len(x.shape) if current().is_tensor(x) and not _is_sparse(x) else 0
        if rank == 0:
            return x
        if rank not in self._data_layouts:
            self._data_layouts[rank] = self.get_data_layout(x.shape)
        layout = self._data_layouts[rank]
        return self._lay_out(x, layout if layout.divides(x.shape) else self._replicated)

    def gather_counts(self, count: int) -> list[int]:
        """Returns the counts of all processes, which call it at the same time.

        Args:
            count: The count of this process.
        """
        joined = self.join_rows(np.full(1, count, np.int32), [1] * self.num_processes)
        return current().convert_to_numpy(joined).tolist()

    def join_rows(self, x: np.ndarray, counts: list[int]) -> Tensor:
        """Returns the rows of all processes: first those of process 0.

        Args:
            x: The rows of this process.
            counts: The number of rows of each.
        """
        if self._has_replicas:
            start, total = sum(counts[: self.process_index]), sum(counts)
            share = len(x) / total
            replica = ReplicaBatch(start, len(x), len(x), total, share, GradientState())
            return gather_rows(current().convert_to_tensor(x), replica)
        sharding = self._replicated.backend_layout
        return cast(SupportsOwnRows, current()).join_rows(x, counts, sharding)

    def is_any(self, value: bool) -> bool:
        """Returns whether a value is true in any process, all of which call it at the same time.

        Args:
            value: The value of this process.
        """
        return any(exchange_text("stop", "yes" if value else ""))

    def distribute_step(self, step: Callable[..., Any], kind: str, model: Any) -> Any:
        """Returns a step of a whole batch, of which a replica computes its rows.

        Args:
            step: A function of `(tensors, indices)`.
            kind: `"train"`, `"test"` or `"predict"`.
            model: The model.
        """
        return distribute_step(step, kind, model) if self._has_replicas else step

    def read_metrics(self, model: Any, read_own: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """Returns the results of the metrics over all processes.

        Args:
            model: The model.
            read_own: Reads those of this process.
        """
        return model._read(read_metrics(model)) if self._has_replicas else read_own()

    @property
    def reads_metrics_in_step(self) -> bool:
        """Whether a compiled step may return the results of metrics."""
        return not self._has_replicas

    def replicate(self, x: Any) -> Any:
        """Returns a tensor that is whole on each device of the mesh: data to gather samples of."""
        return x if _is_sparse(x) else self._lay_out(x, self._replicated)

    def _lay_out(self, x: Any, layout: TensorLayout) -> Tensor:
        sharding = layout.backend_layout
        return x if sharding is None else cast(SupportsDistribution, current()).shard(x, sharding)

    def distribute_dataset(self, dataset: Any) -> Any:
        """Returns a data set for `fit` in this process: the data set itself.

        A batch is global: all processes read it, and the devices of each take their rows of it.

        Args:
            dataset: The data set, the same in all processes.

        Returns:
            The same data set.
        """
        return dataset

    def distribute_tf_dataset(self, dataset: Any) -> Any:
        """Same as `distribute_dataset`.

        Args:
            dataset: A `tf.data.Dataset`, the same in all processes.

        Returns:
            The same data set.
        """
        return self.distribute_dataset(dataset)

    @contextmanager
    def scope(self) -> Iterator["Distribution"]:
        """Context manager in which this distribution is in force, in all threads.

        Example:
            >>> distribution = keras.distribution.DataParallel(devices=["cpu:0"])
            >>> with distribution.scope():
            ...     layer = keras.layers.Dense(2)
        """
        outer = settings.distribution
        set_distribution(self)
        try:
            yield self
        finally:
            set_distribution(outer)

    def __repr__(self) -> str:
        return (
            f"<{type(self).__name__} device_mesh={self._device_mesh}, "
            f"batch_dim_name={self._batch_dim_name!r}>"
        )


def _call_and_lay_out(call: Callable[..., Any], path: str, *args: Any, **kwargs: Any) -> Any:
    """Calls a layer, and lays out what it returns as the distribution in force has it."""
    outputs = call(*args, **kwargs)
    in_force: Distribution | None = settings.distribution
    layout = None if in_force is None else in_force.get_tensor_layout(path)
    return outputs if layout is None else tree.map_structure(partial(_lay_out, layout), outputs)


def _lay_out(layout: TensorLayout, x: Any) -> Any:
    """Lays out a tensor; what does not divide evenly stays as it is."""
    if supports("all_reduce_sum"):  # of a process: its rows
        return x
    is_even = current().is_tensor(x) and layout.divides(x.shape)
    return distribute_tensor(x, layout) if is_even else x


def _names(axes: str | tuple[str, ...] | None) -> tuple[str, ...]:
    return axes if isinstance(axes, tuple) else () if axes is None else (axes,)


def _is_sparse(x: Any) -> bool:
    return supports("is_sparse") and cast(Any, current()).is_sparse(x)


def _count_processes() -> tuple[int, int]:
    """Returns the index of this process, and the number of processes."""
    if not supports("process_count"):
        return 0, 1
    backend = cast(SupportsProcesses, current())
    return backend.process_index(), backend.process_count()


def distribution() -> Distribution | None:
    """Returns the distribution in force, or None.

    Example:
        >>> keras.distribution.distribution() is None
        True
    """
    return settings.distribution


def set_distribution(value: Distribution | None) -> None:
    """Puts a distribution in force, in all threads: for variables that are made, and for training.

    Args:
        value: A `DataParallel` or `ModelParallel`; None to end it.

    Raises:
        TypeError: It is neither.

    Example:
        >>> keras.distribution.set_distribution(keras.distribution.DataParallel(devices=["cpu:0"]))
        >>> keras.distribution.set_distribution(None)
    """
    if value is not None and not isinstance(value, Distribution):
        raise DTypeError(
            "set_distribution",
            expected="a DataParallel, a ModelParallel or None",
            received=repr(value),
            fix="for example keras.distribution.DataParallel()",
        )
    settings.distribution = value
