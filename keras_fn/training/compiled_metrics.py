"""Metrics that are reset and read in one compiled call: op by op, each would cost several."""

from collections.abc import Callable, Sequence
from typing import Any

from keras_fn.backend.loader import current
from keras_fn.core.registry import is_builtin
from keras_fn.core.scopes import context
from keras_fn.settings import settings
from keras_fn.training.program_key import share_program


class CompiledMetricOps:
    """Runs a function of metrics, compiled from its second call with the same metrics on.

    Only built-in metrics are compiled: a custom one may do things that cannot be compiled.
    """

    def __init__(self) -> None:
        self._state: list[Any] | None = None  # the variables of the last call
        self._distribution: Any = None  # in force at the last call
        self._compiled: Callable[[], Any] | None = None

    def run(
        self, function: Callable[[], Any], metrics: Sequence[Any], key: str = "", owners: Any = ()
    ) -> Any:
        """Returns the result of `function`.

        Args:
            function: Reads and assigns variables of `metrics`, and no others.
            metrics: The metrics.
            key: What the function does with them.
            owners: Other objects from which it reads.
        """
        scope = context.current
        if scope.stateless is not None or scope.symbolic or not are_builtin(metrics):
            return function()
        state = [v for metric in metrics for v in metric.variables]
        is_other = self._state is None or self._distribution is not settings.distribution
        if is_other or list(map(id, state)) != list(map(id, self._state or ())):
            self._state, self._compiled = state, None
            self._distribution = settings.distribution
            return function()
        if self._compiled is None:
            roots = [list(metrics), owners]
            share: Any = share_program(f"metrics, {key}", state, lambda: roots) if key else {}
            self._compiled = current().compile(function, state, **share)
        return self._compiled()


def are_builtin(metrics: Sequence[Any]) -> bool:
    """Whether all metrics are built in, and so can be read and reset in a compiled function."""
    return all(map(is_builtin, metrics))
