"""`Endpoint`: a function with a signature, which a backend writes as an artifact for inference."""

from collections.abc import Callable, Sequence
from typing import Any

from keras_fn.core import tree
from keras_fn.core.keras_tensor import KerasTensor
from keras_fn.core.variable import Variable
from keras_fn.types import Nested


class Endpoint:
    """A function of tensors that an exported artifact offers, with everything a backend needs.

    Args:
        name: Its name in the artifact, for example `"serve"`.
        source: What is exported, for error messages.
        function: Takes tensors nested like `signature`, as positional arguments, and returns nested
            tensors. It runs in inference mode.
        signature: The arguments: KerasTensors without history, nested.
        input_names: The name of each input, flat.
        output_names: The name of each output, flat; None if the results are to be named by their
            keys and positions.
        variables: The variables that the function reads.

    Attributes:
        inputs: The KerasTensors of the signature, flat.
        options: Keyword arguments of the backend for this endpoint.
    """

    def __init__(
        self,
        name: str,
        source: str,
        function: Callable[..., Any],
        signature: Sequence[Nested],
        input_names: Sequence[str],
        output_names: Sequence[str] | None = None,
        variables: Sequence[Variable] = (),
    ):
        self.name, self.source, self.function = name, source, function
        self.signature = tuple(signature)
        self.inputs: list[KerasTensor] = tree.flatten(self.signature)
        self.input_names = list(input_names)
        self.output_names = None if output_names is None else list(output_names)
        self.variables = list(variables)
        self.options: dict[str, Any] = {}

    def call_flat(self, *tensors: Any) -> list[Any]:
        """Calls the function with flat tensors, and returns flat tensors.

        Args:
            *tensors: A tensor for each input.
        """
        return tree.flatten(self.function(*tree.unflatten(self.signature, tensors)))

    def name_outputs(self, outputs: Nested) -> list[str]:
        """Returns a name for each tensor of the result of the function.

        These are the names of the model's outputs, or the keys of a dict, or `output_0`,
        `output_1` and so on.

        Args:
            outputs: The nested result.
        """
        paths = tree.paths(outputs)
        if self.output_names is not None and len(self.output_names) == len(paths):
            return self.output_names
        if all(path and isinstance(path[0], str) for path in paths):
            return unique_names([".".join(map(str, path)) for path in paths])
        return [f"output_{i}" for i in range(len(paths))]

    def dynamic_axes(self) -> list[dict[int, str]]:
        """Returns the axes of unknown size of each input, each with a name.

        The first axis is named `batch` in all inputs. Another has the name that the `Input` gave
        it, or a name of its own.
        """
        result = []
        for name, spec in zip(self.input_names, self.inputs, strict=True):
            given = spec.dim_names or (None,) * len(spec.shape)
            result.append(
                {
                    axis: given[axis] or ("batch" if axis == 0 else f"{to_identifier(name)}_{axis}")
                    for axis, size in enumerate(spec.shape)
                    if size is None
                }
            )
        return result


def unique_names(names: Sequence[str]) -> list[str]:
    """Returns names that differ: a number is appended to those that occur again.

    Args:
        names: The names.

    Example:
        >>> unique_names(["x", "y", "x"])
        ['x', 'y', 'x_1']
    """
    taken: set[str] = set()
    result = []
    for name in names:
        unique, count = name, 0
        while unique in taken:
            count += 1
            unique = f"{name}_{count}"
        taken.add(unique)
        result.append(unique)
    return result


def to_identifier(name: str) -> str:
    """Returns a name as an identifier: other characters become underscores.

    Args:
        name: The name.

    Example:
        >>> to_identifier("block/x:0")
        'block_x_0'
    """
    text = "".join(c if c.isascii() and (c.isalnum() or c == "_") else "_" for c in name)
    return text if text[:1].isalpha() or text[:1] == "_" else f"_{text}"
