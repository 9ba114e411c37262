"""Data sets of text files: `text_dataset_from_directory`."""

from collections.abc import Sequence
from typing import Any

from keras_fn.types import PathLike
from keras_fn.utils.file_dataset import FileReader, check_positive, dataset_from_directory


class TextReader(FileReader):
    """Reads text files, encoded in UTF-8.

    Args:
        max_length: Number of characters after which a text is cut off, or None.
    """

    extensions = (".txt",)

    def __init__(self, max_length: int | None):
        self.max_length = max_length

    def read(self, path: str) -> str:
        """Returns the text of a file."""
        with open(path, encoding="utf-8", newline="") as file:
            return file.read(self.max_length if self.max_length is not None else -1)

    def read_tf(self, tf: Any, path: Any) -> Any:
        """Returns the text of a file as a tensor of TensorFlow."""
        text = tf.io.read_file(path)
        if self.max_length is None:
            return text
        return tf.strings.substr(text, 0, self.max_length, unit="UTF8_CHAR")


def text_dataset_from_directory(
    directory: PathLike,
    labels: Any = "inferred",
    label_mode: str | None = "int",
    class_names: Sequence[str] | None = None,
    batch_size: int | None = 32,
    max_length: int | None = None,
    shuffle: bool = True,
    seed: int | None = None,
    validation_split: float | None = None,
    subset: str | None = None,
    follow_links: bool = False,
    format: str = "tf",
    verbose: bool = True,
    workers: int | None = None,
    on_error: str = "raise",
) -> Any:
    """Returns a data set of the text files (`.txt`, UTF-8) in a directory, with their labels.

    Args:
        directory: Path of the directory. With inferred labels it holds a folder for each class.
        labels: `"inferred"` for labels from the folders, a list of class indices of the files
            sorted by their paths, or None.
        label_mode: `"int"`: class indices, int32. `"categorical"`: one-hot vectors, float32.
            `"binary"`: 0.0 or 1.0, of shape `(batch, 1)`, for two classes. None: no labels.
        class_names: Names of the folders that are classes, in the order of their indices; by
            default all, sorted.
        batch_size: Number of files in a batch; with None elements are single files.
        max_length: Number of characters after which a text is cut off; None for all.
        shuffle: Whether to shuffle the files, anew in each pass; else they are sorted by path.
        seed: Seed of the order. The order for a seed is that of Keras.
        validation_split: Fraction of the files for validation.
        subset: `"training"`, `"validation"` or `"both"`, which returns two data sets.
        follow_links: Whether links to folders are followed.
        format: `"tf"`: a `tf.data.Dataset`, or where TensorFlow is not installed a
            `keras.utils.Dataset`. `"keras"`: a `keras.utils.Dataset`. `"grain"`: a
            `grain.IterDataset`.
        verbose: Whether the numbers of files and classes are printed.
        workers: Number of threads that read files; by default as many as there are processors.
        on_error: `"raise"` an error for a file that cannot be read and for a class without files,
            or `"skip"` them: batches are smaller by what is left out.

    Returns:
        The data set, with the attributes `class_names` and `file_paths`; a tuple of two for
        `subset="both"`. Batches are `(texts, labels)`, or `texts`: arrays of str, or tensors of
        strings of TensorFlow.

    Raises:
        SpecError: An argument is invalid, or does not fit the files.

    Example:
        >>> import pathlib, tempfile
        >>> films = pathlib.Path(tempfile.mkdtemp())
        >>> for name in ("bad", "good"):
        ...     (films / name).mkdir()
        ...     _ = (films / name / "1.txt").write_text(f"a {name} film")
        >>> data = keras.utils.text_dataset_from_directory(
        ...     films, shuffle=False, format="keras", verbose=False
        ... )
        >>> [(x.tolist(), y.tolist()) for x, y in data]
        [(['a bad film', 'a good film'], [0, 1])]
        >>> data.class_names
        ['bad', 'good']
    """
    source = "text_dataset_from_directory"
    if max_length is not None:
        check_positive(source, "max_length", max_length)
    return dataset_from_directory(
        source,
        TextReader(max_length),
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
