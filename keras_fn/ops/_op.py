"""The `@op` decorator: turns a function into an op. All dispatch is here, once for every op.

A call takes one of four paths:

- *Fast path*: tensors of the backend that need no conversion, after a first call with arguments of
  the same types. One lookup in the dispatch cache, then the backend's function.
- *Slow path*: everything else. Converts and casts the operands, and fills the dispatch cache.
- *Symbolic call*: an operand is a `KerasTensor`. Infers the result's shape and dtype, and records
  the call as a node of the graph.
- *Traced call*: the slow path without its caches, for `torch.compile`.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial, wraps
from typing import Any, NamedTuple, ParamSpec, Protocol, TypeVar, cast, overload

import numpy as np

from keras_fn.backend.loader import current, supports
from keras_fn.core import tree
from keras_fn.core.dtypes import INTS, float_type
from keras_fn.core.keras_tensor import KerasTensor, Shape, SymbolicConversionError
from keras_fn.core.named_dims import show_dim_names
from keras_fn.core.naming import auto_name
from keras_fn.core.operation import Operation
from keras_fn.core.operators import OPS
from keras_fn.core.registry import mark_builtin
from keras_fn.core.scopes import context
from keras_fn.core.sparse import call_sparse, is_sparse, mark_sparse
from keras_fn.core.tracebacks import filter_traceback
from keras_fn.core.tracing import substitute_when_tracing
from keras_fn.core.variable import Variable
from keras_fn.errors import PYTHON_REFUSALS, DTypeError, KerasError, SpecError, UnsupportedError
from keras_fn.ops._inference_memo import InferenceMemo
from keras_fn.ops._signature import (
    OpSignature,
    bind,
    is_text_operand,
    refusal,
    text_refusal,
    untraceable,
)

P = ParamSpec("P")
R = TypeVar("R")


class TensorSpec(NamedTuple):
    """A shape and a dtype. The dtype of a Python scalar is its type, a weak dtype."""

    shape: Shape
    dtype: Any


@dataclass(frozen=True)
class Rule:
    """The shape and dtype semantics of an op.

    Attributes:
        infer: Takes the op's arguments with a `TensorSpec` for each operand and returns a
            `TensorSpec` or nested ones. Raises `SpecError` if the operands do not fit.
        promote: Takes the operands' dtypes and returns the dtype to which they are cast before
            the backend sees them; None to leave them as they are.
        first_promoted: Index of the first operand that is cast; those before it are left as
            they are.
        no_compile: Whether a body must run uncompiled, because it checks values.
        compares: Whether numbers are compared, so that a Python integer outside the range of an
            integer tensor is on one side of all its elements.
    """

    infer: Callable[..., Any]
    promote: Callable[..., str] | None = None
    first_promoted: int = 0
    no_compile: bool = False
    compares: bool = False


class OpFunction(Protocol):
    """A public op: a function whose attribute `op` is its definition."""

    __name__: str
    op: "OpDefinition"

    def __call__(self, *args: Any, **kwargs: Any) -> Any: ...


@mark_builtin
class OpNode(Operation):
    """An op in a graph: the operation that its recorded calls belong to."""

    _label = "ops"  # in errors, until `OpDefinition` names the op

    def __init__(self, op: OpFunction, name: str | None = None):
        super().__init__(name or auto_name(op.__name__))
        self.op = op

    def call(self, *args: Any, **kwargs: Any) -> Any:
        """Calls the op."""
        return self.op(*args, **kwargs)

    def compute_output_spec(self, *args: Any, **kwargs: Any) -> Any:
        """Returns KerasTensors with the shapes and dtypes of the result, by the op's rule."""
        return self.op.op.infer(*self.op.op.operands_to_positional(args, kwargs))

    def get_config(self) -> dict[str, Any]:
        """Returns the node's name. The arguments of the call are part of the graph."""
        return {"name": self.name}


def class_name(operation: Operation) -> str:
    """Returns the class name of an operation; for an op, its name in that form (`GetItem`)."""
    if isinstance(operation, OpNode):
        name = operation.op.__name__.replace("getitem", "get_item")
        return "".join(word.capitalize() for word in name.split("_"))
    return type(operation).__name__


