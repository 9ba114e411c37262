"""A data set of batches by index. Worker processes import this module: keep it light."""

import itertools
from collections.abc import Iterator
from typing import Any


class PyDataset:
    """Data set of batches by index, loaded by threads or processes while the model trains.

    Override `__getitem__` and `__len__`; for an infinite data set, `num_batches` instead of
    `__len__`. `fit` shuffles the batches before each epoch, with the process's seed; with
    `shuffle=False` it takes them in order. The order does not depend on the number of workers.

    Args:
        workers: Number of threads or processes that load batches; with 0 the training loop loads
            them itself. Default 1.
        use_multiprocessing: Whether to use processes rather than threads, for batches that are
            computed in Python itself. They are spawned, not forked, so the class must be in an
            importable module, the program must run under `if __name__ == "__main__":`, and the
            data set is pickled and sent to them before each epoch.
        max_queue_size: Maximum number of batches that are ready or being loaded. Default 10.

    Example:
        >>> class Squares(keras.utils.PyDataset):
        ...     def __len__(self):
        ...         return 3
        ...
        ...     def __getitem__(self, index):
        ...         x = np.full((2, 1), index, "float32")
        ...         return x, x**2
        >>> model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
        >>> model.compile("sgd", "mse")
        >>> history = model.fit(Squares(workers=2), epochs=2, verbose=0)
    """

    # On the class, too: a subclass need not call __init__.
    workers: int = 1
    use_multiprocessing: bool = False
    max_queue_size: int = 10

    def __init__(
        self, workers: int = 1, use_multiprocessing: bool = False, max_queue_size: int = 10
    ):
        self.workers = workers
        self.use_multiprocessing = use_multiprocessing
        self.max_queue_size = max_queue_size

    def __getitem__(self, index: int) -> Any:
        """Returns a batch.

        Args:
            index: Index of the batch, from 0.

        Returns:
            `x`, `(x, y)` or `(x, y, sample_weight)`.
        """
        raise NotImplementedError(f"{type(self).__name__} must define __getitem__(self, index).")

    def __iter__(self) -> Iterator[Any]:
        """Yields the batches in order: each once, or without an end if the data set is infinite."""
        count = self.num_batches
        for index in itertools.count() if count is None else range(count):
            yield self[index]

    @property
    def num_batches(self) -> int | None:
        """The number of batches in an epoch; None for an infinite data set."""
        if hasattr(self, "__len__"):
            return len(self)  # pyright: ignore[reportArgumentType]
        raise NotImplementedError(
            f"{type(self).__name__} must define __len__(self), or the property num_batches, "
            "which is None for an infinite data set."
        )

    def on_epoch_begin(self) -> None:
        """Hook that runs before the first batch of each epoch is loaded."""

    def on_epoch_end(self) -> None:
        """Hook that runs after the last batch of each epoch was used."""


Sequence = PyDataset  # the name before Keras 3
