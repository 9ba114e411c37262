"""Data sets of audio files: `audio_dataset_from_directory`."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from keras_fn.data_adapters.transformations import unreadable_file
from keras_fn.errors import SpecError
from keras_fn.types import PathLike
from keras_fn.utils.file_dataset import FileReader, check_positive, dataset_from_directory
from keras_fn.utils.wav import read_wav, resample


class AudioReader(FileReader):
    """Reads WAV files.

    Args:
        sampling_rate: Rate to which files are resampled, in Hz; None leaves them as they are.
        length: Number of samples to which files are cut or padded with zeros; None for no change.
        ragged: Whether files of one batch keep their lengths.
    """

    extensions = (".wav",)

    def __init__(self, sampling_rate: int | None, length: int | None, ragged: bool):
        self.sampling_rate, self.length, self.ragged = sampling_rate, length, ragged
        self.batch_method = "ragged_batch" if ragged else "padded_batch"

    def read(self, path: str) -> np.ndarray:
        """Returns the samples of a file, a float32 array of shape `(samples, channels)`."""
        samples, rate = read_wav(path)
        if self.sampling_rate is not None:
            samples = resample(samples, rate, self.sampling_rate)
        if self.length is None:
            return samples
        missing = max(self.length - len(samples), 0)
        return np.pad(samples[: self.length], ((0, missing), (0, 0)))

    def _read_or_name(self, path: bytes) -> np.ndarray:
        name = path.decode()
        try:
            return self.read(name)
        except (OSError, SpecError) as error:
            raise unreadable_file(name, f"{type(error).__name__}: {error}") from error

    def read_tf(self, tf: Any, path: Any) -> Any:
        """Returns the samples of a file as a tensor of TensorFlow."""
        samples = tf.numpy_function(self._read_or_name, [path], tf.float32)
        samples.set_shape((self.length, None))
        return tf.RaggedTensor.from_tensor(samples) if self.ragged else samples


def audio_dataset_from_directory(
    directory: PathLike,
    labels: Any = "inferred",
    label_mode: str | None = "int",
    class_names: Sequence[str] | None = None,
    batch_size: int | None = 32,
    sampling_rate: int | None = None,
    output_sequence_length: int | None = None,
    ragged: bool = False,
    shuffle: bool = True,
    seed: int | None = None,
    validation_split: float | None = None,
    subset: str | None = None,
    follow_links: bool = False,
    verbose: bool = True,
    format: str = "tf",
    workers: int | None = None,
    on_error: str = "raise",
) -> Any:
    """Returns a data set of the audio files (`.wav`) in a directory, with their labels.

    Args:
        directory: Path of the directory. With inferred labels it holds a folder for each class.
        labels: `"inferred"` for labels from the folders, a list of class indices of the files
            sorted by their paths, or None.
        label_mode: `"int"`: class indices, int32. `"categorical"`: one-hot vectors, float32.
            `"binary"`: 0.0 or 1.0, of shape `(batch, 1)`, for two classes. None: no labels.
        class_names: Names of the folders that are classes, in the order of their indices; by
            default all, sorted.
        batch_size: Number of files in a batch; with None elements are single files.
        sampling_rate: Rate to which files are resampled, in Hz; None leaves them as they are.
        output_sequence_length: Number of samples to which files are cut, or padded with zeros. By
            default those of a batch are padded to its longest.
        ragged: Whether files of one batch keep their lengths.
        shuffle: Whether to shuffle the files, anew in each pass; else they are sorted by path.
        seed: Seed of the order. The order for a seed is that of Keras.
        validation_split: Fraction of the files for validation.
        subset: `"training"`, `"validation"` or `"both"`, which returns two data sets.
        follow_links: Whether links to folders are followed.
        verbose: Whether the numbers of files and classes are printed.
        format: `"tf"`: a `tf.data.Dataset`, or where TensorFlow is not installed a
            `keras.utils.Dataset`. `"keras"`: a `keras.utils.Dataset`. `"grain"`: a
            `grain.IterDataset`.
        workers: Number of threads that read files; by default as many as there are processors.
        on_error: `"raise"` an error for a file that cannot be read and for a class without files,
            or `"skip"` them: batches are smaller by what is left out.

    Returns:
        The data set, with the attributes `class_names` and `file_paths`; a tuple of two for
        `subset="both"`. Batches are `(audio, labels)`, or `audio`: float32 of shape `(batch,
        samples, channels)`, from -1 to 1. A ragged batch is an array of arrays, or a ragged tensor
        of TensorFlow.

    Raises:
        SpecError: An argument is invalid, or does not fit the files.

    Example:
        >>> import tempfile, wave
        >>> sounds = tempfile.mkdtemp()
        >>> for length in (3, 5):
        ...     with wave.open(f"{sounds}/{length}.wav", "wb") as file:
        ...         file.setparams((1, 2, 8000, 0, "NONE", ""))
        ...         file.writeframes(np.zeros(length, "int16").tobytes())
        >>> data = keras.utils.audio_dataset_from_directory(
        ...     sounds, labels=None, format="keras", verbose=False
        ... )
        >>> [x.shape for x in data]
        [(2, 5, 1)]
    """
    source = "audio_dataset_from_directory"
    for name, value in (
        ("sampling_rate", sampling_rate),
        ("output_sequence_length", output_sequence_length),
    ):
        if value is not None:
            check_positive(source, name, value)
    if ragged and output_sequence_length is not None:
        raise SpecError(
            source,
            expected="ragged=True or output_sequence_length",
            received=f"ragged=True and output_sequence_length={output_sequence_length}",
            fix="remove one: files of one length are not ragged",
        )
    return dataset_from_directory(
        source,
        AudioReader(sampling_rate, output_sequence_length, ragged),
        directory,
        labels=labels,
        label_mode=label_mode,
        class_names=class_names,
        batch_size=batch_size,
        shuffle=shuffle,
        seed=seed,
        validation_split=validation_split,
        subset=subset,
        follow_links=follow_links,
        format=format,
        verbose=verbose,
        workers=workers,
        on_error=on_error,
    )
