"""Distillation losses: how the outputs or features of a student differ from the teacher's."""

from collections.abc import Callable, Mapping
from typing import Any, Self

from keras_fn import losses, ops
from keras_fn.core import serialization, tree
from keras_fn.errors import SpecError, missing_method
from keras_fn.types import AnyModel, LossLike, Nested, Tensor


class DistillationLoss:
    """Base class of distillation losses. Custom ones define `compute_loss`.

    A class that is saved with a `Distiller` also defines `get_config` and `from_config`. With an
    attribute `teacher_layer_name` or `student_layer_name` it receives the features of that layer.

    Example:
        >>> class LargestError(keras.distillation.DistillationLoss):
        ...     def compute_loss(self, teacher_outputs, student_outputs, **kwargs):
        ...         return ops.max(ops.abs(teacher_outputs - student_outputs))
        >>> zero, one = convert_to_tensor([0.0]), convert_to_tensor([1.0])
        >>> float(LargestError().compute_loss(zero, one))
        1.0
    """

    def compute_loss(
        self, teacher_outputs: Nested, student_outputs: Nested, **kwargs: Any
    ) -> Tensor:
        """Returns the loss, a scalar.

        Args:
            teacher_outputs: The outputs or features of the teacher.
            student_outputs: Those of the student, nested in the same way.
            **kwargs: Further arguments, which subclasses may have.
        """
        raise missing_method(self, "compute_loss(teacher_outputs, student_outputs)")

    def validate_outputs(self, teacher_outputs: Nested, student_outputs: Nested) -> None:
        """Checks the outputs before the loss is computed: that both are nested in the same way.

        Args:
            teacher_outputs: The outputs or features of the teacher.
            student_outputs: Those of the student.

        Raises:
            ValueError: They are not.
        """
        check_same_structure(type(self).__name__, teacher_outputs, student_outputs)

    def validate_model_compatibility(self, teacher: AnyModel, student: AnyModel) -> None:
        """Checks the models when a `Distiller` is created. The base class accepts all.

        Args:
            teacher: The teacher.
            student: The student.
        """


class NestedDistillationLoss(DistillationLoss):
    """Base class of distillation losses that apply a loss to each output.

    Args:
        loss: A loss for each output, nested like the outputs; None to skip one.

    Attributes:
        loss: The losses, as objects.
    """

    def __init__(self, loss: LossLike | Nested):
        self.loss = tree.map_structure(losses.get, loss)
        if all(leaf is None for leaf in tree.flatten(self.loss)):
            raise SpecError(
                type(self).__name__,
                expected="a loss for at least one output",
                received=f"loss={loss!r}",
                fix='for example loss="mse"',
            )

    def validate_outputs(self, teacher_outputs: Nested, student_outputs: Nested) -> None:
        """Checks that the outputs, and the losses, are nested in the same way.

        Args:
            teacher_outputs: The outputs or features of the teacher.
            student_outputs: Those of the student.

        Raises:
            ValueError: They are not.
        """
        super().validate_outputs(teacher_outputs, student_outputs)
        check_same_structure(f"{type(self).__name__}, loss=", teacher_outputs, self.loss)

    def _sum_losses(
        self, compute: Callable[[Any, Any, Any], Any], teacher: Nested, student: Nested
    ) -> Tensor:
        """Returns the sum over the outputs of `compute(loss, teacher_output, student_output)`."""

        def value(loss: Any, teacher: Any, student: Any) -> Any:
            return None if loss is None else compute(loss, teacher, student)

        self.validate_outputs(teacher, student)
        values = tree.flatten(tree.map_structure(value, self.loss, teacher, student))
        first, *others = [value for value in values if value is not None]
        for other in others:
            first = ops.add(first, other)
        return first

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments of the constructor, with losses as configs."""
        return {"loss": serialization.serialize_keras_object(self.loss)}

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        """Creates an instance from a config, as `get_config` returns it."""
        return cls(**{**config, "loss": serialization.deserialize_as("loss", config["loss"])})


def check_same_structure(source: str, expected: Nested, received: Nested) -> None:
    """Checks that two structures are nested in the same way.

    Args:
        source: What needs it, for errors.
        expected: A structure of tensors.
        received: The other structure.

    Raises:
        SpecError: They are not.
    """
    try:
        tree.map_structure(lambda *leaves: None, expected, received)
        tree.map_structure(lambda *leaves: None, received, expected)
    except (ValueError, TypeError) as error:
        shown = [tree.map_structure(lambda leaf: "*", x) for x in (expected, received)]
        raise SpecError(
            source,
            expected=f"{shown[0]}, the structure of the teacher's outputs",
            received=f"{shown[1]}",
            fix="use models whose outputs are nested in the same way, and a loss for each output",
        ) from error
