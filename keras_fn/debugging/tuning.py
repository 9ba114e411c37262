"""Tuning before training: learning rate finder, batch size finder, and a quick test run.

Each function restores the model, its optimizer, its metrics and the random seeds.
"""

from __future__ import annotations

import gc
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

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
from keras_fn.types import AnyModel, DataLike, TensorLike
from keras_fn.visualization.figures import new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure


_SMOOTHING = 0.9  # decay rate of the moving average of the loss
_DIVERGENCE_FACTOR = 4.0  # as a multiple of the lowest smoothed loss


@dataclass(frozen=True)
class LearningRateFinderResult:
    """Result of a learning rate range test; see `find_learning_rate`.

    Attributes:
        learning_rates: The learning rates in ascending order, shape `(steps,)`.
        losses: The loss of the batch at each learning rate, shape `(steps,)`.
        smoothed_losses: Exponential moving average of the losses, shape `(steps,)`.
        suggestion: The learning rate at which the loss fell fastest; None if it never fell.

    Example:
        >>> rates, losses = np.array([0.01, 0.1, 1.0]), np.array([3.0, 1.0, 9.0])
        >>> result = keras.debugging.LearningRateFinderResult(rates, losses, losses, suggestion=0.1)
        >>> float(result.learning_rates[result.losses.argmin()])
        0.1
    """

    learning_rates: np.ndarray
    losses: np.ndarray
    smoothed_losses: np.ndarray
    suggestion: float | None

    def plot(self) -> Figure:
        """Plots the losses over the learning rates, with the suggestion marked.

        Returns:
            A Matplotlib figure.

        Raises:
            ImportError: Matplotlib is not installed.
        """
        figure = new_figure("LearningRateFinderResult.plot()", figsize=(5, 3.5))
        axes = figure.subplots()
        axes.plot(self.learning_rates, self.losses, alpha=0.3, label="batch")
        axes.plot(self.learning_rates, self.smoothed_losses, label="smoothed")
        if self.suggestion is not None:
            axes.axvline(self.suggestion, linestyle="--", color="gray", label="suggestion")
        axes.set(xscale="log", xlabel="learning rate", ylabel="loss")
        axes.legend()
        return figure


@filter_traceback
def find_learning_rate(
    model: AnyModel,
    x: DataLike | None = None,
    y: DataLike | None = None,
    *,
    sample_weight: TensorLike | None = None,
    batch_size: int | None = None,
    min_lr: float = 1e-6,
    max_lr: float = 10.0,
    steps: int = 100,
) -> LearningRateFinderResult:
    """Learning rate range test: trains a few steps with an exponentially growing learning rate.

    It stops early when the loss diverges or is not finite. The model is restored afterward.

    Args:
        model: A compiled model.
        x: Inputs as arrays, or iterable data that yields batches, as in `fit`. Batches of an
            iterator are consumed.
        y: Targets.
        sample_weight: Weight of each sample in the loss, shape `(samples,)`.
        batch_size: Number of samples per step; by default 32. The best learning rate depends on it.
        min_lr: The first learning rate.
        max_lr: The last learning rate.
        steps: Number of steps.

    Returns:
        The learning rates, the losses and a suggestion.

    Raises:
        ValueError: `min_lr` is not below `max_lr`, or there are fewer than three steps.

    Example:
        >>> x = keras.Input((2,))
        >>> model = keras.Model(x, keras.layers.Dense(1, kernel_initializer="zeros")(x))
        >>> model.compile("sgd", "mse")
        >>> data = np.random.default_rng(0).normal(size=(64, 2))
        >>> result = keras.debugging.find_learning_rate(model, data, data.sum(1), steps=40)
        >>> 1e-3 < result.suggestion < 1
        True

    References:
        Smith, "Cyclical Learning Rates for Training Neural Networks", 2015.
        https://arxiv.org/abs/1506.01186
    """
    if not (0 < min_lr < max_lr and steps >= 3):
        raise SpecError(
            "find_learning_rate",
            expected="0 < min_lr < max_lr, and at least three steps",
            received=f"min_lr={min_lr}, max_lr={max_lr}, steps={steps}",
            fix="for example min_lr=1e-6, max_lr=1, steps=100",
        )
    _build(model, x, batch_size)
    test = _RangeTest(np.geomspace(min_lr, max_lr, steps))
    with restore_on_exit(model):
        for optimizer in leaf_optimizers(model.optimizer):
            _make_rate_assignable(optimizer)
        model.fit(
            x, y, batch_size, epochs=steps, verbose=0, callbacks=[test], sample_weight=sample_weight
        )
    return test.result()


