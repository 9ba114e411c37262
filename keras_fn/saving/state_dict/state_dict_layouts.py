"""How PyTorch's modules store what the weights of a layer hold: names, and orders of axes.

A row of the table is a weight of a layer, and the parameters of a module that its value is made of.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from keras_fn.core.variable import Variable
from keras_fn.errors import SpecError
from keras_fn.saving.variable_paths import Saveable

Convert = Callable[[Sequence[np.ndarray], tuple[int, ...]], np.ndarray]
"""Returns the value of a weight, for the parameters of a module and the shape of the weight."""


class Layout(NamedTuple):
    """How a module stores a weight.

    Attributes:
        parameters: The names of its parameters.
        convert: Returns the value of the weight. It raises a ValueError if the shapes do not fit.
        change: What it does, in a few words.
    """

    parameters: tuple[str, ...]
    convert: Convert
    change: str = ""


def _keep(arrays: Sequence[np.ndarray], shape: tuple[int, ...]) -> np.ndarray:
    del shape
    return arrays[0]


def _reshape(arrays: Sequence[np.ndarray], shape: tuple[int, ...]) -> np.ndarray:
    return arrays[0].reshape(shape)


def _linear(arrays: Sequence[np.ndarray], shape: tuple[int, ...]) -> np.ndarray:
    """Transposes (out, in) to (in, out), of which a kernel may split either into several axes."""
    outputs, inputs = arrays[0].shape
    sizes = [math.prod(shape[:i]) for i in range(1, len(shape))]
    if inputs not in sizes or inputs * outputs != math.prod(shape):
        raise _no_fit("Linear", f"(outputs, inputs) of a kernel {shape}", arrays[0])
    return arrays[0].T.reshape(shape)


def _convolution(arrays: Sequence[np.ndarray], shape: tuple[int, ...]) -> np.ndarray:
    """Moves (out, in, ...) to the end, in the other order; of a transposed one (in, out, ...)."""
    del shape
    return np.moveaxis(arrays[0], (0, 1), (-1, -2))


def _depthwise(arrays: Sequence[np.ndarray], shape: tuple[int, ...]) -> np.ndarray:
    """Splits (channels x multiplier, 1, ...) and moves the two to the end."""
    array = arrays[0]
    if array.ndim != len(shape) or array.shape[1] != 1:
        raise _no_fit("A depthwise convolution", "(channels, 1, ...)", array)
    return np.moveaxis(array.reshape(*shape[-2:], *array.shape[2:]), (0, 1), (-2, -1))


def _no_fit(source: str, expected: str, array: np.ndarray) -> SpecError:
    """Returns the error for a parameter that does not fit, which the caller reports in its way."""
    fix = "rename the tensor to the weight that it is of"
    return SpecError(source, expected=expected, received=f"shape {array.shape}", fix=fix)


def _sum(arrays: Sequence[np.ndarray], shape: tuple[int, ...]) -> np.ndarray:
    del shape
    return arrays[0] + arrays[1]


def _reordered_gates(array: np.ndarray) -> np.ndarray:
    """Exchanges the reset and the update gate, which are first along the last axis."""
    reset, update, new = np.split(array, 3, axis=-1)
    return np.concatenate([update, reset, new], axis=-1)


def _gru_kernel(arrays: Sequence[np.ndarray], shape: tuple[int, ...]) -> np.ndarray:
    return _reordered_gates(_linear(arrays, shape))


def _gru_biases(arrays: Sequence[np.ndarray], shape: tuple[int, ...]) -> np.ndarray:
    del shape
    return np.stack([_reordered_gates(array) for array in arrays])


def _part(index: int, convert: Convert) -> Convert:
    """Returns `convert` of a third of the first axis: the query, key or value."""

    def convert_part(arrays: Sequence[np.ndarray], shape: tuple[int, ...]) -> np.ndarray:
        return convert([np.split(arrays[0], 3)[index]], shape)

    return convert_part


_TRANSPOSED = "transposed"
_NORMALIZATION = {
    "gamma": Layout(("weight",), _keep),
    "beta": Layout(("bias",), _keep),
    "moving_mean": Layout(("running_mean",), _keep),
    "moving_variance": Layout(("running_var",), _keep),
}


def _recurrent(kernel: Convert, bias: Convert, change: str, how: str) -> dict[str, Layout]:
    return {
        "kernel": Layout(("weight_ih",), kernel, change),
        "recurrent_kernel": Layout(("weight_hh",), kernel, change),
        "bias": Layout(("bias_ih", "bias_hh"), bias, how),
    }


# By the names of classes, which a subclass shares.
_LAYOUTS: Mapping[str, Mapping[str, Layout]] = {
    "Dense": {"kernel": Layout(("weight",), _linear, _TRANSPOSED)},
    "EinsumDense": {
        "kernel": Layout(("weight",), _linear, f"{_TRANSPOSED}, reshaped"),
        "bias": Layout(("bias",), _reshape, "reshaped"),
    },
    "DepthwiseConv": {"kernel": Layout(("weight",), _depthwise, _TRANSPOSED)},
    "SeparableConv": {
        "depthwise_kernel": Layout(("depthwise/weight",), _depthwise, _TRANSPOSED),
        "pointwise_kernel": Layout(("pointwise/weight",), _convolution, _TRANSPOSED),
        "bias": Layout(("pointwise/bias",), _keep),
    },
    "Convolution": {"kernel": Layout(("weight",), _convolution, _TRANSPOSED)},
    "BatchNormalization": _NORMALIZATION,
    "LayerNormalization": _NORMALIZATION,
    "GroupNormalization": _NORMALIZATION,
    "RMSNormalization": {"scale": Layout(("weight",), _keep)},
    "Embedding": {"embeddings": Layout(("weight",), _keep)},
    "PReLU": {"alpha": Layout(("weight",), _reshape, "reshaped")},
    "LSTMCell": _recurrent(_linear, _sum, _TRANSPOSED, "summed"),
    "SimpleRNNCell": _recurrent(_linear, _sum, _TRANSPOSED, "summed"),
    "GRUCell": _recurrent(
        _gru_kernel, _gru_biases, f"{_TRANSPOSED}, gates reordered", "stacked, gates reordered"
    ),
}
# Of the sublayers of an attention layer, whose module has no modules of its own for them.
_PROJECTIONS = {"query_dense": 0, "key_dense": 1, "value_dense": 2}
_OUTPUT_PROJECTION = "output_dense"


class Candidate(NamedTuple):
    """Tensors of which the value of a weight could be made.

    Attributes:
        tensors: Their names, with slashes between the parts.
        layout: How they are stored.
    """

    tensors: tuple[str, ...]
    layout: Layout


def list_candidates(
    saveable: Saveable,
    variable: Variable,
    owners: Mapping[str, Any],
    names: Callable[[str], Sequence[str]],
) -> Iterator[Candidate]:
    """Yields what the value of a weight could be made of, the most specific first.

    Args:
        saveable: The layer.
        variable: The weight.
        owners: The layers by their paths in the model.
        names: Returns the names that the module of a layer may have, for the path of the layer.
    """
    layout = _layout(saveable.owner, variable.name)
    for name in names(saveable.path):
        if layout is not None:
            yield _candidate(name, layout)
        yield _candidate(name, Layout((variable.name,), _keep))
    parent, _, last = saveable.path.rpartition("/")
    if layout is not None and is_a(saveable.owner, "Cell"):
        suffix, rnn = "_l0", parent
        outer, _, side = parent.rpartition("/")
        if is_a(owners.get(outer), "Bidirectional"):
            suffix, rnn = suffix + "_reverse" * (side == "backward_layer"), outer
        parameters = tuple(parameter + suffix for parameter in layout.parameters)
        for name in names(rnn):
            yield _candidate(name, layout._replace(parameters=parameters))
    elif is_a(owners.get(parent), "MultiHeadAttention"):
        for name in names(parent):
            yield from (_candidate(name, part) for part in _projection(last, variable.name))


def _candidate(module: str, layout: Layout) -> Candidate:
    start = f"{module}/" if module else ""
    return Candidate(tuple(start + parameter for parameter in layout.parameters), layout)


def _layout(layer: Any, weight: str) -> Layout | None:
    for cls in type(layer).__mro__:
        if cls.__name__ in _LAYOUTS:
            layout = _LAYOUTS[cls.__name__].get(weight)
            return layout if _is_splittable(layer, weight) and _resets_after(layer) else None
    return None


def _resets_after(layer: Any) -> bool:
    """Returns False for a GRU that applies the reset gate before the matrix, unlike PyTorch's."""
    return bool(getattr(layer, "reset_after", True))


