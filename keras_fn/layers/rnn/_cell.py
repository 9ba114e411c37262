"""Base classes of the built-in recurrent cells: weights, dropout, one step."""

from collections.abc import Callable
from typing import Any, NamedTuple, Unpack

from keras_fn import activations
from keras_fn.core import tree
from keras_fn.errors import missing_method
from keras_fn.layers._arguments import (
    add_weight_from_spec,
    argument_error,
    fraction,
    positive_int,
    set_weight_spec,
)
from keras_fn.layers._options import CellOptions
from keras_fn.layers._shapes import static_dim
from keras_fn.layers.layer import Layer
from keras_fn.ops.arithmetic import multiply
from keras_fn.ops.core import shape as shape_of
from keras_fn.ops.creation import ones, zeros
from keras_fn.ops.joining_splitting import concatenate, split
from keras_fn.ops.linalg.products import matmul
from keras_fn.random import SeedGenerator, dropout
from keras_fn.types import (
    ActivationLike,
    ConstraintLike,
    InitializerLike,
    Nested,
    RegularizerLike,
    Shape,
    Tensor,
)

Step = Callable[[Any, Any], tuple[Any, Any]]


class DropoutMasks(NamedTuple):
    """The dropout masks of one call, the same for all time steps. None drops nothing."""

    inputs: Any = None
    states: Any = None


class Cell(Layer):
    """Base class of the built-in recurrent cells, whose step has two parts.

    `input_projection` can be computed for all time steps at once, `step` for one after the other.

    Subclasses set `gates`, `state_size` and `output_size`, and define `build`, `input_projection`
    and `step`.
    """

    gates: int
    bias_initializer: Any
    _channel_axis = -1  # of the inputs of one step
    supports_fused_kernel = False  # whether `run_fused` computes the same as the steps

    def __init__(
        self,
        activation: ActivationLike | None,
        use_bias: bool,
        kernel_initializer: InitializerLike | None,
        recurrent_initializer: InitializerLike | None,
        bias_initializer: InitializerLike | None,
        kernel_regularizer: RegularizerLike | None,
        recurrent_regularizer: RegularizerLike | None,
        bias_regularizer: RegularizerLike | None,
        kernel_constraint: ConstraintLike | None,
        recurrent_constraint: ConstraintLike | None,
        bias_constraint: ConstraintLike | None,
        dropout: float,
        recurrent_dropout: float,
        seed: int | None,
        **kwargs: Unpack[CellOptions],
    ):
        implementation = kwargs.pop("implementation", 2)
        super().__init__(**kwargs)
        if implementation not in (0, 1, 2):
            raise argument_error(self, "implementation", "1 or 2", implementation, "omit it")
        self.activation = activations.get(activation)
        self.use_bias = use_bias
        set_weight_spec(self, "kernel", kernel_initializer, kernel_regularizer, kernel_constraint)
        set_weight_spec(
            self, "recurrent", recurrent_initializer, recurrent_regularizer, recurrent_constraint
        )
        set_weight_spec(self, "bias", bias_initializer, bias_regularizer, bias_constraint)
        self.dropout = fraction(self, "dropout", dropout)
        self.recurrent_dropout = fraction(self, "recurrent_dropout", recurrent_dropout)
        self.seed = seed
        self.seed_generator = SeedGenerator(seed)
        # With 1, each gate has its own dropout masks. Files of Keras 1 and 2 may have 0: the same.
        self.implementation = 1 if recurrent_dropout else implementation or 1
        self.state_size: Any = None
        self.output_size = 0
        self.bias: Any = None

    def _add_weights(self, window: tuple[int, ...], features: int, units: int) -> None:
        """Creates the kernels, of matrices or of convolution windows, and the bias."""
        size = self.gates * units
        self.kernel = add_weight_from_spec(self, "kernel", (*window, features, size))
        self.recurrent_kernel = add_weight_from_spec(
            self, "recurrent", (*window, units, size), name="recurrent_kernel"
        )
        if self.use_bias:
            initializer = self._get_bias_initializer()
            self.bias = add_weight_from_spec(
                self, "bias", self._bias_shape(size), initializer=initializer
            )
        self.built = True

    def _bias_shape(self, size: int) -> tuple[int, ...]:
        return (size,)

    def _get_bias_initializer(self) -> Any:
        return self.bias_initializer

    def get_initial_state(self, batch_size: int | Tensor | None = None) -> list[Any]:
        """Returns zeros, of shape `(batch_size, units)`, for each state."""
        return [zeros((batch_size, n), self.compute_dtype) for n in tree.flatten(self.state_size)]

    def initial_state_for(self, input_shape: Shape) -> Any:
        """Returns the initial states for the inputs of one step, which may set their sizes."""
        return self.get_initial_state(batch_size=input_shape[0])

    def call(self, inputs: Nested, states: Nested, training: bool = False) -> Nested:
        """Returns the output of one time step, and the next states in the structure of `states`."""
        output, new = self.make_step(shape_of(inputs), training)(inputs, states)
        return output, new if tree.is_nested(states) else new[0]

    def make_step(self, input_shape: Shape, training: bool) -> Step:
        """Returns the step function, with the same dropout masks at each time step."""
        drop = self.draw_dropout_masks(input_shape, training)
        return lambda inputs, states: self.step(
            self.input_projection(inputs, drop.inputs), tree.flatten(states), drop.states
        )

    def input_projection(self, inputs: Tensor, dropout_mask: Tensor | None = None) -> Any:
        """Returns the part of the gates that inputs of one or all steps (time first) contribute."""
        raise missing_method(self, "input_projection()")

    def step(self, projected: Tensor, states: list[Any], dropout_mask: Tensor | None = None) -> Any:
        """Returns the output and the next states, from the projected inputs of one time step."""
        raise missing_method(self, "step()")

    def run_fused(
        self, sequences: Tensor, states: list[Any], go_backwards: bool, mask: Tensor | None = None
    ) -> Any:
        """Runs a sequence as one op. Returns all outputs and the last states."""
        raise missing_method(self, "run_fused()")

    def draw_dropout_masks(self, input_shape: Shape, training: bool) -> DropoutMasks:
        """Draws dropout masks of the inputs and of the output of a step, several in one tensor.

        Args:
            input_shape: The shape of the inputs of one step.
            training: Whether to draw any.
        """
        if not training:
            return DropoutMasks()

        def mask(rate: float, shape: Any) -> Any:
            if not rate:
                return None
            number = self.gates if self.implementation == 1 else 1
            whole = ones((number, *shape), self.compute_dtype)
            return dropout(whole, rate, seed=self.seed_generator)

        inputs, state = self._dropout_shapes(input_shape)
        return DropoutMasks(mask(self.dropout, inputs), mask(self.recurrent_dropout, state))

    def _dropout_shapes(self, input_shape: Shape) -> tuple[Shape, Shape]:
        """Returns the shapes of the inputs and of the output of a step."""
        raise missing_method(self, "_dropout_shapes()")


