"""Trials before a training: its learning rate, its batch size, and whether it runs at all.

Each leaves the model, its optimizer, its metrics and the random seeds exactly as they were.
"""

import gc
import math
from dataclasses import dataclass
from typing import Any, cast

import numpy as np

from keras_fn.backend.contract import SupportsProfiling
from keras_fn.backend.loader import current, supports
from keras_fn.callbacks.callback import Callback, Logs
from keras_fn.core import tree
from keras_fn.core.tracebacks import filter_traceback
from keras_fn.core.variable import Variable
from keras_fn.errors import SpecError
from keras_fn.optimizers.nested import leaf_optimizers
from keras_fn.training.snapshot import restore_on_exit
from keras_fn.visualization.figures import new_figure

_SMOOTHING = 0.9  # how much of the mean of the losses stays at each step

_DIVERGED = 4.0  # how many times the least loss


@dataclass(frozen=True)
class LearningRateFinderResult:
    """What `find_learning_rate` has seen.

    Attributes:
        rates: The learning rates, growing.
        losses: The loss of the batch that was trained on with each of them.
        smoothed: Their moving average.
        suggestion: The rate at which the loss fell fastest; None if it never fell.
    """

    rates: np.ndarray
    losses: np.ndarray
    smoothed: np.ndarray
    suggestion: float | None

    def plot(self) -> Any:
        """Draws the losses over the learning rates, and marks the suggestion.

        Returns:
            The figure of Matplotlib.

        Raises:
            ImportError: Matplotlib is not installed.
        """
        figure = new_figure("LearningRateFinderResult.plot()", figsize=(5, 3.5))
        axes = figure.subplots()
        axes.plot(self.rates, self.losses, alpha=0.3, label="batch")
        axes.plot(self.rates, self.smoothed, label="smoothed")
        if self.suggestion is not None:
            axes.axvline(self.suggestion, linestyle="--", color="gray", label="suggestion")
        axes.set(xscale="log", xlabel="learning rate", ylabel="loss")
        axes.legend()
        return figure


@filter_traceback
def find_learning_rate(
    model: Any,
    x: Any = None,
    y: Any = None,
    *,
    sample_weight: Any = None,
    batch_size: int | None = None,
    lowest: float = 1e-6,
    highest: float = 10.0,
    steps: int = 100,
) -> LearningRateFinderResult:
    """Trains a few steps with a learning rate that grows, to see which ones are good.

    It grows by the same factor at each step. The trial ends early when the loss is far above the
    least one seen, or no number. The model is then as it was before.

    Args:
        model: A compiled model.
        x: Inputs, or data that yields batches, as in `fit`. What an iterator has yielded is gone.
        y: Targets.
        sample_weight: What each sample counts.
        batch_size: Samples in a step; 32 by default. Another size may want another rate.
        lowest: The first learning rate.
        highest: The last one.
        steps: How many there are.

    Returns:
        The rates and losses, a suggestion, and `plot()`.

    Raises:
        ValueError: The rates do not grow, or there are less than three steps.

    Example:
        >>> x = keras.Input((2,))
        >>> model = keras.Model(x, keras.layers.Dense(1, kernel_initializer="zeros")(x))
        >>> model.compile("sgd", "mse")
        >>> data = np.random.default_rng(0).normal(size=(64, 2))
        >>> test = keras.debugging.find_learning_rate(model, data, data.sum(1), steps=40)
        >>> 1e-3 < test.suggestion < 1
        True

    References:
        Smith, "Cyclical Learning Rates for Training Neural Networks", 2015.
        https://arxiv.org/abs/1506.01186
    """
    if not (0 < lowest < highest and steps >= 3):
        raise SpecError(
            "find_learning_rate",
            expected="0 < lowest < highest, and three steps at least",
            received=f"lowest={lowest}, highest={highest}, steps={steps}",
            fix="for example lowest=1e-6, highest=1, steps=100",
        )
    _build(model, x, batch_size)
    test = _RangeTest(np.geomspace(lowest, highest, steps))
    with restore_on_exit(model):
        for optimizer in leaf_optimizers(model.optimizer):
            _take_any_rate(optimizer)
        model.fit(
            x, y, batch_size, epochs=steps, verbose=0, callbacks=[test], sample_weight=sample_weight
        )
    return test.result()


def _take_any_rate(optimizer: Any) -> None:
    """Lets the rate of an optimizer be set, where a schedule or a function says it."""
    if not isinstance(optimizer._learning_rate, Variable):
        optimizer._learning_rate = optimizer._scalar("learning_rate", 0.0, None)


