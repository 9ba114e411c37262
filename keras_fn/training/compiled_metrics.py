"""Metrics that are reset and read in one compiled call: op by op, each would cost several."""

from collections.abc import Callable, Sequence
from typing import Any

from keras_fn.backend.loader import current
from keras_fn.core.scopes import context


class AtOnce:
    """Runs work on metrics; compiled, from the second time for the same ones on.

    Only on metrics that are defined here: a method of another may do what a compiled call cannot.
    """

    def __init__(self) -> None:
        self._state: list[Any] | None = None  # the variables that it last ran for
        self._compiled: Callable[[], Any] | None = None

    def run(self, work: Callable[[], Any], metrics: Sequence[Any]) -> Any:
        """Returns what `work` returns, which reads and assigns variables of `metrics` alone."""
        now = context.now
        if now.stateless is not None or now.symbolic or not are_ours(metrics):
            return work()
        state = [v for metric in metrics for v in metric.variables]
        if self._state is None or list(map(id, state)) != list(map(id, self._state)):
            self._state, self._compiled = state, None
            return work()
        if self._compiled is None:
            self._compiled = current().compile(work, state)
        return self._compiled()


def are_ours(metrics: Sequence[Any]) -> bool:
    """Whether all are defined here, and so can be read and reset inside a compiled function."""
    return all(type(metric).__module__.startswith("keras_fn.") for metric in metrics)