@overload
def op(fn: Callable[P, R], /) -> Callable[P, R]: ...
@overload
def op(
    *, rule: Rule | None = None, upcast_half: bool = False
) -> Callable[[Callable[P, R]], Callable[P, R]]: ...
def op(fn: Any = None, *, rule: Rule | None = None, upcast_half: bool = False) -> Any:
    """Turns `fn` into an op.

    With a `rule` and no body (a docstring and `...`) it is a primitive, which every backend
    provides under its name. With a body in terms of other ops it is a composite, which a backend
    may override. Parameters whose annotation contains the word `Tensor` are its operands;
    `Sequence[...]` is a list of operands.

    Args:
        fn: A function of tensors. Its module needs `from __future__ import annotations`.
        rule: Its shape and dtype semantics. By default they follow from the body.
        upcast_half: Whether the body runs in float32 if the result is of half precision. For
            bodies with sums: in between, they leave the range of float16, and its accuracy.

    Returns:
        The public function, with the signature of `fn`. Its attribute `op` is the
        `OpDefinition` (see `get_op`).
    """
    if fn is None:
        return partial(_make_op, rule=rule, upcast_half=upcast_half)
    return _make_op(fn, rule, upcast_half)


def _make_op(fn: Callable[..., Any], rule: Rule | None, upcast_half: bool) -> OpFunction:
    definition = OpDefinition(fn, rule, upcast_half)
    make = definition.list_dispatcher if definition.takes_list else definition.dispatcher
    call = cast(OpFunction, make())
    call.op = definition
    OPS[fn.__name__] = call
    return mark_builtin(call)


def get_op(function: Callable[..., Any]) -> "OpDefinition | None":
    """Returns the definition of a public op, None for a function that is not an op."""
    return getattr(function, "op", None)


class _DispatchEntry(NamedTuple):
    """How the fast path handles arguments of certain types."""

    variables: tuple[int, ...]  # indices of the Variables
    first: int  # index of the first tensor or Variable
    others: tuple[int, ...]  # indices of the other tensors and Variables
    scalar_types: tuple[type, ...]  # types of the operands that are Python numbers
    dtypes_without_cast: set[Any]  # native dtypes for which no operand needs a cast
    integers: tuple[int, ...]  # indices of the Python integers, if their range matters


