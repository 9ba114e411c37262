"""The type of an operand: a tensor of the backend, a KerasTensor, a Variable, an array, a number."""

from typing import Any, TypeAlias

Tensor: TypeAlias = Any
