"""Runs a model layer by layer, in the order of its graph, with a hook around each layer."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from keras_fn.core.graph_model import get_graph
from keras_fn.types import AnyModel

LayerHook = Callable[[str, Any, tuple, dict[str, Any]], Any]
"""A function of the path of a layer or op, the layer or op, and its arguments. It calls the layer
and returns the result."""


@contextmanager
def hook_layers(model: AnyModel, hook: LayerHook) -> Iterator[Callable[..., Any]]:
    """Layer hooks: yields a call of the model in which each layer or op runs through `hook`.

    The layers of nested models have paths like `"encoder/dense"`. A model that is not a graph of
    layers counts as a single layer.

    Args:
        model: A built model.
        hook: Function that is called in place of each layer or op.

    Yields:
        A function with the arguments of the model's call.

    Example:
        >>> from keras_fn.debugging.layer_hooks import hook_layers
        >>> x = keras.Input((2,), name="x")
        >>> model = keras.Model(x, keras.layers.Dense(1, name="out")(x))
        >>> def hook(path, layer, args, kwargs):
        ...     print(path)
        ...     return layer(*args, **kwargs)
        >>> with hook_layers(model, hook) as call:
        ...     y = call(np.ones((1, 2)))
        out
    """
    if get_graph(model) is None:
        yield lambda *args, **kwargs: hook(model.name, model, args, kwargs)
        return
    found = [g for g in map(get_graph, model._flatten_layers()) if g is not None]
    hosts = [g.host_preprocessing for g in found if g.host_preprocessing is not None]
    graphs = {id(g): g for g in [*found, *(host.device_graph for host in hosts)]}
    trail: list[str] = []
    with ExitStack() as stack:
        for graph in graphs.values():
            plan = _HookedPlan(graph.execution_plan, hook, trail)
            stack.enter_context(graph.substitute_plan(plan))
        yield model


class _HookedPlan:
    """An execution plan whose steps run through a hook.

    Args:
        plan: The execution plan.
        hook: Function that is called in place of each operation.
        trail: Names of the nested models that are running; all hooked plans share it.
    """

    def __init__(self, plan: Any, hook: LayerHook, trail: list[str]):
        self._plan, self._hook, self._trail = plan, hook, trail

    def __getattr__(self, name: str) -> Any:
        return getattr(self._plan, name)

    def run(self, values: Any, training: Any = None, masks: Any = None) -> list[Any]:
        """Runs the steps."""
        return self._plan.run(values, training, masks, self._wrap)

    def _wrap(self, operation: Any) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            self._trail.append(operation.name)
            try:
                if get_graph(operation) is not None:
                    return operation(*args, **kwargs)
                return self._hook("/".join(self._trail), operation, args, kwargs)
            finally:
                self._trail.pop()

        return call
