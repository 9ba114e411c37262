"""What must be the same in all processes before they train: a digest of weights and data."""

import zlib
from collections.abc import Sequence
from typing import Any, cast

import numpy as np

from keras_fn.backend.distribution_contract import SupportsProcesses
from keras_fn.backend.loader import current
from keras_fn.core.variable import Variable
from keras_fn.random.seed_generator import get_random_seed
from keras_fn.settings import settings

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
    is_same = settings.distribution is None or settings.distribution.auto_shard_dataset
    describe = _describe_array if is_same else _describe_sample
    facts |= {f"data {i}": describe(x) for i, x in enumerate(arrays)}
    return facts


def _checksum_of_variable(variable: Variable) -> str:
    """Returns a checksum of the value where each process has all of it."""
    is_own = variable.aggregation in ("sum", "mean")  # a metric, of the rows of this process
    if variable.shard_index is not None or is_own:
        return ""
    values = cast(SupportsProcesses, current()).local_values(variable.value)
    return "" if values is None else f"crc32 {_checksum(values)}"


def _describe_sample(x: Any) -> str:
    """Describes an array of which each process has other rows."""
    return f"samples of shape {tuple(x.shape[1:])} {getattr(x, 'dtype', '')}"


def _describe_array(x: Any) -> str:
    if not isinstance(x, np.ndarray) or x.dtype.kind not in "biuf":
        return f"{getattr(x, 'shape', '')}"
    return f"{x.shape} {x.dtype} crc32 {_checksum(x[:_MAX_ROWS])}"


def _checksum(values: np.ndarray) -> int:
    return zlib.crc32(np.ascontiguousarray(values).view(np.uint8).data)
