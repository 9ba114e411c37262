"""Creation of a layer's weights: `add_weight`."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import wraps
from typing import Any, TypeVar, cast

from keras_fn import constraints, initializers, regularizers
from keras_fn.core.naming import name_scope
from keras_fn.core.scopes import BuildScope
from keras_fn.core.variable import Variable
from keras_fn.errors import DTypeError, SpecError
from keras_fn.initializers import Initializer
from keras_fn.layers._arguments import check_flag
from keras_fn.types import ConstraintLike, DTypeLike, InitializerLike, RegularizerLike, ShapeLike

Method = TypeVar("Method", bound=Callable[..., Any])


def _refuse_name_first(add_weight: Method) -> Method:
    """Refuses a name as the first argument, where Keras 2 had it."""

    @wraps(add_weight)
    def run(self: Any, *args: Any, **kwargs: Any) -> Any:
        if args and isinstance(args[0], str):
            raise DTypeError(
                f"{self._label}, add_weight",
                expected="the shape as the first argument",
                received=f"the name {args[0]!r}",
                fix=f"pass it by name: add_weight(shape=..., name={args[0]!r})",
            )
        return add_weight(self, *args, **kwargs)

    return cast(Method, run)


class WeightCreationMixin:
    """The method `add_weight` of `Layer`."""

    name: str
    _trainable: bool
    _weights: list[Variable]
    _building = False  # whether `build` runs
    _is_calling = False  # whether `call` runs
    _fast_path_keys: dict[Any, bool] | None = None

    @_refuse_name_first
    def add_weight(
        self,
        shape: ShapeLike | None = None,
        initializer: InitializerLike | None = None,
        dtype: DTypeLike | None = None,
        trainable: bool = True,
        autocast: bool = True,
        regularizer: RegularizerLike | None = None,
        constraint: ConstraintLike | None = None,
        aggregation: str = "none",
        layout: Any = None,
        overwrite_with_gradient: bool = False,
        name: str | None = None,
    ) -> Variable:
        """Adds a weight variable to the layer.

        Args:
            shape: The shape of the weight; `()` by default.
            initializer: Initializer for the weight. `"glorot_uniform"` for floats and `"zeros"`
                for other dtypes by default.
            dtype: The dtype of the weight; the variable dtype of the layer by default.
            trainable: Whether optimizers update the weight.
            autocast: Whether the weight is read in the compute dtype.
            regularizer: Regularizer applied to the weight.
            constraint: Constraint applied to the weight after each update.
            aggregation: How the copies of several replicas are combined: `"none"`, `"mean"`,
                `"sum"` or `"only_first_replica"`.
            layout: The layout of the weight over devices.
            overwrite_with_gradient: Whether an optimizer replaces the weight by its gradient.
            name: The name of the weight. Unique by default.

        Returns:
            The variable.

        Raises:
            ValueError: It runs inside `call`, where each call would make another weight; or an
                argument is invalid.
        """
        layer: Any = self
        is_warm = self._fast_path_keys is not None  # calls of a warm layer set no flag
        if (self._is_calling or is_warm) and not self._building:
            raise _inside_call_error(layer)
        if trainable is not True:
            trainable = check_flag(self, "trainable", trainable)
        dtype = dtype or layer.variable_dtype
        if initializer is None:
            initializer = "glorot_uniform" if "float" in str(dtype) else "zeros"
        if not isinstance(initializer, Initializer):  # of built-in layers it is one
            initializer = initializers.get(initializer)
        variable = Variable(
            initializer,
            shape=() if shape is None else shape,
            dtype=dtype,
            trainable=trainable and self._trainable,
            autocast=autocast,
            aggregation=aggregation,
            layout=layout,
            name=name,
        )
        variable._trainable_requested = trainable
        if overwrite_with_gradient:
            variable.overwrite_with_gradient = overwrite_with_gradient
        if regularizer is not None:
            variable.regularizer = regularizers.get(regularizer)
        if constraint is not None:
            variable.constraint = constraints.get(constraint)
        self._weights.append(variable)
        return variable


@contextmanager
def adding_weights(layer: Any) -> Iterator[None]:
    """Allows `add_weight` in a built layer, and ends what earlier calls settled."""
    if layer._building:  # the scopes are active
        yield
        return
    layer._building = True
    try:
        with ExitStack() as scopes:
            scopes.enter_context(BuildScope())
            for name in (layer.path or layer.name).split("/"):
                scopes.enter_context(name_scope(name))
            yield
    finally:
        layer._building = False
        layer._invalidate_structure(new_weights=True)


def _inside_call_error(layer: Any) -> SpecError:
    return SpecError(
        layer._label,
        expected="weights that are created in __init__() or build()",
        received="add_weight() in call(), or after a call",
        fix="move it to build(self, input_shape), which runs once, before the first call",
    )
