"""The variables of a model to HDF5 datasets and back: strictly, and all of them or none."""

import re
import warnings
from collections.abc import Iterable, Mapping, MutableMapping, Sequence
from typing import Any

import numpy as np

from keras_fn.backend.loader import current
from keras_fn.core.dtypes import numpy_dtype
from keras_fn.core.variable import Variable
from keras_fn.optimizers.optimizer import Optimizer

from .errors import ModelFileError, located
from .hdf5 import Hdf5File
from .limits import current_limits
from .state import Holder, holders, join, names

_FIX = "load the file into the model it was saved from"
_OPTIMIZER_FIX = "load_model(..., compile=False) loads the model without its optimizer"
_OF_OPTIMIZER = re.compile(r"(^|/)optimizer/(\w+/)*vars/\d+$")
_LISTED = 5  # names in a message


# ---------------------------------------------------------------- writing


def collect(
    model: Any, skipped: Iterable[Any] = (), with_optimizer: bool = True
) -> tuple[dict[str, np.ndarray], dict[str, dict[str, Any]]]:
    """Returns the datasets and the attributes of the weights file of a model.

    Args:
        model: A built model.
        skipped: Layers to leave out.
        with_optimizer: Whether the state of the optimizer is among them.
    """
    found = holders(model, skipped)
    if not with_optimizer:
        found = [h for h in found if not isinstance(h.owner, Optimizer)]
    datasets: dict[str, np.ndarray] = {}
    for holder in found:
        if holder.overrides("save_own_variables"):
            store: dict[str, Any] = {}
            holder.owner.save_own_variables(store)
            group = join(holder.path, "vars")
            datasets.update((f"{group}/{key}", _array(value)) for key, value in store.items())
        else:
            datasets.update((path, v.numpy()) for path, v in holder.variables().items())
        datasets.update((path, v.numpy()) for path, v in holder.seeds().items())
    return datasets, {group: {"name": name} for group, name in names(found).items()}


def _array(value: Any) -> np.ndarray:
    if isinstance(value, Variable):
        return value.numpy()
    return current().convert_to_numpy(value) if current().is_tensor(value) else np.asarray(value)


# ---------------------------------------------------------------- reading


class Weights:
    """The datasets of one weights file, or of the shards of one, by their Keras paths.

    Args:
        files: The files.
        name: What messages call them.
    """

    def __init__(self, files: Sequence[Hdf5File], name: str):
        self.name = name
        self._files = {path: file for file in files for path in file.datasets}
        self._stored: dict[str, str] = {}  # path: where the dataset is
        old = any("_layer_checkpoint_dependencies" in path for path in self._files)
        for path in self._files:  # Keras 2.13 wrote another name
            new = path.replace("_layer_checkpoint_dependencies", "layers") if old else path
            self._stored.setdefault(new, path)

    def __iter__(self):
        return iter(self._stored)

    def __contains__(self, path: str) -> bool:
        return path in self._stored

    def shape(self, path: str) -> tuple[int, ...]:
        """Returns the shape of a dataset."""
        return self._info(path).shape

    def _info(self, path: str) -> Any:
        stored = self._stored[path]
        return self._files[stored].datasets[stored]

    def of_group(self, group: str) -> list[str]:
        """Returns the keys of the datasets in a group."""
        start = f"{group}/"
        keys = (path.removeprefix(start) for path in self._stored if path.startswith(start))
        return [key for key in keys if "/" not in key]

    def read(self, path: str, variable: Variable | None = None, exact: bool = True) -> np.ndarray:
        """Returns a dataset, in the shape and dtype of a variable.

        Args:
            path: Its path.
            variable: What it is read for; else it is read as it is.
            exact: Whether an integer may not become narrower, even if its value stays.
        """
        stored, info = self._stored[path], self._info(path)
        file = self._files[stored]
        if variable is None:
            return file.read(stored, info.shape, info.dtype)
        dtype = numpy_dtype(variable.dtype)
        if not exact and info.dtype.kind in "iu" and dtype.kind in "iu":
            value = file.read(stored, variable.shape, info.dtype)
            if np.array_equal(value.astype(dtype), value):
                return value.astype(dtype)
        if info.dtype != dtype and info.dtype.kind != "i" and info.dtype.kind != "u":
            warnings.warn(
                f"{self.name}, {path}: read as {dtype}, the file has {info.dtype}", stacklevel=2
            )
        return file.read(stored, variable.shape, dtype)


class Skipped(list[str]):
    """What was not loaded, told once in a warning."""

    def tell(self, name: str) -> None:
        """Warns, if there is something to tell."""
        if self:
            warnings.warn(f"{name}: not loaded: {'; '.join(self)}"[:1900], stacklevel=4)


def restore(
    model: Any,
    weights: Weights,
    *,
    skip_mismatch: bool = False,
    skipped: Iterable[Any] = (),
    needs_optimizer: bool = False,
    is_new: bool = False,
) -> None:
    """Sets the variables of a model; nothing is set unless everything fits.

    Args:
        model: A built model.
        weights: The datasets.
        skip_mismatch: Whether holders that do not fit are skipped, and listed in a warning.
        skipped: Layers to leave alone.
        needs_optimizer: Whether a state of the optimizer that does not fit is an error.
        is_new: Whether the model is thrown away after an error, so that it need not be undone.

    Raises:
        ModelFileError: The datasets are not those of the variables.
    """
    found = holders(model, skipped)
    owners = {h.path: h.owner for h in found}
    left = set(weights)
    values: list[tuple[Variable, np.ndarray]] = []
    stores: list[tuple[Holder, dict[str, np.ndarray]]] = []
    missed = Skipped()
    for holder in found:
        is_optimizer = isinstance(holder.owner, Optimizer)
        try:
            if holder.overrides("load_own_variables"):
                group = join(holder.path, "vars")
                keys = weights.of_group(group)
                stores.append((holder, {k: weights.read(f"{group}/{k}") for k in keys}))
                left -= {f"{group}/{key}" for key in keys}
                continue
            expected = _expected(holder, weights, owners) if is_optimizer else holder.variables()
            with located(weights.name):
                _compare(holder, expected, weights)
            values += [(v, weights.read(p, v, not is_optimizer)) for p, v in expected.items()]
        except ModelFileError as error:
            if not skip_mismatch and (needs_optimizer or not is_optimizer):
                raise
            missed.append(f"{holder.title} ({error.fact})")
            expected = {}
        left -= expected.keys() | set(_own_paths(holder, weights))
        seeds = {p: v for p, v in holder.seeds().items() if p in weights}
        values += [(v, weights.read(path, v)) for path, v in seeds.items()]
        left -= seeds.keys()
    left = {path for path in left if not _OF_OPTIMIZER.search(path) and not _of(path, skipped, model)}
    if left and not skip_mismatch:
        raise _unexpected(weights, sorted(left), [h.path for h in found])
    missed += [f"dataset {path}" for path in sorted(left)]
    _commit(values, stores, is_new)
    missed.tell(weights.name)
