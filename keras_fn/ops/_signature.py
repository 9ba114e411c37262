"""The signature of an op: which of its arguments are operands, and which are options."""

import inspect
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any

from keras_fn.core import tree
from keras_fn.core.host_text import TEXT_FIX, is_text_array
from keras_fn.errors import DTypeError, SpecError, TracedValueError
from keras_fn.ops._arguments import check_option, standardize_option


class OpSignature:
    """The parameters of an op. Those whose annotation contains `Tensor` are its operands.

    Args:
        fn: The function that defines the op.
    """

    def __init__(self, fn: Callable[..., Any]):
        self.name, self.fn = fn.__name__, fn
        # From the code object: `inspect.signature` would be a good part of the import time.
        code = fn.__code__
        self.parameters = code.co_varnames[: code.co_argcount]
        self.is_variadic = bool(code.co_flags & inspect.CO_VARARGS)
        star = code.co_argcount + code.co_kwonlyargcount
        names = self.parameters + code.co_varnames[star : star + self.is_variadic]
        annotations = {n: str(fn.__annotations__.get(n)) for n in names}
        self.positions = tuple(i for i, n in enumerate(names) if "Tensor" in annotations[n])
        self.operand_names = frozenset(names[i] for i in self.positions)
        # `xs: Sequence[TensorLike]` is a list of operands and `x: tuple[TensorLike, TensorLike]` a
        # pair, but a list given for `x: TensorLike` is one array.
        self.sequences = frozenset(i for i in self.positions if "[" in annotations[names[i]])
        self.takes_list = (
            self.sequences == {0} == set(self.positions) and "Sequence" in annotations[names[0]]
        )
        self.accepted_types: set[tuple[str, Any]] = set()  # of options

    @cached_property
    def signature(self) -> inspect.Signature:
        """The signature of the op, found when it is first asked for."""
        return inspect.signature(self.fn)

    @property
    def full_name(self) -> str:
        """The name by which users call it, such as `"ops.image.resize"`."""
        folder = self.fn.__module__.split(".ops.")[-1].split(".")[0]
        name = self.name.removesuffix("_with_bias")  # what layers call for `ops.conv` and a sum
        return f"ops.image.{name}" if folder == "image" else f"ops.{name}"

    def normalize_arguments(
        self, args: tuple, kwargs: dict[str, Any]
    ) -> tuple[tuple, dict[str, Any]]:
        """Returns the arguments with all up to the last operand by position."""
        defaults = self.fn.__defaults__ or ()
        by_name = {**dict(zip(self.parameters[::-1], defaults[::-1], strict=False)), **kwargs}
        missing = self.parameters[len(args) : self.positions[-1] + 1]
        if not all(name in by_name for name in missing):
            self.signature.bind(*args, **kwargs)  # raises the TypeError of a wrong call
        options = {name: value for name, value in kwargs.items() if name not in missing}
        return (*args, *[by_name[name] for name in missing]), options

    def operand_indices(self, args: Any) -> Sequence[int]:
        """Returns the indices of the operands among these arguments."""
        count, last = len(args), self.positions[-1] if self.positions else -1
        if count <= last:
            return [i for i in self.positions if i < count]
        is_longer = self.is_variadic and last >= 0
        return (*self.positions, *range(last + 1, count)) if is_longer else self.positions

    def map_operands(self, function: Callable[[Any], Any], args: tuple, first: int = 0) -> list:
        """Returns the arguments with `function` applied to each operand from index `first` on.

        An operand that is None is left as it is.
        """
        values = list(args)
        for i in self.operand_indices(args):
            if i < first:
                continue
            if i in self.sequences and isinstance(values[i], (list, tuple)):
                values[i] = [function(x) for x in values[i]]
            elif values[i] is not None:
                values[i] = function(values[i])
        return values

    def list_operands(self, args: tuple, first: int = 0) -> list[Any]:
        """Returns the operands, including those inside lists of operands."""
        if not (first or self.sequences or self.is_variadic):
            count = len(args)
            return [args[i] for i in self.positions if i < count and args[i] is not None]
        operands: list[Any] = []
        self.map_operands(operands.append, args, first)
        return operands

    def options(self, args: tuple, kwargs: dict[str, Any]) -> dict[str, Any]:
        """Returns the arguments that are not operands, by name."""
        if len(args) <= len(self.positions):
            return kwargs
        names = enumerate(self.parameters[: len(args)])
        return {n: args[i] for i, n in names if n not in self.operand_names} | kwargs

    def standardize_options(self, args: tuple, kwargs: dict[str, Any]) -> tuple[tuple, dict]:
        """Returns the arguments with NumPy's numbers among the options as Python's."""
        annotations, operands = self.fn.__annotations__, self.operand_names
        if kwargs:
            kwargs = {
                n: x if n in operands else standardize_option(x, annotations.get(n))
                for n, x in kwargs.items()
            }
        if len(args) > len(self.positions) and not self.is_variadic:
            names = self.parameters[: len(args)]
            args = (
                tuple(
                    [
                        x if n in operands else standardize_option(x, annotations.get(n))
                        for n, x in zip(names, args, strict=False)
                    ]
                )
                + args[len(names) :]
            )
        return args, kwargs

    def check_options(self, args: tuple, kwargs: dict[str, Any]) -> None:
        """Raises a DTypeError for an argument of another type than its annotation says."""
        for name, value in self.options(args, kwargs).items():
            kind = _kind_of(value)
            if (name, kind) not in self.accepted_types:
                bind(self.fn, args, kwargs, self.signature)  # refuses an unknown name
                check_option(self.full_name, self.fn, name, value)
                is_plain = kind in _PLAIN or (type(kind) is tuple and _PLAIN.issuperset(kind[1]))
                if is_plain and "DType" not in str(self.fn.__annotations__.get(name)):
                    self.accepted_types.add((name, kind))

    def named(self, error: SpecError) -> SpecError:
        """Returns an error that names this op: the source, or the context of an inner op's."""
        if error.source == "ops":
            return error.with_source(self.full_name)
        if f".{self.name}" in error.source or self.full_name in error.source:
            return error
        return error.with_context(self.full_name)


