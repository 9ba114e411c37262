"""Variables carried through loops and branches that a backend puts into a graph."""

from collections.abc import Callable, Sequence
from typing import Any

from keras_fn.core.scopes import StatelessScope
from keras_fn.core.variable import Variable


class Carried:
    """The variables that functions assign, which become state of the loop they run in.

    Which ones they are shows when the functions have been traced once.
    """

    def __init__(self, variables: Sequence[Variable] = ()):
        self.variables = list(variables)
        self.written: dict[int, Variable] = {}

    @property
    def values(self) -> list[Any]:
        """The values of the variables now."""
        return [v.value for v in self.variables]

    def pure(self, function: Callable[..., Any]) -> Callable[..., tuple[list[Any], Any]]:
        """Makes `function` take values of the variables before its arguments, and return them
        as it leaves them, before its result.
        """

        def run(values: Sequence[Any], *args: Any) -> tuple[list[Any], Any]:
            with StatelessScope(zip(self.variables, values, strict=True)) as scope:
                result = function(*args)
            self.written.update(scope.written)
            return [scope.state[id(v)] for v in self.variables], result

        return run


def carried(run: Callable[[Carried], tuple[Sequence[Any], Any]]) -> Any:
    """Returns the result of `run`, and assigns the variables that were assigned in it.

    Args:
        run: Takes the `Carried` variables, puts `pure` functions of them into a graph, returns
            the last values and the result. It is called again while more are found.
    """
    state = Carried()
    while True:
        values, result = run(state)
        if state.written.keys() <= {id(v) for v in state.variables}:
            break
        found = {**{id(v): v for v in state.variables}, **state.written}
        state = Carried(list(found.values()))
    for variable, value in zip(state.variables, values, strict=True):
        variable.assign(value)
    return result
