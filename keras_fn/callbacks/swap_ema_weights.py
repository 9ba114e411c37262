"""SwapEMAWeights: evaluates a model with the moving averages of its weights."""

from typing import Any

import numpy as np

from keras_fn import ops
from keras_fn.callbacks.callback import Callback, Logs
from keras_fn.errors import SpecError
from keras_fn.optimizers.nested import leaf_optimizers


class SwapEMAWeights(Callback):
    """Swaps the weights with their exponential moving averages (EMA) for evaluation.

    The optimizer computes the averages if it was created with `use_ema=True`. Training continues
    with the weights themselves; at the end of training the optimizer sets them to the averages.

    Args:
        swap_on_epoch: Whether the model holds the averages from the end of an epoch to the start
            of the next, so that the callbacks after this one save them; otherwise during
            validation, `evaluate` and `predict`.

    Raises:
        ValueError: The optimizer computes no averages; raised when they are needed.

    Example:
        >>> x = keras.Input((2,))
        >>> model = keras.Model(x, keras.layers.Dense(1)(x))
        >>> model.compile(keras.optimizers.SGD(0.1, use_ema=True), "mse")
        >>> data = np.ones((4, 2)), np.ones(4)
        >>> history = model.fit(
        ...     *data, validation_data=data, callbacks=[keras.callbacks.SwapEMAWeights()], verbose=0
        ... )

    References:
        Polyak and Juditsky, "Acceleration of stochastic approximation by averaging", 1992.
    """

    def __init__(self, swap_on_epoch: bool = False):
        super().__init__()
        self.swap_on_epoch = swap_on_epoch
        # The training weights, while the model holds the averages. A copy, so that the optimizer's
        # averages stay intact however training ends.
        self._training_weights: list[tuple[Any, np.ndarray]] | None = None

    def _weights_and_averages(self) -> list[tuple[Any, Any]]:
        optimizers = leaf_optimizers(self.model.optimizer)
        averaging = [o for o in optimizers if getattr(o, "use_ema", False)]
        if not averaging:
            raise SpecError(
                "SwapEMAWeights",
                expected="an optimizer that computes moving averages",
                received=f"{type(optimizers[0]).__name__} with use_ema=False",
                fix="create the optimizer with use_ema=True",
            )
        pairs = [
            pair
            for o in averaging
            if int(ops.convert_to_numpy(o.iterations))  # else the averages are zeros still
            for pair in zip(o._trainable_variables, o._moving_averages, strict=False)
        ]
        return [(v, average) for v, average in pairs if average is not None]

    def _swap_in(self) -> None:
        pairs = self._weights_and_averages()
        if self._training_weights is None:
            self._training_weights = [(v, v.numpy()) for v, _ in pairs]
            for v, average in pairs:
                v.assign(average)

    def _swap_out(self) -> None:
        weights, self._training_weights = self._training_weights or (), None
        for v, value in weights:
            v.assign(value)

    def on_train_begin(self, logs: Logs = None) -> None:
        """Checks that the optimizer computes averages."""
        self._training_weights = None
        self._weights_and_averages()

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        """Restores the training weights, with `swap_on_epoch`."""
        if self.swap_on_epoch:
            self._swap_out()

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """Sets the weights to the averages, with `swap_on_epoch`."""
        if self.swap_on_epoch:
            self._swap_in()

    def on_train_end(self, logs: Logs = None) -> None:
        """Discards the training weights: the optimizer has set them to the averages."""
        self._training_weights = None

    def on_test_begin(self, logs: Logs = None) -> None:
        """Sets the weights to the averages, without `swap_on_epoch`."""
        if not self.swap_on_epoch:
            self._swap_in()

    def on_test_end(self, logs: Logs = None) -> None:
        """Restores the training weights, without `swap_on_epoch`."""
        if not self.swap_on_epoch:
            self._swap_out()

    def on_predict_begin(self, logs: Logs = None) -> None:
        """Sets the weights to the averages, without `swap_on_epoch`."""
        if not self.swap_on_epoch:
            self._swap_in()

    def on_predict_end(self, logs: Logs = None) -> None:
        """Restores the training weights, without `swap_on_epoch`."""
        if not self.swap_on_epoch:
            self._swap_out()
