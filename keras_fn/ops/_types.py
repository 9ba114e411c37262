"""The type of an operand: a tensor of the backend, KerasTensor, Variable, array or number."""

from typing import Any, TypeAlias

Tensor: TypeAlias = Any
