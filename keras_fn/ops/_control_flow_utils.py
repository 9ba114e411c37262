"""Shared by control flow ops: flat functions for the backends, specs of loops, nodes of graphs."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from keras_fn.backend.loader import current, supports
from keras_fn.core import tree
from keras_fn.core.keras_tensor import KerasTensor
from keras_fn.core.naming import auto_name
from keras_fn.core.operation import Operation
from keras_fn.core.registry import mark_builtin
from keras_fn.core.scopes import context
from keras_fn.core.shapes import is_compatible
from keras_fn.errors import SpecError
from keras_fn.ops._op import spec_of
from keras_fn.ops.core import convert_to_tensor


@mark_builtin
class FunctionNode(Operation):
    """A call of a control flow op in a graph. It holds functions, so a file cannot store it."""

    def __init__(self, name: str, function: Callable[..., Any]):
        super().__init__(auto_name(name))
        self.function = function

    def call(self, *args: Any) -> Any:
        """Calls the op with the functions it was created with."""
        return self.function(*args)


def is_building_graph(*structures: Any) -> bool:
    """Returns whether any leaf is a KerasTensor, and the op thus becomes a node of a graph."""
    if context.current.symbolic:
        return False
    return any(isinstance(x, KerasTensor) for x in tree.flatten(structures))


def to_tensors(structure: Any) -> Any:
    """Converts the leaves of nested numbers, arrays and variables to tensors; None is kept."""
    return tree.map_structure(lambda x: None if x is None else convert_to_tensor(x), structure)


def unflatten(structure: Any, leaves: Iterable[Any]) -> Any:
    """Returns the structure with its tensors replaced by `leaves`, in order; None is kept."""
    values = iter(leaves)
    return tree.map_structure(lambda x: None if x is None else next(values), structure)


class FlatFunction:
    """Wraps a function of nested tensors as a function of a flat list of tensors.

    Args:
        function: Takes nested tensors, returns nested tensors.
        structure: Nested values with the structure of the argument.

    Attributes:
        out_tree: The structure of the last result, with 0 for each tensor.
    """

    def __init__(self, function: Callable[..., Any], structure: Any = ()):
        self.function, self.structure = function, structure
        self.out_tree: Any = None

    def __call__(self, leaves: Any) -> list[Any]:
        return self.flatten(self.function(unflatten(self.structure, leaves)))

    def flatten(self, result: Any) -> list[Any]:
        """Returns the tensors of a result, and records its structure in `out_tree`."""
        result = to_tensors(result)
        self.out_tree = tree.map_structure(lambda x: None if x is None else 0, result)
        return [x for x in tree.flatten(result) if x is not None]

    def unflatten(self, leaves: Any) -> Any:
        """Nests tensors in the structure of the last result."""
        return unflatten(self.out_tree, leaves)


def tensor_leaves(structure: Any) -> list[Any]:
    """Returns the leaves of nested tensors, without None."""
    return [x for x in tree.flatten(structure) if x is not None]


def backend_transform(name: str) -> Callable[..., Any]:
    """Returns a function transformation or loop of the backend, see `FunctionTransforms`.

    Args:
        name: Name of the function.

    Returns:
        The function of the backend.

    Raises:
        ValueError: The backend does not support it.
    """
    if not supports(f"ops.{name}"):
        raise SpecError(
            f"ops.{name}",
            expected="a backend that supports it",
            received=current().name,
            fix="set KERAS_BACKEND to jax, torch or tensorflow",
        )
    return getattr(current().ops, name)


def is_traced(*structures: Any) -> bool:
    """Returns whether the backend is tracing any of these tensors."""
    backend = current()
    return any(backend.is_traced(x) for x in tree.flatten(structures))


def check_same_spec(source: str, expectation: str, expected: Any, actual: Any) -> None:
    """Raises unless two results have the same structure, with the same shapes and dtypes.

    Args:
        source: Name of the op.
        expectation: What is expected, without the spec itself.
        expected: Nested tensors.
        actual: The nested tensors to check.

    Raises:
        ValueError: Structure, shapes or dtypes differ.
    """
    a, b = (_paths_and_specs(x) for x in (expected, actual))
    if a[0] != b[0] or not all(map(_is_same_spec, a[1], b[1])):
        raise SpecError(
            source,
            expected=f"{expectation}: {_format_spec(expected)}",
            received=_format_spec(actual),
            fix="return the same structure, shapes and dtypes; see ops.cast and ops.reshape",
        )


def _paths_and_specs(structure: Any) -> tuple[Any, list[Any]]:
    specs = [None if x is None else spec_of(x) for x in tree.flatten(structure)]
    return tree.paths(structure), specs


def _is_same_spec(a: Any, b: Any) -> bool:
    if a is None or b is None:
        return a is b
    return a.dtype == b.dtype and is_compatible(a.shape, b.shape)


def _format_spec(structure: Any) -> str:
    def leaf(x: Any) -> str:
        return "None" if x is None else f"{spec_of(x).dtype}{list(spec_of(x).shape)}"

    text = tree.map_structure(leaf, structure)
    return text if isinstance(text, str) else str(text).replace("'", "")


def add_leading_axis(size: Any, structure: Any) -> Any:
    """Returns KerasTensors like those of `structure`, with an additional first axis."""
    return tree.map_structure(
        lambda t: (
            None if t is None else KerasTensor((size, *t.shape), t.dtype, record_history=False)
        ),
        structure,
    )


def leading_axis_size(source: str, structure: Any) -> Any:
    """Returns the size of the first axis, which all tensors share; None if it is unknown.

    Raises:
        ValueError: There are no tensors, one is a scalar, or the sizes differ.
    """
    shapes = [spec_of(x).shape for x in tensor_leaves(structure)]
    # A size that is symbolic in the graph of a framework is unknown, too.
    sizes = {shape[0] for shape in shapes if shape and isinstance(shape[0], int)}
    if not shapes or not all(shapes) or len(sizes) > 1:
        raise SpecError(
            source,
            expected="tensors of one size along their first axis",
            received=", ".join(map(str, shapes)) or "none",
            fix="check the shapes",
        )
    return next(iter(sizes), None)