_PLAIN = frozenset((str, int, float, bool, type(None)))


def _kind_of(value: Any) -> Any:
    """Returns the type of an option; of a tuple or list, with those that its items have."""
    kind = type(value)
    return (kind, frozenset(map(type, value))) if kind is tuple or kind is list else kind


def refusal(
    source: str, error: Exception, arguments: Mapping[str, Any], backend: str
) -> DTypeError:
    """Returns the error for arguments that the framework refuses and the op's rule does not.

    Args:
        source: The name of the op.
        error: The framework's error.
        arguments: The arguments of the call, by name.
        backend: What refuses them.
    """
    if any(map(is_text_operand, tree.flatten(list(arguments.values())))):
        return text_refusal(source, arguments)
    first_line = (str(error).strip() or type(error).__name__).splitlines()[0]
    return DTypeError(
        source,
        expected=f"arguments and dtypes that the op supports on {backend}",
        received=", ".join(f"{key}={_summarize(value)}" for key, value in arguments.items()),
        fix=f"change what {backend} refuses: {first_line:.300}",
    )


def is_text_operand(x: Any) -> bool:
    """Returns whether an operand is text: symbolic, an array or a tensor."""
    dtype = getattr(x, "dtype", None)
    return getattr(dtype, "name", dtype) == "string" or is_text_array(x)


def text_refusal(source: str, arguments: Mapping[str, Any]) -> DTypeError:
    """Returns the error for text, which the op does not take.

    Args:
        source: The name of the op.
        arguments: The arguments of the call, by name.
    """
    received = ", ".join(f"{key}={_summarize(value)}" for key, value in arguments.items())
    return DTypeError(source, expected="numbers", received=received, fix=TEXT_FIX)


def untraceable(source: str, arguments: Mapping[str, Any]) -> TracedValueError:
    """Returns the error for a call, in a compiled function, that needs values.

    Args:
        source: The name of the op.
        arguments: The arguments of the call, by name.
    """
    return TracedValueError(
        source,
        expected="values and sizes that are known while the function is compiled",
        received=", ".join(f"{key}={_summarize(value)}" for key, value in arguments.items()),
        fix="call it outside of the compiled function (run_eagerly=True, jit_compile=False), or "
        "pass the size of the result, if the op takes it (size=, num_segments=)",
    )


def _summarize(x: Any) -> str:
    """Returns a short text for an argument: a tensor's dtype and shape."""
    if hasattr(x, "shape") and hasattr(x, "dtype"):
        return f"{str(x.dtype).removeprefix('torch.')}{list(x.shape)}"
    if isinstance(x, (list, tuple)) and any(hasattr(item, "shape") for item in x):
        return f"[{', '.join(map(_summarize, x))}]"
    return f"{x!r:.100}"


def bind(
    function: Callable[..., Any],
    args: tuple,
    kwargs: Mapping[str, Any],
    signature: inspect.Signature | None = None,
) -> dict[str, Any]:
    """Returns the arguments of a call by name.

    Args:
        function: The function.
        args: The arguments by position.
        kwargs: The arguments by name.
        signature: The signature of the function, if it is known.

    Raises:
        TypeError: An argument is missing or unknown.
    """
    signature = signature or inspect.signature(function)
    try:
        return signature.bind(*args, **kwargs).arguments
    except TypeError as error:
        raise DTypeError(
            f"ops.{function.__name__}",
            expected=f"the arguments {', '.join(signature.parameters)}",
            received=str(error),
            fix="add or remove an argument",
        ) from None
