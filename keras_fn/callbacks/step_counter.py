"""What a callback is, and the logs that it gets."""


class StepCounter:
    """Counts batches over epochs, also where one call of a hook stands for several of them.

    Attributes:
        total: How many batches there were.

    Example:
        >>> from keras_fn.training.callbacks_base import StepCounter
        >>> counter = StepCounter()
        >>> [counter.advance(batch) for batch in (3, 7, 0)], counter.total
        ([4, 4, 1], 9)
        >>> counter.due(1, total=12)
        3
    """

    def __init__(self) -> None:
        self.total = 0
        self._last: int | None = None

    def advance(self, batch: int) -> int:
        """Returns how many batches have ended since the last call.

        Args:
            batch: The batch that has just ended; it begins anew at 0 in each epoch.
        """
        new_epoch = self._last is None or batch <= self._last
        steps = batch + 1 if new_epoch else batch - (self._last or 0)
        self._last = batch
        self.total += steps
        return steps

    def begin_epoch(self) -> None:
        """Notes that batches begin anew at 0."""
        self._last = None

    def due(self, batch: int, total: int) -> int:
        """Returns the batch with which there will have been `total` batches; `batch` comes next."""
        return batch + max(total - self.total, 1) - 1
