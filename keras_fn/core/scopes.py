"""Scopes: stateless variables, symbolic calls, autocast, training mode, name scopes.

One thread-local object holds all of them, so that a warm call reads one attribute and threads do
not see each other's scopes. It is not a `ContextVar`, because Dynamo can trace attributes but not
context variables.
"""

from collections.abc import Iterable
from threading import local
from types import TracebackType
from typing import Any, NamedTuple, Self

from keras_fn.backend.loader import current
from keras_fn.errors import SpecError
from keras_fn.types import Tensor


class Context(NamedTuple):
    """The active scopes of a thread.

    Attributes:
        stateless: The innermost `StatelessScope`.
        symbolic: Whether calls only infer shapes and dtypes, and change no variable.
        autocast: The dtype that float variables are cast to when read, or None.
        training: The training mode, or None if no scope sets it.
        deferred_init: Whether new variables are initialized when they are first read.
        in_layer_call: Whether an outer layer call is running, in a program that uses `add_loss`.
        rows_per_sample: How many rows of a batch are one sample, where `TimeDistributed` runs a
            layer on all time steps as one batch; None for one.
        replica: Which rows of the batch this process has, in the step of a replica
            (`keras_fn.core.replicas.ReplicaBatch`); else None.
        shards: In an optimizer's update, whether sharded variables are the part of this process,
            `"local"`, or `"whole"`; else None (`keras_fn.core.sharded_variable`).
        masks: Masks of tensors that cannot have attributes: `{id(tensor): (tensor, mask)}`.
    """

    stateless: "StatelessScope | None" = None
    symbolic: bool = False
    autocast: str | None = None
    training: bool | None = None
    deferred_init: bool = False
    in_layer_call: bool = False
    rows_per_sample: Any = None
    replica: Any = None
    shards: str | None = None
    masks: dict[int, tuple[Any, Any]] = {}  # noqa: RUF012  # one for all contexts, on purpose


DEFAULT_CONTEXT = Context()


class _ThreadLocal(local):
    """The state of a thread: the active scopes, and the names of the active name scopes."""

    current: Context = DEFAULT_CONTEXT
    name_path: tuple[str, ...] = ()


context = _ThreadLocal()


class Scope:
    """Base of the scopes: a context manager that replaces some fields of the context."""

    _outer: Context

    def _overrides(self) -> dict[str, Any]:
        """Returns the fields to replace."""
        return {}

    def _derive(self, outer: Context) -> Context:
        """Returns the context inside the scope."""
        return outer._replace(**self._overrides())

    def __enter__(self) -> Self:
        self._outer = context.current
        context.current = self._derive(self._outer)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        context.current = self._outer


class StatelessScope(Scope):
    """Scope in which variables are read from and written to a mapping instead of being changed.

    Args:
        state_mapping: Pairs `(variable, value)`: the value of each variable inside the scope, a
            tensor, array or variable of the variable's shape. Other variables have their own value.
        collect_losses: Whether losses added by `Layer.add_loss` are collected in `losses`.
            Default False.
        initialize_variables: Whether variables created inside are initialized when the scope ends.
            Default True.

    Raises:
        ValueError: A value has another shape than its variable.

    Example:
        >>> from keras_fn import Variable, ops
        >>> v = Variable([1.0, 2.0])
        >>> with StatelessScope([(v, ops.convert_to_tensor([3.0, 4.0]))]) as scope:
        ...     _ = v.assign_add([1.0, 1.0])
        ...     inside = ops.convert_to_numpy(v).tolist()
        >>> inside, ops.convert_to_numpy(v).tolist()
        ([4.0, 5.0], [1.0, 2.0])
    """

    def __init__(
        self,
        state_mapping: Iterable[tuple[Any, Any]] | None = None,
        collect_losses: bool = False,
        initialize_variables: bool = True,
    ):
        self.collect_losses = collect_losses
        self.initialize_variables = initialize_variables
        self.losses: list[Any] = []
        self.state: dict[int, Any] = {}  # values by the identity of their variables
        self.written: dict[int, Any] = {}  # variables assigned inside, by identity
        for variable, value in state_mapping or ():
            if isinstance(value, type(variable)):
                value = value.value
            elif not current().is_tensor(value):
                value = current().convert_to_tensor(value, variable.dtype)
            if tuple(value.shape) != tuple(variable.shape):
                raise SpecError(
                    f"StatelessScope, variable {variable.path!r}",
                    expected=f"a value of shape {variable.shape}",
                    received=f"shape {tuple(value.shape)}",
                    fix="pair each variable with a value of its own shape",
                )
            self.state[id(variable)] = value

    def _overrides(self) -> dict[str, Any]:
        outer = context.current.stateless
        if outer is not None:  # the values of the outer scope hold unless this one replaces them
            self.state = {**outer.state, **self.state}
        return {"stateless": self}

    def get_current_value(self, variable: object) -> Any:
        """Returns the value of `variable` inside the scope, or None if the scope has none."""
        return self.state.get(id(variable))

    def add_update(self, update: tuple[Any, Any]) -> None:
        """Sets the value of a variable inside the scope.

        Args:
            update: The pair `(variable, value)`.
        """
        variable, value = update
        self.state[id(variable)] = value
        self.written[id(variable)] = variable

    def add_loss(self, loss: Tensor) -> None:
        """Adds a loss to `losses`."""
        self.losses.append(loss)


