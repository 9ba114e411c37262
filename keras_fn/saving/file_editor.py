"""Editor of files of weights: what is in one, how it differs from a model, and changes to it."""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TypeAlias, Union, cast

import numpy as np

from keras_fn.errors import DTypeError, SpecError, find_similar
from keras_fn.saving import keras_folder
from keras_fn.saving.archive import Archive, read_archive
from keras_fn.saving.checksum import write_with_trailer
from keras_fn.saving.errors import ModelFileError, model_file_errors, sanitize_for_display
from keras_fn.saving.file_io import describe, local_path, open_for_reading, open_for_writing
from keras_fn.saving.hdf5.datatypes import to_storable
from keras_fn.saving.hdf5.file import Hdf5File, check_link_name, open_hdf5
from keras_fn.saving.hdf5.writer import build_hdf5
from keras_fn.saving.legacy import legacy_h5
from keras_fn.saving.variable_paths import join
from keras_fn.saving.weights import collect, to_array
from keras_fn.types import AnyModel, PathLike, TensorLike

WeightTree: TypeAlias = dict[str, Union[np.ndarray, "WeightTree"]]
"""The weights of an object by their names, and the trees of the objects in it by theirs."""

NewWeights: TypeAlias = Mapping[str, Union[TensorLike, "NewWeights"]]
"""Weights to add: values by their names."""

_VARS = "vars"  # the HDF5 group with the weights of an object
_ENDING = ".weights.h5"
_RED, _GREEN = "color(160)", "color(28)"


