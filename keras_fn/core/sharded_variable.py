"""`ShardedVariable`: a variable of which each process stores a part, and gathers the others' parts.

It is for backends whose arrays are those of a process (`SupportsReplicas`).
"""

from collections.abc import Callable, Sequence
from typing import Any, cast

import numpy as np

from keras_fn.backend.distribution_contract import SupportsReplicas
from keras_fn.backend.loader import current
from keras_fn.core.scopes import Context, Scope, context
from keras_fn.core.variable import Variable
from keras_fn.types import Tensor, TensorLike

Index = tuple[slice, ...]


class ShardScope(Scope):
    """Scope of an optimizer's update of sharded variables.

    Args:
        shards: `"local"`: variables are the parts of this process. `"whole"`: they are gathered, as
            outside of the scope.
    """

    def __init__(self, shards: str):
        self.shards = shards

    def _overrides(self) -> dict[str, Any]:
        return {"shards": self.shards}


class ShardedVariable(Variable):
    """A variable whose handle is the part of this process; reading it gathers the whole value.

    `shape` is that of the whole. The distribution makes a variable one of these.
    """

    exist = False  # whether there is one in this program
    _shard_indices: list[Index]

    @staticmethod
    def convert(variable: Variable, indices: Sequence[Index], process: int) -> None:
        """Makes a variable without a value a sharded one.

        Args:
            variable: The variable.
            indices: The index of the part of each process.
            process: The index of this process.
        """
        variable.__class__ = ShardedVariable
        variable.shard_index = indices[process]
        cast(ShardedVariable, variable)._shard_indices = list(indices)
        ShardedVariable.exist = True

    @staticmethod
    def revert(variable: Variable) -> None:
        """Makes a sharded variable without a value a variable that is whole on each process."""
        variable.__class__, variable.shard_index = Variable, None
        vars(variable).pop("_shard_indices", None)

    @property
    def shard(self) -> Any:
        """The part of this process."""
        if self._deferred_initializer is not None:
            self._materialize()
        return self._handle

    @property
    def value(self) -> Tensor:
        """The value: gathered from all processes, which call it in the same order."""
        return self._value_in(context.current)

    def _value_in(self, active: Context) -> Any:
        value = None
        if active.stateless is not None:
            value = active.stateless.state.get(id(self))
        value = self.shard if value is None else value
        is_shard = tuple(value.shape) != self.shape
        dtype = active.autocast
        if dtype is not None and self._autocast_enabled and dtype != self._dtype:
            value = current().cast(value, dtype)  # what is sent is smaller
        return self._gather(value) if is_shard and active.shards != "local" else value

    def _gather(self, shard: Any) -> Any:
        backend = cast(SupportsReplicas, current())
        sums_gradients = context.current.replica is not None
        return backend.gather_shards(shard, self._shard_indices, self.shape, sums_gradients)

    def own_part(self, value: Any) -> Any:
        """Returns the part of this process, of a whole tensor; a part is returned as it is.

        Args:
            value: A tensor or an array.
        """
        is_whole = tuple(value.shape) == self.shape
        return value[self.shard_index] if is_whole else value

    def count_copies(self) -> int:
        """Returns how many processes have the same part."""
        return sum(index == self.shard_index for index in self._shard_indices)

    def _new_handle(self, value: Any) -> Any:
        part = _without_base(self.own_part(value))
        return current().new_variable(part, self._dtype, self._trainable, self.name)

    def _draw_shards(self, draw_rows: Callable[[int, int], np.ndarray]) -> Any:
        index: Any = self.shard_index
        rows, *others = index
        part = draw_rows(rows.start, rows.stop)[(slice(None), *others)]
        return current().new_variable(part, self._dtype, self._trainable, self.name)

    def _read_handle(self, read: Callable[[Index], np.ndarray]) -> Any:
        part = _without_base(read(self.shard_index or ()))
        return current().new_variable(part, self._dtype, self._trainable, self.name)

    def _spans_processes(self) -> bool:
        return True

    def _owned_slices(self) -> list[tuple[Index, np.ndarray]]:
        index = self.shard_index or ()
        backend = cast(SupportsReplicas, current())
        is_first = self._shard_indices.index(index) == backend.process_index()  # of its copies
        return [(index, current().convert_to_numpy(self.shard))] if is_first else []

    @property
    def _shard_shape(self) -> tuple[int, ...]:
        return tuple(s.stop - s.start for s in self.shard_index or ())

    def assign(self, value: TensorLike) -> Tensor:
        """Sets the value.

        Args:
            value: A value of the variable's shape; or a part, in the update of an optimizer.

        Returns:
            The new value.

        Raises:
            ValueError: The value has another shape.
        """
        active = context.current
        if active.symbolic:
            return self._assign_symbolically(value)
        value = value.value if isinstance(value, Variable) else value
        tensor: Any = current().convert_to_tensor(value, self._dtype)
        shape = tuple(tensor.shape)
        if shape != self.shape and not (active.shards == "local" and shape == self._shard_shape):
            raise self._shape_error(tensor)
        if active.stateless is not None:
            value = self.own_part(tensor) if active.shards == "local" else tensor
            active.stateless.add_update((self, value))
        elif self._handle is None:
            self._deferred_initializer = None
            self._handle = self._new_handle(tensor)
        else:
            self._handle = current().assign(self._handle, self.own_part(tensor))
        return tensor

    def accumulate(self, value: TensorLike) -> None:
        """Same as `assign_add`, without a result.

        Args:
            value: A tensor or number.
        """
        self.assign(self + value)

    # A copy is a variable that is whole until a distribution shards it.
    def __reduce_ex__(self, protocol: Any) -> Any:
        state = {**self.__getstate__(), "shard_index": None}
        del state["_shard_indices"]
        return _make_empty, (), state


def _without_base(part: Any) -> Any:
    """Returns a part, copied if it is a view: a backend that shares it would keep the whole."""
    base = getattr(part, "base", None)
    is_part = isinstance(base, np.ndarray) and base.nbytes > part.nbytes
    return part.copy() if is_part else part


def _make_empty() -> Variable:
    """Returns a variable whose state is set next."""
    return Variable.__new__(Variable)


def gather_gradient(variable: Variable, grad: Any) -> Any:
    """Returns the gradient of a whole variable, of which this process may have a part.

    Args:
        variable: The variable.
        grad: The gradient, or the part of it.
    """
    if not isinstance(variable, ShardedVariable) or tuple(grad.shape) == variable.shape:
        return grad
    return variable._gather(grad)
