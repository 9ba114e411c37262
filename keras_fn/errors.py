"""The errors of this package: what was expected, what was received, and how to fix it.

Each has four parts and four lines of text:

    Dense layer 'head'
      expected: an input of rank 2
      received: shape (8,)
      fix:      reshape the input
"""

import difflib
from collections.abc import Iterable
from typing import Any, TypeVar

PYTHON_REFUSALS = (TypeError, ValueError, LookupError, ArithmeticError, AttributeError)
"""What Python and NumPy raise for arguments that they do not accept."""


class KerasError(Exception):
    """Base of errors in four parts. A part that is empty is left out of the text.

    Attributes:
        source: What raised the error, or the fact that is wrong, for example `"ops.matmul"`.
        expected: What would have been accepted.
        received: What was there instead.
        fix: What the user can do about it.
    """

    source: str
    expected: Any = ""
    received: Any = ""
    fix: str = ""

    def __str__(self) -> str:
        lines = [self.source]
        for label, part in (
            ("expected: ", self.expected),
            ("received: ", self.received),
            ("fix:      ", self.fix),
        ):
            if part != "":
                lines.append(f"  {label}{self._format(part)}")
        return "\n".join(lines)

    def _format(self, part: object) -> str:
        """Returns a part as text."""
        return str(part)


class SpecError(KerasError, ValueError):
    """A value does not fit the argument, input or variable that it was passed for.

    Inner code states the fact; the layer or model that knows the context adds it with
    `with_context`, once.

    Args:
        source: What raised the error, for example `"ops.matmul"`.
        expected: What would have been accepted.
        received: What was passed instead.
        fix: What the user can do about it.
    """

    def __init__(self, source: str, *, expected: str, received: str, fix: str):
        super().__init__(source)
        self.source, self.expected, self.received, self.fix = source, expected, received, fix

    def __reduce__(self):  # an exception is unpickled from its positional arguments by default
        parts = {"expected": self.expected, "received": self.received, "fix": self.fix}
        return _restore, (type(self), self.source, parts)

    def with_source(self, source: str) -> "SpecError":
        """Returns the same error of another source."""
        return type(self)(source, expected=self.expected, received=self.received, fix=self.fix)

    def with_context(self, context: str) -> "SpecError":
        """Returns the same error with an outer context (a layer, a model) before its source."""
        return self.with_source(f"{context}, in {self.source}")


def _restore(cls: type[SpecError], source: str, parts: dict[str, str]) -> SpecError:
    return cls(source, **parts)


class DTypeError(SpecError, TypeError):
    """A `SpecError` about a type or dtype: also a TypeError."""


def find_similar(name: str, names: Iterable[str], count: int = 3) -> list[str]:
    """Returns the names that a misspelt one may stand for, the most similar first.

    Args:
        name: The name that was received.
        names: The names that there are.
        count: Maximum number of names.

    Example:
        >>> find_similar("epoch", ["x", "y", "epochs"])
        ['epochs']
    """
    return difflib.get_close_matches(name[:200], list(names), count, 0.6)


class TracedValueError(DTypeError):
    """An op needs a value or a size that is not known while a function is compiled."""


def unexpected_arguments(
    source: str, names: Iterable[str], known: Iterable[str] = ()
) -> DTypeError:
    """Returns the error for keyword arguments that a function does not have.

    Args:
        source: The name of the function or class.
        names: The names of the arguments.
        known: The names of its parameters, to suggest the one that was meant.
    """
    names, known = list(names), list(known)
    near = [f"{n}=" for name in names for n in find_similar(name, known, 1)]
    return DTypeError(
        source,
        expected=f"the arguments {', '.join(known)}" if known else "arguments of its signature",
        received=", ".join(f"{name}=" for name in names),
        fix=f"did you mean {', '.join(near)}?" if near else "remove what it does not take",
    )


_Choice = TypeVar("_Choice")


def check_choice(source: str, argument: str, value: object, choices: Iterable[_Choice]) -> _Choice:
    """Returns the value of an argument that takes one of a few, after checking that it is one.

    Args:
        source: The name of the function or class.
        argument: The name of the argument.
        value: Its value.
        choices: The valid values: words, also numbers or None.

    Raises:
        SpecError: The value is not one of them. The error lists them.
    """
    options = tuple(choices)
    if value is None or isinstance(value, (str, int)):
        for option in options:
            if value == option:
                return option
    raise SpecError(
        source,
        expected=f"{argument}: {' or '.join(map(repr, options))}",
        received=f"{argument}={value!r}",
        fix=f"for example {argument}={options[0]!r}",
    )


def missing_method(instance: object, method: str) -> DTypeError:
    """Returns the error for a method that a subclass should have defined.

    Args:
        instance: The object that lacks it.
        method: The method with its parameters, for example `"call(y_true, y_pred)"`.
    """
    return DTypeError(
        f"{type(instance).__name__} has no {method} method",
        expected="",
        received="",
        fix=f"define {method} in the class",
    )


class UnsupportedError(NotImplementedError):
    """The backend does not support an operation.

    The conformance suite reports it as a gap of the backend, with the reason, not as a failure.

    Args:
        reason: What the backend lacks.
        fix: What the user can do instead.
    """

    def __init__(self, reason: str, *, fix: str):
        super().__init__(f"{reason}\n  fix: {fix}")
        self.reason, self.fix = reason, fix
