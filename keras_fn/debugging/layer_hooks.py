"""A model run layer by layer, as its graph says, with something done at each layer."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from keras_fn.core.graph_model import get_graph

LayerHook = Callable[[str, Any, tuple, dict[str, Any]], Any]
"""Takes the path of a layer or op, it itself, and its arguments; calls it, returns the result."""


@contextmanager
def hook_layers(model: Any, hook: LayerHook) -> Iterator[Callable[..., Any]]:
    """Gives a call of the model in which each layer goes through `around`.

    Those of nested models go through it, too, under paths like `"encoder/dense"`. A model that is
    no graph of layers is a single layer, itself.

    Args:
        model: A built model.
        around: What is called in place of a layer or op.

    Example:
        >>> from keras_fn.debugging.layer_hooks import watched
        >>> x = keras.Input((2,), name="x")
        >>> model = keras.Model(x, keras.layers.Dense(1, name="out")(x))
        >>> def around(path, layer, args, kwargs):
        ...     print(path)
        ...     return layer(*args, **kwargs)
        >>> with watched(model, around) as call:
        ...     y = call(np.ones((1, 2)))
        out
    """
    if get_graph(model) is None:
        yield lambda *args, **kwargs: hook(model.name, model, args, kwargs)
        return
    graphs = {id(g): g for g in map(get_graph, model._flatten_layers()) if g is not None}
    trail: list[str] = []
    with ExitStack() as stack:
        for graph in graphs.values():
            plan = _HookedPlan(graph.execution_plan, hook, trail)
            stack.enter_context(graph.substitute_plan(plan))
        yield model


class _HookedPlan:
    """A plan whose steps go through `around`.

    Args:
        plan: The plan.
        around: What is called in place of an operation.
        trail: The names of the nested models that run now, which watched plans share.
    """

    def __init__(self, plan: Any, hook: LayerHook, trail: list[str]):
        self._plan, self._around, self._trail = plan, hook, trail

    def __getattr__(self, name: str) -> Any:
        return getattr(self._plan, name)

    def run(self, values: Any, training: Any = None, masks: Any = None) -> list[Any]:
        """Runs the steps."""
        return self._plan.run(values, training, masks, self._wrapped)

    def _wrapped(self, operation: Any) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            self._trail.append(operation.name)
            try:
                if get_graph(operation) is not None:
                    return operation(*args, **kwargs)
                return self._around("/".join(self._trail), operation, args, kwargs)
            finally:
                self._trail.pop()

        return call
