"""The decorator that makes an op of a function: all dispatch is here, once for every op."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial, wraps
from typing import Any, NamedTuple, Protocol, cast

from keras_fn.backend.loader import current
from keras_fn.core import tree
from keras_fn.core.keras_tensor import KerasTensor, Shape
from keras_fn.core.naming import auto_name
from keras_fn.core.operation import Operation
from keras_fn.core.operators import OPS
from keras_fn.core.scopes import SymbolicScope, context
from keras_fn.core.tracebacks import entrance
from keras_fn.core.tracing import traced_as
from keras_fn.core.variable import Variable
from keras_fn.errors import SpecError, UnsupportedError


class Spec(NamedTuple):
    """A shape and a dtype. The dtype of a Python scalar is its type, a weak dtype."""

    shape: Shape
    dtype: Any


@dataclass(frozen=True)
class Rule:
    """What an op does to shapes and dtypes.

    Attributes:
        infer: Takes the op's arguments with a `Spec` for each tensor, returns a `Spec` or nested
            ones, raises `SpecError` where they do not fit.
        operands: The dtype that the operands are cast to before a backend sees them, from their
            dtypes; None to leave them as they are.
        first: Position of the first operand that is cast: those before it are taken as they are.
        eager: Whether a body runs as it is, not compiled, as it refuses values.
    """

    infer: Callable[..., Any]
    operands: Callable[..., str] | None = None
    first: int = 0
    eager: bool = False


class OpFunction(Protocol):
    """A public op: a function that carries what is known of it."""

    __name__: str
    op: "_Op"

    def __call__(self, *args: Any, **kwargs: Any) -> Any: ...


class OpNode(Operation):
    """One call of an op in a graph: the single node type of all ops."""

    def __init__(self, op: OpFunction, name: str | None = None):
        super().__init__(name or auto_name(op.__name__))
        self.op = op

    def call(self, *args: Any, **kwargs: Any) -> Any:
        """Calls the op."""
        return self.op(*args, **kwargs)

    def get_config(self) -> dict[str, Any]:
        """Returns the name of the node; its arguments are the graph's."""
        return {"name": self.name}


def class_name(operation: Operation) -> str:
    """Returns the class of an operation; of an op, its name in that form (`GetItem`)."""
    if isinstance(operation, OpNode):
        name = operation.op.__name__.replace("getitem", "get_item")
        return "".join(word.capitalize() for word in name.split("_"))
    return type(operation).__name__


def op(fn: Callable[..., Any] | None = None, *, rule: Rule | None = None) -> Any:
    """Makes an op of `fn`.

    With a `rule` and no body it is a primitive, which every backend provides under its name. With
    a body written in other ops it is a composite, which a backend may override. Parameters that
    are annotated as `Tensor` are its operands.
    """
    if fn is None:
        return partial(op, rule=rule)
    made = _Op(fn, rule)
    call = cast(OpFunction, made.list_dispatcher() if made.of_list else made.dispatcher())
    call.op = made
    OPS[fn.__name__] = call
    return call


class _Route(NamedTuple):
    """How to go on with arguments of certain types, worked out once."""

    variables: tuple[int, ...]  # positions that hold a Variable
    first: int  # position of the first tensor or Variable
    rest: tuple[int, ...]  # positions of the others
    scalars: tuple[type, ...]  # types of the operands that are Python numbers
    settled: set[Any]  # native dtypes with which nothing needs a cast


