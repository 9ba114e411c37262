"""State variables of an optimizer: their creation, saving and loading."""

import warnings
from collections.abc import Mapping, MutableMapping, Sequence
from typing import Any

from keras_fn import initializers, ops
from keras_fn.core.naming import name_scope
from keras_fn.core.scopes import BuildScope
from keras_fn.core.variable import Variable
from keras_fn.errors import SpecError
from keras_fn.settings import settings
from keras_fn.types import DTypeLike, InitializerLike, TensorLike


class OptimizerState:
    """Base class of `Optimizer`: its state variables."""

    name: str
    built: bool
    _variables: list[Variable]

    def __setattr__(self, name: str, value: Any) -> None:
        super().__setattr__(name, value)
        if isinstance(value, Variable):
            self._track_variable(value)

    def _track_variable(self, variable: Variable) -> None:
        if "_variables" not in vars(self):
            raise RuntimeError(
                f"{type(self).__name__}: a variable was assigned before super().__init__().\n"
                "  fix: call it first in __init__"
            )
        if not any(v is variable for v in self._variables):
            self._variables.append(variable)

    def _add_scalar_variable(self, name: str, value: float, dtype: str | None) -> Variable:
        with BuildScope(), name_scope(self.name):
            variable = Variable(
                value,
                dtype=dtype,
                trainable=False,
                aggregation="only_first_replica",
                layout=(),
                name=name,
            )
        self._track_variable(variable)
        return variable

    @property
    def variables(self) -> list[Variable]:
        """State variables: step counter, learning rate, slots."""
        return list(self._variables)

    def add_variable(
        self,
        shape: Sequence[int],
        initializer: InitializerLike = "zeros",
        dtype: DTypeLike | None = None,
        aggregation: str | None = "none",
        layout: Any = None,
        name: str | None = None,
    ) -> Variable:
        """Adds a state variable.

        Args:
            shape: Shape of the variable.
            initializer: Initializer: an instance, a name, a callable or a config. Default zeros.
            dtype: Dtype. Default `floatx()`.
            aggregation: How replicas on several devices are combined. Default `"none"`.
            layout: Layout over several devices. Default None.
            name: Name of the variable.

        Returns:
            The variable.
        """
        with BuildScope(), name_scope(self.name):
            variable = Variable(
                initializers.get(initializer),
                shape=shape,
                dtype=dtype,
                trainable=False,
                aggregation=aggregation,
                layout=() if layout is None else layout,  # layout maps are for models
                name=name,
            )
        self._track_variable(variable)
        return variable

    def add_variable_from_reference(
        self,
        reference_variable: Variable,
        name: str | None = None,
        initializer: InitializerLike = "zeros",
    ) -> Variable:
        """Adds a state variable of the shape and dtype of a model variable, named after it.

        Args:
            reference_variable: The variable of the model.
            name: Suffix of the name, as in `dense_kernel_momentum`. Default `"var"`.
            initializer: Initializer: an instance, a name, a callable or a config. Default zeros.

        Returns:
            The variable.
        """
        path = getattr(reference_variable, "path", None) or reference_variable.name
        reference = str(path).replace("/", "_").replace(":", "_")
        is_variable = isinstance(reference_variable, Variable)
        if is_variable and settings.distribution is not None:
            settings.distribution.adopt([reference_variable])
        variable = self.add_variable(
            shape=reference_variable.shape,
            initializer=initializer,
            dtype=ops.dtype(reference_variable),
            layout=getattr(reference_variable, "layout", None),
            name=f"{reference}_{name or 'var'}",
        )
        if is_variable:
            variable._layout_request = reference_variable
        return variable

    def add_optimizer_variables(
        self,
        trainable_variables: Sequence[Variable],
        name: str | Sequence[str],
        initializer: InitializerLike | Sequence[InitializerLike] = "zeros",
    ) -> Any:
        """Adds state variables (slots) for each variable of the model.

        Args:
            trainable_variables: The variables of the model.
            name: Suffix of the names; or several, for several slots of each variable.
            initializer: Initializer; or one for each name. Default zeros.

        Returns:
            A list with one variable for each variable of the model (None for one that is
            overwritten with its gradient); a tuple of such lists for several names.

        Raises:
            ValueError: The numbers of initializers and names differ.
        """
        names = [name] if isinstance(name, str) else list(name)
        if isinstance(initializer, (list, tuple)):
            initializer_list: list[Any] = list(initializer)
        else:
            initializer_list = [initializer] * len(names)
        if len(initializer_list) != len(names):
            raise SpecError(
                f"{type(self).__name__} {self.name!r}",
                expected=f"one initializer, or one for each of the {len(names)} names",
                received=f"{len(initializer_list)} initializers",
                fix="pass the initializers in the order of the names",
            )
        slots_by_variable = []  # in `variables`, and so in files, slots are grouped by variable
        for v in trainable_variables:
            overwritten = getattr(v, "overwrite_with_gradient", False)
            pairs = zip(names, initializer_list, strict=True)
            slots_by_variable.append(
                [
                    None if overwritten else self.add_variable_from_reference(v, n, i)
                    for n, i in pairs
                ]
            )
        slot_lists = tuple(list(slots) for slots in zip(*slots_by_variable, strict=True)) or (
            [],
        ) * len(names)
        return slot_lists[0] if isinstance(name, str) else slot_lists

    def assign(self, variable: Variable, value: TensorLike) -> None:
        """Assigns a value to a variable; for use in `update_step`.

        Args:
            variable: The variable.
            value: A tensor of its shape.
        """
        variable.assign(value)

    def assign_add(self, variable: Variable, value: TensorLike) -> None:
        """Adds a value to a variable; for use in `update_step`.

        Args:
            variable: The variable.
            value: A tensor of its shape.
        """
        variable.accumulate(value)

    def assign_sub(self, variable: Variable, value: TensorLike) -> None:
        """Subtracts a value from a variable; for use in `update_step`.

        Args:
            variable: The variable.
            value: A tensor of its shape.
        """
        variable.assign_sub(value)

    def set_weights(self, weights: Sequence[TensorLike]) -> None:
        """Sets the values of the state variables.

        Args:
            weights: Arrays, in the order of `variables`.

        Raises:
            ValueError: The optimizer is not built, or the values do not match.
        """
        source = f"{type(self).__name__} {self.name!r}, set_weights"
        if not self.built:
            raise SpecError(
                source,
                expected="an optimizer that is built",
                received="an optimizer that is not built",
                fix="call build(trainable_variables) first",
            )
        if len(weights) != len(self.variables):
            raise SpecError(
                source,
                expected=f"{len(self.variables)} values, one for each variable",
                received=f"{len(weights)}",
                fix="pass the values in the order of optimizer.variables",
            )
        for variable, weight in zip(self.variables, weights, strict=True):
            variable.assign(weight)

    def save_own_variables(self, store: MutableMapping[str, Any]) -> None:
        """Writes the state variables into a group of a file.

        Args:
            store: A mapping; the keys are "0", "1" … in the order of `variables`.
        """
        for i, variable in enumerate(self.variables):
            store[str(i)] = variable.numpy()

    def load_own_variables(self, store: Mapping[str, Any]) -> None:
        """Reads the state variables from a group of a file; warns if their number differs.

        Args:
            store: A mapping, as `save_own_variables` wrote it.
        """
        variables = self.variables
        if len(store.keys()) != len(variables):
            warnings.warn(
                f"Optimizer {self.name!r} has {len(variables)} variables, the file "
                f"{len(store.keys())}: its state is not loaded, and training goes on with a new "
                "one. Build the optimizer for the same variables before loading.",
                stacklevel=2,
            )
            return
        for i, variable in enumerate(variables):
            variable.assign(store[str(i)])
