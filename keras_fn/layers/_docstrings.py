"""Docstrings of families of layers, such as `Conv1D` to `Conv3D`, which share most sections."""

import inspect
import re
from collections.abc import Mapping
from typing import TypeVar

Class = TypeVar("Class", bound=type)

_SHARED = ("Args:", "Call arguments:", "Input shape:", "Output shape:", "Raises:", "References:")


def inherit_sections(cls: Class) -> Class:
    """Adds the sections of a base class's docstring to the docstring of a member of its family.

    A section that the class has itself is not added; nor is an argument that its constructor does
    not take. The sections come before the example.
    """
    own = inspect.cleandoc(cls.__doc__ or "")
    base = next((b for b in cls.__mro__[1:] if "shape:\n" in (b.__doc__ or "")), None)
    if base is None:  # `python -OO` removes docstrings
        return cls
    parameters = inspect.signature(cls.__init__).parameters
    sections = [
        _without_missing(section, parameters)
        for section in re.split(r"\n\n(?=\S)", inspect.cleandoc(base.__doc__ or ""))
        if section.startswith(_SHARED) and section.split("\n", 1)[0] not in own
    ]
    text, separator, example = own.partition("\n\nExample:")
    cls.__doc__ = "\n\n".join([text, *sections]) + separator + example + "\n"
    return cls


def _without_missing(section: str, parameters: Mapping[str, object]) -> str:
    """Returns the section `Args` without arguments that are not among the parameters."""
    if not section.startswith("Args:"):
        return section
    title, *arguments = re.split(r"\n    (?=\w+: )", section)
    return "\n    ".join([title, *(a for a in arguments if a.split(":")[0] in parameters)])
