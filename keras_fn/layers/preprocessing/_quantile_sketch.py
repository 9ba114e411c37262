"""Quantiles of data that comes in batches, in little memory."""

from collections.abc import Iterator

import numpy as np

_MIN_SIZE = 1 << 14  # numbers in a buffer: of fewer numbers, the quantiles are exact


class QuantileSketch:
    """Approximate quantiles of a stream of numbers, with a bound on the error of their ranks.

    A number that is returned for the fraction `p` of `n` numbers has the rank `n * p` among them,
    give or take `n * epsilon`. Sorted buffers of one weight are merged in pairs, of which every
    second number is kept, with twice the weight. Memory grows with the logarithm of `n`.

    Args:
        epsilon: The bound on the error, as a fraction of the numbers.

    References:
        Manku, Rajagopalan and Lindsay, "Approximate Medians and other Quantiles in One Pass and
        with Limited Memory", 1998.

    Example:
        >>> from keras_fn.layers.preprocessing._quantile_sketch import QuantileSketch
        >>> sketch = QuantileSketch(epsilon=0.01)
        >>> sketch.update(np.array([4.0, 1.0])), sketch.update(np.array([3.0, 2.0]))
        (None, None)
        >>> sketch.quantiles([0.25, 0.5]).tolist()
        [1.0, 2.0]
    """

    def __init__(self, epsilon: float):
        # A merge at level l moves a rank by 2**l at most, and there are n / (2**(l + 1) * size) of
        # them: with 32 levels, the error is at most 16 * n / size.
        self._size = max(_MIN_SIZE, int(np.ceil(16 / epsilon)))
        self._rest = np.zeros(0)  # numbers that do not fill a buffer yet
        self._buffers: list[np.ndarray | None] = []  # one of each weight, 2**l for index l
        self._keeps_odd: list[bool] = []  # which numbers the next merge keeps
        self.count = 0

    def update(self, values: np.ndarray) -> None:
        """Takes numbers into account; NaN is a missing value.

        Args:
            values: Numbers, of any shape.
        """
        values = np.asarray(values, np.float64).ravel()
        is_missing = np.isnan(values)
        if is_missing.any():
            values = values[~is_missing]
        self.count += len(values)
        values = np.concatenate([self._rest, values])
        whole = len(values) - len(values) % self._size
        for buffer in values[:whole].reshape(-1, self._size):
            self._push(np.sort(buffer))
        self._rest = values[whole:].copy()

    def _push(self, buffer: np.ndarray) -> None:
        for level in range(len(self._buffers) + 1):
            if level == len(self._buffers):
                self._buffers.append(None)
                self._keeps_odd.append(False)
            other = self._buffers[level]
            if other is None:
                self._buffers[level] = buffer
                return
            merged = np.sort(np.concatenate([other, buffer]), kind="stable")  # merges runs
            buffer = merged[int(self._keeps_odd[level]) :: 2]
            self._keeps_odd[level] = not self._keeps_odd[level]
            self._buffers[level] = None

    def quantiles(self, fractions: list[float]) -> np.ndarray:
        """Returns quantiles, interpolated between the numbers on both sides of a rank.

        Args:
            fractions: The fractions of the numbers that are at or below each quantile.
        """
        parts = list(self._parts())
        values = np.concatenate([part for part, _ in parts])
        weights = np.concatenate([np.full(len(part), weight) for part, weight in parts])
        order = np.argsort(values, kind="stable")
        ranks = np.cumsum(weights[order])
        shares = ranks / ranks[-1]
        if self.count < 1 << 24:  # rounds as Keras does, so that the quantiles are the same
            shares = shares.astype(np.float32)
        return np.interp(fractions, shares, values[order])

    def _parts(self) -> Iterator[tuple[np.ndarray, int]]:
        yield self._rest, 1
        for level, buffer in enumerate(self._buffers):
            if buffer is not None:
                yield buffer, 2**level