def _is_splittable(layer: Any, weight: str) -> bool:
    """Returns whether a kernel has the axes that it sums over, and then those of the output."""
    equation = getattr(layer, "equation", None)
    if weight != "kernel" or not isinstance(equation, str):
        return True
    operands, _, result = equation.replace(" ", "").partition("->")
    inputs, _, kernel = operands.partition(",")
    summed = "".join(axis for axis in inputs if axis in kernel and axis not in result)
    outputs = "".join(axis for axis in result if axis in kernel)
    return kernel == summed + outputs


def _projection(sublayer: str, weight: str) -> Iterator[Layout]:
    is_kernel = weight == "kernel"
    convert = _linear if is_kernel else _reshape
    if sublayer in _PROJECTIONS:
        parameter = "in_proj_weight" if is_kernel else "in_proj_bias"
        change = "a third, transposed" if is_kernel else "a third"
        yield Layout((parameter,), _part(_PROJECTIONS[sublayer], convert), change)
    elif sublayer == _OUTPUT_PROJECTION:
        parameter = "out_proj/weight" if is_kernel else "out_proj/bias"
        yield Layout((parameter,), convert, f"{_TRANSPOSED}, reshaped" if is_kernel else "")


def is_a(layer: Any, *names: str) -> bool:
    """Returns whether the class of a layer, or a base class of it, has one of the names."""
    return any(cls.__name__ in names for cls in type(layer).__mro__)
