"""A data set whose batches are computed by number. Worker processes import this: keep it light."""

from typing import Any


class PyDataset:
    """Batches by number, loaded by threads or processes while the model trains.

    Override `__getitem__` and `__len__`; for data without an end, `num_batches` in place of
    `__len__`. `fit` takes the batches in an order of each epoch's own, drawn from the seed of
    the process, or as they are numbered with `shuffle=False`. Their order does not depend on who
    loads them.

    Args:
        workers: How many threads or processes load batches; 0 for none, where the step waits.
        use_multiprocessing: Processes in place of threads, for batches that are computed in
            Python itself. They start afresh, so the class must stand in a module that can be
            imported, the program must run under `if __name__ == "__main__":`, and each epoch
            sends them the data set as it then is.
        max_queue_size: Batches that may be waiting or under way.

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

    # On the class too: a subclass need not call __init__.
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
        """Returns a batch: `x`, `(x, y)` or `(x, y, sample_weight)`.

        Args:
            index: Its number, from 0.
        """
        raise NotImplementedError(f"{type(self).__name__} must define __getitem__(self, index).")

    @property
    def num_batches(self) -> int | None:
        """The number of batches in an epoch; None where there is no end."""
        if hasattr(self, "__len__"):
            return len(self)  # pyright: ignore[reportArgumentType]
        raise NotImplementedError(
            f"{type(self).__name__} must define __len__(self), or the property num_batches, "
            "which is None for data without an end."
        )

    def on_epoch_begin(self) -> None:
        """Called before the first batch of each epoch is asked for."""

    def on_epoch_end(self) -> None:
        """Called after the last batch of each epoch has been used."""


Sequence = PyDataset  # its name before Keras 3