class SymbolicScope(Scope):
    """Scope in which ops infer shapes and dtypes, compute nothing and change no variable.

    Example:
        >>> with keras.SymbolicScope():
        ...     keras.ops.zeros((2, 3)).shape
        (2, 3)
    """

    def _derive(self, outer: Context) -> Context:
        return _SYMBOLIC if outer is DEFAULT_CONTEXT else outer._replace(symbolic=True)


_SYMBOLIC = Context(symbolic=True)  # shared, because a layer that is called on symbols enters it


class AutocastScope(Scope):
    """Scope in which float variables are cast to `dtype` when they are read.

    Args:
        dtype: The name of a float dtype, or None to switch autocasting off.
    """

    def __init__(self, dtype: str | None):
        self.dtype = dtype

    def _derive(self, outer: Context) -> Context:
        return outer if outer.autocast == self.dtype else outer._replace(autocast=self.dtype)


class TrainingScope(Scope):
    """Scope that sets the default of the argument `training` of layer calls.

    Args:
        training: True for training mode, False for inference.
    """

    def __init__(self, training: bool):
        self.training = bool(training)

    def _derive(self, outer: Context) -> Context:
        if outer is DEFAULT_CONTEXT:
            return _TRAINING if self.training else _INFERENCE
        return outer._replace(training=self.training)


# Shared, because most calls with `training=` use one of them.
_TRAINING, _INFERENCE = Context(training=True), Context(training=False)


class BuildScope(Scope):
    """Scope in which variables are created and initialized eagerly, whatever the outer scopes."""

    def _derive(self, outer: Context) -> Context:
        if outer is DEFAULT_CONTEXT:
            return outer
        return outer._replace(symbolic=False, autocast=None, stateless=None)


class OutermostCallScope(Scope):
    """Scope of the outermost layer call: layer calls inside are nested calls."""

    def _overrides(self) -> dict[str, Any]:
        return {"in_layer_call": True}


class RowsPerSampleScope(Scope):
    """Scope in which several rows of a batch are one sample.

    Args:
        rows: How many: an integer or a scalar tensor.
    """

    def __init__(self, rows: Any):
        self.rows = rows

    def _derive(self, outer: Context) -> Context:
        inner = outer.rows_per_sample
        return outer._replace(rows_per_sample=self.rows if inner is None else inner * self.rows)


class CapturedContext(Scope):
    """Scope that restores the context of its creation, for code that runs in another thread."""

    def __init__(self) -> None:
        self._captured = context.current

    def _derive(self, outer: Context) -> Context:
        return self._captured


class DeferredInitScope(Scope):
    """Scope in which new variables have a shape, and are initialized when they are first read."""

    def _overrides(self) -> dict[str, Any]:
        return {"deferred_init": True}


def in_stateless_scope() -> bool:
    """Returns whether a `StatelessScope` is active."""
    return context.current.stateless is not None
