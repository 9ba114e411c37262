"""What the built-in recurrent cells share: their weights, their dropout, one step of many."""

from collections.abc import Callable
from typing import Any, NamedTuple

from keras_fn import activations
from keras_fn.core import tree
from keras_fn.layers._arguments import add_described, count, describe, misfit, share
from keras_fn.layers._shapes import known_size
from keras_fn.layers.layer import Layer
from keras_fn.ops.arithmetic import multiply
from keras_fn.ops.core import shape as shape_of
from keras_fn.ops.creation import ones, zeros
from keras_fn.ops.linalg.products import matmul
from keras_fn.ops.manipulation import concatenate, split
from keras_fn.random import SeedGenerator, dropout

Step = Callable[[Any, Any], tuple[Any, Any]]


class Dropped(NamedTuple):
    """The dropout masks of one call: for all steps the same. None drops nothing."""

    inputs: Any = None
    states: Any = None


class Cell(Layer):
    """Base of the built-in cells: a step in two parts, so that all inputs meet the kernel at once.

    Subclasses say how many `gates` they have, and write `project` and `advance`.
    """

    gates: int
    is_classic = False  # whether `run` computes the same as the steps

    def __init__(
        self,
        units: int,
        activation: Any,
        use_bias: bool,
        kernel_initializer: Any,
        recurrent_initializer: Any,
        bias_initializer: Any,
        kernel_regularizer: Any,
        recurrent_regularizer: Any,
        bias_regularizer: Any,
        kernel_constraint: Any,
        recurrent_constraint: Any,
        bias_constraint: Any,
        dropout: float,
        recurrent_dropout: float,
        seed: int | None,
        **kwargs: Any,
    ):
        implementation = kwargs.pop("implementation", 2)
        super().__init__(**kwargs)
        if implementation not in (1, 2):
            raise misfit(self, "implementation", "1 or 2", implementation, "leave it away")
        self.units = count(self, "units", units)
        self.activation = activations.get(activation)
        self.use_bias = use_bias
        describe(self, "kernel", kernel_initializer, kernel_regularizer, kernel_constraint)
        describe(
            self, "recurrent", recurrent_initializer, recurrent_regularizer, recurrent_constraint
        )
        describe(self, "bias", bias_initializer, bias_regularizer, bias_constraint)
        self.dropout = share(self, "dropout", dropout)
        self.recurrent_dropout = share(self, "recurrent_dropout", recurrent_dropout)
        self.seed = seed
        self.seed_generator = SeedGenerator(seed)
        # In 1 each gate has dropout masks of its own.
        self.implementation = 1 if recurrent_dropout else implementation
        self.state_size: Any = units
        self.output_size = units
        self.bias: Any = None

    def build(self, input_shape: Any) -> None:
        """Makes the kernels, and the bias if there is one."""
        features, size = known_size(input_shape, -1, self), self.gates * self.units
        self.kernel = add_described(self, "kernel", (features, size))
        self.recurrent_kernel = self.add_weight(
            (self.units, size),
            self.recurrent_initializer,
            regularizer=self.recurrent_regularizer,
            constraint=self.recurrent_constraint,
            name="recurrent_kernel",
        )
        if self.use_bias:
            self.bias = self.add_weight(
                self._bias_shape(size),
                self._bias_start(),
                regularizer=self.bias_regularizer,
                constraint=self.bias_constraint,
                name="bias",
            )
        self.built = True

    def _bias_shape(self, size: int) -> tuple[int, ...]:
        return (size,)

    def _bias_start(self) -> Any:
        return self.bias_initializer

    def get_initial_state(self, batch_size: Any = None) -> list[Any]:
        """Returns states of zeros, each of shape `(batch_size, units)`."""
        return [zeros((batch_size, n), self.compute_dtype) for n in tree.flatten(self.state_size)]

    def call(self, inputs: Any, states: Any, training: bool = False) -> Any:
        """Returns the output of one time step, and the next states in the form they came in."""
        output, new = self.stepper(shape_of(inputs)[0], training)(inputs, states)
        return output, new if tree.is_nested(states) else new[0]

    def stepper(self, batch_size: Any, training: bool) -> Step:
        """Returns the step, with dropout masks that are the same each time."""
        drop = self.draw(batch_size, training)
        return lambda inputs, states: self.advance(
            self.project(inputs, drop.inputs), tree.flatten(states), drop.states
        )

    def project(self, inputs: Any, dropped: Any = None) -> Any:
        """Returns what the inputs, of one time step or of all (time first), bring to the gates."""
        raise TypeError(f"{type(self).__name__} has no project() method.")

    def advance(self, projected: Any, states: list[Any], dropped: Any = None) -> Any:
        """Returns the output and the next states, from projected inputs of one time step."""
        raise TypeError(f"{type(self).__name__} has no advance() method.")

    def run(self, sequences: Any, states: list[Any], go_backwards: bool) -> Any:
        """Runs a whole sequence in one op. Returns the last output, all, and the last states."""
        raise TypeError(f"{type(self).__name__} has no run() method.")

    def draw(self, batch_size: Any, training: bool) -> Dropped:
        """Draws dropout masks, of shape `(masks, batch_size, features)`."""
        if not training:
            return Dropped()

        def mask(rate: float, features: int) -> Any:
            if not rate:
                return None
            number = self.gates if self.implementation == 1 else 1
            whole = ones((number, batch_size, features), self.compute_dtype)
            return dropout(whole, rate, seed=self.seed_generator)

        return Dropped(
            mask(self.dropout, self.kernel.shape[0]), mask(self.recurrent_dropout, self.units)
        )


def gate_product(x: Any, kernel: Any, dropped: Any) -> Any:
    """`x @ kernel`, where for each gate (or for all alike) some elements of `x` are dropped."""
    if dropped is None:
        return matmul(x, kernel)
    masks = dropped.shape[0]
    if masks == 1:
        return matmul(multiply(x, dropped[0]), kernel)
    parts = enumerate(split(kernel, masks, axis=1))
    return concatenate([matmul(multiply(x, dropped[i]), part) for i, part in parts], axis=-1)
