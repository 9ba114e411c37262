"""Weights of a model as a sharded checkpoint: the folder `model.checkpoint`."""

from collections.abc import Iterable
from typing import Any

import numpy as np

from keras_fn.core.variable import Variable
from keras_fn.saving.checkpoint.checkpoint_reader import open_checkpoint
from keras_fn.saving.checkpoint.checkpoint_writer import (
    OwnedSlices,
    find_owned_slices,
    own_array,
    write_whole,
)
from keras_fn.saving.errors import model_file_errors
from keras_fn.saving.file_io import describe
from keras_fn.saving.variable_paths import walk_saveables
from keras_fn.saving.weights import Weights, restore, to_array
from keras_fn.types import AnyModel, PathLike

ENDING = ".checkpoint"


def write(model: AnyModel, path: PathLike, skipped: Iterable[Any] = ()) -> None:
    """Writes the weights of a model: each process those slices that it has.

    Args:
        model: A built model.
        path: The path of the folder, which replaces an existing one as a whole.
        skipped: Layers to leave out.
    """

    def collect() -> tuple[dict[str, OwnedSlices], None]:
        variables, arrays = _collect(model, skipped)
        owned = find_owned_slices(variables, copy=False)
        return owned | {path: own_array(array) for path, array in arrays.items()}, None

    write_whole(path, collect, "save_weights")


def _collect(
    model: AnyModel, skipped: Iterable[Any]
) -> tuple[dict[str, Variable], dict[str, np.ndarray]]:
    """Returns the variables by path, and the arrays of layers that have a store of their own."""
    variables: dict[str, Variable] = {}
    arrays: dict[str, np.ndarray] = {}
    for saveable in walk_saveables(model, skipped):
        if saveable.overrides("save_own_variables"):
            store: dict[str, Any] = {}
            saveable.owner.save_own_variables(store)
            arrays |= {f"{saveable.group}/{key}": to_array(x) for key, x in store.items()}
        elif saveable.has_other_values():
            arrays |= saveable.values()
        else:
            variables |= saveable.variables()
        variables |= saveable.seeds()
    return variables, arrays


def read(model: AnyModel, path: PathLike, skip_mismatch: bool, skipped: Iterable[Any] = ()) -> None:
    """Loads the weights of a model: each process the slices that it needs, all of them or none.

    Args:
        model: A built model.
        path: The path of the folder.
        skip_mismatch: Whether to skip layers that do not match, with a warning.
        skipped: Layers to leave unchanged.
    """
    with open_checkpoint(path) as checkpoint, model_file_errors():
        weights = Weights([checkpoint], describe(path))
        restore(model, weights, skip_mismatch=skip_mismatch, skipped=skipped)
