"""Distillation of the features of inner layers."""

from typing import Any

from keras_fn import ops
from keras_fn.core.argument_forms import ArgumentForm, check_arguments
from keras_fn.core.registry import is_builtin
from keras_fn.core.shapes import is_compatible
from keras_fn.distillation.distillation_loss import NestedDistillationLoss
from keras_fn.errors import SpecError
from keras_fn.types import AnyModel, LossLike, Nested, Shape, Tensor

_LAYER = ArgumentForm((type(None), str), "the name or path of a layer, or None", "'dense'")


class FeatureDistillation(NestedDistillationLoss):
    """Distillation of features: the student's features at a layer come close to the teacher's.

    Args:
        loss: A loss by name or as an object. For a layer with several outputs nested like them;
            None to skip one.
        teacher_layer_name: The name of a layer of the teacher, or its path in nested models, as
            `"encoder/dense"`. None for the outputs of the teacher.
        student_layer_name: The name or path of a layer of the student, None for its outputs.

    Raises:
        TypeError: A name is not text.
        ValueError: A loss is unknown, or there is none.

    Example:
        >>> loss = keras.distillation.FeatureDistillation("mae")
        >>> teacher, student = convert_to_tensor([[1.0, 2.0]]), convert_to_tensor([[1.0, 4.0]])
        >>> float(loss.compute_loss(teacher, student))
        1.0

    References:
        Romero et al., "FitNets: Hints for Thin Deep Nets", 2015. https://arxiv.org/abs/1412.6550
    """

    def __init__(
        self,
        loss: LossLike | Nested = "mse",
        teacher_layer_name: str | None = None,
        student_layer_name: str | None = None,
    ):
        names = {"teacher_layer_name": teacher_layer_name, "student_layer_name": student_layer_name}
        check_arguments("FeatureDistillation", dict.fromkeys(names, _LAYER), names)
        self.teacher_layer_name, self.student_layer_name = teacher_layer_name, student_layer_name
        super().__init__(loss)

    def validate_model_compatibility(self, teacher: AnyModel, student: AnyModel) -> None:
        """Checks that the models have the layers.

        Args:
            teacher: The teacher.
            student: The student.

        Raises:
            ValueError: A layer is missing, or a model is not a graph of layers.
        """
        names = {"teacher": self.teacher_layer_name, "student": self.student_layer_name}
        for role, model in (("teacher", teacher), ("student", student)):
            if names[role] is None:
                continue
            try:
                model.extract(names[role])
            except SpecError as error:
                raise error.with_context(
                    f"FeatureDistillation, {role}_layer_name={names[role]!r}"
                ) from None

    def compute_loss(
        self, teacher_outputs: Nested, student_outputs: Nested, **kwargs: Any
    ) -> Tensor:
        """Returns the sum of the losses of the features, a scalar.

        Args:
            teacher_outputs: The features of the teacher.
            student_outputs: The features of the student, nested in the same way.
            **kwargs: Not used.

        Raises:
            ValueError: The features or the losses are nested in another way, or features have other
                sizes.
        """

        def compare(loss: Any, teacher: Any, student: Any) -> Any:
            if is_builtin(loss):  # a custom one may be of features of two sizes
                self._check_sizes(tuple(teacher.shape), tuple(student.shape))
            return ops.mean(loss(teacher, student))

        return self._sum_losses(compare, teacher_outputs, student_outputs)

    def _check_sizes(self, teacher: Shape, student: Shape) -> None:
        """Raises an error for features of two sizes, which a loss would broadcast."""
        if len(teacher) != len(student) or is_compatible(teacher, student):
            return
        raise SpecError(
            f"FeatureDistillation, teacher_layer_name={self.teacher_layer_name!r}, "
            f"student_layer_name={self.student_layer_name!r}",
            expected=f"features of the shape of the teacher's, {teacher}",
            received=f"{student}",
            fix="choose layers of the same size, or give the student a Dense layer of that size "
            "after its own, for these features",
        )

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments of the constructor, with losses as configs."""
        return {
            **super().get_config(),
            "teacher_layer_name": self.teacher_layer_name,
            "student_layer_name": self.student_layer_name,
        }
