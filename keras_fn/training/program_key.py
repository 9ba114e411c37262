"""The key of a compiled program: everything that a trace of a model reads, except its state.

Models with equal keys run one program. The key is made from the attributes of all objects that the
trace can reach, since these are what it reads; a config may be older, or incomplete. It is made of
built-in objects and plain values only: for anything else (a function of the program, a subclass, a
tensor of unknown origin) there is no key, and the model compiles for itself.
"""

from __future__ import annotations

import marshal
import math
import sys
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from hashlib import blake2b
from itertools import count
from operator import attrgetter
from types import FunctionType, MethodType
from typing import Any, cast

import numpy as np

from keras_fn.backend.loader import current, name as backend_name, supports
from keras_fn.backend.program_contract import SupportsSharedPrograms
from keras_fn.constraints import Constraint
from keras_fn.core.graph import ExecutionPlan
from keras_fn.core.graph_model import get_graph
from keras_fn.core.input_binding import InputBinder
from keras_fn.core.input_spec import InputSpec
from keras_fn.core.keras_tensor import KerasTensor
from keras_fn.core.operation import Operation
from keras_fn.core.programs import ProgramShare, get_program
from keras_fn.core.registry import is_builtin
from keras_fn.core.scopes import DEFAULT_CONTEXT, context
from keras_fn.core.variable import Variable
from keras_fn.dtype_policies import DTypePolicy
from keras_fn.initializers.initializer import Initializer
from keras_fn.layers.layer import Layer
from keras_fn.losses.loss import Loss
from keras_fn.optimizers.optimizer import Optimizer
from keras_fn.random.seed_generator import SeedGenerator
from keras_fn.regularizers import Regularizer
from keras_fn.settings import settings
from keras_fn.training.compile_utils import CompileLoss
from keras_fn.training.output_binding import OutputBinder

_NODES = frozenset({"name", "_init_arguments", "_inbound_nodes", "_outbound_nodes"})
_TRAINER = frozenset(
    {
        "optimizer",
        "loss",
        "history",
        "trace_log",
        "stop_training",
        "stop_evaluating",
        "stop_predicting",
        "steps_per_execution",
        "run_eagerly",
        "_jit_compile",
        "_compile_arguments",
        "_compile_loss",
        "_compile_metrics",
        "_loss_tracker",
        "_functions",
        "_trainer_state",
        "_output_losses",
        "_target_structures",
    }
)
_NOT_TRACED: dict[type, frozenset[str]] = {
    # Names, nodes (the plan of the graph has the wiring) and caches.
    Operation: _NODES,
    Layer: frozenset(
        {
            "_path",
            "_fast_path_keys",
            "_dependents",
            "_is_pure",
            "_build_shapes",
            "_signature",
            "_first_input_shape",
            "_is_calling",
            "_building",
            "_losses",
            "_tracks_losses",  # whether it may add some follows from the classes of the layers
            "seed",  # of a generator, which keeps it as a variable
            # Of models: the arguments of `compile`, which `write_training` writes where a step
            # reads them, what is made from them, and compiled functions.
            *_TRAINER,
            "_compiled",
            "_compiled_shapes",
            "_compiled_call_keys",
            "_bound_call_keys",
            "_nodes",
        }
    ),
    ExecutionPlan: frozenset({"nodes", "input_tensors", "output_tensors", "_parts"}),
    InputBinder: frozenset({"source", "names", "layer_names"}),  # see `KeyWriter.digest`
    CompileLoss: frozenset({"_checked"}),  # on the host, before the step
    OutputBinder: frozenset({"source", "names", "layer_names"}),
    SeedGenerator: frozenset({"name", "_initial_seed"}),
    KerasTensor: frozenset({"name", "_keras_history"}),
    Variable: frozenset({"name", "path", "_handle", "_deferred_initializer"}),
    Optimizer: frozenset({"name", "_variable_indices", "_foreach_groups"}),
}
"""The attributes of a class that a trace does not read, or whose content other attributes have."""

_VALUES = (DTypePolicy, Regularizer, Constraint, InputSpec, Loss)
"""Classes without state: two equal objects are as good as one that is used twice."""

_READ_PATHS = {"Muon", "MultiOptimizer", "OptimizerMap"}
"""Optimizers that choose variables by their paths, which are else not part of a key."""

_PLAIN = frozenset({type(None), bool, int, float, complex, str, bytes, type(Ellipsis)})
_MAX_BYTES = 1 << 16  # of an array that is part of a key


class _NoKeyError(Exception):
    """An object may enter the trace, and a key cannot say what it is."""


