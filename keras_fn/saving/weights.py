"""Saving and loading of the variables of a model: strictly, and all of them or none."""

import contextlib
import dataclasses
import difflib
import itertools
import math
import re
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from keras_fn.backend.loader import current
from keras_fn.core.variable import Variable
from keras_fn.distribution.processes import agreement
from keras_fn.optimizers.optimizer import Optimizer
from keras_fn.saving.dataset_matching import (
    FIX,
    WeightsFile,
    check_compatible,
    read_for_variable,
    slice_reader,
)
from keras_fn.saving.errors import ModelFileError, error_context, sanitize_for_display
from keras_fn.saving.hdf5.file import Hdf5File
from keras_fn.saving.limits import current_limits
from keras_fn.saving.variable_paths import Saveable, list_named_in_config, names, walk_saveables
from keras_fn.settings import settings
from keras_fn.types import AnyModel

_OPTIMIZER_FIX = "load_model(..., compile=False) loads the model without its optimizer"
# The groups of optimizers, which a model that is not compiled ignores.
_OPTIMIZER_GROUP = re.compile(r"(^|/)optimizer/(\w+/)*vars$")
# The group of an object, and a key in it: one of an object's own store can have slashes.
_VARS_PATH = re.compile(r"((?:.*/)?vars)/(.+)")
_MAX_LISTED = 5  # names in an error message
_KERAS_2_LAYERS = "_layer_checkpoint_dependencies"  # of Keras 2.13


# ---------------------------------------------------------------- writing


def collect(
    model: AnyModel, skipped: Iterable[Any] = (), with_optimizer: bool = True
) -> tuple[dict[str, np.ndarray], dict[str, dict[str, Any]]]:
    """Returns the datasets and the attributes of the weights file of a model.

    Args:
        model: A built model.
        skipped: Layers to leave out.
        with_optimizer: Whether to include the state of the optimizer. Default True.

    Returns:
        The datasets by path, and the attributes of each group.
    """
    saveables = walk_saveables(model, skipped)
    if not with_optimizer:
        saveables = [s for s in saveables if not isinstance(s.owner, Optimizer)]
    datasets: dict[str, np.ndarray] = {}
    for saveable in saveables:
        if saveable.overrides("save_own_variables"):
            store: dict[str, Any] = {}
            saveable.owner.save_own_variables(store)
            datasets.update((f"{saveable.group}/{k}", to_array(v)) for k, v in store.items())
        else:
            datasets.update(saveable.values())
        datasets.update((path, v.numpy()) for path, v in saveable.seeds().items())
    return datasets, {group: {"name": name} for group, name in names(saveables).items()}


def to_array(value: Any) -> np.ndarray:
    """Returns the value of a variable, a tensor or an array-like as an array.

    Args:
        value: What a layer puts into its store, or a user passes.
    """
    if isinstance(value, Variable):
        return value._view()
    return current().convert_to_numpy(value) if current().is_tensor(value) else np.asarray(value)


# ---------------------------------------------------------------- reading


class Weights:
    """The datasets of a weights file, or of its shards, by their paths in Keras.

    Args:
        files: The files.
        name: Their name in error messages.
        names: The names of datasets in the files by their paths in Keras, where they differ.

    Attributes:
        groups: The names of the datasets in each group that is not empty.
    """

    def __init__(
        self, files: Sequence[WeightsFile], name: str, names: Mapping[str, str] | None = None
    ):
        self.name = name
        self._names = names or {}
        paths = {stored: path for path, stored in self._names.items()}
        self._all = list(files)
        self._files = {path: file for file in files for path in file.datasets}
        self._stored: dict[str, str] = {}  # path in Keras: path in the file
        self.groups: dict[str, list[str]] = {}
        for path in self._files:
            keras_path = paths.get(path) or path.replace(_KERAS_2_LAYERS, "layers")
            self._stored.setdefault(keras_path, path)
            match = _VARS_PATH.fullmatch(keras_path)
            group, key = match.groups() if match else keras_path.rpartition("/")[::2]
            self.groups.setdefault(group, []).append(key)

    def __contains__(self, path: str) -> bool:
        return path in self._stored

    def name_in_file(self, path: str) -> str:
        """Returns the name that a dataset has, or would have, in the file."""
        return self._stored.get(path) or self._names.get(path, path)

    def layer_name(self, group: str) -> str | None:
        """Returns the name of the layer of a group, if the file has it."""
        for file in self._all:
            if group in file.groups and "name" in file.attribute_names(group):
                name = file.attribute(group, "name")
                return name if isinstance(name, str) else None
        return None

    def check(self, path: str, variable: Variable) -> None:
        """Raises an error unless the dataset at a path is compatible with a variable."""
        stored = self._stored[path]
        check_compatible(self._files[stored], stored, variable)

    def read(self, path: str, variable: Variable | None = None) -> np.ndarray:
        """Returns a dataset, converted to the dtype of a variable if there is one."""
        stored = self._stored[path]
        file = self._files[stored]
        if variable is None:
            info = file.datasets[stored]
            return file.read(stored, info.shape, info.dtype)
        return read_for_variable(file, stored, variable)

    def read_all(self, pairs: Sequence[tuple[Variable, str]]) -> list[tuple[Variable, Any]]:
        """Returns variables with new handles that have the values of their datasets.

        Args:
            pairs: The variables and the paths of their datasets.
        """
        with self.background_checks():
            return [(variable, self.read_handle(path, variable)) for variable, path in pairs]

    @contextlib.contextmanager
    def background_checks(self) -> Iterator[None]:
        """Context manager in which threads verify checksums while datasets are read."""
        with contextlib.ExitStack() as stack:
            for file in self._all:
                stack.enter_context(file.background_checks())
            yield

    def verify(self) -> None:
        """Verifies the checksums of whole files that were not verified before."""
        for file in self._all:
            if isinstance(file, Hdf5File):
                file.verify()

    def read_handle(self, path: str, variable: Variable) -> Any:
        """Returns a new handle of a variable: a process reads the slices of its devices alone.

        Args:
            path: The path of the dataset.
            variable: The variable.
        """
        stored = self._stored[path]
        return variable._read_handle(slice_reader(self._files[stored], stored, variable))


