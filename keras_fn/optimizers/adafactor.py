"""Adafactor."""

from collections.abc import Sequence
from typing import Any

from keras_fn import ops
from keras_fn.optimizers.optimizer import Optimizer

Tensor = Any


class Adafactor(Optimizer):
    """Adam with little memory: of a matrix of averages it keeps the means of rows and columns.

    Args:
        learning_rate: A float, a schedule, or a function of no arguments.
        beta_2_decay: The average keeps `1 - step ** beta_2_decay` of itself.
        epsilon_1: Keeps the divisor away from zero.
        epsilon_2: Keeps the size of steps away from zero, where a variable is near it.
        clip_threshold: Above which root mean square an update is made smaller.
        relative_step: Whether the learning rate is at most `1 / sqrt(step)`. Its size relative
            to the variable is limited by that in any case, as in Keras.
        **kwargs: And the further arguments of `Optimizer`.

    Raises:
        ValueError: An argument of `Optimizer` does not fit.

    Example:
        >>> optimizer = keras.optimizers.Adafactor(0.1)
        >>> v = keras.Variable([2.0])
        >>> optimizer.apply([ops.convert_to_tensor([5.0])], [v])
        >>> print(v.numpy().round(3))
        [1.8]

    References:
        Shazeer and Stern, "Adafactor: Adaptive Learning Rates with Sublinear Memory Cost", 2018.
        https://arxiv.org/abs/1804.04235
    """

    arguments = ("beta_2_decay", "epsilon_1", "epsilon_2", "clip_threshold", "relative_step")
    elementwise = False

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_2_decay: float = -0.8,
        epsilon_1: float = 1e-30,
        epsilon_2: float = 1e-3,
        clip_threshold: float = 1.0,
        relative_step: bool = True,
        weight_decay: float | None = None,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        use_ema: bool = False,
        ema_momentum: float = 0.99,
        ema_overwrite_frequency: int | None = None,
        loss_scale_factor: float | None = None,
        gradient_accumulation_steps: int | None = None,
        name: str | None = None,
        **kwargs: Any,
    ):
        super().__init__(
            learning_rate,
            weight_decay,
            clipnorm,
            clipvalue,
            global_clipnorm,
            use_ema,
            ema_momentum,
            ema_overwrite_frequency,
            loss_scale_factor,
            gradient_accumulation_steps,
            name,
            **kwargs,
        )
        self.beta_2_decay = beta_2_decay
        self.epsilon_1 = epsilon_1
        self.epsilon_2 = epsilon_2
        self.clip_threshold = clip_threshold
        self.relative_step = relative_step

    def build(self, variables: Sequence[Any]) -> None:
        """Makes the slots."""
        if not self.built:
            super().build(variables)
            rows = [self._make_slots(v) for v in variables]
            self._slot_lists = [list(column) for column in zip(*rows, strict=True)]

    def _make_slots(self, variable: Any) -> list[Any]:
        """Makes the means of rows and of columns, and the averages that they stand for."""
        if getattr(variable, "overwrite_with_gradient", False):
            return [None, None, None]
        shape, dtype = variable.shape, variable.dtype
        # A vector is kept whole; files of Keras have two numbers in place of its means.
        shapes = [(), ()] if len(shape) < 2 else [shape[:-1], shape[:-2] + shape[-1:]]
        kind = "int32" if len(shape) < 2 else dtype
        means = [self.add_variable(s, dtype=kind, name=variable.name) for s in shapes]
        return [*means, self.add_variable_from_reference(variable, "velocity")]

    def update_rule(
        self, xp: Any, w: Any, g: Any, slots: list[Any], lr: Tensor, step: Tensor
    ) -> tuple[Any, Sequence[Any]]:
        """Divides by the root of averages, limits the result, and scales it with `w`."""
        rows, columns, v = slots
        decay = 1 - step**self.beta_2_decay
        squares = xp.square(g) + self.epsilon_1
        if len(v.shape) < 2:
            v = _ema(xp, v, squares, decay)
        else:
            rows = _ema(xp, rows, ops.mean(squares, axis=-1), decay)
            columns = _ema(xp, columns, ops.mean(squares, axis=-2), decay)
            share = rows / ops.mean(rows, axis=-1, keepdims=True)
            v = ops.expand_dims(share, -1) * ops.expand_dims(columns, -2)
        update = g / xp.sqrt(v)
        too_large = ops.maximum(_root_mean_square(update) / self.clip_threshold, 1.0)
        limit = 1 / step**0.5
        rate = ops.minimum(lr, limit) if self.relative_step else lr
        size = ops.maximum(_root_mean_square(w), self.epsilon_2) * ops.minimum(rate, limit)
        return xp.sub_scaled(w, update, size / too_large), (rows, columns, v)


def _ema(xp: Any, old: Any, new: Any, decay: Tensor) -> Tensor:
    return xp.scale(old, decay) + xp.scale(new, 1 - decay)


def _root_mean_square(x: Any) -> Tensor:
    return ops.sqrt(ops.mean(ops.square(ops.cast(x, "float32"))))