class _Snapshot:
    """The content of a class or module when it was last looked at.

    Attributes:
        version: A number that changes when the owner gets another function. New names count for
            classes only, as modules import lazily. A function of the program may read anything:
            with one, the number is another one each time.
    """

    def __init__(self, owner: Any):
        self._owner, self._namespace = owner, vars(owner)
        self._is_class = isinstance(owner, type)
        self._foreign: set[str] = set()  # names of functions of the program
        self._before: dict[str, Any] = {}
        self.version = 0
        if self._is_class:  # modules import functions of libraries
            self._find_foreign()
        self._take()

    def _take(self) -> None:
        self._before = dict(self._namespace)
        self._values = list(self._before.values())
        self._functions = [value for value in self._values if type(value) is FunctionType]
        self._codes = list(map(_get_code, self._functions))

    def update(self) -> int:
        """Returns the version, after another look at the owner."""
        # Lists compare their elements by identity first: much faster than any loop.
        has_same_code = list(map(_get_code, self._functions)) == self._codes
        try:
            is_same = list(self._namespace.values()) == self._values
        except Exception:  # other arrays: they have no truth value
            is_same = False
        if not is_same or not has_same_code:
            if self._is_class or not has_same_code or self._has_lost_function():
                self.version += 1
            self._find_foreign()
            self._take()
        if self._foreign:
            self.version += 1
        return self.version

    def _find_foreign(self) -> None:
        """Looks for functions of the program among the new ones, of a module the replaced ones."""
        for name, value in list(self._namespace.items()):
            is_relevant = self._is_class or name in self._before
            if is_relevant and self._before.get(name) is not value:
                (self._foreign.add if _is_foreign(value) else self._foreign.discard)(name)
        self._foreign.intersection_update(self._namespace)

    def _has_lost_function(self) -> bool:
        now = self._namespace
        return any(callable(f) and now.get(name) is not f for name, f in self._before.items())


_get_code = attrgetter("__code__", "__defaults__")


def _is_foreign(x: Any) -> bool:
    """Returns whether a function, method or property was made by the program, or by a library."""
    function = getattr(x, "fget", getattr(x, "__func__", x))
    if type(function) is not FunctionType:
        return False
    # `__module__` may be the one of what it replaces: `functools.wraps` copies it.
    root = str(function.__globals__.get("__name__")).partition(".")[0]
    is_of_python = root in sys.stdlib_module_names or root.startswith("namedtuple_")
    return not (is_of_python or _is_own(root))


class _Identities:
    """Numbers of built-in classes and functions, and versions of what a program can replace."""

    def __init__(self) -> None:
        self._indices: dict[Any, int] = {}
        self._numbers = count()
        self._snapshots: dict[Any, _Snapshot] = {}
        self._modules: list[Any] = []
        self._module_count = 0  # of all modules, when those that matter were listed

    def index(self, obj: Any) -> int:
        """Returns the number of a class or function, which lives as long as the process."""
        # Not the length of the dict: two threads could give it to two objects.
        return self._indices.setdefault(obj, next(self._numbers))

    def version(self, owner: Any) -> int:
        """Returns the version of a class or module: see `_Snapshot`."""
        snapshot = self._snapshots.get(owner)
        if snapshot is None:
            snapshot = self._snapshots[owner] = _Snapshot(owner)
        return snapshot.update()

    def modules_version(self) -> int:
        """Returns a number that changes when a module that a trace may run gets other functions."""
        if len(sys.modules) != self._module_count:
            self._module_count = len(sys.modules)
            self._modules = [m for n, m in list(sys.modules.items()) if _is_traced(n) and m]
        return sum(map(self.version, self._modules))


def _is_traced(module: str) -> bool:
    """Returns whether functions of a module can run in a trace."""
    return _is_own(module) and ".".join(module.split(".")[1:2]) not in _NOT_TRACED_PACKAGES


_NOT_TRACED_PACKAGES = {
    "alias", "applications", "callbacks", "cli", "data_adapters", "datasets", "debugging", "export",
    "initializers", "saving", "testing", "visualization", "wrappers",
}  # fmt: skip
"""The packages of keras_fn that a step does not call."""


_identities = _Identities()


def _is_own(module: str | None) -> bool:
    """Returns whether a module is part of this package, or of one of its backends."""
    root = (module or "").partition(".")[0]
    return root == "keras_fn" or root.startswith("keras_fn_")


