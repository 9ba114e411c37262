"""The variables of a model to HDF5 datasets and back: strictly, and all of them or none."""

import dataclasses
import difflib
import itertools
import math
import re
import warnings
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from keras_fn.backend.loader import current
from keras_fn.core.variable import Variable
from keras_fn.optimizers.optimizer import Optimizer
from keras_fn.saving.dataset_matching import FIX, check_compatible, read_for_variable
from keras_fn.saving.errors import ModelFileError, error_context, sanitize_for_display
from keras_fn.saving.hdf5.file import Hdf5File
from keras_fn.saving.limits import current_limits
from keras_fn.saving.variable_paths import Saveable, walk_saveables, list_named_in_config, names

_OPTIMIZER_FIX = "load_model(..., compile=False) loads the model without its optimizer"
# Where the state of optimizers is, in files of models that are compiled when this one is not.
_OPTIMIZER_GROUP = re.compile(r"(^|/)optimizer/(\w+/)*vars$")
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
    found = walk_saveables(model, skipped)
    if not with_optimizer:
        found = [h for h in found if not isinstance(h.owner, Optimizer)]
    datasets: dict[str, np.ndarray] = {}
    for holder in found:
        if holder.overrides("save_own_variables"):
            store: dict[str, Any] = {}
            holder.owner.save_own_variables(store)
            datasets.update((f"{holder.group}/{k}", _array(v)) for k, v in store.items())
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

    Attributes:
        groups: The names of the datasets in each group that has some.
    """

    def __init__(self, files: Sequence[Hdf5File], name: str):
        self.name = name
        self._all = list(files)
        self._files = {path: file for file in files for path in file.datasets}
        self._stored: dict[str, str] = {}  # path: where the dataset is
        self.groups: dict[str, list[str]] = {}
        for path in self._files:
            new = path.replace("_layer_checkpoint_dependencies", "layers")  # by Keras 2.13
            self._stored.setdefault(new, path)
            group, _, key = new.rpartition("/")
            self.groups.setdefault(group, []).append(key)

    def __contains__(self, path: str) -> bool:
        return path in self._stored

    def layer_name(self, group: str) -> str | None:
        """Returns the name of the layer whose variables a group holds, if the file says it."""
        for file in self._all:
            if group in file.groups and "name" in file.attribute_names(group):
                name = file.attribute(group, "name")
                return name if isinstance(name, str) else None
        return None

    def check(self, path: str, variable: Variable) -> None:
        """Raises unless the dataset at a path fits a variable."""
        stored = self._stored[path]
        check_compatible(self._files[stored], stored, variable)

    def read(self, path: str, variable: Variable | None = None) -> np.ndarray:
        """Returns a dataset, in the shape and dtype of a variable if there is one."""
        stored = self._stored[path]
        file = self._files[stored]
        if variable is None:
            info = file.datasets[stored]
            return file.read(stored, info.shape, info.dtype)
        return read_for_variable(file, stored, variable)


@dataclasses.dataclass
class _RestorePlan:
    """What to set, once all of it is known to fit."""

    values: list[tuple[Variable, str]] = dataclasses.field(default_factory=list)
    stores: list[tuple[Saveable, dict[str, np.ndarray]]] = dataclasses.field(default_factory=list)
    missed: list[str] = dataclasses.field(default_factory=list)


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
        skip_mismatch: Whether layers that do not fit are skipped, and listed in a warning.
        skipped: Layers to leave alone.
        needs_optimizer: Whether a state of the optimizer that does not fit is an error.
        is_new: Whether the model is thrown away after an error, so that it need not be undone.

    Raises:
        ModelFileError: The datasets are not those of the variables.
    """
    plan = _RestorePlan()
    left = set(weights.groups)
    found = walk_saveables(model, skipped)
    if is_new:
        _check_names(found, weights)
    for holder in found:
        is_optimizer = isinstance(holder.owner, Optimizer)
        if is_optimizer:
            _build_optimizer(holder, model, weights)
        left.discard(holder.group)
        try:
            with error_context(weights.name):
                _plan_saveable(holder, weights, plan)
        except ModelFileError as error:
            if not skip_mismatch and (needs_optimizer or not is_optimizer):
                error.fix = _OPTIMIZER_FIX if is_optimizer else error.fix
                raise
            plan.missed.append(f"{holder.title} ({error.fact})")
        for path, variable in holder.seeds().items():
            left.discard(path.rpartition("/")[0])
            if path in weights:
                plan.values.append((variable, path))
    left -= {h.group for h in walk_saveables(model)} if skipped else set()
    left = {group for group in left if not _OPTIMIZER_GROUP.search(group)}
    if left and not skip_mismatch:
        with error_context(weights.name):
            raise _unexpected(sorted(left))
    plan.missed += [f"the group {sanitize_for_display(group, 100)}" for group in sorted(left)]
    _commit(plan, weights, is_new)
    if plan.missed:
        warnings.warn(f"{weights.name}: not loaded: {'; '.join(plan.missed)}"[:1900], stacklevel=4)


