"""Chooses the data adapter for a source of data."""

from typing import Any, Protocol

import numpy as np

from keras_fn.backend.loader import current
from keras_fn.data_adapters.array_data_adapter import ArrayDataAdapter
from keras_fn.data_adapters.data_adapter import DataAdapter
from keras_fn.data_adapters.data_adapter_utils import (
    FlatBatch,
    train_validation_split,
    unpack_x_y_sample_weight,
)
from keras_fn.data_adapters.iterable_adapter import IterableAdapter
from keras_fn.data_adapters.py_dataset import PyDataset
from keras_fn.data_adapters.py_dataset_adapter import PyDatasetAdapter
from keras_fn.errors import SpecError
from keras_fn.random.seed_generator import make_default_seed

_DEFAULT_BATCH_SIZE = 32


class Binder(Protocol):
    """Binds data to the inputs and outputs of a model.

    Attributes:
        source: The model, for errors.
        background: Whether threads may prepare batches.
    """

    @property
    def source(self) -> str: ...

    @property
    def background(self) -> bool: ...

    def bind(
        self, x: Any, y: Any = None, sample_weight: Any = None, class_weight: Any = None
    ) -> FlatBatch:
        """Returns checked arrays, flat and in the order of the model's inputs and outputs."""
        ...

    def apply_class_weight(self, data: FlatBatch, class_weight: Any) -> FlatBatch:
        """Returns checked arrays whose sample weights are multiplied by those of the classes."""
        ...


class ValidationSplit:
    """The validation part of the arrays passed to `fit`: they are checked already.

    Args:
        data: The arrays.
    """

    def __init__(self, data: FlatBatch):
        self.data = data


def is_batched_source(x: Any) -> bool:
    """Whether `x` yields batches, rather than being an array or nested arrays.

    Args:
        x: Data for `fit`.

    Raises:
        SpecError: It has samples by index, and can neither be iterated over nor converted.
    """
    if isinstance(x, (list, tuple, dict, np.ndarray, str, bytes)) or hasattr(x, "__array__"):
        return False
    if current().is_tensor(x) or hasattr(x, "dtype"):
        return False
    if isinstance(x, PyDataset) or hasattr(x, "__iter__") or hasattr(x, "__next__"):
        return True
    if hasattr(x, "__getitem__"):
        raise SpecError(
            "data",
            expected="arrays, or something that yields batches",
            received=f"a {type(x).__name__}, which has items by index and cannot be iterated over",
            fix="derive it from keras.utils.PyDataset if its items are batches; wrap it in a "
            "torch.utils.data.DataLoader if they are samples",
        )
    return False


def get_data_adapter(
    binder: Binder,
    x: Any,
    y: Any = None,
    sample_weight: Any = None,
    *,
    batch_size: int | None = None,
    steps: int | None = None,
    shuffle: bool = False,
    class_weight: Any = None,
    inputs_only: bool = False,
) -> DataAdapter:
    """Returns the data adapter for the data of `fit`, `evaluate` or `predict`.

    Args:
        binder: Binds the data to a model.
        x: Arrays, or something that yields batches.
        y: Targets; only with arrays.
        sample_weight: Sample weights; only with arrays.
        batch_size: Number of samples in a batch of arrays. Default 32.
        steps: Number of batches in an epoch; None for all.
        shuffle: Whether to shuffle the samples of arrays, or the batches of a PyDataset.
        class_weight: Weight of each class index.
        inputs_only: Whether targets in the batches are ignored, as in `predict`.

    Raises:
        ValueError: There is no data, or `y` or `sample_weight` came with a source of batches.
    """
    if x is None:
        raise SpecError(
            binder.source, expected="data", received="x=None", fix="pass x= an array or a dataset"
        )
    if not is_batched_source(x):
        data = binder.bind(x, y, sample_weight, class_weight)
        seed = make_default_seed() if shuffle else 0
        return ArrayDataAdapter(
            data, batch_size or _DEFAULT_BATCH_SIZE, shuffle, seed, steps, once=inputs_only
        )
    if y is not None or sample_weight is not None:
        raise SpecError(
            binder.source,
            expected="data that yields batches, with the targets and weights in them",
            received="y or sample_weight in addition to it",
            fix="let the data yield (x, y) or (x, y, sample_weight)",
        )

    def bind(batch: Any) -> FlatBatch:
        inputs, targets, weights = unpack_x_y_sample_weight(batch)
        if inputs_only:
            return binder.bind(inputs)
        return binder.bind(inputs, targets, weights, class_weight)

    return make_stream_adapter(x, bind, steps, shuffle, make_default_seed(), binder.background)


