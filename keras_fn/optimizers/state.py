"""The variables of an optimizer: how they are made, kept, written to files and read back."""

import warnings
from collections.abc import Sequence
from typing import Any

from keras_fn import initializers, ops
from keras_fn.core.naming import name_scope
from keras_fn.core.scopes import BuildScope
from keras_fn.core.variable import Variable
from keras_fn.errors import SpecError


class OptimizerState:
    """Base of `Optimizer`: what it knows about its own variables."""

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
                f"{type(self).__name__}: a variable was set before super().__init__() was called.\n"
                "  fix: make it the first statement of __init__"
            )
        if not any(v is variable for v in self._variables):
            self._variables.append(variable)

    def _add_scalar_variable(self, name: str, value: float, dtype: str | None) -> Variable:
        with BuildScope(), name_scope(self.name):
            variable = Variable(
                value, dtype=dtype, trainable=False, aggregation="only_first_replica", name=name
            )
        self._track_variable(variable)
        return variable

    @property
    def variables(self) -> list[Variable]:
        """The optimizer's own variables: step counter, learning rate, slots."""
        return list(self._variables)

    def add_variable(
        self,
        shape: Sequence[int],
        initializer: Any = "zeros",
        dtype: Any = None,
        aggregation: str | None = "none",
        layout: Any = None,
        name: str | None = None,
    ) -> Variable:
        """Makes a variable of the optimizer.

        Args:
            shape: Its shape.
            initializer: What draws its first value.
            dtype: Its dtype; `floatx()` by default.
            aggregation: How copies on several devices become one.
            layout: How it is laid out over devices.
            name: Its name.
        """
        with BuildScope(), name_scope(self.name):
            variable = Variable(
                initializers.get(initializer),
                shape=shape,
                dtype=dtype,
                trainable=False,
                aggregation=aggregation,
                layout=layout,
                name=name,
            )
        self._track_variable(variable)
        return variable

    def add_variable_from_reference(
        self, reference_variable: Any, name: str | None = None, initializer: Any = "zeros"
    ) -> Variable:
        """Makes a variable of the shape and dtype of another one, and named after it.

        Args:
            reference_variable: The other one, of the model.
            name: What is added to its name, as in `dense_kernel_momentum`; `"var"` by default.
            initializer: What draws the first value.
        """
        path = getattr(reference_variable, "path", None) or reference_variable.name
        reference = str(path).replace("/", "_").replace(":", "_")
        return self.add_variable(
            shape=reference_variable.shape,
            initializer=initializer,
            dtype=ops.dtype(reference_variable),
            layout=getattr(reference_variable, "layout", None),
            name=f"{reference}_{name or 'var'}",
        )

    def add_optimizer_variables(
        self, trainable_variables: Sequence[Any], name: Any, initializer: Any = "zeros"
    ) -> Any:
        """Makes variables of the optimizer for each of the model's.

        Args:
            trainable_variables: The model's variables.
            name: What is added to their names; or several, one for each list that is wanted.
            initializer: What draws the first values; or one for each name.

        Returns:
            A list, one variable for each of the model's (None for one that is overwritten with
            its gradient); with several names, a tuple of lists.

        Raises:
            ValueError: There are not as many initializers as names.
        """
        names = [name] if isinstance(name, str) else list(name)
        several = isinstance(initializer, (list, tuple))
        drawn = list(initializer) if several else [initializer] * len(names)
        if len(drawn) != len(names):
            raise SpecError(
                f"{type(self).__name__} {self.name!r}",
                expected=f"one initializer, or one for each of the {len(names)} names",
                received=f"{len(drawn)} initializers",
                fix="give the initializers in the order of the names",
            )
        rows = []  # the slots of a variable stand together in `variables`, and so in files
        for v in trainable_variables:
            overwritten = getattr(v, "overwrite_with_gradient", False)
            pairs = zip(names, drawn, strict=True)
            rows.append(
                [
                    None if overwritten else self.add_variable_from_reference(v, n, i)
                    for n, i in pairs
                ]
            )
        columns = tuple(list(column) for column in zip(*rows, strict=True)) or ([],) * len(names)
        return columns[0] if isinstance(name, str) else columns

    def set_weights(self, weights: Sequence[Any]) -> None:
        """Sets the optimizer's variables.

        Args:
            weights: Values in the order of `variables`.

        Raises:
            ValueError: The optimizer is not built, or the values do not fit.
        """
        source = f"{type(self).__name__} {self.name!r}, set_weights"
        if not self.built:
            raise SpecError(
                source,
                expected="an optimizer that is built",
                received="one that is not",
                fix="call build(trainable_variables) before",
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

    def save_own_variables(self, store: Any) -> None:
        """Writes the variables into a file's group.

        Args:
            store: A mapping; the keys are "0", "1" … in the order of `variables`.
        """
        for i, variable in enumerate(self.variables):
            store[str(i)] = variable.numpy()

    def load_own_variables(self, store: Any) -> None:
        """Reads the variables from a file's group; warns and leaves them if they do not fit.

        Args:
            store: What `save_own_variables` wrote.
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
