"""A counter of training batches over all epochs."""


class StepCounter:
    """Counts batches over epochs, including batches that share one call of a hook.

    Attributes:
        total: Number of batches so far.

    Example:
        >>> from keras_fn.callbacks.step_counter import StepCounter
        >>> counter = StepCounter()
        >>> [counter.advance(batch) for batch in (3, 7, 0)], counter.total
        ([4, 4, 1], 9)
        >>> counter.batch_at(1, total=12)
        3
    """

    def __init__(self) -> None:
        self.total = 0
        self._last: int | None = None

    def advance(self, batch: int) -> int:
        """Returns the number of batches that have ended since the last call.

        Args:
            batch: Index of the batch that has just ended; it restarts from 0 in each epoch.
        """
        is_new_epoch = self._last is None or batch <= self._last
        steps = batch + 1 if is_new_epoch else batch - (self._last or 0)
        self._last = batch
        self.total += steps
        return steps

    def begin_epoch(self) -> None:
        """Restarts the batch index from 0."""
        self._last = None

    def batch_at(self, next_batch: int, total: int) -> int:
        """Returns the index of the batch after which the count reaches `total`.

        Args:
            next_batch: Index of the next batch in the epoch, from 0.
            total: The count to reach; if it is already reached, `next_batch` is returned.
        """
        return next_batch + max(total - self.total, 1) - 1