class _ClassEntry:
    """How objects of a class are written."""

    def __init__(self, cls: type):
        bases = [base for base in cls.__mro__ if base is not object]
        self.own = [base for base in bases if _is_own(base.__module__)]
        # Objects of a program may do anything, and those that derive from `dict` have more content
        # than their attributes.
        self.is_known = (
            _is_own(cls.__module__)
            and "<locals>" not in cls.__qualname__
            and all(base in self.own or _is_plain_base(base) for base in bases)
            and (issubclass(cls, tuple) or not any(vars(b).get("__slots__") for b in self.own))
        )
        self.is_tuple = issubclass(cls, tuple)
        self.is_variable = issubclass(cls, Variable)
        self.reads_paths = not _READ_PATHS.isdisjoint(base.__name__ for base in bases)
        self.is_value = issubclass(cls, _VALUES)
        self.has_input_names = issubclass(cls, InputBinder)
        self.is_skipped = issubclass(cls, Initializer)  # has done its work
        self.not_traced = frozenset().union(
            *(names for base, names in _NOT_TRACED.items() if issubclass(cls, base))
        )


def _is_plain_base(base: type) -> bool:
    """Returns whether objects of a class have nothing but attributes, and elements of a tuple."""
    root = base.__module__.partition(".")[0]
    return base is tuple or root in ("abc", "typing", "torch", "tensorflow")


_entries: dict[type, _ClassEntry] = {}


class KeyWriter:
    """Writes objects as plain values, equal for equal structures.

    Args:
        state: The variables that the program takes as arguments, in their order.
    """

    def __init__(self, state: Sequence[Variable]):
        self._tokens: list[Any] = []
        self._state = state
        self._positions = {id(v): i for i, v in enumerate(state)}
        self._numbers: dict[int, int] = {}  # of objects, by their identity
        self._alive: list[Any] = []  # so that no other object gets their identity
        self._classes: set[type] = set()
        self._dict_keys: set[Any] = set()
        self._input_names: list[list[Any]] = []  # of each model

    def digest(self) -> bytes:
        """Returns the key of all that was written."""
        # A model inside another one may be called with a dict: its names say which input is which.
        # Other names differ between models that are alike.
        used = [[n if n in self._dict_keys else None for n in ns] for ns in self._input_names]
        return blake2b(marshal.dumps((self._tokens, used), 2), digest_size=32).digest()

    def write(self, x: Any) -> None:
        """Writes an object, and all that its attributes hold.

        Raises:
            _NoKeyError: It may hold something that a key cannot say.
        """
        cls = type(x)
        if cls in _PLAIN:
            self._tokens.append(x)
        elif cls is list or cls is tuple:
            self._tokens.append((cls is list, len(x)))
            for item in x:
                self.write(item)
        elif cls is dict:
            items = list(x.items())  # another thread may add some meanwhile: caches of a layer
            self._tokens.append(("dict", len(items)))
            for key, value in items:
                self._dict_keys.add(key)
                self.write(key)
                self.write(value)
        else:
            self._write_object(x, cls)

    def _write_object(self, x: Any, cls: type) -> None:
        number = self._numbers.get(id(x))
        if number is not None:
            self._tokens.append(("seen", number))
            return
        entry = _entries.get(cls)
        if entry is None:
            entry = _entries.setdefault(cls, _ClassEntry(cls))
        if not entry.is_known:
            self._write_foreign(x, cls)
            return
        if entry.is_skipped:
            self._tokens.append(("initializer",))
            return
        if not entry.is_value:
            self._numbers[id(x)] = len(self._numbers)
            self._alive.append(x)
        self._tokens.append((_identities.index(cls), len(x) if entry.is_tuple else 0))
        self._write_class(cls, entry)
        if entry.is_variable:
            position = self._positions.get(id(x))
            if position is None or x.layout is not None or x._distribution is not None:
                raise _NoKeyError(
                    f"{x.path}, which is not part of the state, or on several devices"
                )
            self._tokens.append(position)
        if entry.is_tuple:
            for item in x:
                self.write(item)
        if entry.reads_paths:
            self._tokens.append([v.path for v in self._state])
        if entry.has_input_names:
            self._input_names += [x.names, x.layer_names]
        tokens, not_traced = self._tokens, entry.not_traced
        for name, value in list(getattr(x, "__dict__", {}).items()):
            if name not in not_traced:
                tokens.append(name)
                if type(value) in _PLAIN:
                    tokens.append(value)
                else:
                    self.write(value)
        tokens.append(None)  # where the attributes end, and those of the owner go on

    def _write_class(self, cls: type, entry: _ClassEntry) -> None:
        """Writes which functions a class has, the first time that it is met."""
        if cls not in self._classes:
            self._classes.add(cls)
            self._tokens.append(tuple(map(_identities.version, entry.own)))

    def _write_foreign(self, x: Any, cls: type) -> None:
        """Writes an object of Python, NumPy or the framework, if it is one of a few kinds."""
        if cls is FunctionType or isinstance(x, type):
            if not _is_module_level(x):
                raise _NoKeyError(f"{x!r}")
            self._tokens.append(("function", _identities.index(x)))
            if isinstance(x, type):
                self._write_class(x, _ClassEntry(x))
        elif cls is MethodType:
            self._tokens.append(("method",))
            self.write(x.__func__)
            self.write(x.__self__)
        elif cls is partial:
            self._tokens.append(("partial",))
            for part in (x.func, x.args, x.keywords):
                self.write(part)
        elif isinstance(x, np.dtype):
            self._tokens.append(("dtype", str(x)))  # several 8-bit floats have one `x.str`
        elif cls is slice:
            self._tokens.append(("slice",))
            for part in (x.start, x.stop, x.step):
                self.write(part)
        elif cls is set or cls is frozenset:
            if not all(type(item) in _PLAIN for item in x):
                raise _NoKeyError(f"{x!r}")
            self._tokens.append((cls.__name__, *sorted(map(repr, x))))
        elif isinstance(x, np.generic) or cls is np.ndarray:
            self._write_array(np.asarray(x), cls)
        elif current().is_tensor(x) and not current().is_traced(x):
            if math.prod(x.shape) > _MAX_BYTES:  # before it is copied from its device
                raise _NoKeyError(f"a tensor of shape {x.shape}")
            try:
                array = current().convert_to_numpy(x)
            except (TypeError, RuntimeError) as error:  # a key or a deleted array of JAX
                raise _NoKeyError(f"a tensor of dtype {x.dtype}") from error
            self._tokens.append(getattr(x, "weak_type", None))  # of JAX: how it is promoted
            self._write_array(array, cls)
        else:
            raise _NoKeyError(f"{x!r}")

    def _write_array(self, x: np.ndarray, cls: type) -> None:
        if x.nbytes > _MAX_BYTES or x.dtype.hasobject:
            raise _NoKeyError(f"an array of shape {x.shape} and dtype {x.dtype}")
        self._tokens.append((cls.__name__, str(x.dtype), x.shape, x.tobytes()))


