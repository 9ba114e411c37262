"""What a class whose `super().__init__()` was forgotten says."""

from typing import Any


class SetByInit:
    """An attribute that the constructor of a base class sets: it is missing where that did not run.

    The instance's own attribute takes precedence, so a constructed object pays nothing.

    Raises:
        RuntimeError: The attribute is read before it was set.
    """

    def __get__(self, instance: object | None, owner: type[Any]) -> Any:
        if instance is None:
            return self
        raise unconstructed(owner)


def unconstructed(cls: type[Any]) -> RuntimeError:
    """Returns the error of an object that is used before its base class has constructed it."""
    return RuntimeError(
        f"{cls.__name__} was used before it was constructed.\n"
        f"  fix: call super().__init__() first in {cls.__name__}.__init__()"
    )
