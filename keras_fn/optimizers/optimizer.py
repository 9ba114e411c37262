"""Base class of optimizers: state variables, and the order of a training step."""

import re
from collections.abc import Iterable, Mapping, Sequence
from contextlib import nullcontext
from typing import Any, Unpack

from keras_fn import ops
from keras_fn.backend.contract import ForEach
from keras_fn.backend.loader import current, supports
from keras_fn.core import serialization
from keras_fn.core.naming import auto_name
from keras_fn.core.scopes import StatelessScope, context
from keras_fn.core.sharded_variable import ShardedVariable, ShardScope
from keras_fn.core.sparse import make_dense
from keras_fn.core.tracing import is_dynamo_compiling
from keras_fn.core.variable import Variable
from keras_fn.errors import DTypeError, SpecError, missing_method
from keras_fn.optimizers import single_tensor
from keras_fn.optimizers.array_namespace import ArrayNamespace
from keras_fn.optimizers.clipping import clip_gradients
from keras_fn.optimizers.foreach_groups import ForeachGroup, cast_like, make_foreach_groups
from keras_fn.optimizers.schedules.schedule import LearningRateSchedule
from keras_fn.optimizers.sharded_updates import Clips, apply_in_scope, clip_shards, needs_scope
from keras_fn.optimizers.state import OptimizerState
from keras_fn.optimizers.validation import (
    BASE_ARGUMENTS,
    check_base_arguments,
    check_learning_rate,
    check_own_arguments,
    filter_empty_gradients,
    match_gradients,
)
from keras_fn.types import InitializerLike, LearningRateLike, NoArguments, Tensor