def _is_module_level(x: Any) -> bool:
    """Returns whether a function or class is one of this package, under its name in its module."""
    if not _is_own(x.__module__):
        return False
    module = sys.modules.get(x.__module__)
    return getattr(module, x.__qualname__, None) is x or is_builtin(x)


def make_key(
    kind: str, state: Sequence[Variable], roots: Iterable[Any], options: Any = None
) -> bytes | None:
    """Returns the key of a program, or None if it cannot be shared.

    Args:
        kind: What the program does.
        state: The variables that it takes as arguments, in their order.
        roots: All objects from which the trace reads.
        options: Other plain values that it depends on.
    """
    flags = cast(SupportsSharedPrograms, current()).trace_settings()
    if flags is None or settings.distribution is not None:
        return None
    if context.current is not DEFAULT_CONTEXT:
        return None
    writer = KeyWriter(state)
    try:
        writer.write((kind, backend_name(), flags, options))
        writer.write(_identities.modules_version())
        writer.write(vars(settings))
        writer.write(list(state))
        for root in roots:
            writer.write(root)
    except (_NoKeyError, RecursionError):
        return None
    return writer.digest()


def share_program(
    kind: str,
    state: Sequence[Variable],
    get_roots: Callable[[], Iterable[Any]],
    options: Any = None,
) -> dict[str, ProgramShare]:
    """Returns the argument `share` for the backend: the program that models which are alike share.

    Empty if the model cannot share one.

    Args:
        kind: What the program does.
        state: The variables that it takes as arguments, in their order.
        get_roots: Returns all objects from which the trace reads.
        options: Other plain values that it depends on.
    """
    key = None
    if supports("trace_settings"):
        key = make_key(kind, state, get_roots(), options)
    if key is None:
        return {}
    program = get_program(key)
    is_current = lambda: make_key(kind, state, get_roots(), options) == key  # noqa: E731
    return {"share": ProgramShare(program, is_current, _identities.modules_version)}


_MODELS = {"keras_fn.models.functional", "keras_fn.models.sequential"}
"""The modules of the classes of models whose steps can be shared."""


def step_roots(model: Any, kind: str) -> list[Any]:
    """Returns the objects from which the trace of a step of a model reads.

    Args:
        model: The model.
        kind: `"train"`, `"test"` or `"predict"`.
    """
    if type(model).__module__ not in _MODELS:
        return [object()]  # there is no key: its steps may use what is not written here
    roots = [model, get_graph(model)]
    if kind == "predict":
        return roots
    arguments = model._compile_arguments or {}
    state = model._trainer_state or model._collect_state()
    roots += [model._compile_loss, model._compile_metrics, model._loss_tracker]
    roots += [arguments.get("loss") is not None, state.trainable, state.regularized, model.metrics]
    return [*roots, model.optimizer] if kind == "train" else roots
