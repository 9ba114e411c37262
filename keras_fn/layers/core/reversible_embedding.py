"""Embedding that also projects back to its vocabulary."""

from typing import TYPE_CHECKING, Any, Unpack

from keras_fn._lazy import LazyModule
from keras_fn.core import masking
from keras_fn.core.dtypes import is_float, standardize_dtype
from keras_fn.core.operation import infer_spec
from keras_fn.errors import SpecError
from keras_fn.layers._arguments import argument_error
from keras_fn.layers._options import EmbeddingOptions
from keras_fn.layers._signature import follows_call
from keras_fn.layers.core.embedding import Embedding
from keras_fn.ops.arithmetic import add, divide, multiply
from keras_fn.ops.core import cast, dtype as dtype_of
from keras_fn.ops.dense import int8_matmul
from keras_fn.ops.linalg.products import matmul
from keras_fn.ops.manipulation import transpose
from keras_fn.ops.trigonometric import tanh
from keras_fn.types import (
    ConstraintLike,
    DTypeLike,
    InitializerLike,
    Nested,
    RegularizerLike,
    Shape,
    Tensor,
)

if TYPE_CHECKING:
    from keras_fn import quantizers
    from keras_fn.layers import _quantized_weights as quantized_weights
    from keras_fn.layers._quantized_weights import WeightLayout
else:  # rarely needed
    quantizers = LazyModule("keras_fn.quantizers")
    quantized_weights = LazyModule("keras_fn.layers._quantized_weights")


