"""Variables that functions of control flow assign: a backend must pass them through its graph."""

from collections.abc import Callable, Sequence
from typing import Any

from keras_fn.core.scopes import StatelessScope
from keras_fn.core.variable import Variable


class CapturedVariables:
    """Variables that become explicit state of a loop or branch.

    Args:
        variables: The variables known so far.

    Attributes:
        variables: The variables, in the order of their values.
        written: The variables that a functionalized function assigned, by identity. They are known
            after the function was traced once.
    """

    def __init__(self, variables: Sequence[Variable] = ()):
        self.variables = list(variables)
        self.written: dict[int, Variable] = {}

    @property
    def values(self) -> list[Any]:
        """The current values of the variables."""
        return [v.value for v in self.variables]

    def functionalize(self, function: Callable[..., Any]) -> Callable[..., tuple[list[Any], Any]]:
        """Converts a function that assigns variables to a pure function of their values.

        Args:
            function: A function of tensors.

        Returns:
            A function `(values, *args) -> (new_values, result)`.
        """

        def pure(values: Sequence[Any], *args: Any) -> tuple[list[Any], Any]:
            with StatelessScope(zip(self.variables, values, strict=True)) as scope:
                result = function(*args)
            self.written.update(scope.written)
            return [scope.state[id(v)] for v in self.variables], result

        return pure


def with_captured_variables(
    run: Callable[[CapturedVariables], tuple[Sequence[Any], Any]],
) -> Any:
    """Runs control flow with the variables that it assigns as explicit state, and assigns them.

    Args:
        run: Takes `CapturedVariables`, builds control flow of functionalized functions, and returns
            the final values of the variables and the result. It is called again while it assigns
            variables that are not captured yet.

    Returns:
        The result of `run`.
    """
    state = CapturedVariables()
    while True:
        values, result = run(state)
        if state.written.keys() <= {id(v) for v in state.variables}:
            break
        variables = {**{id(v): v for v in state.variables}, **state.written}
        state = CapturedVariables(list(variables.values()))
    for variable, value in zip(state.variables, values, strict=True):
        variable.assign(value)
    return result
