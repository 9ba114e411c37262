"""Samples of unequal lengths: they become batches that are padded with zeros, and masked."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, cast

import numpy as np

from keras_fn.backend.contract import SupportsRagged
from keras_fn.backend.loader import current
from keras_fn.core import masking
from keras_fn.errors import SpecError


class PaddedBatch(NamedTuple):
    """A batch of samples of unequal lengths.

    Attributes:
        values: The samples, with zeros after the shorter ones: of shape `(batch, time, ...)`.
        mask: Booleans of shape `(batch, time)`: False where there are only these zeros.
    """

    values: Any
    mask: Any

    @property
    def shape(self) -> Any:
        """The shape of the values."""
        return self.values.shape

    @property
    def dtype(self) -> Any:
        """The dtype of the values."""
        return self.values.dtype


def is_ragged(x: object) -> bool:
    """Returns whether `x` is a ragged tensor of the backend's framework.

    Args:
        x: Any object.
    """
    test = get_ragged_test()
    return test is not None and test(x)


def get_ragged_test() -> Callable[[object], bool] | None:
    """Returns the backend's test for ragged tensors, or None if it has none."""
    return getattr(current(), "is_ragged", None)


def get_samples(x: Any, source: str) -> list[np.ndarray]:
    """Returns the samples of a ragged tensor, or of a list, as arrays on the host.

    Args:
        x: A ragged tensor, or arrays and lists of numbers, one for each sample.
        source: The caller, for errors.

    Raises:
        SpecError: The samples differ in more than their lengths.
    """
    if is_ragged(x):
        try:
            return cast(SupportsRagged, current()).ragged_samples(x)
        except ValueError as error:
            raise _samples_error(source, str(error)) from None
    samples = [_to_array(sample, source) for sample in x]
    shapes = list(dict.fromkeys(str(sample.shape) for sample in samples))
    if len({sample.shape[1:] for sample in samples}) > 1:
        raise _samples_error(source, f"samples of shapes {', '.join(shapes[:4])}")
    return samples


def _to_array(sample: Any, source: str) -> np.ndarray:
    if current().is_tensor(sample):
        return current().convert_to_numpy(sample)
    try:
        array = np.asarray(sample)
    except ValueError as error:
        raise _samples_error(source, str(error)) from None
    if array.ndim == 0 or array.dtype.kind not in "biufc":
        raise _samples_error(source, f"a sample {str(sample)[:100]!r}")
    return array


def _samples_error(source: str, received: str) -> SpecError:
    return SpecError(
        source,
        expected="samples that differ in their first axis only: time steps",
        received=received[:300],
        fix="pad the other axes to one size",
    )


def pad_samples(samples: Sequence[np.ndarray], length: int | None = None) -> PaddedBatch:
    """Returns samples as one array, with zeros after the shorter ones, and the mask of it.

    Args:
        samples: Arrays of shapes `(time, ...)`.
        length: The number of time steps of the result: by default of the longest sample.

    Example:
        >>> pad_samples([np.array([1, 2]), np.array([3])]).mask.tolist()
        [[True, True], [True, False]]
    """
    lengths = np.array([len(sample) for sample in samples], np.int64)
    size = max([*lengths.tolist(), 1]) if length is None else length
    dtype = np.result_type(*[sample.dtype for sample in samples])
    values = np.zeros((len(samples), size, *samples[0].shape[1:]), dtype)
    for row, sample in zip(values, samples, strict=True):
        row[: len(sample)] = sample
    return PaddedBatch(values, np.arange(size) < lengths[:, None])


def concat_padded(arrays: Sequence[np.ndarray]) -> np.ndarray:
    """Concatenates batches along the samples; where other sizes differ, zeros follow.

    Args:
        arrays: Arrays of one rank and dtype.

    Example:
        >>> concat_padded([np.ones((1, 1)), np.ones((1, 2))]).tolist()
        [[1.0, 0.0], [1.0, 1.0]]
    """
    shapes = [array.shape[1:] for array in arrays]
    sizes = tuple(map(max, zip(*shapes, strict=True)))
    if any(shape != sizes for shape in shapes):
        missing = [
            [(0, 0), *((0, size - n) for size, n in zip(sizes, shape, strict=True))]
            for shape in shapes
        ]
        arrays = [np.pad(array, width) for array, width in zip(arrays, missing, strict=True)]
    return np.concatenate(arrays)


def pad_ragged_tensor(x: Any, source: str = "A ragged tensor") -> Any:
    """Returns a ragged tensor as a dense one, padded with zeros, that carries its mask.

    Args:
        x: The ragged tensor.
        source: The caller, for errors.
    """
    values, mask = map(current().convert_to_tensor, pad_samples(get_samples(x, source)))
    masking.set_mask(values, mask)
    return values


def attach_mask(x: PaddedBatch) -> Any:
    """Returns the values of a padded batch, with the mask attached.

    Args:
        x: The batch.
    """
    masking.set_mask(x.values, x.mask)
    return x.values