class OpDefinition(OpSignature):
    """The definition of an op: its function, its rule, its operands, and its dispatch cache."""

    def __init__(self, fn: Callable[..., Any], rule: Rule | None, upcast_half: bool = False):
        super().__init__(fn)
        self.rule = rule
        self.body = self.run_upcast if upcast_half else fn
        self.promote = rule.promote if rule else None
        self.first_promoted = rule.first_promoted if rule else 0
        self.backend_op: Any = None  # the backend's function; resolved at the first call
        self.dispatch_cache: dict[tuple[type, ...], _DispatchEntry] = {}
        self.inferred = InferenceMemo(self.body, is_pure="seed" not in self.parameters)

    def dispatcher(self) -> Callable[..., Any]:
        """Returns the public function."""
        cache, names, promotes = self.dispatch_cache, self.operand_names, bool(self.promote)

        @substitute_when_tracing(lambda *args, **kwargs: self.traced_call(args, kwargs))
        @wraps(self.fn)
        def call(*args: Any, **kwargs: Any) -> Any:
            # Fast path: tensors of the backend that need no conversion.
            entry = cache.get(tuple(map(type, args)))
            if (
                entry is None
                or (kwargs and not names.isdisjoint(kwargs))
                or context.current.symbolic
            ):
                return self.slow_path(args, kwargs)
            if entry.variables:
                values = list(args)
                for i in entry.variables:
                    values[i] = args[i].value
                args = tuple(values)
            if promotes:
                dtype = args[entry.first].dtype
                if dtype not in entry.dtypes_without_cast and not self.check_no_cast_needed(
                    entry, dtype
                ):
                    return self.slow_path(args, kwargs)
                for i in entry.others:
                    if args[i].dtype is not dtype and args[i].dtype != dtype:
                        return self.slow_path(args, kwargs)
                for i in entry.integers:
                    if not -(2**31) <= args[i] < 2**31:
                        return self.slow_path(args, kwargs)
            try:
                return self.backend_op(*args, **kwargs)
            except Exception as error:
                return self.recover(error, args, kwargs)

        return call

    def list_dispatcher(self) -> Callable[..., Any]:
        """Returns the public function of an op whose only operand is a list of tensors."""
        cache, names, promotes = self.dispatch_cache, self.operand_names, bool(self.promote)

        @substitute_when_tracing(lambda *args, **kwargs: self.traced_call(args, kwargs))
        @wraps(self.fn)
        def call(*args: Any, **kwargs: Any) -> Any:
            # Fast path: tensors of one type and one dtype that need no conversion.
            xs: Any = args[0] if args and type(args[0]) in _LISTS and args[0] else (None,)
            first = xs[0]
            tensor_type = type(first)
            entry = cache.get((tensor_type,))
            if entry is None or entry.variables or (kwargs and not names.isdisjoint(kwargs)):
                return self.slow_path(args, kwargs)
            dtype = first.dtype
            for x in xs:
                if type(x) is not tensor_type or (x.dtype is not dtype and x.dtype != dtype):
                    return self.slow_path(args, kwargs)
            needs_cast = (
                promotes
                and dtype not in entry.dtypes_without_cast
                and not self.check_no_cast_needed(entry, dtype)
            )
            if needs_cast or context.current.symbolic:
                return self.slow_path(args, kwargs)
            try:
                return self.backend_op(list(xs), *args[1:], **kwargs)
            except Exception as error:
                return self.recover(error, args, kwargs)

        return call

    @filter_traceback
    def slow_path(self, args: tuple, kwargs: dict[str, Any]) -> Any:
        """Symbolic calls, and calls whose operands need a conversion or are seen first."""
        args, kwargs = self.operands_to_positional(args, kwargs)
        if kwargs or len(args) > len(self.positions):
            args, kwargs = self.standardize_options(args, kwargs)
            self.check_options(args, kwargs)
        operands = self.list_operands(args)
        if context.current.symbolic or any(isinstance(x, KerasTensor) for x in operands):
            return self.symbolic_call(args, kwargs, operands)
        if any(map(is_sparse, operands)):
            return call_sparse(OPS[self.name], args, kwargs)
        try:
            if self.backend_op is None:
                self.backend_op = self.resolve_backend_op()
            self.cache_dispatch(args)
            return self.backend_op(*self.convert_operands(args), **kwargs)
        except Exception as error:
            return self.recover(error, args, kwargs)

    def symbolic_call(self, args: tuple, kwargs: dict[str, Any], operands: list[Any]) -> Any:
        """Infers the result, and records the call unless a scope of inference is active."""
        # The usual operands are known to be numbers without a call.
        others = [
            x
            for x in operands
            if not (isinstance(x, Variable) or (isinstance(x, KerasTensor) and x.dtype != "string"))
        ]
        if others and any(map(is_text_operand, others)) and not self.takes_text():
            raise text_refusal(self.full_name, bind(self.fn, args, kwargs))
        try:
            if context.current.symbolic:
                return self.infer(args, kwargs)
            return OpNode(OPS[self.name]).symbolic_call(*args, **kwargs)
        except SpecError as error:
            raise self.named(show_dim_names(error, operands)) from error.__cause__
        except (SymbolicConversionError, UnsupportedError):
            raise
        except PYTHON_REFUSALS as error:
            arguments = bind(self.fn, args, kwargs)
            raise refusal(self.full_name, error, arguments, "KerasTensors") from error

    def takes_text(self) -> bool:
        """Returns whether the op moves and compares elements, where there are tensors of text."""
        chapter = self.fn.__module__.rpartition(".")[2]
        return chapter in _CHAPTERS_OF_TEXT and supports("text_tensors")

    def traced_call(self, args: tuple, kwargs: dict[str, Any]) -> Any:
        """The slow path for a compiler that traces it: fills no cache."""
        args, kwargs = self.operands_to_positional(args, kwargs)
        if context.current.symbolic:
            return self.infer(args, kwargs)
        return self.resolve_backend_op()(*self.convert_operands(args), **kwargs)

    def check_specs(self, args: tuple, kwargs: dict[str, Any]) -> None:
        """Raises the error of the rule for arguments that do not fit."""
        try:
            self.infer(args, kwargs)
        except SpecError as error:
            raise self.named(error) from error.__cause__

    def infer(self, args: tuple, kwargs: dict[str, Any]) -> Any:
        """Returns KerasTensors with the shapes and dtypes of the result, without history.

        Args:
            args: The positional arguments, with all operands among them.
            kwargs: The options.
        """
        if self.rule is not None:
            specs = self.rule.infer(*self.map_operands(spec_of, args), **kwargs)
            return mark_sparse(OPS[self.name], _to_keras_tensors(specs), args, kwargs)
        results = self.inferred.infer(self.map_operands(_to_symbolic, args), kwargs)
        return mark_sparse(OPS[self.name], results, args, kwargs)

    def operands_to_positional(
        self, args: tuple, kwargs: dict[str, Any]
    ) -> tuple[tuple, dict[str, Any]]:
        """Returns the arguments with all operands among the positional ones."""
        if not self.operand_names.isdisjoint(kwargs):
            args, kwargs = self.normalize_arguments(args, kwargs)
        if self.takes_list and args:
            args = (self.standardize_list(args[0]), *args[1:])
        return args, kwargs

    def standardize_list(self, xs: Any) -> Any:
        """Returns the operands of an op that takes a list; a single tensor is unstacked."""
        if type(xs) not in _LISTS and hasattr(xs, "shape"):
            xs = OPS["unstack"](xs)
        if not xs:
            raise SpecError(
                f"ops.{self.name}",
                expected="a list of tensors",
                received=repr(xs),
                fix="pass a list with at least one tensor",
            )
        return xs

    @property
    def is_primitive(self) -> bool:
        """Whether it has no body, so that every backend provides it."""
        return self.fn.__code__.co_code == _no_body.__code__.co_code

    def resolve_backend_op(self) -> Callable[..., Any]:
        """Returns the backend's function, or the body, compiled if the backend can compile it."""
        backend = current()
        native = getattr(backend.ops, self.name, None)
        if native is not None:
            return native
        if self.is_primitive:
            raise UnsupportedError(
                f"the {backend.name} backend has no {self.name}",
                fix="use other ops, or another backend",
            )
        if "seed" in self.parameters or (self.rule is not None and self.rule.no_compile):
            return self.body  # random ops update a generator, and would be compiled for each seed
        return cast(Any, backend).compile_op(self.body) if supports("compile_op") else self.body

    def run_upcast(self, *args: Any, **kwargs: Any) -> Any:
        """Calls the body; in float32 if the result is of half precision, then rounded once."""
        dtypes = [_dtype_of(x) for x in self.list_operands(args)]
        if _HALF.isdisjoint(dtypes) or (dtype := float_type(*dtypes)) not in _HALF:
            return self.fn(*args, **kwargs)

        def upcast(x: Any) -> Any:
            return OPS["cast"](x, "float32") if _dtype_of(x) in _HALF else x

        def round(x: Any) -> Any:
            return OPS["cast"](x, dtype) if _dtype_of(x) == "float32" else x

        return tree.map_structure(round, self.fn(*self.map_operands(upcast, args), **kwargs))

    @filter_traceback
    def recover(self, error: Exception, args: tuple, kwargs: dict[str, Any]) -> Any:
        """Returns the result of a call that the backend refused, or raises an error for it.

        It is computed in another form of the arguments, if the backend has one. Else the error of
        the op's rule is raised, so that a call on tensors and a symbolic call fail with the same
        error on every backend, or one that names the op and its arguments.
        """
        if self.rule is None and isinstance(error, SpecError):
            raise self.named(error) from error.__cause__
        if any(map(is_sparse, self.list_operands(args))):  # a sparse class that is not its own type
            return call_sparse(OPS[self.name], *self.operands_to_positional(args, kwargs))
        arguments, backend = bind(self.fn, args, kwargs), current()
        if supports("needs_values") and cast(Any, backend).needs_values(error):
            raise untraceable(self.full_name, arguments) from error
        plain_args, plain_kwargs = self.standardize_options(args, kwargs)
        pairs = zip((*args, *kwargs.values()), (*plain_args, *plain_kwargs.values()), strict=True)
        if any(a is not b for a, b in pairs):
            return self.slow_path(plain_args, plain_kwargs)
        self.check_options(args, kwargs)
        specs = None
        try:
            specs = self.infer(args, kwargs)
        except SpecError as spec_error:
            raise self.named(spec_error) from error
        except Exception:  # the backend's error says more
            pass
        backend = cast(Any, backend)
        if supports("widen_operands") and specs is not None:
            widened = backend.widen_operands(self.convert_operands(args))
            if widened is not None:
                return self.call_widened(widened, kwargs, specs)
        if isinstance(error, SpecError):
            raise self.named(error) from error.__cause__
        if supports("is_refusal"):
            is_refusal = backend.is_refusal(error)
        else:
            is_refusal = isinstance(error, PYTHON_REFUSALS)
        if isinstance(error, (KerasError, UnsupportedError)) or not is_refusal:
            raise error
        raise refusal(self.full_name, error, arguments, backend.name) from error

    def call_widened(self, args: list[Any], kwargs: dict[str, Any], specs: Any) -> Any:
        """Calls the op on operands of a wider dtype, and casts the results to those of `specs`."""
        results = OPS[self.name](*args, **kwargs)
        return tree.map_structure(lambda x, spec: OPS["cast"](x, spec.dtype), results, specs)

    def cache_dispatch(self, args: tuple) -> None:
        """Adds a dispatch entry for arguments of these types, if they can take the fast path.

        An op that takes a list has one entry for each type of its first tensor.
        """
        is_native = current().is_tensor
        if self.takes_list and args and type(args[0]) in _LISTS:
            args = tuple(args[0][:1])
        variables, tensors, scalars, integers = [], [], [], []
        for i in self.operand_indices(args):
            x = args[i]
            if isinstance(x, Variable):
                variables.append(i)
            if isinstance(x, Variable) or is_native(x):
                if i >= self.first_promoted:
                    tensors.append(i)
            elif type(x) in _SCALARS and (self.promote or self.rule is None):
                scalars.append(type(x))
                if type(x) is int and self.rule is not None and self.rule.compares:
                    integers.append(i)
            elif x is not None:
                return
        if tensors or not (self.promote or scalars):
            first, *others = tensors or (0,)
            self.dispatch_cache[tuple(map(type, args))] = _DispatchEntry(
                tuple(variables), first, tuple(others), tuple(scalars), set(), tuple(integers)
            )

    def check_no_cast_needed(self, entry: _DispatchEntry, dtype: Any) -> bool:
        """Returns whether operands of this native dtype need no cast; if so, caches it."""
        name = current().dtype_name(dtype)
        names = [name] * (1 + len(entry.others))
        if any((kind is bool) is not (name == "bool") for kind in entry.scalar_types):
            return False  # the slow path casts the number
        if entry.integers and name in _NARROW_INTEGERS:
            return False  # the slow path knows the range of the dtype
        try:
            if self.promote(*names, *entry.scalar_types) != name:  # type: ignore[misc]
                return False
        except DTypeError:  # the other operands may have dtypes that it takes
            return False
        entry.dtypes_without_cast.add(dtype)
        return True

    def convert_operands(self, args: tuple) -> list[Any]:
        """Returns the arguments with the operands as tensors of the backend, promoted."""
        backend = current()
        keep_scalars = self.promote is not None  # a composite passes them on, as weak as they are
        if self.rule is None:
            keep_scalars = any(type(x) not in _SCALARS for x in self.list_operands(args))
        values = self.map_operands(lambda x: _convert(x, backend, keep_scalars), args)
        if self.promote is None:
            return values
        operands = self.list_operands(tuple(values), self.first_promoted)
        dtypes = [type(x) if type(x) in _SCALARS else backend.dtype_name(x) for x in operands]
        dtype = self.promote(*dtypes)
        if self.rule is not None and self.rule.compares and dtype in _LIMITS:
            low, high = _LIMITS[dtype]
            if any([type(x) is int and not low <= x <= high for x in values]):
                values, dtype = [_bounded(x, low, high) for x in values], "float32"
        has_tensor = any(type(x) not in _SCALARS for x in operands)
        kept_types = _SCALARS if has_tensor and not self.sequences else ()

        def promote(x: Any) -> Any:  # a number may stay one if another operand is a tensor
            if type(x) in kept_types:
                return bool(x) if dtype == "bool" else int(x) if type(x) is bool else x
            return backend.cast(x, dtype) if backend.is_tensor(x) else convert(x, dtype)

        convert = backend.convert_to_tensor
        return self.map_operands(promote, tuple(values), self.first_promoted)