@dataclasses.dataclass
class _RestorePlan:
    """The values to set, all of which were checked."""

    values: list[tuple[Variable, str]] = dataclasses.field(default_factory=list)
    stores: list[tuple[Saveable, dict[str, np.ndarray]]] = dataclasses.field(default_factory=list)
    layers: list[Any] = dataclasses.field(default_factory=list)  # to tell once they have the values
    missed: list[str] = dataclasses.field(default_factory=list)


def restore(
    model: AnyModel,
    weights: Weights,
    *,
    skip_mismatch: bool = False,
    skipped: Iterable[Any] = (),
    needs_optimizer: bool = False,
    is_new: bool = False,
) -> None:
    """Loads the variables of a model; if there is an error, no variable is changed.

    Args:
        model: A built model.
        weights: The datasets.
        skip_mismatch: Whether to skip layers that do not match, with a warning. Default False.
        skipped: Layers to leave unchanged.
        needs_optimizer: Whether a mismatch of the optimizer's state is an error. Default False.
        is_new: Whether the model is discarded after an error, so that the values can be set one by
            one. Default False.

    Raises:
        ModelFileError: The datasets do not match the variables.
    """
    is_shared = settings.distribution is not None and not is_new
    with agreement("load_weights") if is_shared else contextlib.nullcontext():
        try:
            plan = _make_plan(model, weights, skip_mismatch, skipped, needs_optimizer, is_new)
        except ModelFileError:
            weights.verify()  # damage is the better explanation
            raise
        values = [] if is_new else weights.read_all(plan.values)
    _commit(plan, weights, values if not is_new else None, skip_mismatch)
    if plan.missed:
        warnings.warn(f"{weights.name}: not loaded: {'; '.join(plan.missed)}"[:1900], stacklevel=4)


def _make_plan(
    model: AnyModel,
    weights: Weights,
    skip_mismatch: bool,
    skipped: Iterable[Any],
    needs_optimizer: bool,
    is_new: bool,
) -> _RestorePlan:
    """Returns what to set, after checking that all of it fits; see `restore`."""
    plan = _RestorePlan()
    unused = set(weights.groups)
    saveables = walk_saveables(model, skipped)
    if is_new:
        _check_names(saveables, weights)
    for saveable in saveables:
        is_optimizer = isinstance(saveable.owner, Optimizer)
        if is_optimizer:
            _build_optimizer(saveable, model, weights)
        unused.discard(saveable.group)
        try:
            with error_context(weights.name):
                _plan_saveable(saveable, weights, plan)
        except ModelFileError as error:
            if not skip_mismatch and (needs_optimizer or not is_optimizer):
                error.fix = _OPTIMIZER_FIX if is_optimizer else error.fix
                raise
            plan.missed.append(f"{saveable.title} ({error.fact})")
        for path, variable in saveable.seeds().items():
            unused.discard(path.rpartition("/")[0])
            if path in weights:
                plan.values.append((variable, path))
    unused -= {s.group for s in walk_saveables(model)} if skipped else set()
    unused = {group for group in unused if not _OPTIMIZER_GROUP.search(group)}
    if unused and not skip_mismatch:
        with error_context(weights.name):
            raise _unexpected_weights_error(sorted(unused))
    plan.missed += [f"the group {sanitize_for_display(group, 100)}" for group in sorted(unused)]
    return plan


def _check_names(saveables: list[Saveable], weights: Weights) -> None:
    """Raises an error if the file has the weights of another layer under the path of a layer."""
    for saveable in list_named_in_config(saveables):
        name = weights.layer_name(saveable.group) if saveable.group in weights.groups else None
        if name not in (None, saveable.owner.name):
            with error_context(weights.name, saveable.group):
                raise ModelFileError(
                    "these are the weights of another layer",
                    expected=saveable.title,
                    received=sanitize_for_display(name, 100),
                    fix="the file is damaged; save the model again",
                )


