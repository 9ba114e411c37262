"""Dynamic loss scaling, for gradients in float16."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Unpack

from keras_fn import initializers, ops
from keras_fn.core import serialization
from keras_fn.core.replicas import all_over_replicas
from keras_fn.core.scopes import StatelessScope, context
from keras_fn.core.sharded_variable import ShardedVariable
from keras_fn.core.sparse import make_dense
from keras_fn.core.variable import Variable
from keras_fn.errors import DTypeError, SpecError
from keras_fn.optimizers.optimizer import Optimizer
from keras_fn.optimizers.sharded_updates import apply_in_scope, needs_scope
from keras_fn.types import LearningRateLike, NoArguments, Tensor

# Arguments without effect, with their defaults, that older files have.
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
    """Dynamic loss scaling: prevents underflow of float16 gradients.

    The loss is multiplied by a scale, and gradients are divided by it. A step with non-finite
    gradients is skipped, and the scale is halved; after `dynamic_growth_steps` finite steps it is
    doubled.

    Args:
        inner_optimizer: The optimizer that updates the variables.
        initial_scale: Initial loss scale. Default 2**15.
        dynamic_growth_steps: Number of finite steps after which the scale is doubled. Default 2000.
        name: Name of the optimizer. Default: from the class name.

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
        **kwargs: Unpack[NoArguments],
    ):
        inner_arguments = {
            k: v for k, v in kwargs.items() if _LEGACY_INNER_ARGUMENTS.get(k, ...) != v
        }
        if inner_arguments:
            raise SpecError(
                "LossScaleOptimizer",
                expected="inner_optimizer, initial_scale, dynamic_growth_steps and name",
                received=f"{inner_arguments}",
                fix="pass arguments of Optimizer to the inner optimizer",
            )
        super().__init__(0.0, name=name)
        if not isinstance(inner_optimizer, Optimizer):
            raise DTypeError(
                "LossScaleOptimizer",
                expected="inner_optimizer as an optimizer",
                received=f"inner_optimizer={inner_optimizer!r}",
                fix="for example keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD())",
            )
        self.inner_optimizer = inner_optimizer
        self.initial_scale, self.dynamic_growth_steps = initial_scale, dynamic_growth_steps
        inner_optimizer.loss_scale_factor = None  # or gradients would be divided twice

    def build(self, variables: Sequence[Variable]) -> None:
        """Creates the scale and the step counter, and builds the inner optimizer.

        Args:
            variables: The variables to optimize.
        """
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
    def variables(self) -> list[Variable]:
        """State variables, including those of the inner optimizer."""
        return [*self._variables, *self.inner_optimizer.variables]

    @property
    def iterations(self) -> Variable | Tensor:
        """Number of updates of the inner optimizer."""
        return self.inner_optimizer.iterations

    @property
    def learning_rate(self) -> Any:
        """Learning rate of the inner optimizer."""
        return self.inner_optimizer.learning_rate

    @learning_rate.setter
    def learning_rate(self, learning_rate: LearningRateLike) -> None:
        self.inner_optimizer.learning_rate = learning_rate

    def apply(
        self, grads: Sequence[Tensor | None], trainable_variables: Iterable[Variable] | None = None
    ) -> None:
        """Updates variables, unless a gradient is not finite.

        Args:
            grads: Gradients of the scaled loss, one for each variable; None for a variable without
                one.
            trainable_variables: The variables. Default: those that the optimizer was built for.

        Raises:
            ValueError: A variable is unknown, or the numbers of gradients and variables differ.
        """
        grads = list(grads)
        if not grads:
            return
        if trainable_variables is not None:
            trainable_variables = list(trainable_variables)
            if not self.built:
                self.build(trainable_variables)
        variables = trainable_variables or self._trainable_variables
        is_complete = self.built and len(grads) == len(variables)  # else the inner optimizer raises
        may_need_scope = is_complete and (ShardedVariable.exist or context.current.replica)
        if may_need_scope and needs_scope(variables):
            apply_in_scope(self, make_dense(grads), variables)
            return
        finite = self.check_finite(grads)
        if is_complete:
            grads = [self._unscale(g, v) for g, v in zip(grads, variables, strict=True)]
        # The update is always computed, and kept if gradients are finite: no branch in the step.
        with StatelessScope() as scope:
            self.inner_optimizer.apply(grads, trainable_variables)
        for key, v in scope.written.items():
            v.assign(ops.where(finite, scope.state[key], v))
        is_growth_step = ops.equal(self.step_counter, self.dynamic_growth_steps - 1)
        factor = ops.where(finite, ops.where(is_growth_step, 2.0, ops.ones(())), 0.5)
        is_reset = ops.logical_or(is_growth_step, ops.logical_not(finite))
        self.step_counter.assign(ops.where(is_reset, 0, self.step_counter + 1))
        self.dynamic_scale.assign(self.dynamic_scale * factor)

    def _unscale(self, grad: Tensor | None, variable: Variable) -> Tensor | None:
        if grad is None or getattr(variable, "overwrite_with_gradient", False):
            return grad
        # In the dtype of the variable: divided in float16, small gradients would underflow.
        grad = ops.cast(grad, variable.dtype)
        return grad / ops.cast(self.dynamic_scale, variable.dtype)

    def check_finite(self, grads: Sequence[Tensor | None]) -> Tensor:
        """Returns whether all gradients are finite: a boolean scalar tensor.

        Args:
            grads: The gradients; None for a variable without one.
        """
        checks = [ops.all(ops.isfinite(g)) for g in make_dense(grads) if g is not None]
        finite = ops.all(ops.stack(checks)) if checks else ops.convert_to_tensor(True)
        return all_over_replicas(finite) if context.current.shards == "local" else finite

    def _acts_elementwise(self) -> bool:
        return self.inner_optimizer._acts_elementwise()

    def scale_loss(self, loss: Tensor) -> Tensor:
        """Returns the loss times the current scale, of which gradients are taken.

        Args:
            loss: A scalar tensor.
        """
        return ops.multiply(loss, self.dynamic_scale if self.built else self.initial_scale)

    def finalize_variable_values(self, var_list: Sequence[Variable]) -> None:
        """Sets variables to their moving averages, if the inner optimizer keeps them.

        Args:
            var_list: The variables that the optimizer was built for.
        """
        self.inner_optimizer.finalize_variable_values(var_list)

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments as a JSON-serializable dict."""
        return {
            "name": self.name,
            "inner_optimizer": serialization.serialize_keras_object(self.inner_optimizer),
            "initial_scale": self.initial_scale,
            "dynamic_growth_steps": self.dynamic_growth_steps,
        }

    @classmethod
    def from_config(
        cls, config: dict[str, Any], custom_objects: Mapping[str, Any] | None = None
    ) -> "LossScaleOptimizer":
        """Creates an optimizer from the dict that `get_config` returned, without its state.

        Args:
            config: The config.
            custom_objects: Custom classes and functions by name.

        Returns:
            The optimizer.
        """
        inner = serialization.deserialize_as("optimizer", config["inner_optimizer"], custom_objects)
        return cls(**{**config, "inner_optimizer": inner})
