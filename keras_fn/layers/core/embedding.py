"""Embedding: a lookup table of trainable vectors."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Unpack, cast as cast_type

from keras_fn._lazy import LazyModule
from keras_fn.core.sparse import is_sparse
from keras_fn.core.variable import Variable
from keras_fn.layers._arguments import add_weight_from_spec, positive_int, set_weight_spec
from keras_fn.layers._lora import BaseWeight, EffectiveWeight
from keras_fn.layers._options import EmbeddingOptions
from keras_fn.layers._quantizable_layer import QuantizableLayer
from keras_fn.ops.core import cast, densify, dtype as dtype_of
from keras_fn.ops.indexing import take
from keras_fn.ops.logic import logical_and, not_equal
from keras_fn.types import (
    ConstraintLike,
    InitializerLike,
    Nested,
    RegularizerLike,
    Shape,
    Tensor,
    TensorLike,
)

if TYPE_CHECKING:
    from keras_fn.layers import _quantized_weights as quantized_weights
    from keras_fn.layers._quantized_weights import WeightLayout
    from keras_fn.quantizers import QuantizationConfig
else:  # rarely needed
    quantized_weights = LazyModule("keras_fn.layers._quantized_weights")


class Embedding(QuantizableLayer):
    """Embedding layer: a trainable vector for each integer, row `i` of a table for the input `i`.

    Args:
        input_dim: Size of the vocabulary: the largest input plus 1.
        output_dim: Size of the vectors.
        embeddings_initializer: Initializer for the table.
        embeddings_regularizer: Regularizer applied to the table.
        embeddings_constraint: Constraint applied to the table after each update.
        mask_zero: Whether the input 0 is padding, to be masked.
        weights: Initial values of the table, an array of shape `(input_dim, output_dim)`.
        lora_rank: Rank of the low-rank adaptation (LoRA): the table is frozen, and an update of it
            is trained that is the product of two thin matrices. None: no adaptation. See
            `enable_lora`.
        lora_alpha: The update is scaled by `lora_alpha / lora_rank`. By default `lora_rank`.
        quantization_config: The quantization config of a layer whose dtype policy is quantized,
            such as `keras.quantizers.Int8QuantizationConfig()`. `quantize` sets it.
        **kwargs: Arguments of `Layer`; `input_length`, as in Keras 2: the length of the sequences,
            where the layer is the first one of a `Sequential` model.

    Input shape:
        Integers of any shape; floats are truncated.

    Output shape:
        A tensor of the shape of the input, with an axis of size `output_dim` appended.

    Raises:
        ValueError: A size is not a positive integer, or `weights` has another shape.

    Example:
        >>> table = np.array([[0.0, 0.5], [1.0, 1.5]], "float32")
        >>> convert_to_numpy(keras.layers.Embedding(2, 2, weights=table)(np.array([1, 0]))).tolist()
        [[1.0, 1.5], [0.0, 0.5]]
    """

    _quantization_modes = ("int8", "int4")
    embeddings: Variable = cast_type(Any, EffectiveWeight("embeddings"))
    _embeddings: Variable = cast_type(Any, BaseWeight("embeddings"))
    _adapted_weight: ClassVar[str] = "embeddings"
    _not_in_config = frozenset({"weights"})
    _passes_masks = True  # of samples of unequal lengths, with other integers for padding
    _written_when_none = frozenset({"activity_regularizer"})

    def __init__(
        self,
        input_dim: int,
        output_dim: int,
        embeddings_initializer: InitializerLike | None = "uniform",
        embeddings_regularizer: RegularizerLike | None = None,
        embeddings_constraint: ConstraintLike | None = None,
        mask_zero: bool = False,
        weights: TensorLike | Sequence[TensorLike] | None = None,
        lora_rank: int | None = None,
        lora_alpha: float | None = None,
        quantization_config: "QuantizationConfig | dict[str, Any] | None" = None,
        **kwargs: Unpack[EmbeddingOptions],
    ):
        length = kwargs.pop("input_length", None)
        if length is not None:
            kwargs["input_shape"] = (length,)
        super().__init__(**kwargs)
        self.input_dim = positive_int(self, "input_dim", input_dim)
        self.output_dim = positive_int(self, "output_dim", output_dim)
        set_weight_spec(
            self,
            "embeddings",
            embeddings_initializer,
            embeddings_regularizer,
            embeddings_constraint,
        )
        self._set_lora(lora_rank, lora_alpha)
        self._set_quantization_config(quantization_config)
        self.mask_zero = self.supports_masking = mask_zero
        self.autocast = False  # half-precision floats represent few integers exactly
        if weights is not None:
            self.build()
            self.set_weights(weights if isinstance(weights, list) else [weights])

    def build(self, input_shape: Shape | None = None) -> None:
        """Creates the table."""
        if not self.built:
            shape = (self.input_dim, self.output_dim)
            if self._build_quantized(shape):
                # Rows are cast after they are taken: the table is larger than they are.
                self.embeddings = add_weight_from_spec(self, "embeddings", shape, autocast=False)
            self.built = True
            self._start_lora()

    def call(self, inputs: Tensor) -> Tensor:
        """Returns the vectors of the integers."""
        if dtype_of(inputs) not in ("int32", "int64"):
            inputs = cast(inputs, "int32")
        if self._is_adapted:
            return cast(self._multiply_adapted(inputs), self.compute_dtype)
        return cast(take(self.embeddings, inputs, axis=0), self.compute_dtype)

    def _multiply(self, inputs: Any, weight: Any) -> Tensor:
        return take(weight, inputs, axis=0)

    def _multiply_base(self, inputs: Any) -> Tensor:
        quantized = self._quantized
        return super()._multiply_base(inputs) if quantized is None else quantized.look_up(inputs)

    def _weight_layouts(self, shape: Shape) -> "dict[str, WeightLayout]":
        layout = quantized_weights.WeightLayout(cast_type(Any, shape), "vd", "v", is_table=True)
        return {"embeddings": layout}

    @property
    def _makes_masks(self) -> bool:
        return super()._makes_masks and (
            self.mask_zero or type(self).compute_mask is not Embedding.compute_mask
        )

    def compute_mask(self, inputs: Nested, mask: Nested = None) -> Nested:
        """Returns the mask of the input; with `mask_zero`, it is False at zeros too."""
        if not self.mask_zero:
            return mask
        own = not_equal(densify(inputs) if is_sparse(inputs) else inputs, 0)
        return own if mask is None else logical_and(own, mask)
