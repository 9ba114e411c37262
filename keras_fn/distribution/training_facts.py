"""What must be the same in all processes before they train: a digest of weights and data."""

import zlib
from collections.abc import Sequence
from typing import Any, cast

import numpy as np

from keras_fn.backend.distribution_contract import SupportsProcesses
from keras_fn.backend.loader import current
from keras_fn.core.variable import Variable
from keras_fn.random.seed_generator import get_random_seed

_MAX_ROWS = 256  # of an array of data, which are compared


def describe_training(variables: Sequence[Variable], data: Any) -> dict[str, str]:
    """Returns facts about a training, each as a short text, by what they are.

    Args:
        variables: The variables of the training step.
        data: The data adapter.
    """
    facts = {"random seed": str(get_random_seed()), "number of variables": str(len(variables))}
    for i, v in enumerate(variables):
        facts[f"variable {i} {v.path}"] = f"{v.shape} {v._dtype} {_checksum_of_variable(v)}"
    facts["batches in an epoch"] = str(len(data))
    facts["order of the samples"] = str(getattr(data, "seed", None))
    facts["batch size"] = str(getattr(data, "batch_size", None))
    arrays = [x for group in data.peek() or () for x in group or () if x is not None]
    facts |= {f"data {i}": _describe_array(x) for i, x in enumerate(arrays)}
    return facts


def _checksum_of_variable(variable: Variable) -> str:
    """Returns a checksum of the value where each process has all of it."""
    if variable.shard_index is not None:
        return ""
    values = cast(SupportsProcesses, current()).local_values(variable.value)
    return "" if values is None else f"crc32 {_checksum(values)}"


def _describe_array(x: Any) -> str:
    if not isinstance(x, np.ndarray) or x.dtype.kind not in "biuf":
        return f"{getattr(x, 'shape', '')}"
    return f"{x.shape} {x.dtype} crc32 {_checksum(x[:_MAX_ROWS])}"


def _checksum(values: np.ndarray) -> int:
    return zlib.crc32(np.ascontiguousarray(values).view(np.uint8).data)
