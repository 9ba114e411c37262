"""The files of a directory with their labels, in the order of Keras, and parts of them."""

import os
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from keras_fn.callbacks.progress_display import print_message
from keras_fn.errors import DTypeError, SpecError, check_choice, find_similar
from keras_fn.types import PathLike

SUBSETS = (None, "training", "validation", "both")


class FileIndex(NamedTuple):
    """Files and their labels.

    Attributes:
        paths: The paths.
        labels: An int32 vector of class indices; None without labels.
        class_names: The classes, by their indices; None without labels.
    """

    paths: list[str]
    labels: np.ndarray | None
    class_names: list[str] | None

    def select(self, samples: slice | np.ndarray) -> "FileIndex":
        """Returns some of the files, with the names of all classes.

        Args:
            samples: A slice, or indices.
        """
        order = np.arange(len(self.paths))[samples]
        labels = None if self.labels is None else self.labels[order]
        return FileIndex([self.paths[i] for i in order], labels, self.class_names)


def index_directory(
    source: str,
    directory: PathLike,
    labels: Any,
    class_names: Sequence[str] | None,
    extensions: tuple[str, ...],
    follow_links: bool,
    allow_empty_classes: bool,
) -> FileIndex:
    """Returns the files below a directory, sorted, with their labels.

    Args:
        source: The function that is called, for errors.
        directory: The directory.
        labels: `"inferred"` for one class for each folder in the directory, class indices of the
            sorted files, or None.
        class_names: The folders that are classes, in the order of their indices; by default all.
        extensions: The ends of file names that count, in lower case.
        follow_links: Whether links to folders are followed.
        allow_empty_classes: Whether a class may have no file.

    Raises:
        SpecError: There is no file, a class is missing or has no file, or the labels do not match
            the files.
    """
    directory = os.fsdecode(directory)
    if not os.path.isdir(directory):
        raise SpecError(
            source,
            expected="the path of a directory",
            received=f"{directory!r}, which is {'a file' if os.path.exists(directory) else 'none'}",
            fix="check the path",
        )
    if isinstance(labels, str):
        check_choice(source, "labels", labels, ("inferred", None))
        names = _get_class_names(source, directory, class_names)
        files = [_list_files(os.path.join(directory, n), extensions, follow_links) for n in names]
        for name, listed in zip(names, files, strict=True):
            if not listed and not allow_empty_classes:
                raise SpecError(
                    source,
                    expected=f"files {' '.join(extensions)} in the folder of each class",
                    received=f"none in {os.path.join(directory, name)!r}",
                    fix="delete the folder, list the other classes in class_names, or allow it: "
                    'on_error="skip"',
                )
        indices = np.repeat(np.arange(len(names)), [len(paths) for paths in files])
        paths = [path for listed in files for path in listed]
        return FileIndex(paths, indices.astype(np.int32), names)
    if class_names is not None:
        raise SpecError(
            source,
            expected='class_names with labels="inferred" and a label_mode: names of folders',
            received=f"class_names={class_names!r:.100} and "
            + ("no labels" if labels is None else f"labels={labels!r:.100}"),
            fix="remove class_names",
        )
    paths = _list_files(directory, extensions, follow_links)
    if labels is None:
        return FileIndex(paths, None, None)
    values = _check_labels(source, labels, paths, directory)
    return FileIndex(paths, values, [str(label) for label in np.unique(values)])


def _get_class_names(source: str, directory: str, class_names: Sequence[str] | None) -> list[str]:
    with os.scandir(directory) as entries:
        folders = sorted(e.name for e in entries if e.is_dir() and not e.name.startswith("."))
    if class_names is None:
        if not folders:
            raise SpecError(
                source,
                expected="a folder for each class in the directory",
                received=f"no folder in {directory!r}",
                fix="pass labels=None for files without labels, or a list of labels",
            )
        return folders
    missing = [name for name in class_names if name not in folders]
    if missing or len(set(class_names)) < len(class_names):
        wrong = missing or [name for name in class_names if list(class_names).count(name) > 1]
        near = find_similar(str(wrong[0]), folders, 1)
        raise SpecError(
            source,
            expected=f"class_names among the folders of {directory!r}: {', '.join(folders)}",
            received=f"{wrong[0]!r}, {'which is not a folder' if missing else 'twice'}",
            fix=f"did you mean {near[0]!r}?" if missing and near else "check class_names",
        )
    return list(class_names)


