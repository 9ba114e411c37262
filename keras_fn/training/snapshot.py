"""Snapshots: the whole training state of a model, saved and restored exactly."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from keras_fn.errors import SpecError
from keras_fn.optimizers.nested import list_optimizers
from keras_fn.random.seed_generator import global_seed_generator, save_global_seed_state


class Snapshot:
    """The training state of a model: weights, optimizer, metrics, seeds and compiled functions.

    Args:
        model: A built model.

    Raises:
        SpecError: The model is not built.

    Example:
        >>> from keras_fn.training.snapshot import Snapshot
        >>> x = keras.Input((2,))
        >>> model = keras.Model(x, keras.layers.Dense(1)(x))
        >>> before, snapshot = model.get_weights()[0], Snapshot(model)
        >>> model.set_weights([np.zeros((2, 1)), np.zeros(1)])
        >>> snapshot.restore()
        >>> bool((model.get_weights()[0] == before).all())
        True
    """

    def __init__(self, model: Any):
        if not model.built:
            raise SpecError(
                f"{type(model).__name__} {model.name!r}",
                expected="a model that is built",
                received="one without weights",
                fix="call the model on data once",
            )
        self.model = model
        holders = (model, *list_optimizers(model.optimizer), *model.metrics)
        self._values = [(v, v.numpy()) for v in _variables(holders)]
        self._attributes = [_AttributeSnapshot(holder) for holder in holders]
        self._restore_seeds = save_global_seed_state()

    def restore(self) -> None:
        """Restores everything. It may be called again after further training."""
        for attributes in self._attributes:
            attributes.restore()
        for variable, value in self._values:
            variable.assign(value)
        self._restore_seeds()


@contextmanager
def restore_on_exit(model: Any) -> Iterator[Snapshot]:
    """Restores the training state of a model when the context ends, also after an error.

    Args:
        model: A built model.
    """
    snapshot = Snapshot(model)
    try:
        yield snapshot
    finally:
        snapshot.restore()


def list_training_variables(model: Any) -> list[Any]:
    """Returns the variables that a training step may read or assign, each once."""
    optimizers, seeds = list_optimizers(model.optimizer), global_seed_generator()
    return _variables((model, *optimizers, *model.metrics, seeds))


def _variables(holders: Iterable[Any]) -> list[Any]:
    return list({id(v): v for holder in holders for v in holder.variables}.values())


class _AttributeSnapshot:
    """The attributes of an object, and the contents of those that are lists, dicts or sets."""

    def __init__(self, owner: Any):
        self.table = vars(owner)
        self.values = dict(self.table)
        self.contents = [(v, v.copy()) for v in self.values.values() if type(v) in _CONTAINERS]

    def restore(self) -> None:
        self.table.clear()
        self.table.update(self.values)
        for container, content in self.contents:
            container.clear()
            (container.extend if type(container) is list else container.update)(content)


_CONTAINERS = (list, dict, set)