class KerasFileEditor:
    """Editor of a file of weights, for one that does not fit a changed architecture any more.

    The file is read, checked as by `load_weights`, and closed. What changes is the copy in memory,
    until `save` writes it to a file.

    Args:
        filepath: A local path: a `.keras` or `.weights.h5` file, or a folder that
            `save(zipped=False)` wrote.

    Attributes:
        filepath: The path.
        weights_dict: The weights, as nested dicts of NumPy arrays.
        object_metadata: The attributes of each object by its path, for example
            `{"/layers/dense": {"name": "head"}}`.
        config: The config of the model, as nested dicts; None for a file of weights alone.
        metadata: The version of Keras and the date of the file; None for a file of weights alone.
        console: The rich console to which the methods print.

    Raises:
        ModelFileError: The file is malformed, or of another format.
        OSError: The file cannot be read.

    Example:
        >>> import os, tempfile
        >>> x = keras.Input((3,))
        >>> model = keras.Model(x, keras.layers.Dense(2, name="head")(x))
        >>> folder = tempfile.TemporaryDirectory()
        >>> os.chdir(folder.name)
        >>> model.save_weights("old.weights.h5")
        >>> editor = keras.saving.KerasFileEditor("old.weights.h5")
        Keras model file 'old.weights.h5'
        >>> editor.summary()
        Weights structure
          └─ layers
              └─ dense ('head')
                  ├─ 0: shape=(3, 2), dtype=float32
                  └─ 1: shape=(2,), dtype=float32
        >>> editor.rename_object("dense", "einsum_dense")
        >>> editor.save("new.weights.h5")
        >>> os.chdir("/")
        >>> folder.cleanup()
    """

    def __init__(self, filepath: PathLike):
        from rich.console import Console
        from rich.markup import escape

        self.filepath = filepath
        self.metadata: dict[str, Any] | None = None
        self.config: dict[str, Any] | None = None
        self.model = None
        self.console = Console(highlight=False)
        self.weights_dict: WeightTree = {}
        self.object_metadata: dict[str, dict[str, Any]] = {}
        self._read(filepath)
        self.console.print(f"Keras model file [green]'{escape(describe(filepath))}'[/]")
        if self.metadata is not None:
            version, date = (
                escape(sanitize_for_display(self.metadata.get(key, "?"), 40))
                for key in ("keras_version", "date_saved")
            )
            self.console.print(f"Saved with Keras [green]{version}[/] - date: [green]{date}[/]")

    # ---------------------------------------------------------------- reading

    def _read(self, filepath: PathLike) -> None:
        if keras_folder.is_model_folder(local_path(filepath)):
            with keras_folder.open_folder(filepath) as archive:
                self._read_archive(archive)
            return
        with open_for_reading(filepath) as file:
            signature = file.read(8)
            file.seek(0)
            if signature.startswith(b"PK"):
                self._read_archive(read_archive(file))
            elif signature.startswith(b"\x89HDF"):
                if legacy_h5.is_legacy(file):
                    raise ModelFileError(
                        f"{describe(file)}: a legacy file, whose weights have no paths",
                        expected=f"a .keras or {_ENDING} file",
                        fix=f"load it into a model, and save that as model{_ENDING}",
                    )
                self._read_weights(open_hdf5(file))
            else:
                raise ModelFileError(
                    f"{describe(file)}: not a file of weights",
                    expected=f"a .keras or {_ENDING} file",
                    received=repr(signature),
                    fix="the file is damaged, or is of another kind",
                )

    def _read_archive(self, archive: Archive) -> None:
        self._read_weights(open_hdf5(archive.weights, name=archive.weights_name))
        self.config, self.metadata = archive.parse_config(), archive.metadata

    def _read_weights(self, h5: Hdf5File) -> None:
        with model_file_errors(h5.name):
            for path, info in sorted(h5.datasets.items(), key=lambda item: _order(item[0])):
                value = h5.read(path, info.shape, info.dtype)
                _put(self.weights_dict, _without_vars(path), value)
            for group in h5.groups:
                owner = f"/{group}".removesuffix(f"/{_VARS}")
                names = h5.attribute_names(group)
                if names and (owner == "" or _find(self.weights_dict, owner) is not None):
                    found = {name: h5.attribute(group, name) for name in names}
                    self.object_metadata.setdefault(owner.rstrip("/"), {}).update(found)

    # ---------------------------------------------------------------- printing

    def summary(self) -> None:
        """Prints the objects of the file, with the shapes and dtypes of their weights."""
        self.console.print("Weights structure")
        for line in self._lines(self.weights_dict, "", "  "):
            self.console.print(line, soft_wrap=True)

    def _lines(self, tree: WeightTree, path: str, prefix: str) -> Iterator[str]:
        from rich.markup import escape

        for i, (key, value) in enumerate(tree.items()):
            is_last = i == len(tree) - 1
            label = f"{prefix}{'└─ ' if is_last else '├─ '}[bold]{escape(key)}[/]"
            if isinstance(value, dict):
                name = self.object_metadata.get(f"{path}/{key}", {}).get("name")
                yield label + (f" ('{escape(sanitize_for_display(name, 100))}')" if name else "")
                yield from self._lines(
                    value, f"{path}/{key}", prefix + ("    " if is_last else "│   ")
                )
            else:
                yield f"{label}: shape={value.shape}, dtype={value.dtype}"

    def compare(self, reference_model: AnyModel) -> dict[str, str | int]:
        """Compares the weights with those of a model, and prints every difference.

        Args:
            reference_model: A built model.

        Returns:
            A dict with `"status"`, which is `"success"` if the file fits the model, else `"error"`;
            `"error_count"`, the number of differences; and `"match_count"`, the number of weights
            with the same path and shape.

        Raises:
            ModelFileError: The model is not built.
        """
        if not getattr(reference_model, "built", False):
            raise ModelFileError(
                f"the model {getattr(reference_model, 'name', '')!r} is not built",
                expected="a built model",
                fix="call the model on data, or build(input_shape), before",
            )
        self.console.print("Running comparison")
        expected: WeightTree = {}
        for path, array in collect(reference_model)[0].items():
            _put(expected, _without_vars(path), array)
        matched, differences = 0, list(_missing(self.weights_dict, expected, ""))
        for path, value in _leaves(expected):
            found = _find(self.weights_dict, path)
            if isinstance(found, np.ndarray):
                matched += found.shape == value.shape
                if found.shape != value.shape:
                    differences.append((path, f"shape {value.shape}", f"shape {found.shape}"))
        differences += [
            (p, there, here) for p, here, there in _missing(expected, self.weights_dict, "")
        ]
        self._print_differences(differences, matched)
        return {
            "status": "error" if differences else "success",
            "error_count": len(differences),
            "match_count": matched,
        }

    def _print_differences(self, differences: list[tuple[str, str, str]], matched: int) -> None:
        from rich.markup import escape

        for path, expected, found in differences:
            self.console.print(f"[{_RED}]...[bold]{escape(path)}[/] differs[/]", soft_wrap=True)
            self.console.print(f"    In the reference model: {expected}", soft_wrap=True)
            self.console.print(f"    In the saved file: {found}", soft_wrap=True)
        self.console.print("─" * 21)
        count = len(differences) or matched
        plural = "" if count == 1 else "s"
        if differences:
            text = f"[{_RED}][bold]Found {count} error{plural}:[/] the saved file does not fit"
            self.console.print(f"{text} the reference model[/]")
        else:
            text = f"[{_GREEN}][bold]Comparison successful:[/] the saved file fits"
            self.console.print(f"{text} the reference model[/]")
            self.console.print(f"    Found {count} matching weight{plural}")

    # ---------------------------------------------------------------- editing

    def rename_object(self, object_name: str, new_name: str) -> None:
        """Renames an object, for example a layer.

        Args:
            object_name: Its path (`"layers/dense_2"`), or its name (`"dense_2"`) if only one object
                has it.
            new_name: The new name, which stands for the last part of the path.

        Raises:
            SpecError: There is no such object, or another one has the new name.
        """
        source = "KerasFileEditor.rename_object"
        if not isinstance(new_name, str) or "/" in new_name:
            raise SpecError(
                source,
                expected="new_name: the last part of a path",
                received=f"new_name={new_name!r}",
                fix=f"for example {str(new_name).rpartition('/')[2]!r}",
            )
        check_link_name(new_name)
        path = self._resolve(source, object_name)
        owner, _, name = path.rpartition("/")
        tree = self._tree(owner)
        if new_name in tree and new_name != name:
            raise SpecError(
                source,
                expected="new_name: a name that is free",
                received=f"new_name={new_name!r}, which {join(owner, new_name)!r} has",
                fix="delete or rename that one first",
            )
        items = [(new_name if key == name else key, value) for key, value in tree.items()]
        tree.clear()
        tree.update(items)
        self.object_metadata = {
            f"/{join(owner, new_name)}{key[len(path) + 1:]}"
            if f"{key}/".startswith(f"/{path}/")
            else key: value
            for key, value in self.object_metadata.items()
        }  # fmt: skip

    def delete_object(self, object_name: str) -> None:
        """Removes an object with the objects in it, for example a layer.

        Args:
            object_name: Its path (`"layers/dense_2"`), or its name (`"dense_2"`) if only one object
                has it.

        Raises:
            SpecError: There is no such object.
        """
        path = self._resolve("KerasFileEditor.delete_object", object_name)
        owner, _, name = path.rpartition("/")
        del self._tree(owner)[name]
        self._drop_metadata(path)

    def add_object(self, object_path: str, weights: NewWeights) -> None:
        """Adds an object, for example a layer; one of the same path is replaced.

        Args:
            object_path: Its path, for example `"layers/dense_2"`.
            weights: The values of its weights by their names, for example
                `{"0": kernel, "1": bias}`.

        Raises:
            SpecError: The object that it belongs to is missing, or the weights are not arrays.
        """
        source = "KerasFileEditor.add_object"
        new = _checked_weights(source, weights)
        owner, _, name = str(object_path).strip("/").rpartition("/")
        check_link_name(name)
        if owner:
            self._resolve(source, f"/{owner}")
        self._tree(owner)[name] = new
        self._drop_metadata(join(owner, name))

    def delete_weight(self, object_name: str, weight_name: str) -> None:
        """Removes a weight of an object.

        Args:
            object_name: The path of the object (`"layers/dense_2"`), or its name if only one
                object has it.
            weight_name: The name of the weight, for example `"0"`.

        Raises:
            SpecError: There is no such object or weight.
        """
        source = "KerasFileEditor.delete_weight"
        path = self._resolve(source, object_name)
        tree = self._tree(path)
        own = [key for key, value in tree.items() if not isinstance(value, dict)]
        if weight_name not in own:
            raise SpecError(
                source,
                expected=f"weight_name: a weight of {path!r}: {', '.join(own) or 'it has none'}",
                received=f"weight_name={weight_name!r}",
                fix="see summary() for all weights",
            )
        del tree[weight_name]

    def add_weights(self, object_name: str, weights: NewWeights) -> None:
        """Adds weights to an object; those of the same names are replaced.

        Args:
            object_name: The path of the object (`"layers/dense_2"`), or its name if only one
                object has it.
            weights: The values by their names, for example `{"1": bias}`.

        Raises:
            SpecError: There is no such object, or the weights are not arrays.
        """
        source = "KerasFileEditor.add_weights"
        new = _checked_weights(source, weights)
        self._tree(self._resolve(source, object_name)).update(new)

    # ---------------------------------------------------------------- writing

    def save(self, filepath: PathLike) -> None:
        """Writes the weights, with all changes, to a file.

        The write is atomic: an existing file is replaced when the new one is complete.

        Args:
            filepath: A path that ends in `.weights.h5`.

        Raises:
            ModelFileError: The path has another ending, or the result could not be read.
            OSError: The file cannot be written.
        """
        path = Path(os.fsdecode(local_path(filepath)))
        if not path.name.lower().endswith(_ENDING):
            raise ModelFileError(
                f"{path}: weights cannot go to a file of this name",
                expected=f"a path that ends in {_ENDING}",
                fix=f"name it {path.name.partition('.')[0]}{_ENDING}",
            )
        datasets = {
            join(owner, _VARS, key): value
            for (owner, _, key), value in (
                (p.strip("/").rpartition("/"), value) for p, value in _leaves(self.weights_dict)
            )
        }
        attributes = {join(o[1:], _VARS): found for o, found in self.object_metadata.items()}
        parts = build_hdf5(datasets, attributes)
        with open_for_writing(path) as file:
            write_with_trailer(file, parts)

    def resave_weights(self, filepath: PathLike) -> None:
        """Writes the weights, as `save`.

        Args:
            filepath: A path that ends in `.weights.h5`.
        """
        self.save(filepath)

    # ---------------------------------------------------------------- paths

    def _resolve(self, source: str, name: str) -> str:
        """Returns the path of an object by its path, or by a name that only one object has."""
        paths = [path[1:] for path, _ in _objects(self.weights_dict)]
        given = str(name).strip("/")
        if "/" in str(name):
            matches = [given] if given in paths else []
        else:
            matches = [path for path in paths if path.rpartition("/")[2] == given]
        if len(matches) == 1:
            return matches[0]
        if matches:
            raise SpecError(
                source,
                expected="the path of an object, or a name that only one object has",
                received=f"{given!r}, the name of {', '.join(matches[:5])}",
                fix=f"pass the path, for example {matches[0]!r}",
            )
        near = find_similar(given, [*paths, *(p.rpartition("/")[2] for p in paths)])
        raise SpecError(
            source,
            expected="the path or the name of an object in the file",
            received=repr(name)[:200],
            fix=f"did you mean {' or '.join(map(repr, near))}?"
            if near
            else "see summary() for all",
        )

    def _tree(self, path: str) -> WeightTree:
        return cast(WeightTree, _find(self.weights_dict, path) if path else self.weights_dict)

    def _drop_metadata(self, path: str) -> None:
        for key in [k for k in self.object_metadata if f"{k}/".startswith(f"/{path}/")]:
            del self.object_metadata[key]


