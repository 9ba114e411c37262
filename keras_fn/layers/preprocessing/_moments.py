"""Mean and variance of data that comes in batches, in float64."""

from collections.abc import Iterator

import numpy as np

_CHUNK = 1 << 21  # numbers that are cast to float64 at once: 16 MB


class StreamingMoments:
    """Mean and variance over batches, one pass, in float64.

    The sums of squares are those of deviations from the mean of a part, and parts are merged, so
    that no digits are lost where the mean is large next to the deviation.

    Args:
        axes: The axes that are reduced, not negative.

    References:
        Chan, Golub and LeVeque, "Updating Formulae and a Pairwise Algorithm for Computing Sample
        Variances", 1979.

    Example:
        >>> from keras_fn.layers.preprocessing._moments import StreamingMoments
        >>> moments = StreamingMoments(axes=(0,))
        >>> moments.update(np.array([1.0, 2.0])), moments.update(np.array([6.0]))
        (None, None)
        >>> float(moments.mean), float(moments.variance)
        (3.0, 4.666666666666667)
    """

    def __init__(self, axes: tuple[int, ...]):
        self.axes = axes
        self.count = 0
        self.mean: np.ndarray = np.zeros(())
        self._squares: np.ndarray = np.zeros(())

    def update(self, batch: np.ndarray) -> None:
        """Takes a batch into account.

        Args:
            batch: The numbers of the batch.
        """
        for part in self._split(batch):
            part = part.astype(np.float64)
            count = int(np.prod([part.shape[axis] for axis in self.axes], dtype=np.int64))
            if count == 0:
                continue
            mean = part.mean(self.axes)
            part -= np.expand_dims(mean, self.axes)
            squares = np.square(part, out=part).sum(self.axes)
            total = self.count + count
            shift = mean - self.mean
            self._squares = self._squares + squares + shift**2 * (self.count * count / total)
            self.mean = self.mean + shift * (count / total)
            self.count = total

    @property
    def variance(self) -> np.ndarray:
        """The variance: the mean square of the deviations from the mean."""
        return self._squares / max(self.count, 1)

    def _split(self, batch: np.ndarray) -> Iterator[np.ndarray]:
        """Yields parts of a batch that are small enough to be copied."""
        if 0 not in self.axes or batch.size <= _CHUNK:
            yield batch
            return
        rows = max(_CHUNK * len(batch) // batch.size, 1)
        for start in range(0, len(batch), rows):
            yield batch[start : start + rows]