class ReversibleEmbedding(Embedding):
    """Embedding layer that also runs in reverse: from vectors to the logits of a vocabulary.

    The reverse projection multiplies by the transpose of the table (tied weights), or by a kernel
    of its own.

    Args:
        input_dim: Size of the vocabulary: the largest input plus 1.
        output_dim: Size of the vectors.
        tie_weights: Whether the reverse projection uses the table.
        embeddings_initializer: Initializer for the table, and for the kernel of the projection.
        embeddings_regularizer: Regularizer applied to the table.
        embeddings_constraint: Constraint applied to the table after each update.
        mask_zero: Whether the input 0 is padding, to be masked.
        reverse_dtype: Dtype of the reverse projection; the compute dtype by default.
        logit_soft_cap: Bounds the logits by `cap * tanh(logits / cap)`. None for no bound.
        **kwargs: Arguments of `Embedding`.

    Call arguments:
        inputs: Integers of any shape; in reverse, vectors of shape `(..., output_dim)`.
        reverse: Whether to project vectors to logits.

    Output shape:
        The shape of the input, with an axis of size `output_dim` appended; in reverse
        `(..., input_dim)`.

    Raises:
        ValueError: A size is not a positive integer, or `logit_soft_cap` not a positive number.

    Example:
        >>> layer = keras.layers.ReversibleEmbedding(10, 4)
        >>> x = layer(np.array([[1, 2, 3]]))
        >>> x.shape == (1, 3, 4), layer(x, reverse=True).shape == (1, 3, 10)
        (True, True)

    References:
        Press and Wolf, "Using the Output Embedding to Improve Language Models", 2017.
        https://arxiv.org/abs/1608.05859
    """

    embeddings_initializer: Any

    def __init__(
        self,
        input_dim: int,
        output_dim: int,
        tie_weights: bool = True,
        embeddings_initializer: InitializerLike | None = "uniform",
        embeddings_regularizer: RegularizerLike | None = None,
        embeddings_constraint: ConstraintLike | None = None,
        mask_zero: bool = False,
        reverse_dtype: DTypeLike | None = None,
        logit_soft_cap: float | None = None,
        **kwargs: Unpack[EmbeddingOptions],
    ):
        super().__init__(
            input_dim,
            output_dim,
            embeddings_initializer,
            embeddings_regularizer,
            embeddings_constraint,
            mask_zero,
            **kwargs,
        )
        self.tie_weights = tie_weights
        self.reverse_dtype = _float_dtype(self, reverse_dtype)
        self.logit_soft_cap = logit_soft_cap
        if logit_soft_cap is not None and not logit_soft_cap > 0:
            raise argument_error(
                self, "logit_soft_cap", "a positive number", logit_soft_cap, "for example 30.0"
            )

    def build(self, input_shape: Shape | None = None) -> None:
        """Creates the table, and the kernel of the reverse projection if it is not tied."""
        if self.built:
            return
        super().build(input_shape)
        if not self.tie_weights and self.quantization_mode is None:
            self.reverse_embeddings = self.add_weight(
                (self.output_dim, self.input_dim),
                self.embeddings_initializer,
                autocast=False,
                name="reverse_embeddings",
            )

    def call(self, inputs: Tensor, reverse: bool = False) -> Tensor:
        """Returns the vectors of the integers; in reverse, the logits of the vectors."""
        if reverse:
            return self._project(inputs)
        outputs = super().call(inputs)
        mask = Embedding.compute_mask(self, inputs, masking.get_mask(inputs))
        if mask is not None:
            masking.set_mask(outputs, mask)
        return outputs

    def _project(self, inputs: Any) -> Tensor:
        if inputs.shape[-1] not in (None, self.output_dim):
            raise SpecError(
                self._label,
                expected=f"vectors of size {self.output_dim} with reverse=True",
                received=f"shape {tuple(inputs.shape)}",
                fix="project them to that size before",
            )
        dtype = self.reverse_dtype or self.compute_dtype
        inputs = cast(inputs, dtype)
        reverse = self._quantized_weights.get("reverse_embeddings", self._quantized)
        if reverse is not None:
            logits = cast(reverse.multiply(inputs), dtype)
        else:
            table = self._embeddings if self.tie_weights else self.reverse_embeddings
            logits = self._product(inputs, cast(table, dtype))
        if self.lora_enabled and self.tie_weights:
            a, b = (transpose(cast(factor, dtype)) for factor in self._factors())
            update = multiply(matmul(matmul(inputs, b), a), self._lora_scale)
            logits = cast(add(logits, update), dtype)
        cap = self.logit_soft_cap
        return logits if cap is None else multiply(tanh(divide(logits, cap)), cap)

    def _product(self, inputs: Any, weight: Any) -> Tensor:
        weight = transpose(weight) if self.tie_weights else weight
        return (int8_matmul if dtype_of(inputs) == "int8" else matmul)(inputs, weight)

    def _product_gradient(self, upstream: Any, weight: Any, inputs: Any) -> Tensor:
        return matmul(upstream, weight if self.tie_weights else transpose(weight))

    def _weight_layouts(self, shape: Shape) -> "dict[str, WeightLayout]":
        layouts = super()._weight_layouts(shape)
        if not self.tie_weights:
            layouts["reverse_embeddings"] = quantized_weights.WeightLayout(
                (self.output_dim, self.input_dim), "dv", "v", packed_axis=0, zero_dtype=None
            )
        return layouts

    @property
    def _default_int4_inputs_quantizer(self) -> Any:
        return quantizers.AbsMaxQuantizer(axis=-1)

    compute_mask = masking.drop_mask  # `call` sets the masks of vectors; logits have none

    @follows_call
    def compute_output_shape(self, input_shape: Shape, reverse: bool = False) -> Shape:
        """Returns the shape of the output.

        Args:
            input_shape: The shape of the input.
            reverse: Whether the layer runs in reverse.
        """
        if reverse:
            return (*input_shape[:-1], self.input_dim)
        return (*input_shape, self.output_dim)

    @follows_call
    def compute_output_spec(self, inputs: Tensor, reverse: bool = False) -> Nested:
        """Returns the shape and dtype of the output, as a KerasTensor.

        Args:
            inputs: The input, as a KerasTensor.
            reverse: Whether the layer runs in reverse.
        """
        return infer_spec(self, (inputs,), {"reverse": reverse})


def _float_dtype(layer: Embedding, dtype: DTypeLike | None) -> str | None:
    try:
        name = None if dtype is None else standardize_dtype(dtype)
    except (ValueError, TypeError):
        name = ""
    if name is None or is_float(name):
        return name
    fix = "for example reverse_dtype='float32'"
    raise argument_error(layer, "reverse_dtype", "a float dtype", dtype, fix)
