"""What is switched on for a while: stateless variables, symbolic values, autocast, training.

One object holds it all, so that a warm call asks once, and a thread does not see another's scopes.
It is a thread's attribute and no ContextVar, as the compiler of PyTorch follows the one and not
the other.
"""

from threading import local
from types import TracebackType
from typing import Any, NamedTuple


class Context(NamedTuple):
    """The scopes in force."""

    stateless: "StatelessScope | None" = None
    symbolic: bool = False  # values are specs: infer, compute nothing, change nothing
    autocast: str | None = None  # dtype that float variables are read in
    training: bool | None = None  # None: nobody has said
    lazy: bool = False  # new variables draw their values when first read
    called: bool = False  # a layer's call is under way, in a program with losses of calls
    masks: dict[int, tuple[Any, Any]] = {}  # noqa: RUF012  # one for all, on purpose


NOTHING = Context()


class _OfThread(local):
    """The scopes in force in this thread: `context.now`."""

    now: Context = NOTHING


context = _OfThread()


class Scope:
    """Base of the scopes: replaces some fields of the context, for a while."""

    _outer: Context

    def _changes(self) -> dict[str, Any]:
        return {}

    def _inside(self, outer: Context) -> Context:
        return outer._replace(**self._changes())

    def __enter__(self):
        self._outer = context.now
        context.now = self._inside(self._outer)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        context.now = self._outer


class StatelessScope(Scope):
    """Reads and writes variables here, and leaves the variables themselves alone.

    Args:
        state_mapping: Pairs `(variable, value)`: what reading each variable gives inside. A value
            has the variable's shape.
        collect_losses: Whether losses from `add_loss` are kept in `losses`.
        initialize_variables: Whether variables made inside get their values when the scope ends;
            else they stay without.

    Example:
        >>> from keras_fn import Variable, ops
        >>> v = Variable([1.0, 2.0])
        >>> with StatelessScope([(v, ops.convert_to_tensor([3.0, 4.0]))]) as scope:
        ...     v.assign_add([1.0, 1.0])
        ...     inside = ops.convert_to_numpy(v).tolist()
        >>> inside, ops.convert_to_numpy(v).tolist()
        ([4.0, 5.0], [1.0, 2.0])
    """

    def __init__(self, state_mapping=None, collect_losses=False, initialize_variables=True):
        self.collect_losses = collect_losses
        self.initialize_variables = initialize_variables
        self.losses: list[Any] = []
        self.state: dict[int, Any] = {}
        self.written: dict[int, Any] = {}  # variables assigned inside, by identity
        for variable, value in state_mapping or ():
            if tuple(value.shape) != tuple(variable.shape):
                raise ValueError(
                    f"StatelessScope: variable {variable.path!r} has shape {variable.shape}, "
                    f"the value given for it {tuple(value.shape)}."
                )
            self.state[id(variable)] = value

    def _changes(self) -> dict[str, Any]:
        outer = context.now.stateless
        if outer is not None:  # what it does not say itself is as in the scope around it
            self.state = {**outer.state, **self.state}
        return {"stateless": self}

    def get_current_value(self, variable: Any) -> Any:
        """Returns the value that `variable` has inside, or None if the scope holds none."""
        return self.state.get(id(variable))

    def add_update(self, update: tuple[Any, Any]) -> None:
        """Sets the value that a variable has inside: `update` is `(variable, value)`."""
        variable, value = update
        self.state[id(variable)] = value
        self.written[id(variable)] = variable

    def add_loss(self, loss: Any) -> None:
        """Keeps a loss."""
        self.losses.append(loss)


class SymbolicScope(Scope):
    """Inside, ops infer shapes and dtypes, compute nothing and change no variable."""

    def _changes(self) -> dict[str, Any]:
        return {"symbolic": True}


class AutocastScope(Scope):
    """Inside, float variables are read in `dtype`."""

    def __init__(self, dtype: str | None):
        self.dtype = dtype

    def _changes(self) -> dict[str, Any]:
        return {"autocast": self.dtype}


class TrainingScope(Scope):
    """Inside, layers that are not told otherwise behave as in training, or as in inference."""

    def __init__(self, training: bool):
        self.training = bool(training)

    def _inside(self, outer: Context) -> Context:
        if outer is NOTHING:
            return _TRAINING if self.training else _INFERENCE
        return outer._replace(training=self.training)


# What is in force in most calls with `training`: made once.
_TRAINING, _INFERENCE = Context(training=True), Context(training=False)


class BuildScope(Scope):
    """Inside, variables are made and drawn for real, whatever scope the call is in."""

    def _changes(self) -> dict[str, Any]:
        return {"symbolic": False, "autocast": None, "stateless": None}


class CallScope(Scope):
    """Inside, calls of layers are part of one."""

    def _changes(self) -> dict[str, Any]:
        return {"called": True}


class Carried(Scope):
    """Inside, the scopes are those in force where it was made: for what another thread runs."""

    def __init__(self):
        self._carried = context.now

    def _inside(self, outer: Context) -> Context:
        return self._carried


class LazyScope(Scope):
    """Inside, new variables have a shape and draw their values only when they are read."""

    def _changes(self) -> dict[str, Any]:
        return {"lazy": True}


def in_stateless_scope() -> bool:
    """Whether a StatelessScope is active."""
    return context.now.stateless is not None
