"""Stateless training: steps and losses as pure functions, for `jax.grad` and `jax.jit`."""

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from keras_fn import ops
from keras_fn.core.scopes import StatelessScope
from keras_fn.errors import SpecError, check_choice
from keras_fn.types import Nested, Tensor

if TYPE_CHECKING:  # a model is a layer, too; at run time `Model` combines the classes
    from keras_fn.layers.layer import Layer as Mixed
else:
    Mixed = object

STATE_GROUPS = {
    "train": (
        "trainable_variables",
        "non_trainable_variables",
        "optimizer_variables",
        "metrics_variables",
    ),
    "test": ("trainable_variables", "non_trainable_variables", "metrics_variables"),
    "predict": ("trainable_variables", "non_trainable_variables"),
}
"""The groups of variables that make up the state of a step."""


class StatelessTraining(Mixed):
    """The loss of a model as a pure function, and its state as a nested dict."""

    optimizer: Any

    @property
    def optimizer_variables(self) -> list[Any]:
        """The variables of the optimizer."""
        return [] if self.optimizer is None else list(self.optimizer.variables)

    def stateless_compute_loss(
        self,
        trainable_variables: Sequence[Any],
        non_trainable_variables: Sequence[Any],
        metrics_variables: Sequence[Any],
        x: Nested = None,
        y: Nested = None,
        y_pred: Nested = None,
        sample_weight: Nested = None,
        training: bool = True,
    ) -> tuple[Tensor, tuple[list[Any], list[Any], list[Any]]]:
        """Computes the loss as a pure function of the variables' values.

        Args:
            trainable_variables: Values for `model.trainable_variables`.
            non_trainable_variables: Values for `model.non_trainable_variables`.
            metrics_variables: Values for `model.metrics_variables`.
            x: Inputs.
            y: Targets.
            y_pred: Outputs of the model.
            sample_weight: Sample weights, or None.
            training: Whether the model is being trained.

        Returns:
            The loss, a float32 scalar, and the new values of the three groups.

        Raises:
            SpecError: A group does not have a value for each variable.
        """
        received = (trainable_variables, non_trainable_variables, metrics_variables)
        with _scope(self, "test", received) as scope:
            loss = self._call_compute_loss(x, y, y_pred, sample_weight, training)  # type: ignore[attr-defined]
        return loss, _values(self, "test", scope)  # type: ignore[return-value]

    def get_state_tree(self, value_format: str = "backend_tensor") -> dict[str, Any]:
        """Returns all state as nested dicts: by group, then along the paths of the variables.

        Args:
            value_format: `"backend_tensor"` or `"numpy_array"`.

        Returns:
            A dict of the groups `"trainable_variables"`, `"non_trainable_variables"`,
            `"optimizer_variables"` and `"metrics_variables"`.

        Raises:
            ValueError: The format is unknown, or two variables have one path.

        Example:
            >>> x = keras.Input((3,))
            >>> model = keras.Model(x, keras.layers.Dense(2, name="d")(x))
            >>> tree = model.get_state_tree("numpy_array")
            >>> tree["trainable_variables"]["d"]["kernel"].shape
            (3, 2)
        """
        formats = {"backend_tensor": lambda v: v.value, "numpy_array": lambda v: v.numpy()}
        value_format = check_choice("get_state_tree", "value_format", value_format, formats)
        state: dict[str, Any] = {}
        for group in STATE_GROUPS["train"]:
            branch = state.setdefault(group, {})
            for variable in getattr(self, group):
                *folders, name = variable.path.split("/")
                node = branch
                for folder in folders:
                    node = node.setdefault(folder, {})
                if name in node:
                    raise SpecError(
                        f"{self._label}, get_state_tree",
                        expected="a path of its own for each variable",
                        received=f"two variables of the path {variable.path!r}",
                        fix="give layers that stand side by side different names",
                    )
                node[name] = formats[value_format](variable)
        return state

    def set_state_tree(self, state_tree: Mapping[str, Any]) -> None:
        """Sets the variables that a state has values for.

        Args:
            state_tree: Nested dicts as from `get_state_tree`, or a part of them.

        Raises:
            ValueError: There is a value for a variable that the model does not have. Nothing is set
                then.
        """
        assignments: list[tuple[Any, Any]] = []
        for group, branch in state_tree.items():
            if group not in STATE_GROUPS["train"]:
                raise SpecError(
                    "set_state_tree",
                    expected=f"the groups {', '.join(STATE_GROUPS['train'])}",
                    received=f"{group!r}",
                    fix="pass a tree that get_state_tree returned",
                )
            variables = {v.path: v for v in getattr(self, group)}
            for path, value in _leaves(branch):
                if path not in variables:
                    raise SpecError(
                        f"{self._label}, {group}",
                        expected=f"paths of {', '.join(variables)}",
                        received=path,
                        fix="build and compile the model as it was, or rename the key",
                    )
                assignments.append((variables[path], value))
        for variable, value in assignments:
            variable.assign(value)


