"""Compares two models (layers, arguments, wiring, weights), or the arrays of two files of weights.

Two models are loaded. If one of the files holds weights alone, the arrays are compared by their
names in the files; no backend is needed for that."""

import argparse
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from keras_fn.cli import output
from keras_fn.cli.model_file import Tensor, open_model_file
from keras_fn.cli.model_loading import add_model_arguments, load_model, prepare
from keras_fn.cli.output import Fields, Table, format_shape
from keras_fn.errors import SpecError

_ABSENT = "-"


class Difference(NamedTuple):
    """A difference.

    Attributes:
        path: The layer, or the name of the array.
        aspect: What differs: an argument, `"inputs"`, a weight; of arrays `"array"`, if one file
            lacks it, `"shape"`, `"dtype"` or `"values"`.
        first: What the first file has.
        second: What the second file has.
    """

    path: str
    aspect: str
    first: str
    second: str


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of the command."""
    parser.add_argument("first", help="a file or folder of a model or of weights")
    parser.add_argument("second", help="another one")
    parser.add_argument("--weights", action="store_true", help="compare the arrays alone")
    parser.add_argument(
        "--no-weights", action="store_true", help="do not compare the values of weights"
    )
    parser.add_argument(
        "--all", action="store_true",
        help="of arrays, also compare the state of optimizers and of random number generators",
    )  # fmt: skip
    parser.add_argument(
        "--tolerance", type=float, default=0.0,
        help="of arrays, the largest difference that does not count. By default 0",
    )  # fmt: skip
    add_model_arguments(parser)


def execute(arguments: argparse.Namespace) -> int:
    """Runs the command, and returns the exit code: 1 if there are differences."""
    if not arguments.tolerance >= 0:  # as of NaN, with which nothing would differ
        raise SpecError(
            "keras-fn diff, --tolerance",
            expected="a number of 0 or more",
            received=str(arguments.tolerance),
            fix="for example --tolerance 1e-6",
        )
    compares_models = not arguments.weights and _have_models(arguments.first, arguments.second)
    if compares_models:
        prepare(arguments)
        model = load_model(arguments.first, with_compile=False)
        other = load_model(arguments.second, with_compile=False)
        found = model.diff(other, weights=not arguments.no_weights)
        differences = [Difference(*difference) for difference in found]
    else:
        differences = list(
            compare_arrays(
                arguments.first,
                arguments.second,
                arguments.tolerance,
                not arguments.no_weights,
                ("weight", "optimizer", "seed") if arguments.all else ("weight",),
            )
        )
    if arguments.json:
        result = {
            "first": arguments.first,
            "second": arguments.second,
            "compared": "models" if compares_models else "arrays",
            "differences": [difference._asdict() for difference in differences],
        }
        output.show_json("diff", result)
    elif differences:
        columns = ("layer" if compares_models else "array", "difference", "first", "second")
        output.show(Table("", columns, differences))
    else:
        output.show(Fields("", [("result", "no differences")]))
    return int(bool(differences))


def compare_arrays(
    first: str,
    second: str,
    tolerance: float = 0.0,
    with_values: bool = True,
    roles: Sequence[str] = ("weight",),
) -> Iterator[Difference]:
    """Yields the differences between the arrays of two files, by their names.

    Args:
        first: The path of a file.
        second: The path of another one.
        tolerance: The largest difference of values that does not count.
        with_values: Whether to compare values.
        roles: What to compare: `"weight"`, `"optimizer"`, `"seed"`.

    Raises:
        SpecError: The files have no name in common.
        ModelFileError: A file is malformed.
    """
    with open_model_file(first) as one, open_model_file(second) as other:
        a, b = (
            {tensor.path: tensor for tensor in file.tensors() if tensor.role in roles}
            for file in (one, other)
        )
        if a and b and not a.keys() & b.keys():
            raise SpecError(
                f"{first} and {second}",
                expected="files that name their arrays in the same way",
                received=f"{next(iter(a))} ({one.format}), {next(iter(b))} ({other.format})",
                fix="convert one of them to the format of the other: keras-fn convert",
            )
        yield from _compare(a, b, tolerance, with_values)


def _compare(
    first: Mapping[str, Tensor], second: Mapping[str, Tensor], tolerance: float, with_values: bool
) -> Iterator[Difference]:
    for path in dict.fromkeys([*first, *second]):
        a, b = first.get(path), second.get(path)
        if a is None or b is None:
            shown = [_ABSENT if t is None else f"{t.dtype} {format_shape(t.shape)}" for t in (a, b)]
            yield Difference(path, "array", *shown)
        elif a.shape != b.shape:
            yield Difference(path, "shape", format_shape(a.shape), format_shape(b.shape))
        elif a.dtype != b.dtype:
            yield Difference(path, "dtype", a.dtype, b.dtype)
        elif with_values and (shown := _compare_values(a.read(), b.read(), tolerance)):
            yield Difference(path, "values", *shown)


def _compare_values(a: np.ndarray, b: np.ndarray, tolerance: float) -> tuple[str, str] | None:
    """Returns the means of two arrays, and their largest difference; None if it does not count."""
    wide = np.complex128 if a.dtype.kind == "c" else np.float64
    a, b = a.astype(wide), b.astype(wide)
    with np.errstate(all="ignore"):
        equal = (a == b) | (np.isnan(a) & np.isnan(b))
        distance = np.where(equal, 0, np.abs(a - b))
        if not (np.isnan(distance) | (distance > tolerance)).any():
            return None
        largest, count = np.nanmax(distance), int((~equal).sum())
        return (
            f"mean {a.mean():.6g}",
            f"mean {b.mean():.6g}; {count} differ, by up to {largest:.3g}",
        )


def _have_models(*paths: str) -> bool:
    for path in paths:
        with open_model_file(path) as file:
            if file.config is None:
                return False
    return True