def _check_names(found: list[Saveable], weights: Weights) -> None:
    """Raises if the file has the weights of one layer where another one looks for its own."""
    for holder in list_named_in_config(found):
        name = weights.layer_name(holder.group) if holder.group in weights.groups else None
        if name not in (None, holder.owner.name):
            with error_context(weights.name, holder.group):
                raise ModelFileError(
                    "these are the weights of another layer",
                    expected=holder.title,
                    received=sanitize_for_display(name, 100),
                    fix="the file is damaged; save the model again",
                )


def _build_optimizer(holder: Saveable, model: Any, weights: Weights) -> None:
    """Makes the optimizer's variables, if the file has more than an optimizer without a model."""
    optimizer = holder.owner
    in_file = len(weights.groups.get(holder.group, ()))
    if holder.path == "optimizer" and not optimizer.built and in_file > len(optimizer.variables):
        optimizer.build(model.trainable_variables)


def _plan_saveable(holder: Saveable, weights: Weights, plan: _RestorePlan) -> None:
    """Adds what a holder shall be set to, if the file has just that.

    Raises:
        ModelFileError: A dataset is missing, is too much, or is of another shape or dtype.
    """
    keys = weights.groups.get(holder.group, [])
    if holder.overrides("load_own_variables"):
        store = {key: weights.read(f"{holder.group}/{key}") for key in keys}
        plan.stores.append((holder, store))
        return
    variables = holder.variables()
    if isinstance(holder.owner, Optimizer) and len(keys) == _unbuilt_size(holder.owner):
        variables = dict(itertools.islice(variables.items(), len(keys)))  # saved before training
    for path, variable in variables.items():
        if path not in weights:
            raise _missing(holder, path, variable, weights)
        with error_context(holder.title):
            weights.check(path, variable)
    if len(keys) > len(variables):
        more = sorted({f"{holder.group}/{key}" for key in keys} - variables.keys())
        with error_context(holder.title):
            raise _unexpected(more)
    plan.values += [(variable, path) for path, variable in variables.items()]


def _unbuilt_size(optimizer: Optimizer) -> int:
    """The number of variables of such an optimizer before it meets a model."""
    return len(type(optimizer).from_config(optimizer.get_config()).variables)


def _missing(holder: Saveable, path: str, variable: Variable, weights: Weights) -> ModelFileError:
    near = difflib.get_close_matches(holder.group, weights.groups, _LISTED, 0.5)
    error = ModelFileError(
        f"there is no weight {variable.name!r}",
        expected=f"a dataset {path} of shape {variable.shape}",
        received=", ".join(near) if near else "nothing of that name",
        fix=FIX,
    )
    error.location = (holder.title,)
    return error


def _unexpected(paths: list[str]) -> ModelFileError:
    return ModelFileError(
        f"there are {len(paths)} weights that the model has no place for",
        expected="the weights of the model and no others",
        received=", ".join(sanitize_for_display(path, 80) for path in paths[:_LISTED]),
        fix=FIX,
    )


def _commit(plan: _RestorePlan, weights: Weights, is_new: bool) -> None:
    """Sets the values: of a new model one after the other, else after all of them were read."""
    if is_new:
        for variable, path in plan.values:
            variable.assign(weights.read(path, variable))
        for holder, store in plan.stores:
            holder.owner.load_own_variables(store)
        return
    values = [(variable, weights.read(path, variable)) for variable, path in plan.values]
    own = [v for holder, _ in plan.stores for v in holder.owner.variables]
    before = [(variable, variable.numpy()) for variable in own]
    try:
        for holder, store in plan.stores:
            holder.owner.load_own_variables(store)
    except BaseException:
        for variable, value in before:
            variable.assign(value)
        raise
    for variable, value in values:
        variable.assign(value)


def check_parameters(model: Any) -> None:
    """Raises unless the number of parameters is within the limits; nothing is allocated before.

    Raises:
        ModelFileError: There are more.
    """
    most = current_limits().parameters
    count = sum(math.prod(v.shape) for v in model.weights)  # Python's integers: no overflow
    if count > most:
        raise ModelFileError(
            "the model has too many parameters",
            expected=f"at most {most}",
            received=count,
            fix="if you trust the file, raise the limit with keras_fn.saving.limits.limits",
        )