def _build_optimizer(saveable: Saveable, model: AnyModel, weights: Weights) -> None:
    """Builds the optimizer if the file has more variables than an unbuilt one."""
    optimizer = saveable.owner
    in_file = len(weights.groups.get(saveable.group, ()))
    if saveable.path == "optimizer" and not optimizer.built and in_file > len(optimizer.variables):
        optimizer.build(model.trainable_variables)


def _plan_saveable(saveable: Saveable, weights: Weights, plan: _RestorePlan) -> None:
    """Adds the values of a layer, model or optimizer to the plan.

    Raises:
        ModelFileError: A dataset is missing or unexpected, or has another shape or dtype.
    """
    keys = weights.groups.get(saveable.group, [])
    if saveable.overrides("load_own_variables"):
        store = {key: weights.read(f"{saveable.group}/{key}") for key in keys}
        plan.stores.append((saveable, store))
        return
    variables = saveable.variables()
    if isinstance(saveable.owner, Optimizer) and len(keys) == _unbuilt_size(saveable.owner):
        variables = dict(itertools.islice(variables.items(), len(keys)))  # saved before training
    for path, variable in variables.items():
        if path not in weights:
            raise _missing_weight_error(saveable, path, variable, weights)
        with error_context(saveable.title):
            weights.check(path, variable)
    if len(keys) > len(variables):
        unexpected = sorted({f"{saveable.group}/{key}" for key in keys} - variables.keys())
        with error_context(saveable.title):
            raise _unexpected_weights_error(unexpected)
    plan.values += [(variable, path) for path, variable in variables.items()]
    if not isinstance(saveable.owner, Optimizer):
        plan.layers.append(saveable.owner)


def _unbuilt_size(optimizer: Optimizer) -> int:
    """Returns the number of variables of such an optimizer before it is built."""
    return len(type(optimizer).from_config(optimizer.get_config()).variables)


def _missing_weight_error(
    saveable: Saveable, path: str, variable: Variable, weights: Weights
) -> ModelFileError:
    near = difflib.get_close_matches(saveable.group, weights.groups, _MAX_LISTED, 0.5)
    error = ModelFileError(
        f"there is no weight {variable.name!r}",
        expected=f"a dataset {weights.name_in_file(path)} of shape {variable.shape}",
        received=", ".join(near) if near else "no dataset of a similar name",
        fix=FIX,
    )
    error.location = (saveable.title,)
    return error


def _unexpected_weights_error(paths: list[str]) -> ModelFileError:
    return ModelFileError(
        f"there are {len(paths)} weights that the model does not have",
        expected="the weights of the model and no others",
        received=", ".join(sanitize_for_display(path, 80) for path in paths[:_MAX_LISTED]),
        fix=FIX,
    )


def _commit(
    plan: _RestorePlan,
    weights: Weights,
    values: list[tuple[Variable, Any]] | None,
    skip_mismatch: bool,
) -> None:
    """Sets the values that were read; in a new model (None) they are read and set one by one."""
    if values is None:
        with weights.background_checks():
            for variable, path in plan.values:
                variable._assign_handle(weights.read_handle(path, variable))
        for saveable, store in plan.stores:
            saveable.owner.load_own_variables(store)
        for layer in plan.layers:
            layer._after_load()
        return
    own = [v for saveable, _ in plan.stores for v in saveable.owner.variables]
    before = [(variable, variable.numpy()) for variable in own]
    try:
        for saveable, store in plan.stores:
            _load_own_variables(saveable, store, plan if skip_mismatch else None)
    except BaseException:
        _assign(before)
        raise
    for variable, handle in values:
        variable._assign_handle(handle)
    for layer in plan.layers:
        layer._after_load()


def _load_own_variables(
    saveable: Saveable, store: dict[str, np.ndarray], plan: _RestorePlan | None
) -> None:
    """Calls the method of a layer; an error is noted in a plan, if there is one."""
    before = [(variable, variable.numpy()) for variable in saveable.owner.variables]
    try:
        saveable.owner.load_own_variables(store)
    except Exception as error:
        if plan is None:
            raise
        _assign(before)
        fact = sanitize_for_display(str(error), 200) or type(error).__name__
        plan.missed.append(f"{saveable.title} ({fact})")


def _assign(values: Iterable[tuple[Variable, np.ndarray]]) -> None:
    for variable, value in values:
        variable.assign(value)


def check_parameters(model: AnyModel) -> None:
    """Checks the number of parameters, before memory is allocated for them.

    Args:
        model: A model with uninitialized variables.

    Raises:
        ModelFileError: There are more parameters than the limit.
    """
    limit = current_limits().parameters
    count = sum(math.prod(v.shape) for v in model.weights)  # Python's integers: no overflow
    if count > limit:
        raise ModelFileError(
            "the model has too many parameters",
            expected=f"at most {limit}",
            received=count,
            fix="if you trust the file, raise the limit with keras_fn.saving.limits.limits",
        )