_SCALARS = (bool, int, float, complex)
_LISTS = (list, tuple)
_NARROW_INTEGERS = frozenset(("int8", "int16", "uint8", "uint16", "uint32", "uint64"))
# A table, as PyTorch's compiler does not trace `np.iinfo`.
_LIMITS = {name: (int(np.iinfo(name).min), int(np.iinfo(name).max)) for name in INTS}
_HALF = frozenset(("float16", "bfloat16"))
_CHAPTERS_OF_TEXT = frozenset(
    ("core", "indexing", "joining_splitting", "logic", "manipulation", "rearranging", "slicing")
)


def _bounded(x: Any, low: int, high: int) -> Any:
    """Returns a Python integer outside of the limits as infinity, for comparisons."""
    if type(x) is not int or low <= x <= high:
        return x
    return math.inf if x > 0 else -math.inf


def _no_body() -> None:
    """The byte code of a primitive."""
    ...


def _convert(x: Any, backend: Any, keep_scalars: bool) -> Any:
    """Converts an operand to a tensor; a Python number may stay one, so that its dtype is weak."""
    if isinstance(x, Variable):
        return x.value
    x = _to_python_number(x)
    if backend.is_tensor(x) or (keep_scalars and type(x) in _SCALARS):
        return x
    return backend.convert_to_tensor(x)