def make_stream_adapter(
    source: Any, bind: Any, steps: int | None, shuffle: bool, seed: int, background: bool
) -> PyDatasetAdapter | IterableAdapter:
    """Returns the data adapter for a source of batches.

    Args:
        source: A PyDataset or an iterable.
        bind: Converts a batch to a flat batch.
        steps: Number of batches in an epoch; None for all.
        shuffle: Whether to shuffle the batches of a PyDataset.
        seed: Seed of the shuffling.
        background: Whether a thread fetches batches ahead of the steps.
    """
    if isinstance(source, PyDataset):
        return PyDatasetAdapter(source, bind, steps, shuffle, seed, background)
    return IterableAdapter(source, bind, steps, background)


def get_training_adapter(
    binder: Binder,
    data: tuple[Any, Any, Any],
    *,
    class_weight: Any,
    batch_size: int | None,
    steps: int | None,
    shuffle: bool,
    validation_split: float,
) -> tuple[DataAdapter, ValidationSplit | None]:
    """Returns the data adapter for `fit`, and the part of the arrays for validation, or None.

    Args:
        binder: Binds the data to a model.
        data: `(x, y, sample_weight)`: arrays, or something that yields batches and two times None.
        class_weight: Weight of each class index.
        batch_size: Number of samples in a batch of arrays. Default 32.
        steps: Number of batches in an epoch; None for all.
        shuffle: Whether to shuffle the samples of arrays, or the batches of a PyDataset.
        validation_split: Fraction of the samples for validation: the last ones, unshuffled.

    Raises:
        ValueError: The data cannot be split so.
    """
    if not validation_split:
        adapter = get_data_adapter(
            binder,
            *data,
            batch_size=batch_size,
            steps=steps,
            shuffle=shuffle,
            class_weight=class_weight,
        )
        return adapter, None
    if is_batched_source(data[0]):
        raise SpecError(
            binder.source,
            expected="arrays, of which validation_split holds out the last samples",
            received=f"data of the class {type(data[0]).__name__}",
            fix="pass validation_data instead",
        )
    arrays = binder.bind(*data)
    training, validation = train_validation_split(arrays, validation_split, binder.source)
    training = binder.apply_class_weight(training, class_weight)  # not what is held out
    batch_size = batch_size or _DEFAULT_BATCH_SIZE
    adapter = ArrayDataAdapter(training, batch_size, shuffle, make_default_seed(), steps)
    return adapter, ValidationSplit(validation)


def get_validation_adapter(
    binder: Binder, data: Any, batch_size: int | None, steps: int | None
) -> DataAdapter:
    """Returns the data adapter for validation.

    Args:
        binder: Binds the data to a model.
        data: A `ValidationSplit`, `(x, y)`, `(x, y, sample_weight)`, or something that yields
            batches.
        batch_size: Number of samples in a batch of arrays. Default 32.
        steps: Number of batches in a validation; None for all.
    """
    if isinstance(data, ValidationSplit):
        return ArrayDataAdapter(data.data, batch_size or _DEFAULT_BATCH_SIZE, False, 0, steps)
    if is_batched_source(data):
        return get_data_adapter(binder, data, batch_size=batch_size, steps=steps)
    return get_data_adapter(
        binder, *unpack_x_y_sample_weight(data), batch_size=batch_size, steps=steps
    )
