"""What control flow shares: flat functions for the backends, specs of loops, nodes of graphs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from keras_fn.backend.loader import current, supports
from keras_fn.core import tree
from keras_fn.core.keras_tensor import KerasTensor
from keras_fn.core.naming import auto_name
from keras_fn.core.operation import Operation
from keras_fn.core.registry import mark_builtin
from keras_fn.core.scopes import context
from keras_fn.errors import SpecError
from keras_fn.ops._op import spec_of
from keras_fn.ops.core import convert_to_tensor


@mark_builtin
class FunctionNode(Operation):
    """A call of control flow in a graph. It holds functions, so files cannot hold it."""

    def __init__(self, name: str, function: Callable[..., Any]):
        super().__init__(auto_name(name))
        self.function = function

    def call(self, *args: Any) -> Any:
        """Calls the op with the functions that it was given."""
        return self.function(*args)


def is_building_graph(*structures: Any) -> bool:
    """Whether a graph is being built of these tensors."""
    if context.current.symbolic:
        return False
    return any(isinstance(x, KerasTensor) for x in tree.flatten(structures))


def to_tensors(structure: Any) -> Any:
    """Nested tensors of nested numbers, arrays, variables; None stays."""
    return tree.map_structure(lambda x: None if x is None else convert_to_tensor(x), structure)


class FlatFunction:
    """A function of nested tensors as one of flat lists, and how its results were nested."""

    def __init__(self, function: Callable[..., Any], structure: Any = ()):
        self.function, self.structure = function, structure
        self.skeleton: Any = None

    def __call__(self, leaves: Any) -> list[Any]:
        values = iter(leaves)
        args = tree.map_structure(lambda x: None if x is None else next(values), self.structure)
        return self.flat(self.function(args))

    def flat(self, result: Any) -> list[Any]:
        """The tensors of a result, which is remembered without them."""
        result = to_tensors(result)
        self.skeleton = tree.map_structure(lambda x: None if x is None else 0, result)
        return [x for x in tree.flatten(result) if x is not None]

    def nested(self, leaves: Any) -> Any:
        """Nests tensors as the results were."""
        values = iter(leaves)
        return tree.map_structure(lambda x: None if x is None else next(values), self.skeleton)


def tensor_leaves(structure: Any) -> list[Any]:
    """The tensors of nested ones, without None."""
    return [x for x in tree.flatten(structure) if x is not None]


def backend_transform(name: str) -> Callable[..., Any]:
    """Returns the function of the backend, one of its `Transformations`.

    Raises:
        ValueError: The backend has none.
    """
    if not supports(f"ops.{name}"):
        raise SpecError(
            f"ops.{name}",
            expected="a backend that offers it",
            received=current().name,
            fix="set KERAS_BACKEND to jax, torch or tensorflow",
        )
    return getattr(current().ops, name)


def is_traced(*structures: Any) -> bool:
    """Whether a backend makes a graph of what it does with these tensors."""
    backend = current()
    return any(backend.is_traced(x) for x in tree.flatten(structures))


def check_same_spec(source: str, what: str, before: Any, after: Any) -> None:
    """Raises unless two results are nested alike, with tensors of the same shapes and dtypes."""
    a, b = (_paths_and_specs(x) for x in (before, after))
    if a[0] != b[0] or not all(map(_meets, a[1], b[1])):
        raise SpecError(
            source,
            expected=f"{what}: {_format_spec(before)}",
            received=_format_spec(after),
            fix="return the same structure, shapes and dtypes; see ops.cast and ops.reshape",
        )


def _paths_and_specs(structure: Any) -> tuple[Any, list[Any]]:
    specs = [None if x is None else spec_of(x) for x in tree.flatten(structure)]
    return tree.paths(structure), specs


def _meets(a: Any, b: Any) -> bool:
    if a is None or b is None:
        return a is b
    if a.dtype != b.dtype or len(a.shape) != len(b.shape):
        return False
    return all(m == n or None in (m, n) for m, n in zip(a.shape, b.shape, strict=True))


def _format_spec(structure: Any) -> str:
    def leaf(x: Any) -> str:
        return "None" if x is None else f"{spec_of(x).dtype}{list(spec_of(x).shape)}"

    told = tree.map_structure(leaf, structure)
    return told if isinstance(told, str) else str(told).replace("'", "")


def add_leading_axis(size: Any, structure: Any) -> Any:
    """Symbols like those of `structure`, with an axis in front."""
    return tree.map_structure(
        lambda t: (
            None if t is None else KerasTensor((size, *t.shape), t.dtype, record_history=False)
        ),
        structure,
    )


def leading_axis_size(source: str, structure: Any) -> Any:
    """The size of the first axis, which all tensors share.

    Raises:
        ValueError: There is no tensor, one is a scalar, or the sizes differ.
    """
    shapes = [spec_of(x).shape for x in tensor_leaves(structure)]
    sizes = {shape[0] for shape in shapes if shape and shape[0] is not None}
    if not shapes or not all(shapes) or len(sizes) > 1:
        raise SpecError(
            source,
            expected="tensors of one size along their first axis",
            received=", ".join(map(str, shapes)) or "none",
            fix="check the shapes",
        )
    return next(iter(sizes), None)