class _RangeTest(Callback):
    """Sets the next learning rate before each batch, and keeps the loss of that batch alone."""

    def __init__(self, rates: np.ndarray):
        super().__init__()
        self.rates = rates
        self.losses: list[float] = []
        self.smoothed: list[float] = []
        self._mean = 0.0

    def on_train_batch_begin(self, batch: int, logs: Logs = None) -> None:
        self.model.reset_metrics()
        for optimizer in leaf_optimizers(self.model.optimizer):
            optimizer.learning_rate = float(self.rates[len(self.losses)])

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        loss = float((logs or {})["loss"])
        if math.isfinite(loss):
            self.losses.append(loss)
            self._mean = _SMOOTHING * self._mean + (1 - _SMOOTHING) * loss
            # The mean begins at zero, which the division makes good.
            self.smoothed.append(self._mean / (1 - _SMOOTHING ** len(self.losses)))
        is_far = self.smoothed and self.smoothed[-1] > _DIVERGED * min(self.smoothed)
        if is_far or not math.isfinite(loss) or len(self.losses) == len(self.rates):
            self.model.stop_training = True

    def result(self) -> LearningRateFinderResult:
        count = len(self.losses)
        rates, smoothed = self.rates[:count], np.array(self.smoothed)
        suggestion = None
        if count >= 3:
            slopes = np.gradient(smoothed, np.log(rates))
            slopes[: count // 10] = 0  # a mean of few losses moves by chance
            if slopes.min() < 0:
                suggestion = float(rates[slopes.argmin()])
        return LearningRateFinderResult(rates, np.array(self.losses), smoothed, suggestion)


@filter_traceback
def find_batch_size(
    model: Any,
    x: Any,
    y: Any = None,
    *,
    sample_weight: Any = None,
    start: int = 32,
    limit: int | None = None,
    steps: int = 2,
) -> int:
    """Returns a large batch size with which a step of training fits into memory.

    The size is doubled until memory is too small, or until the limit; if the first one is too
    large already, it is halved until it fits. The model is then as it was before.

    Args:
        model: A compiled model.
        x: Inputs: arrays or tensors. `fit` puts them on the device as a whole, and so does this.
        y: Targets.
        sample_weight: What each sample counts.
        start: The first size that is tried.
        limit: The greatest size that is tried; the number of samples by default.
        steps: How many steps are tried with each size.

    Returns:
        The greatest size that has worked.

    Raises:
        MemoryError: Not even a single sample fits.
        ValueError: `start` is less than 1 or greater than the limit.

    Example:
        >>> x = keras.Input((2,))
        >>> model = keras.Model(x, keras.layers.Dense(1)(x))
        >>> model.compile("sgd", "mse")
        >>> keras.debugging.find_batch_size(model, np.ones((100, 2)), np.ones(100), start=16)
        64
    """
    samples = len(tree.flatten(x)[0])
    limit = samples if limit is None else min(limit, samples)
    if not 1 <= start <= limit:
        raise SpecError(
            "find_batch_size",
            expected=f"a start from 1 to {limit}, the limit or all samples",
            received=f"{start}",
            fix="take a smaller start, or more samples",
        )
    _build(model, x, 1)

    def fits(size: int) -> bool:
        try:
            model.fit(
                x,
                y,
                size,
                verbose=0,
                sample_weight=sample_weight,
                steps_per_epoch=min(steps, -(-samples // size)),
            )
        except Exception as error:
            if not is_out_of_memory(error):
                raise
            return False
        finally:
            snapshot.restore()
        return True

    with restore_on_exit(model) as snapshot:
        size, good = start, 0
        while not good:
            good = size if fits(size) else 0
            gc.collect()  # what the failed step has left holds memory
            if not good and size == 1:
                raise MemoryError("find_batch_size: not even a batch of one sample fits.")
            size = size if good else size // 2
        while size == good and size >= start and 2 * size <= limit:
            size *= 2
            good = size if fits(size) else good
            gc.collect()
    return good


def is_out_of_memory(error: BaseException | None) -> bool:
    """Whether memory, of the host or of a device, was too small: said by Python or the backend.

    Args:
        error: The error; those that led to it are asked, too.

    Example:
        >>> from keras_fn.debugging.tuning import is_out_of_memory
        >>> is_out_of_memory(MemoryError()), is_out_of_memory(ValueError())
        (True, False)
    """
    backend = cast(SupportsProfiling, current()) if supports("is_out_of_memory") else None
    while error is not None:
        if isinstance(error, MemoryError) or (backend and backend.is_out_of_memory(error)):
            return True
        error = error.__cause__ or error.__context__
    return False


@filter_traceback
def fast_dev_run(
    model: Any,
    x: Any = None,
    y: Any = None,
    *,
    sample_weight: Any = None,
    validation_data: Any = None,
    batch_size: int | None = None,
) -> dict[str, float]:
    """Trains, validates and predicts one batch each, to see in seconds whether all of it runs.

    The model is then as it was before; no callback is called, and no file is written.

    Args:
        model: A compiled model.
        x: Inputs, or data that yields batches, as in `fit`. What an iterator has yielded is gone.
        y: Targets.
        sample_weight: What each sample counts.
        validation_data: As in `fit`; without it, there is no validation.
        batch_size: Samples in a batch; 32 by default.

    Returns:
        Loss and metrics of the batch; those of the validation begin with `val_`.

    Raises:
        Exception: Whatever the training would have raised.

    Example:
        >>> x = keras.Input((2,))
        >>> model = keras.Model(x, keras.layers.Dense(1, kernel_initializer="zeros")(x))
        >>> model.compile("sgd", "mse")
        >>> data = np.ones((100, 2)), np.ones(100)
        >>> sorted(keras.debugging.fast_dev_run(model, *data, validation_data=data))
        ['loss', 'val_loss']
    """
    _build(model, x, batch_size)
    with restore_on_exit(model):
        history = model.fit(
            x,
            y,
            batch_size,
            verbose=0,
            validation_data=validation_data,
            steps_per_epoch=1,
            validation_steps=None if validation_data is None else 1,
            sample_weight=sample_weight,
        )
        model.predict(x, batch_size, verbose=0, steps=1)
        return {name: values[-1] for name, values in history.history.items()}


def _build(model: Any, x: Any, batch_size: int | None) -> None:
    """Builds a model that is not built yet, as `fit` would: that alone is not undone."""
    if not model.built:
        model.predict(x, batch_size, verbose=0, steps=1)