class _Op:
    """What is known of an op before it is called."""

    def __init__(self, fn: Callable[..., Any], rule: Rule | None):
        self.name, self.fn, self.rule = fn.__name__, fn, rule
        # Read off the function: `inspect.signature` would take a good part of the package's import.
        code = fn.__code__
        self.parameters = code.co_varnames[: code.co_argcount]
        self.variadic = bool(code.co_flags & inspect.CO_VARARGS)
        star = code.co_argcount + code.co_kwonlyargcount
        names = self.parameters + code.co_varnames[star : star + self.variadic]
        kinds = {n: str(fn.__annotations__.get(n)) for n in names}
        self.positions = tuple(i for i, n in enumerate(names) if "Tensor" in kinds[n])
        self.names = frozenset(names[i] for i in self.positions)
        # A list given as `xs: Sequence[Tensor]` is many operands, as `x: tuple[Tensor, Tensor]` a
        # pair; as `x: Tensor`, an array.
        self.many = frozenset(i for i in self.positions if "[" in kinds[names[i]])
        self.of_list = self.many == {0} == set(self.positions) and "Sequence" in kinds[names[0]]
        self.operands = rule.operands if rule else None
        self.first = rule.first if rule else 0
        self.native: Any = None  # the function of the backend, found at the first call
        self.routes: dict[tuple[type, ...], _Route | None] = {}

    def dispatcher(self) -> Callable[..., Any]:
        """Returns the public function."""
        routes, names, promotes = self.routes, self.names, bool(self.operands)

        @traced_as(lambda *args, **kwargs: self.followed(args, kwargs))
        @wraps(self.fn)
        def call(*args: Any, **kwargs: Any) -> Any:
            # The short road: tensors of the backend that need no conversion.
            route = routes.get(tuple(map(type, args)))
            if route is None or (kwargs and not names.isdisjoint(kwargs)) or context.now.symbolic:
                return self.general(args, kwargs)
            if route.variables:
                values = list(args)
                for i in route.variables:
                    values[i] = args[i].value
                args = tuple(values)
            if promotes:
                dtype = args[route.first].dtype
                if dtype not in route.settled and not self.settle(route, dtype):
                    return self.general(args, kwargs)
                for i in route.rest:
                    if args[i].dtype is not dtype and args[i].dtype != dtype:
                        return self.general(args, kwargs)
            try:
                return self.native(*args, **kwargs)
            except Exception as error:
                self.explain(error, args, kwargs)
                raise

        return call

    def list_dispatcher(self) -> Callable[..., Any]:
        """Returns the public function of an op whose one operand is a list of tensors."""
        routes, names, promotes = self.routes, self.names, bool(self.operands)

        @traced_as(lambda *args, **kwargs: self.followed(args, kwargs))
        @wraps(self.fn)
        def call(*args: Any, **kwargs: Any) -> Any:
            # The short road: tensors of one type and one dtype that need no conversion.
            xs: Any = args[0] if args and type(args[0]) in _LISTS and args[0] else (None,)
            first = xs[0]
            kind = type(first)
            route = routes.get((kind,))
            if route is None or route.variables or (kwargs and not names.isdisjoint(kwargs)):
                return self.general(args, kwargs)
            dtype = first.dtype
            for x in xs:
                if type(x) is not kind or (x.dtype is not dtype and x.dtype != dtype):
                    return self.general(args, kwargs)
            settled = not promotes or dtype in route.settled or self.settle(route, dtype)
            if not settled or context.now.symbolic:
                return self.general(args, kwargs)
            try:
                return self.native(list(xs), *args[1:], **kwargs)
            except Exception as error:
                self.explain(error, args, kwargs)
                raise

        return call

    @entrance
    def general(self, args: tuple, kwargs: dict[str, Any]) -> Any:
        """The full road: symbolic calls, conversions, casts; finds the route for the next call."""
        args, kwargs = self.by_position(args, kwargs)
        if context.now.symbolic:
            return self.infer(args, kwargs)
        if any(isinstance(x, KerasTensor) for x in self.each_operand(args)):
            return OpNode(OPS[self.name]).symbolic_call(*args, **kwargs)
        try:
            if self.native is None:
                self.native = self.find_native()
            self.find_route(args)
            return self.native(*self.prepare(args), **kwargs)
        except Exception as error:
            self.explain(error, args, kwargs)
            raise

    def listed(self, xs: Any) -> Any:
        """The operands of an op of a list; a tensor in its place stands for its parts."""
        if type(xs) not in _LISTS and hasattr(xs, "shape"):
            xs = OPS["unstack"](xs)
        if not xs:
            raise SpecError(
                f"ops.{self.name}",
                expected="a list of tensors",
                received=repr(xs),
                fix="put at least one tensor into it",
            )
        return xs

    def by_position(self, args: tuple, kwargs: dict[str, Any]) -> tuple[tuple, dict[str, Any]]:
        """Returns the arguments with operands that came by name in their places."""
        if not self.names.isdisjoint(kwargs):
            args, kwargs = self.placed(args, kwargs)
        if self.of_list and args:
            args = (self.listed(args[0]), *args[1:])
        return args, kwargs

    def placed(self, args: tuple, kwargs: dict[str, Any]) -> tuple[tuple, dict[str, Any]]:
        """Returns the arguments with all up to the last operand by position."""
        defaults = self.fn.__defaults__ or ()
        received = {**dict(zip(self.parameters[::-1], defaults[::-1], strict=False)), **kwargs}
        missing = self.parameters[len(args) : self.positions[-1] + 1]
        if not all(name in received for name in missing):
            self.signature.bind(*args, **kwargs)  # it says what is wrong
        rest = {name: value for name, value in kwargs.items() if name not in missing}
        return (*args, *[received[name] for name in missing]), rest

    def followed(self, args: tuple, kwargs: dict[str, Any]) -> Any:
        """The full road for a compiler that follows it: it keeps nothing for the next call."""
        args, kwargs = self.by_position(args, kwargs)
        if context.now.symbolic:
            return self.infer(args, kwargs)
        return self.find_native()(*self.prepare(args), **kwargs)

    @property
    def signature(self) -> inspect.Signature:
        """The signature of the op."""
        return inspect.signature(self.fn)

    @property
    def is_primitive(self) -> bool:
        """Whether it has no body, so that every backend provides it."""
        return self.fn.__code__.co_code == _no_body.__code__.co_code

    def find_native(self) -> Callable[..., Any]:
        """Returns the function of the backend, or the body as fast as the backend runs it."""
        backend = current()
        native = getattr(backend.ops, self.name, None)
        if native is not None:
            return native
        if self.is_primitive:
            raise UnsupportedError(
                f"the {backend.name} backend has no {self.name}",
                fix="use other ops, or another backend",
            )
        if "seed" in self.parameters or (self.rule is not None and self.rule.eager):
            return self.fn  # a draw changes a generator, and is another with each seed
        compile_op = getattr(backend, "compile_op", None)
        return self.fn if compile_op is None else compile_op(self.fn)

    @entrance
    def explain(self, error: Exception, args: tuple, kwargs: dict[str, Any]) -> None:
        """Raises the error of the op's rule, if that refuses the arguments too.

        So a call on tensors and one on KerasTensors fail alike, on all backends.
        """
        if self.rule is None and isinstance(error, SpecError):
            return
        try:
            self.infer(args, kwargs)
        except SpecError as refusal:
            raise refusal from error
        except Exception:
            return

    def places(self, args: Any) -> list[int]:
        """Returns the positions of the operands among these arguments."""
        places = [i for i in self.positions if i < len(args)]
        if self.variadic and places:
            places += range(places[-1] + 1, len(args))
        return places

    def map_operands(self, function: Callable[[Any], Any], args: tuple, first: int = 0) -> list:
        """Returns the arguments with `function` applied to each operand; None is no operand."""
        values = list(args)
        for i in self.places(args):
            if i < first:
                continue
            if i in self.many and isinstance(values[i], (list, tuple)):
                values[i] = [function(x) for x in values[i]]
            elif values[i] is not None:
                values[i] = function(values[i])
        return values

    def each_operand(self, args: tuple, first: int = 0) -> list[Any]:
        """Returns the operands, those inside a sequence of them too."""
        found: list[Any] = []
        self.map_operands(found.append, args, first)
        return found

    def find_route(self, args: tuple) -> None:
        """Notes the short road for arguments of these types, if there is one.

        Of a list of tensors, that for the first.
        """
        native = current().is_tensor
        if self.of_list and args and type(args[0]) in _LISTS:
            args = tuple(args[0][:1])
        variables, operands, scalars = [], [], []
        for i in self.places(args):
            x = args[i]
            if isinstance(x, Variable):
                variables.append(i)
            if isinstance(x, Variable) or native(x):
                if i >= self.first:
                    operands.append(i)
            elif type(x) in _SCALARS and (self.operands or self.rule is None):
                scalars.append(type(x))
            elif x is not None:
                return
        if operands or not (self.operands or scalars):
            key = tuple(map(type, args))
            first, *rest = operands or (0,)
            self.routes[key] = _Route(tuple(variables), first, tuple(rest), tuple(scalars), set())

    def settle(self, route: _Route, dtype: Any) -> bool:
        """Whether operands of this native dtype need no cast, noted for the next call."""
        name = current().dtype_name(dtype)
        names = [name] * (1 + len(route.rest))
        if self.operands(*names, *route.scalars) != name:  # type: ignore[misc]
            return False
        route.settled.add(dtype)
        return True

    def prepare(self, args: tuple) -> list[Any]:
        """Returns the arguments with operands as tensors of the backend, cast as the rule says."""
        backend = current()
        keep_scalars = self.operands is not None  # a composite's ops see that they are weak
        if self.rule is None:
            keep_scalars = any(type(x) not in _SCALARS for x in self.each_operand(args))
        values = self.map_operands(lambda x: _convert(x, backend, keep_scalars), args)
        if self.operands is None:
            return values
        operands = self.each_operand(tuple(values), self.first)
        dtypes = [type(x) if type(x) in _SCALARS else backend.dtype_name(x) for x in operands]
        dtype = self.operands(*dtypes)
        number = _SCALARS if any(type(x) not in _SCALARS for x in operands) else ()

        def cast(x: Any) -> Any:  # a number may stay one where another operand is a tensor
            if type(x) in number:
                return x
            return backend.cast(x, dtype) if backend.is_tensor(x) else convert(x, dtype)

        convert = backend.convert_to_tensor
        return self.map_operands(cast, tuple(values), self.first)

    def infer(self, args: tuple, kwargs: dict[str, Any]) -> Any:
        """Returns the shapes and dtypes of the result, as KerasTensors without history."""
        if self.rule is not None:
            return _symbols(self.rule.infer(*self.map_operands(spec_of, args), **kwargs))
        with SymbolicScope():
            return self.fn(*self.map_operands(_symbol, args), **kwargs)


