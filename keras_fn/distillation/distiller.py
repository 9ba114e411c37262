"""`Distiller`: trains a student model with the outputs of a teacher."""

import warnings
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Self

from keras_fn import metrics as metrics_module, ops
from keras_fn.core import registry, tree
from keras_fn.core.argument_forms import ArgumentForm, check_arguments
from keras_fn.core.graph_model import get_graph
from keras_fn.core.serialization import deserialize_keras_object, serialize_keras_object
from keras_fn.core.shapes import is_compatible
from keras_fn.distillation import feature_distillation, logits_distillation
from keras_fn.distillation.distillation_loss import DistillationLoss
from keras_fn.errors import DTypeError, SpecError
from keras_fn.models.functional import Functional
from keras_fn.models.model import Model
from keras_fn.training.train_step import batch_spec
from keras_fn.types import LossLike, MetricLike, Nested, OptimizerLike, Tensor

registry.register(
    "distillation_loss",
    "keras.distillation",
    [
        DistillationLoss,
        feature_distillation.FeatureDistillation,
        logits_distillation.LogitsDistillation,
    ],
)
_SHARE = ArgumentForm((float, int), "a number from 0 to 1", "0.5", lambda share: 0 <= share <= 1)


class Distiller(Model):
    """Knowledge distillation: trains a student with targets and with the outputs of a teacher.

    The loss is `w * student_loss + (1 - w) * distillation_loss`, and the losses that layers of the
    student add. Calls, and so `predict`, return the outputs of the student. The teacher is frozen.

    Args:
        teacher: The teacher, a trained model.
        student: The student. Inputs and outputs have the shapes and dtypes of the teacher's.
        distillation_losses: A distillation loss, or a list of them.
        distillation_loss_weights: The factor of each of them. Default 1.
        student_loss_weight: The share `w` of the loss of the targets, from 0 to 1.
        name: The name of the model.
        **kwargs: Arguments of `Model`.

    Attributes:
        teacher: The teacher.
        student: The student, which is used alone after training.

    Raises:
        TypeError: An argument has another type.
        ValueError: The models do not match, or a weight is out of range.

    Example:
        >>> def build(units):
        ...     x = keras.Input((4,))
        ...     return keras.Model(x, keras.layers.Dense(3)(keras.layers.Dense(units)(x)))
        >>> distiller = keras.distillation.Distiller(
        ...     build(8), build(2), keras.distillation.LogitsDistillation()
        ... )
        >>> distiller.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
        >>> history = distiller.fit(np.ones((8, 4)), np.zeros(8), verbose=0)
        >>> sorted(history.history)
        ['distillation_loss', 'loss', 'student_loss', 'total_loss']

    References:
        Hinton et al., "Distilling the Knowledge in a Neural Network", 2015.
        https://arxiv.org/abs/1503.02531
    """

    _needs_targets = False

    def __init__(
        self,
        teacher: Model,
        student: Model,
        distillation_losses: DistillationLoss | Sequence[DistillationLoss],
        distillation_loss_weights: Sequence[float] | None = None,
        student_loss_weight: float = 0.5,
        name: str = "distiller",
        **kwargs: Any,
    ):
        super().__init__(name=name, **kwargs)
        for role, model in (("teacher", teacher), ("student", student)):
            if not isinstance(model, Model):
                raise self._error(role, "a keras.Model", model, "pass a model", DTypeError)
        check_arguments(
            "Distiller",
            {"student_loss_weight": _SHARE},
            {"student_loss_weight": student_loss_weight},
        )
        self._check_students_weights(teacher, student)
        self._check_graphs(teacher, student)
        self.distillation_losses = self._check_losses(distillation_losses)
        self.distillation_loss_weights = self._check_weights(distillation_loss_weights)
        for loss in self.distillation_losses:
            loss.validate_model_compatibility(teacher, student)
        self.teacher, self.student = teacher, student
        self.teacher.trainable = False
        self.student_loss_weight = student_loss_weight
        # Functions, not models: a summary lists the teacher and the student alone.
        self._run_teacher = _make_run(teacher, self._layer_names("teacher_layer_name"))
        self._student_layers = self._layer_names("student_layer_name")
        self._run_student = _make_run(student, self._student_layers)
        # The features of the call in a step, so that `compute_loss` need not run the student again.
        self._step_features: dict[str, Any] | None = None
        self.student_loss_tracker = metrics_module.Mean(name="student_loss")
        self.distillation_loss_tracker = metrics_module.Mean(name="distillation_loss")
        self.total_loss_tracker = metrics_module.Mean(name="total_loss")

    # ---------------------------------------------------------------- arguments

    def _error(
        self,
        argument: str,
        expected: str,
        received: object,
        fix: str,
        cls: type[SpecError] | type[DTypeError] = SpecError,
    ) -> SpecError | DTypeError:
        shown = f"{argument}={received!r}"[:200]
        return cls("Distiller", expected=f"{argument}: {expected}", received=shown, fix=fix)

    def _check_students_weights(self, teacher: Model, student: Model) -> None:
        """Checks that the student has weights of its own, which are not frozen with the teacher."""
        frozen = {id(weight) for weight in teacher.weights}
        trained = [id(weight) for weight in student.trainable_weights]
        if teacher is student or (trained and frozen.issuperset(trained)):
            raise self._error(
                "student",
                "a model with trainable weights that are not the teacher's, which is frozen",
                student,
                "pass another model, for example keras.models.clone_model(teacher)",
            )

    def _check_graphs(self, teacher: Model, student: Model) -> None:
        """Checks the inputs and outputs of models that are graphs."""
        graphs = get_graph(teacher), get_graph(student)
        if graphs[0] is None or graphs[1] is None:
            return
        for part in ("inputs", "outputs"):
            expected, received = (getattr(graph, part) for graph in graphs)
            specs = [[(x.shape, x.dtype) for x in tensors] for tensors in (expected, received)]
            if len(specs[0]) == len(specs[1]) and all(
                is_compatible(ours[0], theirs[0]) and ours[1] == theirs[1]
                for ours, theirs in zip(*specs, strict=True)
            ):
                continue
            shown = [", ".join(f"{shape} {dtype}" for shape, dtype in found) for found in specs]
            raise SpecError(
                "Distiller",
                expected=f"a student with the {part} of the teacher: {shown[0]}",
                received=shown[1],
                fix="let the last layers of both have the same units and dtype"
                if part == "outputs"
                else "let both begin with the same Input",
            )

    def _check_losses(self, losses: Any) -> list[Any]:
        found = list(losses) if isinstance(losses, (list, tuple)) else [losses]
        if not found or not all(isinstance(loss, DistillationLoss) for loss in found):
            raise self._error(
                "distillation_losses",
                "a DistillationLoss or a list of them",
                losses,
                "for example keras.distillation.LogitsDistillation()",
            )
        return found

    def _check_weights(self, weights: Any) -> list[float]:
        count = len(self.distillation_losses)
        if weights is None:
            return [1.0] * count
        found = list(weights) if isinstance(weights, (list, tuple)) else [weights]
        is_number = [isinstance(w, (int, float)) and not isinstance(w, bool) for w in found]
        if len(found) != count or not all(is_number):
            raise self._error(
                "distillation_loss_weights",
                f"{count} numbers, one for each distillation loss",
                weights,
                f"for example {[1.0] * count}",
            )
        return found

    def _layer_names(self, attribute: str) -> list[str]:
        """Returns the layers whose features the losses need, each once."""
        names = [getattr(loss, attribute, None) for loss in self.distillation_losses]
        return list(dict.fromkeys(name for name in names if name is not None))

    # ---------------------------------------------------------------- training

    @property
    def trainable(self) -> bool:
        """Whether optimizers update the weights of the student; setting it sets it for all layers.

        The teacher stays frozen.
        """
        return self._trainable

    @trainable.setter
    def trainable(self, value: bool) -> None:
        set_trainable: Any = Model.trainable.fset
        set_trainable(self, value)
        if "teacher" in vars(self):
            self.teacher.trainable = False

    def compile(  # pyright: ignore[reportIncompatibleMethodOverride]
        self,
        optimizer: OptimizerLike | None = "adam",
        loss: LossLike | Sequence[Any] | None = None,
        metrics: MetricLike | Sequence[Any] | None = None,
        **kwargs: Any,
    ) -> None:
        """Configures the distiller for training.

        Args:
            optimizer: An optimizer or its name.
            loss: The loss of the student's outputs and the targets, in the forms of
                `Model.compile`. Not needed if `student_loss_weight` is 0.
            metrics: Metrics of the student's outputs.
            **kwargs: Further arguments of `Model.compile`.

        Raises:
            ValueError: There is no loss.
        """
        if loss is None and self.student_loss_weight > 0:
            raise self._error(
                "loss",
                "the loss of the student's outputs and the targets",
                loss,
                'for example loss="sparse_categorical_crossentropy", or create the Distiller with '
                "student_loss_weight=0",
            )
        super().compile(optimizer=optimizer, loss=loss, metrics=metrics, **kwargs)

    def compile_from_config(self, config: dict[str, Any]) -> None:
        """Compiles the model with the arguments in a config.

        Files of Keras do not hold the loss. Such a model is left uncompiled, with a warning.

        Args:
            config: The result of `get_compile_config`.
        """
        if config.get("loss") is None and self.student_loss_weight > 0:
            warnings.warn(
                f"{self._label} is not compiled: its file does not hold the loss of the student. "
                "Call compile().",
                stacklevel=2,
            )
            return
        super().compile_from_config(config)

    def call(self, inputs: Nested, training: bool | None = None, **kwargs: Any) -> Nested:
        """Returns the outputs of the student.

        Args:
            inputs: The inputs.
            training: Whether the student runs in training mode.
            **kwargs: Further arguments of the student's call.
        """
        if self._step_features is None or kwargs:
            return self.student(inputs, training=training, **kwargs)
        outputs, features = self._run_student(inputs, training)
        self._step_features.update(features)
        return outputs

    def compute_loss(
        self,
        x: Nested = None,
        y: Nested = None,
        y_pred: Nested = None,
        sample_weight: Nested = None,
        training: bool = True,
    ) -> Tensor:
        """Computes the loss of the student.

        Args:
            x: Inputs.
            y: Targets; None if there are none, and the loss is that of the distillation.
            y_pred: Outputs of the student. None to compute them.
            sample_weight: Sample weights of the loss of the targets, or None.
            training: Whether the student is being trained.

        Returns:
            A scalar.
        """
        features = self._step_features or {}
        if y_pred is None or (self._student_layers and not features and self._distills):
            outputs, features = self._run_student(x, training)
            y_pred = outputs if y_pred is None else y_pred
        student_loss = self._compute_student_loss(y, y_pred, sample_weight)
        added = (self._trainer_state or self._collect_state()).get_losses()
        distillation_loss = ops.zeros(())
        if self._distills:
            distillation_loss = self._compute_distillation_loss(x, y_pred, features)
        share = self.student_loss_weight
        total = ops.add(
            ops.multiply(student_loss, share), ops.multiply(distillation_loss, 1 - share)
        )
        for loss in added:
            total = ops.add(total, ops.cast(ops.sum(loss), "float32"))
        count = ops.shape(tree.flatten(x)[0])[0]
        for tracker, loss in (
            (self.student_loss_tracker, student_loss),
            (self.distillation_loss_tracker, distillation_loss),
            (self.total_loss_tracker, total),
        ):
            tracker.add_mean(ops.stop_gradient(loss), count)
        return total

    @property
    def _distills(self) -> bool:
        return self.student_loss_weight < 1

    def _compute_student_loss(self, y: Any, y_pred: Any, sample_weight: Any) -> Any:
        """Returns the loss of `compile`, 0 without targets."""
        if y is None and not self._distills:
            fix = "pass y=, or create the Distiller with a smaller student_loss_weight"
            raise self._error("student_loss_weight", "less than 1 without targets", 1, fix)
        if y is None or self.student_loss_weight == 0:
            return ops.zeros(())
        if self._compile_loss is None:  # in a loop of the program, before `fit`
            self._bind_compile_loss(tree.map_structure(batch_spec, y_pred))
        loss, parts = self._compile_loss(y, y_pred, sample_weight)  # pyright: ignore
        if self._output_losses is not None:
            self._output_losses[:] = parts
        return loss

    def _compute_distillation_loss(self, x: Any, y_pred: Any, features: Mapping[str, Any]) -> Any:
        """Returns the weighted sum of the distillation losses."""
        outputs, teacher_features = self._run_teacher(x, training=False)
        self.teacher._clear_losses()  # those of its activity regularizers: it is not trained
        total: Any = ops.zeros(())
        weights = self.distillation_loss_weights
        for loss, weight in zip(self.distillation_losses, weights, strict=True):
            teacher_layer = getattr(loss, "teacher_layer_name", None)
            student_layer = getattr(loss, "student_layer_name", None)
            expected = outputs if teacher_layer is None else teacher_features[teacher_layer]
            received = y_pred if student_layer is None else features[student_layer]
            loss.validate_outputs(expected, received)
            value = loss.compute_loss(expected, received)
            if len(ops.shape(value)):
                raise SpecError(
                    f"{type(loss).__name__}.compute_loss",
                    expected="a scalar",
                    received=f"shape {tuple(ops.shape(value))}",
                    fix="return its mean, with ops.mean",
                )
            total = ops.add(total, ops.multiply(ops.cast(value, "float32"), weight))
        return total

    def _train_step(self, x: Any, y: Any, sample_weight: Any, call: Any = None) -> Any:
        return self._with_features(super()._train_step, x, y, sample_weight, call)

    def _test_step(self, x: Any, y: Any, sample_weight: Any, call: Any = None) -> Any:
        return self._with_features(super()._test_step, x, y, sample_weight, call)

    def _with_features(self, step: Any, *args: Any) -> Any:
        """Runs a step in which the student's call keeps the features that the losses need."""
        self._step_features = {} if self._student_layers and self._distills else None
        try:
            return step(*args)
        finally:  # drop traced tensors before the trace ends: they would leak
            self._step_features = None

    # ---------------------------------------------------------------- config

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments of the constructor, with models and losses as configs."""
        return {
            "name": self.name,
            "trainable": self.trainable,
            "dtype": serialize_keras_object(self.dtype_policy),
            "teacher": serialize_keras_object(self.teacher),
            "student": serialize_keras_object(self.student),
            "distillation_losses": serialize_keras_object(self.distillation_losses),
            "distillation_loss_weights": list(self.distillation_loss_weights),
            "student_loss_weight": self.student_loss_weight,
        }

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Creates an instance from a config, as `get_config` returns it.

        Args:
            config: The config.
        """
        objects = ("teacher", "student", "distillation_losses")
        return cls(**{**config, **{key: deserialize_keras_object(config[key]) for key in objects}})


def _make_run(model: Model, layers: list[str]) -> Callable[..., tuple[Any, dict[str, Any]]]:
    """Returns a function of `(x, training)`: a model's outputs, and the features of its layers."""
    if not layers:
        return partial(_run, model)
    features: Any = model.extract(layers)
    graph: Any = get_graph(model)
    outputs = [graph.output_structure, list(features.output_structure)]
    return partial(_run_extractor, Functional(graph.input_structure, outputs), tuple(layers))


def _run(model: Model, x: Any, training: Any) -> tuple[Any, dict[str, Any]]:
    return model(x, training=training), {}


def _run_extractor(
    extractor: Functional, layers: tuple[str, ...], x: Any, training: Any
) -> tuple[Any, dict[str, Any]]:
    outputs, features = extractor(x, training=training)
    return outputs, dict(zip(layers, features, strict=True))
