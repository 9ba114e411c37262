"""Replicas: what a process must know while it computes with its rows of a global batch.

Losses, normalization and random numbers are those of the whole batch, so that the number of
processes changes results by rounding only. Whoever computes with a batch asks
`context.current.replica`, which is None outside of the step of a replica.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, cast

from keras_fn.backend.distribution_contract import SupportsReplicas
from keras_fn.backend.loader import current
from keras_fn.core.scopes import Scope, context
from keras_fn.types import Tensor


class GradientState:
    """Whether the gradients of a step are those of the whole batch: `value_and_grad` sums them."""

    def __init__(self, summed: bool = False):
        self.summed = summed


class ReplicaBatch(NamedTuple):
    """Which rows of the global batch this process has.

    Numbers are scalar tensors where a compiled step does not know its sizes.

    Attributes:
        start: The first row.
        count: The number of rows; 0 if there are fewer rows than processes.
        rows: The number of rows that are computed with: 1 for none, which then count nothing.
        total: The number of rows of all processes.
        share: `count / total`, by which losses are weighted.
        gradients: What is known about the gradients of the step.
    """

    start: Any
    count: Any
    rows: Any
    total: Any
    share: Any
    gradients: GradientState

    def average(self, x: Tensor) -> Tensor:
        """Returns the mean over the whole batch, of the mean over the rows of this process."""
        return sum_over_replicas(self.weigh(x))

    def total_of(self, x: Tensor) -> Tensor:
        """Returns the sum over the whole batch, of the sum over the rows of this process."""
        return sum_over_replicas(x * self._number(self.has_rows, x))

    def weigh(self, x: Tensor) -> Tensor:
        """Returns a mean over the rows of this process, weighted by their share of the batch."""
        return x * self._number(self.share, x)

    def unweigh(self, x: Tensor) -> Tensor:
        """Returns a sum over the rows of this process as a mean that `weigh` makes that sum."""
        return x / self._number(self.share + (1 - self.has_rows), x)

    def draw_rows(self, draw: Callable[[tuple[Any, ...]], Tensor], shape: Sequence[Any]) -> Tensor:
        """Returns random numbers: those of the whole batch, of which this process keeps its rows.

        Args:
            draw: Draws numbers of a shape.
            shape: The shape. Where its first size is another than that of the batch, all processes
                have the same numbers.
        """
        times = context.current.rows_per_sample or 1
        rows = self.rows * times
        if not shape or (isinstance(shape[0], int) and isinstance(rows, int) and shape[0] != rows):
            return draw(tuple(shape))
        numbers: Any = draw((self.total * times, *shape[1:]))
        return numbers[self.start * times : self.start * times + rows]

    @property
    def has_rows(self) -> Any:
        """1 if this process has rows of the batch, else 0."""
        if isinstance(self.count, int):
            return int(self.count > 0)
        return current().cast(self.count > 0, "float32")

    @staticmethod
    def _number(value: Any, x: Tensor) -> Any:
        """Returns a number to multiply a tensor with."""
        backend = current()
        return backend.cast(value, backend.dtype_name(x)) if backend.is_tensor(value) else value


class ReplicaScope(Scope):
    """Scope of a step of a replica.

    Args:
        replica: The rows of the step; None for code that has all rows.
    """

    def __init__(self, replica: ReplicaBatch | None):
        self.replica = replica

    def _overrides(self) -> dict[str, Any]:
        return {"replica": self.replica}


def sum_over_replicas(x: Tensor) -> Tensor:
    """Returns the sum of a tensor over the processes; gradients flow through it."""
    return cast(SupportsReplicas, current()).all_reduce_sum([x])[0]


def sum_all_over_replicas(tensors: Sequence[Tensor]) -> list[Tensor]:
    """Returns the sums of several tensors over the processes."""
    return cast(SupportsReplicas, current()).all_reduce_sum(tensors) if tensors else []


def all_over_replicas(x: Tensor) -> Tensor:
    """Returns whether a boolean scalar is true on all processes."""
    return sum_over_replicas(1 - current().cast(x, "int32")) == 0  # type: ignore[return-value]