_SCALARS = (bool, int, float, complex)
_LISTS = (list, tuple)


def _no_body() -> None:
    """What a primitive compiles to."""


def _convert(x: Any, backend: Any, keep_scalars: bool) -> Any:
    """Makes a tensor of an operand; a Python number may stay one, so that it is weak."""
    if isinstance(x, Variable):
        return x.value
    if backend.is_tensor(x) or (keep_scalars and type(x) in _SCALARS):
        return x
    return backend.convert_to_tensor(x)


def spec_of(x: Any) -> Spec:
    """Returns the shape and dtype of anything that an op takes as an operand."""
    if type(x) in _SCALARS:
        return Spec((), type(x))
    if isinstance(x, Spec):
        return x
    if isinstance(x, Variable):
        return Spec(x.shape, x.dtype_in_scope)
    if isinstance(x, KerasTensor):
        return Spec(x.shape, x.dtype)
    backend = current()
    if not backend.is_tensor(x):
        x = backend.convert_to_tensor(x)
    return Spec(tuple(x.shape), backend.dtype_name(x))


def _symbol(x: Any) -> Any:
    if type(x) in _SCALARS or isinstance(x, (KerasTensor, Variable)):
        return x
    spec = spec_of(x)
    return KerasTensor(spec.shape, spec.dtype, record_history=False)


def _symbols(specs: Any) -> Any:
    if isinstance(specs, Spec):
        dtype = {bool: "bool", int: "int32", float: None}.get(specs.dtype, specs.dtype)
        return KerasTensor(specs.shape, dtype, record_history=False)
    if isinstance(specs, (list, tuple)):
        items = map(_symbols, specs)
        return type(specs)(*items) if hasattr(specs, "_fields") else type(specs)(items)
    return specs


def is_symbolic(*structures: Any) -> bool:
    """Whether a call with these arguments only infers."""
    if context.now.symbolic:
        return True
    return any(isinstance(x, KerasTensor) for x in tree.flatten(structures))
