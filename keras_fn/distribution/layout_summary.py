"""`summary`: the layout of each variable of a model, and its bytes on a device."""

import math
import sys
from collections.abc import Callable
from typing import Any, cast

from keras_fn.backend.contract import SupportsStoredDtype
from keras_fn.backend.loader import current, supports
from keras_fn.core.dtypes import numpy_dtype
from keras_fn.core.variable import Variable


def summary(model: Any, print_fn: Callable[[str], object] | None = None) -> None:
    """Prints the layout over devices of each variable of a model, and its bytes on a device.

    `computed` says what a layer computes with: `whole`, the value that each device has; `gathered`,
    the value that is gathered from the devices where it is used; or `in parts`, what each device
    has, which computes its part of the result. The state of the optimizer is included once it is
    built.

    Args:
        model: A model, or a layer.
        print_fn: A function of the text. Default: prints it.

    Example:
        >>> with keras.distribution.DataParallel(devices=["cpu:0"]).scope():
        ...     x = keras.Input((2,))
        ...     model = keras.Model(x, keras.layers.Dense(4, name="out")(x))
        >>> keras.distribution.summary(model)
        variable    shape   axes        computed  bytes a device
        out/kernel  (2, 4)  replicated  whole                 32
        out/bias    (4,)    replicated  whole                 16
        2 variables: 48 bytes a device of 48
    """
    optimizer = getattr(model, "optimizer", None)
    variables = [*model.variables, *(() if optimizer is None else optimizer.variables)]
    rows = [("variable", "shape", "axes", "computed", "bytes a device")]
    total = whole = 0
    for variable in variables:
        size, held = _count_bytes(variable)
        total, whole = total + held, whole + size
        axes, use = _describe_axes(variable), _describe_use(variable)
        rows.append((variable.path, str(variable.shape), axes, use, f"{held:,}"))
    widths = [max(len(row[i]) for row in rows) for i in range(5)]
    lines = [
        "  ".join(
            cell.rjust(width) if i == 4 else cell.ljust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    ]
    lines.append(f"{len(variables)} variables: {total:,} bytes a device of {whole:,}")
    text = "\n".join(lines)
    if print_fn is None:
        sys.stdout.write(f"{text}\n")
    else:
        print_fn(text)


def _count_bytes(variable: Variable) -> tuple[int, int]:
    """Returns the bytes of a variable, and those of the part that a device holds."""
    dtype: str = variable._dtype
    if supports("stored_dtype"):
        dtype = cast(SupportsStoredDtype, current()).stored_dtype(dtype)
    size = variable.size * numpy_dtype(dtype).itemsize
    layout = variable.layout
    if layout is None:
        return size, size
    return size, size // math.prod(layout.device_mesh.axis_size(a) for a in layout.axes)


def _describe_axes(variable: Variable) -> str:
    layout = variable.layout
    if layout is None:
        return "one device"
    if not layout.is_sharded:
        return "replicated"
    axes = [*layout.axes, *[None] * (len(variable.shape) - len(layout.axes))]
    names = ["-" if a is None else "*".join(a) if isinstance(a, tuple) else a for a in axes]
    return f"({', '.join(names)})"


def _describe_use(variable: Variable) -> str:
    """Returns what a layer computes with, of a variable."""
    layout = variable.layout
    if layout is None or not layout.is_sharded:
        return "whole"
    if variable.shard_index is not None:
        return "gathered"
    batch = getattr(variable._distribution, "batch_dim_name", None)
    names = {name for a in layout.axes if a for name in (a if isinstance(a, tuple) else (a,))}
    return ", ".join(sorted({"gathered" if name == batch else "in parts" for name in names}))