class DenseCell(Cell):
    """Base class of the built-in cells of `units` units, whose weights are matrices."""

    def __init__(self, units: int, *args: Any, **kwargs: Unpack[CellOptions]):
        super().__init__(*args, **kwargs)
        self.units = self.output_size = positive_int(self, "units", units)
        self.state_size = units

    def build(self, input_shape: Shape) -> None:
        """Creates the kernels and the bias."""
        self._add_weights((), static_dim(input_shape, -1, self), self.units)

    def _dropout_shapes(self, input_shape: Shape) -> tuple[Shape, Shape]:
        batch_size = input_shape[0]
        return (batch_size, self.kernel.shape[0]), (batch_size, self.units)


def gated_product(
    product: Callable[..., Tensor], x: Any, kernel: Any, dropout_mask: Any, axis: int = -1
) -> Any:
    """Returns `product(x, kernel)`, where for each gate (or for all alike) some of `x` is dropped.

    Args:
        product: A matrix product or a convolution.
        x: The inputs, or the previous output.
        kernel: The weights of all gates, along the last axis.
        dropout_mask: One dropout mask, or one for each gate, along the first axis; or None.
        axis: The axis of the gates in the result.
    """
    if dropout_mask is None:
        return product(x, kernel)
    masks = dropout_mask.shape[0]
    if masks == 1:
        return product(multiply(x, dropout_mask[0]), kernel)
    parts = enumerate(split(kernel, masks, axis=-1))
    products = [product(multiply(x, dropout_mask[i]), part) for i, part in parts]
    return concatenate(products, axis=axis)


def gated_matmul(x: Any, kernel: Any, dropout_mask: Any) -> Any:
    """`x @ kernel`, where for each gate (or for all alike) some elements of `x` are dropped."""
    return gated_product(matmul, x, kernel, dropout_mask)
