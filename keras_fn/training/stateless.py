"""Training as pure functions of values: what `jax.grad` and `jax.jit` take, and steps on state."""

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from keras_fn import ops
from keras_fn.core.scopes import StatelessScope
from keras_fn.errors import SpecError

if TYPE_CHECKING:  # a model is a layer, too; at run time `Model` brings that together
    from keras_fn.layers.layer import Layer as Mixed
else:
    Mixed = object

GROUPS = {
    "train": (
        "trainable_variables",
        "non_trainable_variables",
        "optimizer_variables",
        "metrics_variables",
    ),
    "test": ("trainable_variables", "non_trainable_variables", "metrics_variables"),
    "predict": ("trainable_variables", "non_trainable_variables"),
}
"""What the state of a step consists of."""


class StatelessTraining(Mixed):
    """Loss and state of a model outside its variables."""

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
        x: Any = None,
        y: Any = None,
        y_pred: Any = None,
        sample_weight: Any = None,
        training: bool = True,
    ) -> tuple[Any, tuple[list[Any], list[Any], list[Any]]]:
        """Computes the loss as a pure function of the variables' values.

        Args:
            trainable_variables: Values for `model.trainable_variables`.
            non_trainable_variables: Values for `model.non_trainable_variables`.
            metrics_variables: Values for `model.metrics_variables`.
            x: Inputs.
            y: Targets.
            y_pred: What the model gave.
            sample_weight: What each sample counts.
            training: Whether the model is being trained.

        Returns:
            The loss, and the three groups of values after it.
        """
        received = (trainable_variables, non_trainable_variables, metrics_variables)
        with _scope(self, "test", received) as scope:
            loss = self.compute_loss(x, y, y_pred, sample_weight, training=training)  # type: ignore[attr-defined]
        return loss, _values(self, "test", scope)  # type: ignore[return-value]

    def get_state_tree(self, value_format: str = "backend_tensor") -> dict[str, Any]:
        """Returns all state as nested dicts: by kind, then along the paths of the variables.

        Args:
            value_format: `"backend_tensor"` or `"numpy_array"`.

        Example:
            >>> x = keras.Input((3,))
            >>> model = keras.Model(x, keras.layers.Dense(2, name="d")(x))
            >>> tree = model.get_state_tree("numpy_array")
            >>> tree["trainable_variables"]["d"]["kernel"].shape
            (3, 2)
        """
        formats = {"backend_tensor": lambda v: v.value, "numpy_array": lambda v: v.numpy()}
        if value_format not in formats:
            raise ValueError(
                f"get_state_tree: value_format must be one of {', '.join(formats)}, not "
                f"{value_format!r}."
            )
        state: dict[str, Any] = {}
        for group in GROUPS["train"]:
            branch = state.setdefault(group, {})
            for variable in getattr(self, group):
                *folders, name = variable.path.split("/")
                at = branch
                for folder in folders:
                    at = at.setdefault(folder, {})
                at[name] = formats[value_format](variable)
        return state

    def set_state_tree(self, state_tree: Mapping[str, Any]) -> None:
        """Sets the variables that `state_tree`, made by `get_state_tree`, has values for.

        Raises:
            ValueError: It has values for a variable that the model has not; none is set then.
        """
        found: list[tuple[Any, Any]] = []
        for group, branch in state_tree.items():
            if group not in GROUPS["train"]:
                raise ValueError(
                    f"set_state_tree: state is of {', '.join(GROUPS['train'])}; {group!r} came."
                )
            variables = {v.path: v for v in getattr(self, group)}
            for path, value in _leaves(branch):
                if path not in variables:
                    raise SpecError(
                        f"{self._place}, {group}",
                        expected=f"paths of {', '.join(variables)}",
                        received=path,
                        fix="build and compile the model as it was, or rename the key",
                    )
                found.append((variables[path], value))
        for variable, value in found:
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
    """The scope in which the variables of a step have these values."""
    names = GROUPS[kind]
    if len(state) != len(names):
        raise SpecError(
            model._place,
            expected=f"a state of {', '.join(names)}",
            received=f"{len(state)} groups",
            fix=f"give {len(names)} lists of values",
        )
    pairs = []
    for name, values in zip(names, state, strict=True):
        variables = getattr(model, name)
        if len(values) != len(variables):
            raise SpecError(
                model._place,
                expected=f"{len(variables)} values of {name}",
                received=f"{len(values)}",
                fix=f"take them from model.{name}",
            )
        tensors = [ops.convert_to_tensor(value) for value in values]
        pairs += zip(variables, tensors, strict=True)
    return StatelessScope(pairs)


def _values(model: Any, kind: str, scope: StatelessScope) -> tuple[list[Any], ...]:
    return tuple(
        [scope.get_current_value(v) for v in getattr(model, name)] for name in GROUPS[kind]
    )


def run_on_state(
    model: Any, kind: str, step: Callable[[Any], Any], state: Any, data: Any
) -> tuple[Any, Any]:
    """Runs a step on values; returns its result and the values after it.

    Args:
        model: The model.
        kind: `"train"`, `"test"` or `"predict"`.
        step: What to run: a function of data.
        state: Lists of values, as `GROUPS` says.
        data: A batch.
    """
    with _scope(model, kind, state) as scope:
        result = step(data)
    after = _values(model, kind, scope)
    return result, after[1] if kind == "predict" else after


def takes_state(step: Callable[..., Any]) -> bool:
    """Whether a step of the user's is a function of `(state, data)`, the form for JAX."""
    parameters = inspect.signature(step).parameters.values()
    places = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    return sum(p.default is p.empty for p in places) == 2


def step_of_data(
    model: Any, kind: str, step: Callable[..., tuple[Any, Any]]
) -> Callable[[Any], Any]:
    """Makes a step on state one that reads and assigns the model's variables."""
    names = GROUPS[kind]

    def run(data: Any) -> Any:
        variables = [getattr(model, name) for name in names]
        result, after = step(tuple([v.value for v in group] for group in variables), data)
        if kind == "predict" and len(after) == len(variables[1]):
            variables, after = variables[1:], (after,)  # those that are not trained, or both
        for group, values in zip(variables, after, strict=True):
            for variable, value in zip(group, values, strict=True):
                variable.assign(value)
        return result

    return run
