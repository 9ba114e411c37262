"""The optimizer that finds a scale for the loss, for gradients in 16 bits."""

from collections.abc import Sequence
from typing import Any

from keras_fn import initializers, ops
from keras_fn.core import serialization
from keras_fn.core.scopes import StatelessScope
from keras_fn.errors import SpecError
from keras_fn.optimizers.optimizer import Optimizer

Tensor = Any

# What older files say of an optimizer around another, and what it had no effect on.
_LEGACY_INNER_ARGUMENTS = {
    "weight_decay": None,
    "clipnorm": None,
    "global_clipnorm": None,
    "clipvalue": None,
    "use_ema": False,
    "ema_momentum": 0.99,
    "ema_overwrite_frequency": None,
    "loss_scale_factor": None,
    "gradient_accumulation_steps": None,
    "dynamic": True,
}


class LossScaleOptimizer(Optimizer):
    """Scales the loss up and the gradients down, so that small gradients survive in 16 bits.

    A step whose gradients are not finite is left out, and the scale is halved; after many steps
    without one it is doubled.

    Args:
        inner_optimizer: The optimizer that updates the variables.
        initial_scale: The scale in the beginning.
        dynamic_growth_steps: After how many steps the scale is doubled.
        name: A name.
        **kwargs: Nothing more; arguments of `Optimizer` belong to the inner optimizer.

    Raises:
        ValueError: An argument that belongs to the inner optimizer.

    Example:
        >>> optimizer = keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(1.0), 4.0)
        >>> v = keras.Variable([1.0])
        >>> optimizer.apply([ops.convert_to_tensor([2.0])], [v])  # 4 times the gradient
        >>> optimizer.apply([ops.convert_to_tensor([float("inf")])], [v])
        >>> v.numpy().tolist(), float(optimizer.dynamic_scale.numpy())
        ([0.5], 2.0)

    References:
        Micikevicius et al., "Mixed Precision Training", 2017. https://arxiv.org/abs/1710.03740
    """

    def __init__(
        self,
        inner_optimizer: Optimizer,
        initial_scale: float = 2.0**15,
        dynamic_growth_steps: int = 2000,
        name: str | None = None,
        **kwargs: Any,
    ):
        misplaced = {k: v for k, v in kwargs.items() if _LEGACY_INNER_ARGUMENTS.get(k, ...) != v}
        if misplaced:
            raise SpecError(
                "LossScaleOptimizer",
                expected="inner_optimizer, initial_scale, dynamic_growth_steps and name",
                received=f"{misplaced}",
                fix="give the inner optimizer those arguments that optimizers take",
            )
        super().__init__(0.0, name=name)
        self.inner_optimizer = inner_optimizer
        self.initial_scale, self.dynamic_growth_steps = initial_scale, dynamic_growth_steps
        inner_optimizer.loss_scale_factor = None  # else gradients would be divided twice

    def build(self, variables: Sequence[Any]) -> None:
        """Makes the scale and the counter, and builds the inner optimizer."""
        if self.built:
            return
        self.step_counter = self.add_variable((), dtype="int32", name="step_counter")
        self.dynamic_scale = self.add_variable(
            (),
            dtype="float32",
            initializer=initializers.Constant(self.initial_scale),
            name="dynamic_scale",
        )
        self.inner_optimizer.build(variables)
        super().build(variables)

    @property
    def variables(self) -> list[Any]:
        """The optimizer's own variables, and those of the inner optimizer."""
        return [*self._variables, *self.inner_optimizer.variables]

    @property
    def iterations(self) -> Any:
        """How often the variables were updated."""
        return self.inner_optimizer.iterations

    @property
    def learning_rate(self) -> Any:
        """The learning rate of the inner optimizer."""
        return self.inner_optimizer.learning_rate

    @learning_rate.setter
    def learning_rate(self, learning_rate: Any) -> None:
        self.inner_optimizer.learning_rate = learning_rate

    def apply(self, grads: Sequence[Tensor], trainable_variables: Any = None) -> None:
        """Updates variables, unless a gradient is not finite.

        Args:
            grads: Gradients of the scaled loss; None where there is none.
            trainable_variables: The variables; by default those that the optimizer was built for.
        """
        grads = list(grads)
        if not grads:
            return
        if trainable_variables is not None:
            trainable_variables = list(trainable_variables)
            if not self.built:
                self.build(trainable_variables)
        finite = self.check_finite(grads)
        variables = trainable_variables or self._trainable_variables
        if self.built and len(grads) == len(variables):  # else the inner one raises
            grads = [self._unscale(g, v) for g, v in zip(grads, variables, strict=True)]
        # The update is computed in any case, and taken if it is sound: no branch in the step.
        with StatelessScope() as scope:
            self.inner_optimizer.apply(grads, trainable_variables)
        for key, v in scope.written.items():
            v.assign(ops.where(finite, scope.state[key], v))
        grown = ops.equal(self.step_counter, self.dynamic_growth_steps - 1)
        factor = ops.where(finite, ops.where(grown, 2.0, ops.ones(())), 0.5)
        restart = ops.logical_or(grown, ops.logical_not(finite))
        self.step_counter.assign(ops.where(restart, 0, self.step_counter + 1))
        self.dynamic_scale.assign(self.dynamic_scale * factor)

    def _unscale(self, grad: Tensor, variable: Any) -> Tensor:
        if grad is None or getattr(variable, "overwrite_with_gradient", False):
            return grad
        # In the dtype of the variable: divided in 16 bits, a small gradient would be lost.
        grad = ops.cast(grad, variable.dtype)
        return grad / ops.cast(self.dynamic_scale, variable.dtype)

    def check_finite(self, grads: Sequence[Tensor]) -> Tensor:
        """Returns whether all gradients are finite: a boolean tensor."""
        checks = [ops.all(ops.isfinite(g)) for g in grads if g is not None]
        return ops.all(ops.stack(checks)) if checks else ops.convert_to_tensor(True)

    def scale_loss(self, loss: Tensor) -> Tensor:
        """Returns the loss times the scale of now: what gradients are to be taken of."""
        return ops.multiply(loss, self.dynamic_scale if self.built else self.initial_scale)

    def finalize_variable_values(self, var_list: Sequence[Any]) -> None:
        """Sets variables to their averages, where the inner optimizer keeps some.

        Args:
            var_list: The variables that the optimizer was built for.
        """
        self.inner_optimizer.finalize_variable_values(var_list)

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments, as plain values."""
        return {
            "name": self.name,
            "inner_optimizer": serialization.serialize_keras_object(self.inner_optimizer),
            "initial_scale": self.initial_scale,
            "dynamic_growth_steps": self.dynamic_growth_steps,
        }

    @classmethod
    def from_config(
        cls, config: dict[str, Any], custom_objects: dict[str, Any] | None = None
    ) -> "LossScaleOptimizer":
        """Returns an optimizer made from what `get_config` gave, without its state.

        Args:
            config: The config.
            custom_objects: Names of classes of your own.
        """
        inner = serialization.deserialize_as("optimizer", config["inner_optimizer"], custom_objects)
        return cls(**{**config, "inner_optimizer": inner})