class Optimizer(OptimizerState):
    """Base class of optimizers, which update variables from gradients.

    A built-in optimizer states its mathematics once, in `update_rule`. A custom optimizer may do
    the same, or implement `update_step`, which takes one variable at a time.

    Args:
        learning_rate: A float, a `LearningRateSchedule`, or a callable without arguments.
        weight_decay: Weight decay: each step first subtracts `learning_rate * weight_decay` of each
            variable. Default None.
        clipnorm: Maximum norm of each gradient. Default None.
        clipvalue: Maximum absolute value of the elements of a gradient. Default None.
        global_clipnorm: Maximum norm of all gradients together. Default None.
        use_ema: Whether to keep an exponential moving average of each variable. Default False.
        ema_momentum: Decay rate of that moving average. Default 0.99.
        ema_overwrite_frequency: Number of updates after which variables are set to their moving
            averages; None (default) for the end of `fit` only.
        loss_scale_factor: Factor by which the loss is multiplied and gradients are divided. Default
            None.
        gradient_accumulation_steps: Number of steps over which gradients are averaged before
            variables are updated. Default None.
        name: Name of the optimizer. Default: from the class name.

    Raises:
        ValueError: An argument is out of range or unknown, or several kinds of clipping are set.

    Example:
        >>> class SignDescent(keras.optimizers.Optimizer):
        ...     def update_step(self, gradient, variable, learning_rate):
        ...         self.assign_sub(variable, learning_rate * ops.sign(gradient))
        >>> v = keras.Variable([1.0, 2.0])
        >>> SignDescent(0.5).apply([ops.convert_to_tensor([3.0, -4.0])], [v])
        >>> v.numpy().tolist()
        [0.5, 2.5]
    """

    arguments: tuple[str, ...] = ()
    """The constructor's own arguments: attributes, and config, of their names."""

    elementwise = True
    """Whether `rule` acts element by element, so that it may run on many variables at once."""

    def __init__(
        self,
        learning_rate: LearningRateLike,
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
        **kwargs: Unpack[NoArguments],
    ):
        self.name = name or auto_name(type(self).__name__)
        self.weight_decay = weight_decay
        self.clipnorm = clipnorm
        self.clipvalue = clipvalue
        self.global_clipnorm = global_clipnorm
        self.use_ema = use_ema
        self.ema_momentum = ema_momentum
        self.ema_overwrite_frequency = ema_overwrite_frequency
        self.loss_scale_factor = loss_scale_factor
        self.gradient_accumulation_steps = gradient_accumulation_steps
        check_base_arguments(self, kwargs)
        self.built = False
        self._variables: list[Variable] = []
        self._trainable_variables: list[Variable] = []
        self._variable_indices: dict[int, int] = {}  # id(variable): index in the list above
        self._slot_lists: list[list[Variable | None]] = []  # by name, then by variable
        self._moving_averages: list[Variable | None] = []
        self._accumulated_gradients: list[Variable] = []
        self._excluded: list[Variable] = []  # from weight decay
        self._excluded_names: re.Pattern[str] | None = None
        self._foreach_groups: dict[tuple[int, ...], list[ForeachGroup]] = {}
        self._iterations = self._add_scalar_variable("iteration", 0, "int64")
        self._learning_rate: Any = None
        if callable(learning_rate):
            self._learning_rate = learning_rate
        else:
            rate = check_learning_rate(learning_rate, self)
            self._learning_rate = self._add_scalar_variable("learning_rate", rate, None)

    @property
    def iterations(self) -> Variable | Tensor:
        """Number of updates: a variable; with gradient accumulation, a tensor."""
        if self.gradient_accumulation_steps:
            return ops.floor_divide(self._iterations, self.gradient_accumulation_steps)
        return self._iterations

    @property
    def learning_rate(self) -> Any:
        """Current learning rate: its variable, or the value of its schedule or callable."""
        rate = self._learning_rate
        if isinstance(rate, LearningRateSchedule):
            return rate(self.iterations)
        return rate if isinstance(rate, Variable) else rate()

    @learning_rate.setter
    def learning_rate(self, learning_rate: LearningRateLike) -> None:
        old = self._learning_rate
        if callable(learning_rate):
            self._learning_rate = learning_rate
            self._variables = [v for v in self._variables if v is not old]
        elif isinstance(old, Variable):
            old.assign(learning_rate)
        else:
            kind = "a schedule" if isinstance(old, LearningRateSchedule) else "a function"
            raise DTypeError(
                f"{type(self).__name__} {self.name!r}",
                expected=f"another schedule or function: this optimizer was created with {kind}",
                received=f"learning_rate={learning_rate!r}",
                fix="create the optimizer with a float, to set the learning rate later",
            )

    def add_slots(
        self,
        *names: str,
        initializer: InitializerLike | Sequence[InitializerLike] = "zeros",
    ) -> None:
        """Adds the slots that `update_rule` takes, for each variable. Called by `build`.

        Args:
            *names: A name for each slot.
            initializer: Initializer; or one for each name. Default zeros.
        """
        self._slot_lists += self.add_optimizer_variables(
            self._trainable_variables, names, initializer
        )

    def build(self, variables: Sequence[Variable]) -> None:
        """Creates the state variables. Extended by subclasses.

        Args:
            variables: The variables to optimize.
        """
        check_own_arguments(self)
        self._trainable_variables = list(variables)
        self._variable_indices = {id(v): i for i, v in enumerate(variables)}
        if self.use_ema:
            self._moving_averages = self.add_optimizer_variables(variables, "average")
        if self.gradient_accumulation_steps:
            self._accumulated_gradients = [
                self.add_variable_from_reference(v, "gradient_accumulator") for v in variables
            ]
        self.built = True

    # Copies and pickles rebuild the dicts that are keyed by object ids.
    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), "_foreach_groups": {}, "_variable_indices": {}}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self._variable_indices = {id(v): i for i, v in enumerate(self._trainable_variables)}

    def _get_variable_index(self, variable: Variable) -> int:
        return self._variable_indices[id(variable)]

    # The training step

    def apply_gradients(self, grads_and_vars: Iterable[tuple[Tensor | None, Variable]]) -> Variable:
        """Updates variables.

        Args:
            grads_and_vars: Pairs of a gradient and its variable.

        Returns:
            The step counter, a variable.

        Raises:
            ValueError: A variable is unknown, or there are no gradients.
        """
        pairs = list(grads_and_vars)
        self.apply([g for g, _ in pairs], [v for _, v in pairs])
        return self._iterations

    def apply(
        self, grads: Sequence[Tensor | None], trainable_variables: Iterable[Variable] | None = None
    ) -> None:
        """Updates variables.

        Args:
            grads: Gradients, one for each variable; None for a variable without one.
            trainable_variables: The variables. Default: those that the optimizer was built for.

        Raises:
            ValueError: A variable is unknown, the numbers of gradients and variables differ, or
                there are no gradients.
        """
        grads, variables = self._prepare_gradients(grads, trainable_variables)
        if not grads:
            return
        if (ShardedVariable.exist or context.current.replica) and needs_scope(variables):
            apply_in_scope(self, grads, variables)
            return
        backend: Any = current()  # not `typing.cast`: Dynamo would lose the type behind it
        foreach: type[ForEach] | None = backend.foreach if supports("foreach") else None
        with nullcontext() if foreach is None else foreach.no_grad():
            grads, variables = self._overwrite_with_gradients(grads, variables)
            if grads:
                if self.loss_scale_factor is not None:
                    grads = [g / self.loss_scale_factor for g in grads]
                if self.gradient_accumulation_steps:
                    self._accumulate_gradients(grads, variables, foreach)
                else:
                    self._update(grads, variables, foreach)
            self._iterations.accumulate(1)

    def _prepare_gradients(
        self, grads: Sequence[Tensor | None], variables: Iterable[Variable] | None
    ) -> tuple[list[Tensor], list[Variable]]:
        """Returns the gradients that exist, with their variables; builds if needed."""
        grads = make_dense(grads)
        if not grads:
            return [], []
        if variables is not None and not self.built:
            self.build(list(variables))
        return filter_empty_gradients(self, grads, match_gradients(self, grads, variables))

    def _overwrite_with_gradients(
        self, grads: list[Tensor], variables: list[Variable]
    ) -> tuple[list[Tensor], list[Variable]]:
        """Assigns gradients to the variables that they overwrite; returns the others."""
        rest = []
        for g, v in zip(grads, variables, strict=True):
            if not getattr(v, "_overwrite_with_gradient", False):
                rest.append((g, v))
            elif not self.gradient_accumulation_steps:
                v.assign(g)
            else:  # the maximum over the steps: such variables are scales of 8-bit floats
                accumulator = self._accumulated_gradients[self._variable_indices[id(v)]]
                maximum, is_update_step = ops.maximum(g, accumulator), self._is_update_step()
                v.assign(ops.where(is_update_step, maximum, v))
                accumulator.assign(ops.where(is_update_step, ops.zeros_like(maximum), maximum))
        return [g for g, _ in rest], [v for _, v in rest]

    def _is_update_step(self) -> Tensor:
        steps = self.gradient_accumulation_steps or 1
        return ops.equal(ops.mod(self._iterations + 1, steps), 0)

    def _accumulate_gradients(
        self, grads: list[Tensor], variables: list[Variable], foreach: Any
    ) -> None:
        """Adds gradients to those of the steps before; in each k-th step updates with their mean.

        A compiled step computes the update each time, and discards it where it only accumulates: it
        does not have a branch that assigns.
        """
        is_update_step = self._is_update_step()
        accumulators = [
            self._accumulated_gradients[self._variable_indices[id(v)]] for v in variables
        ]
        totals = [a + ops.cast(g, a.dtype) for a, g in zip(accumulators, grads, strict=True)]
        means = [total / self.gradient_accumulation_steps for total in totals]
        if is_dynamo_compiling() or current().is_traced(is_update_step):
            with StatelessScope() as scope:
                self._update(means, variables, None)
            for key, v in scope.written.items():
                v.assign(ops.where(is_update_step, scope.state[key], v))
        elif bool(is_update_step):
            self._update(means, variables, foreach)
        for accumulator, total in zip(accumulators, totals, strict=True):
            accumulator.assign(ops.where(is_update_step, ops.zeros_like(total), total))

    def _update(self, grads: list[Tensor], variables: list[Variable], foreach: Any) -> None:
        """Does all that is done once in an update, and not in a step that only accumulates."""
        self._clip_and_update(grads, variables, foreach)
        if self.use_ema:
            self._update_moving_averages()
        for v in variables:
            if v._constraint is not None:
                with ShardScope("whole") if v.shard_index is not None else nullcontext():
                    projected = v._constraint(v)
                v.assign(projected)

    def _clip_and_update(
        self, grads: list[Tensor], variables: list[Variable], foreach: Any
    ) -> None:
        """Clips, decays and updates: all variables at once where backend and optimizer allow it."""
        rate = self.learning_rate
        clips: Clips = (self.clipnorm, self.clipvalue, self.global_clipnorm)
        if context.current.shards == "local":
            grads, clips = list(clip_shards(grads, variables, clips)), (None, None, None)
        if foreach is not None and self._can_use_foreach():
            self._update_with_foreach(grads, variables, foreach, rate, clips)
            return
        grads = clip_gradients(grads, single_tensor, *clips)
        self.begin_update()
        for g, v in zip(grads, variables, strict=True):
            decay = self._weight_decay_of(v)
            if decay is not None:
                v.assign(v - single_tensor.scale(v, ops.multiply(rate, decay)))
            self.update_step(g, v, rate)

    def _can_use_foreach(self) -> bool:
        scopes = context.current
        return (
            self.elementwise
            and not is_dynamo_compiling()  # the compiler fuses them itself
            and scopes.stateless is None
            and scopes.autocast is None
            and type(self).update_step is Optimizer.update_step
        )

    def _acts_elementwise(self) -> bool:
        return self.elementwise and type(self).update_step is Optimizer.update_step

    def _update_with_foreach(
        self, grads: list[Tensor], variables: list[Variable], foreach: Any, rate: Any, clips: Clips
    ) -> None:
        """Updates all variables of a dtype in one call of `update_rule`, in place."""
        key = tuple(map(id, variables))
        groups = self._foreach_groups.get(key)
        if groups is None:
            groups = make_foreach_groups(
                variables, self._get_slots, lambda v: self._weight_decay_of(v) is not None
            )
            for group in groups:
                weights = [v.value for v in group.variables]
                for slot_variables in group.slots:
                    foreach.match_memory_format([v.value for v in slot_variables], weights)
            self._foreach_groups[key] = groups
        self.begin_update()
        rate = foreach.scalar(ops.convert_to_tensor(rate))
        step = foreach.scalar(self._local_step())
        weights = [[v.value for v in group.variables] for group in groups]
        clipped = clip_gradients(
            [
                foreach(cast_like(values, [grads[i] for i in group.indices]))
                for values, group in zip(weights, groups, strict=True)
            ],
            *(foreach, *clips),
        )
        for group, values, g in zip(groups, weights, clipped, strict=True):
            if group.decayed:
                decayed = foreach([v.value for v in group.decayed])
                decayed *= 1 - rate * self.weight_decay
            w = foreach(values)
            slots = [foreach([v.value for v in slot_variables]) for slot_variables in group.slots]
            new_w, new_slots = self.update_rule(foreach, w, g, slots, rate, step)
            w.assign(new_w)
            for slot, new in zip(slots, new_slots, strict=True):
                slot.assign(new)

    def _get_slots(self, variable: Variable) -> list[Variable]:
        index = self._variable_indices[id(variable)]
        slots = [slot_list[index] for slot_list in self._slot_lists]
        return [slot for slot in slots if slot is not None]

    def _local_step(self) -> Tensor:
        return ops.cast(self.iterations + 1, "float32")

    def begin_update(self) -> None:
        """Called once before the variables of a step are updated, for shared state."""

    def update_rule(
        self,
        xp: ArrayNamespace,
        w: Tensor,
        g: Tensor,
        slots: Sequence[Tensor],
        lr: Tensor,
        step: Tensor,
    ) -> tuple[Tensor, Sequence[Tensor]]:
        """The mathematics of the optimizer, for one variable or for many at once.

        Written with operators and the functions of `xp`. `+=` and the like may change `w` and the
        slots in place: compute terms of the old values first.

        Args:
            xp: Functions of one tensor, or of a list of tensors that is updated in one call.
            w: The variable.
            g: Its gradient, in the dtype of the variable; never changed in place.
            slots: The slots, in the order of `add_slots`.
            lr: Learning rate: a scalar tensor or a number. `xp.scale(x, lr)` casts it like `x`.
            step: Number of this update, from 1: a float32 scalar tensor or a number.

        Returns:
            The new values of `w` and of the slots.
        """
        raise missing_method(self, "update_step() or update_rule()")

    def update_step(self, gradient: Tensor, variable: Variable, learning_rate: Tensor) -> None:
        """Updates one variable. A custom optimizer may implement it instead of `update_rule`.

        Args:
            gradient: The gradient, after clipping.
            variable: The variable, after weight decay.
            learning_rate: Learning rate.
        """
        slots = self._get_slots(variable)
        w, new_slots = self.update_rule(
            single_tensor,
            variable,
            ops.cast(gradient, variable.dtype),
            slots,
            ops.convert_to_tensor(learning_rate),
            self._local_step(),
        )
        variable.assign(w)
        for slot, new in zip(slots, new_slots, strict=True):
            slot.assign(new)

    def stateless_apply(
        self,
        optimizer_variables: Sequence[Tensor],
        grads: Sequence[Tensor],
        trainable_variables: Sequence[Tensor],
    ) -> tuple[list[Tensor], list[Tensor]]:
        """Pure-function version of `apply`.

        Args:
            optimizer_variables: Values of `variables`.
            grads: The gradients.
            trainable_variables: Values of the variables that the optimizer was built for.

        Returns:
            The new values of the trainable variables and of the optimizer's variables.

        Raises:
            ValueError: The optimizer is not built, or the length of a list is wrong.
        """
        source = f"{type(self).__name__} {self.name!r}, stateless_apply"
        if not self.built:
            raise SpecError(
                source,
                expected="an optimizer that is built",
                received="an optimizer that is not built",
                fix="call build(trainable_variables) first",
            )
        lists = {
            "optimizer_variables": (optimizer_variables, self.variables),
            "trainable_variables": (trainable_variables, self._trainable_variables),
        }
        for label, (values, variables) in lists.items():
            if len(values) != len(variables):
                raise SpecError(
                    source,
                    expected=f"{label} of {len(variables)} values",
                    received=f"{len(values)} values",
                    fix="pass a value for each variable, in their order",
                )
        mapping = [
            pair
            for values, variables in lists.values()
            for pair in zip(variables, values, strict=True)
        ]
        with StatelessScope(mapping) as scope:
            self.apply(grads)
        return (
            [scope.get_current_value(v) for v in self._trainable_variables],
            [scope.get_current_value(v) for v in self.variables],
        )

    def scale_loss(self, loss: Tensor) -> Tensor:
        """Returns the loss times `loss_scale_factor`, of which gradients are taken.

        Args:
            loss: A scalar tensor.
        """
        return loss if self.loss_scale_factor is None else loss * self.loss_scale_factor

    # Weight decay and moving averages

    def exclude_from_weight_decay(
        self, var_list: Sequence[Variable] | None = None, var_names: Sequence[str] | None = None
    ) -> None:
        """Excludes variables from weight decay. Call it before the optimizer is built.

        Args:
            var_list: The variables.
            var_names: Regular expressions; variables whose name contains a match are excluded.

        Raises:
            ValueError: The optimizer is already built.
        """
        if self.built:
            raise SpecError(
                f"{type(self).__name__} {self.name!r}",
                expected="exclude_from_weight_decay() before the first step",
                received="an optimizer that is built",
                fix="call it right after the optimizer is created",
            )
        self._excluded = list(var_list or ())
        self._excluded_names = re.compile("|".join(var_names)) if var_names else None

    def _use_weight_decay(self, variable: Variable) -> bool:
        if any(v is variable for v in self._excluded):
            return False
        return self._excluded_names is None or not self._excluded_names.search(variable.name)

    def _weight_decay_of(self, variable: Variable) -> float | None:
        return self.weight_decay if self._use_weight_decay(variable) else None

    def _update_moving_averages(self) -> None:
        """Updates the moving averages; overwrites the variables where it is due."""
        iterations = self.iterations
        # The first moving average is the variable itself.
        momentum = ops.cast(ops.not_equal(iterations, 0), "float32") * self.ema_momentum
        frequency = self.ema_overwrite_frequency
        for v, average in zip(self._trainable_variables, self._moving_averages, strict=True):
            if average is None:
                continue
            average.assign(v + single_tensor.scale(average - v, momentum))
            if frequency:
                is_due = ops.equal(ops.mod(iterations + 1, frequency), 0)
                v.assign(ops.where(is_due, average, v))

    def finalize_variable_values(self, var_list: Sequence[Variable]) -> None:
        """Sets variables to their moving averages, at the end of training, if these are kept.

        Args:
            var_list: The variables that the optimizer was built for.

        Raises:
            ValueError: The number of variables differs.
        """
        if not self.use_ema:
            return
        if len(var_list) != len(self._moving_averages):
            raise SpecError(
                f"{type(self).__name__} {self.name!r}, finalize_variable_values",
                expected=f"the {len(self._moving_averages)} variables that it was built for",
                received=f"{len(var_list)} variables",
                fix="pass model.trainable_variables",
            )
        has_averages = ops.greater(self.iterations, 0)  # before the first update they are zeros
        for v, average in zip(var_list, self._moving_averages, strict=True):
            if average is not None:
                v.assign(ops.where(has_averages, average, v))

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments as a JSON-serializable dict."""
        rate = self._learning_rate
        return {
            "name": self.name,
            "learning_rate": float(rate.numpy())
            if isinstance(rate, Variable)
            else serialization.serialize_keras_object(rate),
            **{
                argument: getattr(self, argument) for argument in (*BASE_ARGUMENTS, *self.arguments)
            },
        }

    @classmethod
    def from_config(
        cls, config: dict[str, Any], custom_objects: Mapping[str, Any] | None = None
    ) -> "Optimizer":
        """Creates an optimizer from the dict that `get_config` returned, without its state.

        Args:
            config: The config.
            custom_objects: Custom classes and functions by name.

        Returns:
            The optimizer.
        """
        if isinstance(config.get("learning_rate"), dict):
            rate = serialization.deserialize_as("schedule", config["learning_rate"], custom_objects)
            config = {**config, "learning_rate": rate}
        return cls(**config)