def _list_files(directory: str, extensions: tuple[str, ...], follow_links: bool) -> list[str]:
    return list(_walk(directory, extensions, follow_links))


def _walk(directory: str, extensions: tuple[str, ...], follow_links: bool) -> Iterator[str]:
    folders = os.walk(directory, followlinks=follow_links)
    for folder, _, names in sorted(folders, key=lambda entry: entry[0]):
        for name in sorted(names):
            if name.lower().endswith(extensions):
                yield os.path.join(folder, name)


def _check_labels(source: str, labels: Any, paths: list[str], directory: str) -> np.ndarray:
    """Returns the labels that were passed, one for each file."""
    values = np.asarray(labels) if isinstance(labels, (list, tuple, np.ndarray)) else None
    if values is None or values.ndim != 1 or (values.size and values.dtype.kind not in "iu"):
        raise DTypeError(
            source,
            expected='labels: "inferred", None, or a list of class indices',
            received=f"labels={labels!r:.100}",
            fix='pass integers, one for each file, or labels="inferred"',
        )
    if len(values) != len(paths):
        nearby = paths[min(len(values), len(paths)) - 1] if paths and len(values) else directory
        raise SpecError(
            source,
            expected=f"{len(paths)} labels, one for each file in {directory!r}, sorted by path",
            received=f"{len(values)} labels; the last file with one is {nearby!r}",
            fix="complete the labels, or remove the files without one",
        )
    return values.astype(np.int32)


def shuffle_files(index: FileIndex, seed: int) -> FileIndex:
    """Returns the files in the order in which Keras shuffles them.

    Args:
        index: The files.
        seed: Seed of the order.
    """
    order = np.arange(len(index.paths))
    np.random.RandomState(seed).shuffle(order)
    return index.select(order)


def check_split(
    source: str, validation_split: Any, subset: str | None, shuffle: bool, seed: int | None
) -> None:
    """Checks the arguments that say which files are for validation.

    Args:
        source: The function that is called, for errors.
        validation_split: Fraction of the files for validation, or None.
        subset: Which part is wanted; None without a split.
        shuffle: Whether the files are shuffled first.
        seed: Seed of the order.

    Raises:
        SpecError: They do not fit together.
    """
    check_choice(source, "subset", subset, SUBSETS)
    is_fraction = isinstance(validation_split, (int, float)) and 0 < validation_split < 1
    received = f"validation_split={validation_split!r} and subset={subset!r}"
    if validation_split and not is_fraction:
        raise SpecError(
            source,
            expected="validation_split between 0 and 1",
            received=received,
            fix="for example validation_split=0.2",
        )
    if bool(validation_split) != bool(subset):
        raise SpecError(
            source,
            expected="validation_split and subset, both or neither",
            received=received,
            fix='for example validation_split=0.2, subset="both"',
        )
    if validation_split and shuffle and seed is None:
        raise SpecError(
            source,
            expected="a seed, so that training and validation files do not overlap",
            received=f"{received}, without a seed",
            fix="for example seed=1, in both calls",
        )


def split_files(
    source: str, index: FileIndex, fraction: float | None, subset: str | None, verbose: bool
) -> list[FileIndex]:
    """Returns the parts of the files that were asked for: one, or training and validation.

    Args:
        source: The function that is called, for errors.
        index: The files.
        fraction: Fraction of the files for validation: the last ones.
        subset: Which part; None for all files.
        verbose: Whether the numbers of files are printed.

    Raises:
        SpecError: A part has no file.
    """
    if not fraction or subset is None:
        parts = {"": index}
    else:
        count = len(index.paths)
        start = count - int(fraction * count)
        parts = {
            "training": index.select(slice(0, start)),
            "validation": index.select(slice(start, count)),
        }
        parts = parts if subset == "both" else {subset: parts[subset]}
    for name, part in parts.items():
        if not part.paths:
            raise SpecError(
                source,
                expected=f"at least one file{f' for {name}' if name else ''}",
                received=f"{len(index.paths)} files in all",
                fix="check the directory and the extensions of its files"
                + (", or another validation_split" if name else ""),
            )
        if name and verbose:
            print_message(f"{name}: {len(part.paths)} files")
    return list(parts.values())
