"""Distillation of outputs at a raised temperature."""

from typing import Any

from keras_fn import losses, ops
from keras_fn.core.argument_forms import ArgumentForm, check_arguments
from keras_fn.distillation.distillation_loss import NestedDistillationLoss
from keras_fn.types import LossLike, Nested, Tensor

_TEMPERATURE = ArgumentForm((float, int), "a positive number", "3.0", lambda t: t > 0)
# Losses of probabilities, whose gradient falls with the square of the temperature.
_OF_PROBABILITIES = (losses.KLDivergence, losses.CategoricalCrossentropy)
_FUNCTIONS_OF_PROBABILITIES = (losses.kl_divergence, losses.categorical_crossentropy)


class LogitsDistillation(NestedDistillationLoss):
    """Distillation of logits: the student learns the teacher's outputs at a raised temperature.

    Logits are divided by the temperature. The Kullback-Leibler divergence and the categorical
    crossentropy compare their softmax, multiplied by the square of the temperature, so that their
    gradients do not depend on it; other losses compare the scaled logits.

    Args:
        temperature: The temperature, a positive number. More makes the probabilities more alike, so
            that those of wrong classes count.
        loss: A loss by name or as an object. For several outputs nested like them; None to skip
            one.

    Raises:
        TypeError: `temperature` is not a number.
        ValueError: It is not positive, a loss is unknown, or there is none.

    Example:
        >>> loss = keras.distillation.LogitsDistillation(temperature=2.0)
        >>> x = convert_to_tensor([[1.0, 2.0]])
        >>> float(loss.compute_loss(x, x))
        0.0

    References:
        Hinton et al., "Distilling the Knowledge in a Neural Network", 2015.
        https://arxiv.org/abs/1503.02531
    """

    def __init__(self, temperature: float = 3.0, loss: LossLike | Nested = "kl_divergence"):
        arguments = {"temperature": temperature}
        check_arguments("LogitsDistillation", {"temperature": _TEMPERATURE}, arguments)
        self.temperature = temperature
        super().__init__(loss)

    def compute_loss(
        self, teacher_outputs: Nested, student_outputs: Nested, **kwargs: Any
    ) -> Tensor:
        """Returns the sum of the losses of the outputs, a scalar.

        Args:
            teacher_outputs: The logits of the teacher.
            student_outputs: The logits of the student, nested in the same way.
            **kwargs: Not used.

        Raises:
            ValueError: The outputs or the losses are nested in another way.
        """
        return self._sum_losses(self._compare, teacher_outputs, student_outputs)

    def _compare(self, loss: Any, teacher: Any, student: Any) -> Any:
        teacher = ops.divide(teacher, self.temperature)
        student = ops.divide(student, self.temperature)
        is_of_probabilities = isinstance(loss, _OF_PROBABILITIES)
        if not is_of_probabilities and loss not in _FUNCTIONS_OF_PROBABILITIES:
            return ops.mean(loss(teacher, student))
        takes_logits = getattr(loss, "from_logits", False)
        student = student if takes_logits else ops.softmax(student, axis=-1)
        value = ops.mean(loss(ops.softmax(teacher, axis=-1), student))
        return ops.multiply(value, self.temperature**2)

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments of the constructor, with losses as configs."""
        return {"temperature": self.temperature, **super().get_config()}
