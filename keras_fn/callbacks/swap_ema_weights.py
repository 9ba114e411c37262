"""The callback that evaluates a model with the moving averages of its weights."""

from typing import Any

import numpy as np

from keras_fn.callbacks.callback import Callback, Logs
from keras_fn.errors import SpecError
from keras_fn.optimizers.nested import leaf_optimizers


class SwapEMAWeights(Callback):
    """Lets evaluation, prediction and what is saved use the moving averages of the weights.

    The optimizer keeps them, if it was made with `use_ema=True`. Training goes on with the weights
    themselves, and at its end the optimizer sets them to the averages.

    Args:
        swap_on_epoch: Whether the averages are in the model from the end of an epoch to the
            beginning of the next one, so that callbacks which come after this one save them;
            otherwise they are in it during validation, `evaluate` and `predict`.

    Raises:
        ValueError: The optimizer keeps no averages; raised when they are needed.

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
        # What the model is trained with, while the averages are in it. Not kept in place of the
        # averages: whatever ends the training then, these are still what they are.
        self._own: list[tuple[Any, np.ndarray]] | None = None

    def _pairs(self) -> list[tuple[Any, Any]]:
        """Returns variables and their averages."""
        optimizers = leaf_optimizers(self.model.optimizer)
        averaging = [o for o in optimizers if getattr(o, "use_ema", False)]
        if not averaging:
            raise SpecError(
                "SwapEMAWeights",
                expected="an optimizer that keeps averages",
                received=f"{type(optimizers[0]).__name__} with use_ema=False",
                fix="make the optimizer with use_ema=True",
            )
        pairs = [
            pair
            for optimizer in averaging
            for pair in zip(optimizer._trainable_variables, optimizer._moving_averages, strict=False)
        ]
        return [(v, average) for v, average in pairs if average is not None]

    def _swap_in(self) -> None:
        pairs = self._pairs()
        if self._own is None:
            self._own = [(v, v.numpy()) for v, _ in pairs]
            for v, average in pairs:
                v.assign(average)

    def _swap_out(self) -> None:
        own, self._own = self._own or (), None
        for v, value in own:
            v.assign(value)

    def on_train_begin(self, logs: Logs = None) -> None:
        """Begins with the model as it is."""
        self._own = None
        self._pairs()

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        """Trains with the weights themselves."""
        if self.swap_on_epoch:
            self._swap_out()

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """Leaves the averages in the model, if that is wanted."""
        if self.swap_on_epoch:
            self._swap_in()

    def on_train_end(self, logs: Logs = None) -> None:
        """Forgets the weights of training: the optimizer has set them to the averages."""
        self._own = None

    def on_test_begin(self, logs: Logs = None) -> None:
        """Evaluates with the averages."""
        if not self.swap_on_epoch:
            self._swap_in()

    def on_test_end(self, logs: Logs = None) -> None:
        """Gives the weights back."""
        if not self.swap_on_epoch:
            self._swap_out()

    def on_predict_begin(self, logs: Logs = None) -> None:
        """Predicts with the averages."""
        if not self.swap_on_epoch:
            self._swap_in()

    def on_predict_end(self, logs: Logs = None) -> None:
        """Gives the weights back."""
        if not self.swap_on_epoch:
            self._swap_out()