def _make_rate_assignable(optimizer: Any) -> None:
    """Replaces a schedule or function by a variable, so that the learning rate can be set."""
    if not isinstance(optimizer._learning_rate, Variable):
        optimizer._learning_rate = optimizer._add_scalar_variable("learning_rate", 0.0, None)


class _RangeTest(Callback):
    """Sets the next learning rate before each batch, and records the loss of that batch alone."""

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
            # Bias correction: the average is initialized with zero.
            self.smoothed.append(self._mean / (1 - _SMOOTHING ** len(self.losses)))
        has_diverged = (
            self.smoothed and self.smoothed[-1] > _DIVERGENCE_FACTOR * min(self.smoothed)
        ) or not math.isfinite(loss)
        if has_diverged or len(self.losses) == len(self.rates):
            self.model.stop_training = True

    def result(self) -> LearningRateFinderResult:
        count = len(self.losses)
        rates, smoothed = self.rates[:count], np.array(self.smoothed)
        suggestion = None
        if count >= 3:
            slopes = np.gradient(smoothed, np.log(rates))
            slopes[: count // 10] = 0  # an average of few losses is noisy
            if slopes.min() < 0:
                suggestion = float(rates[slopes.argmin()])
        return LearningRateFinderResult(rates, np.array(self.losses), smoothed, suggestion)


@filter_traceback
def find_batch_size(
    model: AnyModel,
    x: DataLike,
    y: DataLike | None = None,
    *,
    sample_weight: TensorLike | None = None,
    start: int = 32,
    limit: int | None = None,
    steps: int = 2,
) -> int:
    """Batch size finder: returns a large batch size with which a training step fits into memory.

    It doubles the batch size until memory runs out or the limit is reached; if the first size does
    not fit, it halves it until it does. The model is restored afterward.

    Args:
        model: A compiled model.
        x: Inputs as arrays or tensors, which are copied to the device as a whole, as in `fit`.
        y: Targets.
        sample_weight: Weight of each sample in the loss, shape `(samples,)`.
        start: The first batch size to try.
        limit: The largest batch size to try; by default the number of samples.
        steps: Number of steps to run with each batch size.

    Returns:
        The largest batch size that fits.

    Raises:
        MemoryError: Not even a batch of one sample fits.
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
            expected=f"a start from 1 to {limit}, the limit or the number of samples",
            received=f"{start}",
            fix="pass a smaller start, or more samples",
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
            gc.collect()  # frees what the failed step has allocated
            if not good and size == 1:
                raise MemoryError("find_batch_size: not even a batch of one sample fits.")
            size = size if good else size // 2
        while size == good and size >= start and 2 * size <= limit:
            size *= 2
            good = size if fits(size) else good
            gc.collect()
    return good


def is_out_of_memory(error: BaseException | None) -> bool:
    """Whether an error says that the host or a device ran out of memory.

    Args:
        error: The error; its causes are checked too.

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
    model: AnyModel,
    x: DataLike | None = None,
    y: DataLike | None = None,
    *,
    sample_weight: TensorLike | None = None,
    validation_data: DataLike | None = None,
    batch_size: int | None = None,
) -> dict[str, float]:
    """Smoke test: trains, validates and predicts one batch each, to find errors within seconds.

    No callback is called, and no file is written. The model is restored afterward.

    Args:
        model: A compiled model.
        x: Inputs as arrays, or iterable data that yields batches, as in `fit`. Batches of an
            iterator are consumed.
        y: Targets.
        sample_weight: Weight of each sample in the loss, shape `(samples,)`.
        validation_data: Validation data as in `fit`; None for no validation.
        batch_size: Number of samples per batch; by default 32.

    Returns:
        Loss and metrics of the batch; validation results have the prefix `val_`.

    Raises:
        Exception: Any error that training would raise.

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
        model.predict(cast(Any, x), batch_size, verbose=0, steps=1)
        return {name: values[-1] for name, values in history.history.items()}


def _build(model: Any, x: Any, batch_size: int | None) -> None:
    """Builds a model that is not built yet, as `fit` would; only this is not undone."""
    if not model.built:
        model.predict(x, batch_size, verbose=0, steps=1)