def _without_vars(path: str) -> str:
    """Returns the path of a dataset in a tree, where an object holds its weights directly."""
    group, _, key = path.rpartition("/")
    owner, _, last = f"/{group}".rpartition("/")
    if last != _VARS and f"/{_VARS}/" in f"/{group}":
        raise ModelFileError(
            "a layer writes weights under keys with a slash, which the editor cannot change",
            expected=f"keys without slashes behind {_VARS}/",
            received=sanitize_for_display(path, 100),
            fix="rename the key that save_own_variables of the layer writes",
        )
    return join(owner[1:] if last == _VARS else group, key)


def _order(path: str) -> list[tuple[int, str]]:
    """Returns the key to sort paths by, in which numbers are in the order of their values."""
    return [(int(part) if part.isdecimal() else -1, part) for part in path.split("/")]


def _put(tree: WeightTree, path: str, value: np.ndarray) -> None:
    *owners, key = path.split("/")
    for owner in owners:
        inner = tree.setdefault(owner, {})
        if not isinstance(inner, dict):
            raise _two_meanings(path)
        tree = inner
    if key in tree:
        raise _two_meanings(path)
    tree[key] = value


def _two_meanings(path: str) -> ModelFileError:
    return ModelFileError(
        "a weight and an object have the same name",
        expected="different names",
        received=sanitize_for_display(path, 100),
        fix="rename the key that save_own_variables of the layer writes",
    )