def _leaves(branch: Any, path: str = "") -> list[tuple[str, Any]]:
    if not isinstance(branch, Mapping):
        return [(path, branch)]
    return [
        leaf
        for name, inner in branch.items()
        for leaf in _leaves(inner, f"{path}/{name}" if path else name)
    ]


def _scope(model: Any, kind: str, state: Sequence[Sequence[Any]]) -> StatelessScope:
    """Returns the scope in which the variables of a step have the given values."""
    names = STATE_GROUPS[kind]
    if len(state) != len(names):
        raise SpecError(
            model._label,
            expected=f"a state of {', '.join(names)}",
            received=f"{len(state)} groups",
            fix=f"pass {len(names)} lists of values",
        )
    pairs = []
    for name, values in zip(names, state, strict=True):
        variables = getattr(model, name)
        if len(values) != len(variables):
            raise SpecError(
                model._label,
                expected=f"{len(variables)} values of {name}",
                received=f"{len(values)}",
                fix=f"take them from model.{name}",
            )
        tensors = [ops.convert_to_tensor(value) for value in values]
        pairs += zip(variables, tensors, strict=True)
    return StatelessScope(pairs)


def _values(model: Any, kind: str, scope: StatelessScope) -> tuple[list[Any], ...]:
    return tuple(
        [scope.get_current_value(v) for v in getattr(model, name)] for name in STATE_GROUPS[kind]
    )


def call_stateless(
    model: Any, kind: str, step: Callable[[Any], Any], state: Any, data: Any
) -> tuple[Any, Any]:
    """Runs a step as a pure function of the variables' values.

    Args:
        model: The model.
        kind: `"train"`, `"test"` or `"predict"`.
        step: The step, a function of a batch that reads and assigns variables.
        state: A list of values for each of `STATE_GROUPS[kind]`.
        data: A batch.

    Returns:
        The result of the step, and the new state. In prediction, this is the values of the
        non-trainable variables alone.
    """
    with _scope(model, kind, state) as scope:
        result = step(data)
    new_state = _values(model, kind, scope)
    return result, new_state[1] if kind == "predict" else new_state


def is_stateless_step(step: Callable[..., Any]) -> bool:
    """Whether an overridden step is a function of `(state, data)`, as Keras has it on JAX."""
    parameters = inspect.signature(step).parameters.values()
    positional = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    return sum(p.default is p.empty for p in positional) == 2


def stateful_from_stateless(
    model: Any, kind: str, step: Callable[..., tuple[Any, Any]]
) -> Callable[[Any], Any]:
    """Converts a pure step to one that reads and assigns the model's variables.

    Args:
        model: The model.
        kind: `"train"`, `"test"` or `"predict"`.
        step: A function of `(state, data)` that returns `(result, state)`.

    Returns:
        A function of a batch.
    """
    names = STATE_GROUPS[kind]

    def run(data: Any) -> Any:
        variables = [getattr(model, name) for name in names]
        result, new_state = step(tuple([v.value for v in group] for group in variables), data)
        if kind == "predict" and len(new_state) == len(variables[1]):
            # It may return the non-trainable values alone.
            variables, new_state = variables[1:], (new_state,)
        for group, values in zip(variables, new_state, strict=True):
            for variable, value in zip(group, values, strict=True):
                variable.assign(value)
        return result

    return run