def _to_python_number(x: Any) -> Any:
    """Returns a number of a class derived from Python's, such as NumPy's float64, as Python's."""
    if type(x) in _SCALARS or not isinstance(x, _SCALARS):
        return x
    if isinstance(x, int):
        return int(x)
    return float(x) if isinstance(x, float) else complex(x)


def _dtype_of(x: Any) -> Any:
    """Returns the dtype of a converted operand: a name, or the type of a Python number."""
    if type(x) in _SCALARS:
        return type(x)
    return x.dtype if isinstance(x, Variable) else current().dtype_name(x)


def spec_of(x: Any) -> TensorSpec:
    """Returns the shape and dtype of anything that an op accepts as an operand."""
    if isinstance(x, (KerasTensor, Variable)):
        return TensorSpec(x.shape, x.dtype)
    if isinstance(x, TensorSpec):
        return x
    x = _to_python_number(x)
    if type(x) in _SCALARS:
        return TensorSpec((), type(x))
    backend = current()
    if not backend.is_tensor(x):
        x = backend.convert_to_tensor(x)
    return TensorSpec(tuple(x.shape), backend.dtype_name(x))


def _to_symbolic(x: Any) -> Any:
    x = _to_python_number(x)
    if type(x) in _SCALARS or isinstance(x, Variable):
        return x
    if isinstance(x, KerasTensor) and not x.sparse:
        return x
    spec = spec_of(x)
    return KerasTensor(spec.shape, spec.dtype, record_history=False)


def _to_keras_tensors(specs: Any) -> Any:
    if isinstance(specs, TensorSpec):
        dtype = {bool: "bool", int: "int32", float: None}.get(specs.dtype, specs.dtype)
        return KerasTensor(specs.shape, dtype, record_history=False)
    if isinstance(specs, (list, tuple)):
        items = map(_to_keras_tensors, specs)
        return type(specs)(*items) if hasattr(specs, "_fields") else type(specs)(items)
    return specs


def is_symbolic(*structures: Any) -> bool:
    """Returns whether a call with these arguments only infers shapes and dtypes."""
    if context.current.symbolic:
        return True
    return any(isinstance(x, KerasTensor) for x in tree.flatten(structures))
