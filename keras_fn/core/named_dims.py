"""Named dimensions: unknown sizes with names, which are followed through a graph.

What becomes of a named axis is found by trying: the call is inferred once more with sizes in place
of the names, another one for each name. An axis of a result that has the size of a name, and has it
again with other sizes, has that name; if a call refuses sizes that differ, the names disagree.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from keras_fn.core import tree
from keras_fn.core.keras_tensor import KerasTensor
from keras_fn.core.scopes import StatelessScope
from keras_fn.errors import SpecError

_UNIT = 240  # sizes to try are multiples of it, so that layers can split and pool them

Names = tuple[str | None, ...]


def split_names(shape: Any, source: str) -> tuple[Any, Names | None]:
    """Returns a shape with None for names, and the name of each axis; None if there are none.

    Args:
        shape: Sizes, names and None.
        source: The layer, for error messages.

    Raises:
        SpecError: The shape is one name, or a name is empty.

    Example:
        >>> split_names(("time", 64), "Input")
        ((None, 64), ('time', None))
    """
    if isinstance(shape, str) or (isinstance(shape, (list, tuple)) and "" in shape):
        raise SpecError(
            source,
            expected="a shape: a tuple of sizes, names and None",
            received=repr(shape),
            fix="for example Input(shape=('time', 64))",
        )
    if not isinstance(shape, (list, tuple)):
        return shape, None
    sizes = tuple(None if isinstance(size, str) else size for size in shape)
    names = tuple(size if isinstance(size, str) else None for size in shape)
    return sizes, names if any(names) else None


def format_shape(tensor: Any) -> str:
    """Returns the shape of a tensor as text, with the names of its axes: `(None, time, 64)`.

    Args:
        tensor: A KerasTensor, or another tensor, whose axes have no names.
    """
    if getattr(tensor, "dim_names", None) is None:
        return str(tuple(tensor.shape))
    sizes = ", ".join(map(str, tensor.named_shape))
    return f"({sizes},)" if len(tensor.shape) == 1 else f"({sizes})"


def show_dim_names(error: SpecError, tensors: Any) -> SpecError:
    """Returns an error with the names of axes in the shapes that it received.

    Args:
        error: The error.
        tensors: The inputs of the call that raised it, nested.
    """
    received = error.received
    for x in tree.flatten(tensors):
        if isinstance(x, KerasTensor) and x.dim_names is not None:
            received = received.replace(str(x.shape), format_shape(x))
    if received != error.received:
        error.received = received
        error.__context__ = None
    return error


def set_dim_names(
    operation: Any, args: tuple, kwargs: dict[str, Any], outputs: Sequence[KerasTensor]
) -> None:
    """Names the axes of the outputs of a call by those of its inputs.

    Args:
        operation: The layer or op.
        args: Its arguments, nested, with KerasTensors.
        kwargs: Its arguments by name.
        outputs: The outputs of the call, flat.

    Raises:
        SpecError: Axes that must be of one size have different names.
    """
    inputs = [x for x in tree.flatten([args, kwargs]) if isinstance(x, KerasTensor)]
    names = list(dict.fromkeys(n for x in inputs for n in x.dim_names or () if n is not None))

    def infer(sizes: Mapping[str, int]) -> list[Any]:
        substituted = tree.map_structure(lambda x: _with_sizes(x, sizes), (args, kwargs))
        with StatelessScope():
            specs = operation.compute_output_spec(*substituted[0], **substituted[1])
        return tree.flatten(specs)

    first = {name: _UNIT * (11 + 2 * i) for i, name in enumerate(names)}
    second = {name: size + _UNIT for name, size in first.items()}
    specs, others = _try(infer, first), _try(infer, second)
    if specs is None or others is None:
        # Not a disagreement if the sizes were too large: of positions, for example.
        largest = max(second.values(), default=0)
        if len(names) > 1 and _try(infer, dict.fromkeys(names, largest)) is not None:
            raise _disagreement(operation, inputs, _find_culprits(infer, names, largest))
        return  # no sizes that the layer takes: its outputs have no names
    origins = {(first[name], second[name]): name for name in names}
    for output, spec, other in zip(outputs, specs, others, strict=True):
        pairs = zip(spec.shape, other.shape, strict=True)
        found = tuple(origins.get(pair) for pair in pairs)
        output.dim_names = found if any(found) else None


def _with_sizes(x: Any, sizes: Mapping[str, int]) -> Any:
    """Returns a KerasTensor with sizes in place of the names of its axes."""
    if not isinstance(x, KerasTensor):
        return x
    shape = [
        size if name is None else sizes[name]
        for size, name in zip(x.shape, x.dim_names or (None,) * len(x.shape), strict=True)
    ]
    return KerasTensor(shape, x.dtype, x.sparse, x.ragged, record_history=False)


def _try(infer: Callable[[Mapping[str, int]], list[Any]], sizes: Mapping[str, int]) -> Any:
    """Returns the specs of the outputs for some sizes, or None if the call refuses them."""
    try:
        return infer(sizes)
    except Exception:  # whatever a custom layer raises for sizes that do not suit it
        return None


def _find_culprits(infer: Callable[..., Any], names: list[str], size: int) -> list[str]:
    """Returns the names whose size cannot differ from the size of the others."""
    same = dict.fromkeys(names, size)
    culprits = [name for name in names if _try(infer, {**same, name: _UNIT}) is None]
    return culprits or names


def _disagreement(operation: Any, inputs: list[KerasTensor], names: list[str]) -> SpecError:
    found = [
        f"{format_shape(x)} from {x._keras_history.operation.name!r}"
        if hasattr(x, "_keras_history")
        else format_shape(x)
        for x in inputs
        if set(names) & set(x.dim_names or ())
    ]
    return SpecError(
        getattr(operation, "_label", operation.name),
        expected="axes of one size that have one name",
        received=f"{' and '.join(map(repr, names))}: {', '.join(found)}",
        fix="give them one name in Input(shape=...) if they are always of one size; if not, pad or "
        "crop them first",
    )


class NamedSizes:
    """The axes of inputs that have one name, which must be of one size in each call.

    Args:
        tensors: The inputs.
    """

    def __init__(self, tensors: Iterable[KerasTensor]):
        axes: dict[str, list[tuple[int, int]]] = {}
        for i, tensor in enumerate(tensors):
            for axis, name in enumerate(getattr(tensor, "dim_names", None) or ()):
                if name is not None:
                    axes.setdefault(name, []).append((i, axis))
        self.axes = {name: places for name, places in axes.items() if len(places) > 1}

    def check(self, values: Sequence[Any], names: Sequence[str], source: str) -> None:
        """Checks that axes of one name are of one size.

        Args:
            values: A value with a shape for each input, or None.
            names: The names of the inputs.
            source: The model, for error messages.

        Raises:
            SpecError: They are not.
        """
        for dim, places in self.axes.items():
            sizes = {
                (i, axis): values[i].shape[axis] for i, axis in places if values[i] is not None
            }
            known = {size for size in sizes.values() if isinstance(size, int)}
            if len(known) > 1:
                received = (f"{size} in {names[i]!r}" for (i, _), size in sizes.items())
                raise SpecError(
                    source,
                    expected=f"one size for the axes named {dim!r}",
                    received=", ".join(received),
                    fix="pad or crop the data, or name the axes differently in Input(shape=...)",
                )