def _find(tree: WeightTree, path: str) -> "np.ndarray | WeightTree | None":
    found: np.ndarray | WeightTree | None = tree
    for part in path.strip("/").split("/"):
        found = found.get(part) if isinstance(found, dict) else None
    return found


def _leaves(tree: WeightTree, path: str = "") -> Iterator[tuple[str, np.ndarray]]:
    """Yields the path of each weight, which begins with a slash, and its value."""
    for key, value in tree.items():
        if isinstance(value, dict):
            yield from _leaves(value, f"{path}/{key}")
        else:
            yield f"{path}/{key}", value


def _objects(tree: WeightTree, path: str = "") -> Iterator[tuple[str, WeightTree]]:
    """Yields the path of each object, which begins with a slash, and its tree."""
    for key, value in tree.items():
        if isinstance(value, dict):
            yield f"{path}/{key}", value
            yield from _objects(value, f"{path}/{key}")


def _missing(tree: WeightTree, other: WeightTree, path: str) -> Iterator[tuple[str, str, str]]:
    """Yields what `other` has and `tree` has not, each object once: path, in other, in tree."""
    for key, value in other.items():
        found, place = tree.get(key), f"{path}/{key}"
        if found is None or isinstance(found, dict) != isinstance(value, dict):
            yield place, _describe(value), "nothing" if found is None else _describe(found)
        elif isinstance(found, dict) and isinstance(value, dict):
            yield from _missing(found, value, place)


def _describe(value: "np.ndarray | WeightTree") -> str:
    if isinstance(value, dict):
        return f"an object with {', '.join(list(value)[:5])}"
    return f"a weight of shape {value.shape}"


def _checked_weights(source: str, weights: NewWeights) -> WeightTree:
    if not isinstance(weights, Mapping):
        raise DTypeError(
            source,
            expected='weights: a dict of arrays by their names, usually "0", "1", ...',
            received=f"weights of type {type(weights).__name__}",
            fix='for example {"0": kernel, "1": bias}',
        )
    checked: WeightTree = {}
    for name, value in weights.items():
        check_link_name(str(name))
        checked[str(name)] = (
            _checked_weights(source, value)
            if isinstance(value, Mapping)
            else _checked_array(source, str(name), value)
        )
    return checked


def _checked_array(source: str, name: str, value: Any) -> np.ndarray:
    try:
        array = np.array(to_array(value))
        to_storable(array)
    except (TypeError, ValueError):  # of another dtype, or lists of different lengths
        raise DTypeError(
            source,
            expected=f"weights[{name!r}]: an array of numbers",
            received=f"{type(value).__name__}: {str(value)[:100]}",
            fix="pass a NumPy array",
        ) from None
    return array
