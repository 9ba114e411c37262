"""Data sets of windows of a time series: `timeseries_dataset_from_array`."""

from typing import Any

import numpy as np

from keras_fn.backend.loader import current
from keras_fn.data_adapters.dataset import Dataset
from keras_fn.errors import SpecError, check_choice
from keras_fn.types import TensorLike
from keras_fn.utils import tf_dataset
from keras_fn.utils.file_dataset import FORMATS, check_positive
from keras_fn.utils.grain_dataset import make_grain_dataset


class _Windows:
    """Windows of a series, by index.

    Args:
        data: The time steps.
        starts: The first time step of each window.
        steps: The time steps of a window, counted from its first.
    """

    def __init__(self, data: np.ndarray, starts: np.ndarray, steps: np.ndarray):
        self.data, self.starts, self.steps = data, starts, steps

    def __len__(self) -> int:
        return len(self.starts)

    def __getitem__(self, index: int) -> np.ndarray:
        return self.data[self.starts[index] + self.steps]


def timeseries_dataset_from_array(
    data: TensorLike,
    targets: TensorLike | None,
    sequence_length: int,
    sequence_stride: int = 1,
    sampling_rate: int = 1,
    batch_size: int | None = 128,
    shuffle: bool = False,
    seed: int | None = None,
    start_index: int | None = None,
    end_index: int | None = None,
    format: str = "tf",
) -> Any:
    """Returns a data set of sliding windows of a time series.

    Args:
        data: Array of shape `(time, ...)`.
        targets: Array whose element i is the target of the window that starts at time step i; None
            for windows without targets.
        sequence_length: Number of time steps in a window.
        sequence_stride: Time steps from the start of a window to that of the next.
        sampling_rate: Time steps from one that is in a window to the next that is.
        batch_size: Number of windows in a batch; with None elements are single windows.
        shuffle: Whether to shuffle the windows, anew in each pass; else they are in order.
        seed: Seed of the order. The order for a seed is that of Keras.
        start_index: First time step to use; by default 0.
        end_index: Time step before which to stop; by default the end.
        format: `"tf"`: a `tf.data.Dataset`, or where TensorFlow is not installed a
            `keras.utils.Dataset`. `"keras"`: a `keras.utils.Dataset`. `"grain"`: a
            `grain.IterDataset`.

    Returns:
        The data set of batches `(windows, targets)`, or `windows`: of shape `(batch,
        sequence_length, ...)`.

    Raises:
        SpecError: An argument is invalid, or no window fits into the data.

    Example:
        >>> data = np.arange(6)
        >>> windows = keras.utils.timeseries_dataset_from_array(
        ...     data, data[3:], sequence_length=3, format="keras"
        ... )
        >>> [(x.tolist(), y.tolist()) for x, y in windows]
        [([[0, 1, 2], [1, 2, 3], [2, 3, 4]], [3, 4, 5])]
    """
    source = "timeseries_dataset_from_array"
    check_choice(source, "format", format, FORMATS)
    counts = {
        "sequence_length": sequence_length,
        "sequence_stride": sequence_stride,
        "sampling_rate": sampling_rate,
    }
    for name, value in {**counts, "batch_size": batch_size or 1}.items():
        check_positive(source, name, value)
    series = _to_array(data)
    start, end = _check_range(source, len(series), start_index, end_index)
    last = end - start - (sequence_length - 1) * sampling_rate
    values = None if targets is None else _to_array(targets)[start:end]
    last = last if values is None else min(last, len(values))
    if last < 1:
        raise SpecError(
            source,
            expected=f"at least {(sequence_length - 1) * sampling_rate + 1} time steps for a window"
            + ("" if values is None else ", and a target"),
            received=f"{end - start} time steps"
            + ("" if values is None else f" and {len(values)} targets"),
            fix="use a shorter sequence_length or a lower sampling_rate",
        )
    starts = np.arange(0, last, sequence_stride)
    if shuffle:
        seed = int(np.random.randint(10**6)) if seed is None else seed
        np.random.RandomState(seed).shuffle(starts)
    steps = np.arange(sequence_length) * sampling_rate
    windows: Any = _Windows(series[start:end], starts, steps)
    samples = windows if values is None else (windows, values[starts])
    if format == "tf" and tf_dataset.is_available():
        return _make_tf_dataset(windows, values, batch_size, seed if shuffle else None)
    dataset = Dataset(samples)
    if format == "grain":
        return make_grain_dataset(dataset, batch_size, "batch", seed if shuffle else None)
    if shuffle:
        dataset = dataset.shuffle(1024 if batch_size is None else 8 * batch_size, seed=seed)
    return dataset if batch_size is None else dataset.batch(batch_size)


def _make_tf_dataset(
    windows: _Windows, targets: np.ndarray | None, batch_size: int | None, seed: int | None
) -> Any:
    tf = tf_dataset.load_tensorflow()
    dataset = tf_dataset.from_tensor_slices(windows.starts)
    if seed is not None:
        dataset = dataset.shuffle(1024 if batch_size is None else 8 * batch_size, seed=seed)
    if batch_size is not None:
        dataset = dataset.batch(batch_size)
    arrays = [tf.constant(windows.data)] + ([] if targets is None else [tf.constant(targets)])

    def gather(starts: Any) -> Any:
        samples = tf.gather(arrays[0], tf.expand_dims(starts, -1) + windows.steps)
        return samples if targets is None else (samples, tf.gather(arrays[1], starts))

    return dataset.map(gather, num_parallel_calls=tf.data.AUTOTUNE).prefetch(tf.data.AUTOTUNE)


def _check_range(
    source: str, size: int, start_index: int | None, end_index: int | None
) -> tuple[int, int]:
    """Returns the first time step, and that after the last."""
    start = 0 if start_index is None else start_index
    end = size if end_index is None else end_index
    if not 0 <= start < end <= size:
        raise SpecError(
            source,
            expected=f"0 <= start_index < end_index <= {size}, the number of time steps",
            received=f"start_index={start_index} and end_index={end_index}",
            fix="check start_index and end_index",
        )
    return start, end


def _to_array(x: Any) -> np.ndarray:
    return current().convert_to_numpy(x) if current().is_tensor(x) else np.asarray(x)
