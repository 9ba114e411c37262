"""Grouped-query attention."""

from typing import Unpack

from keras_fn.errors import SpecError
from keras_fn.layers._arguments import argument_error, positive_int
from keras_fn.layers._options import NamedLayerOptions
from keras_fn.layers.attention.base_multi_head_attention import BaseMultiHeadAttention
from keras_fn.layers.regularization.dropout import Dropout
from keras_fn.types import (
    ConstraintLike,
    InitializerLike,
    RegularizerLike,
    Shape,
)


class GroupedQueryAttention(BaseMultiHeadAttention):
    """Grouped-query attention: multi-head attention whose heads share keys and values in groups.

    `num_query_heads // num_key_value_heads` adjacent heads of the query have the key and the value
    of one head. With one head of keys and values it is multi-query attention, with as many as heads
    of the query, `MultiHeadAttention`. Public as `GroupQueryAttention`.

    Args:
        head_dim: Size of each head.
        num_query_heads: Number of heads of the query.
        num_key_value_heads: Number of heads of key and value, which divides `num_query_heads`.
        dropout: Fraction of the attention weights that are dropped in training.
        use_bias: Whether the projections add a bias.
        sliding_window: How many positions a target sees to each side, itself included: sources at
            a distance of `sliding_window` or more are masked. None for all.
        flash_attention: True requires flash attention, False disables it; by default the backend
            chooses, while `keras.config.is_flash_attention_enabled()`.
        kernel_initializer: Initializer for the kernels of the projections.
        bias_initializer: Initializer for their biases.
        kernel_regularizer: Regularizer applied to their kernels.
        bias_regularizer: Regularizer applied to their biases.
        activity_regularizer: Regularizer applied to the output of each projection.
        kernel_constraint: Constraint applied to their kernels after each update.
        bias_constraint: Constraint applied to their biases after each update.
        use_gate: Whether a sigmoid of another projection of the query multiplies the values of the
            heads before they are projected.
        seed: An integer, for reproducible dropout.

    Call arguments:
        query: Tensor of shape `(batch, targets, features)`.
        value: Tensor of shape `(batch, sources, features)`.
        key: Tensor of shape `(batch, sources, features)`; `value` by default.
        query_mask: Booleans of shape `(batch, targets)`; by default the mask of `query`.
        value_mask: Booleans of shape `(batch, sources)`; by default the mask of `value`.
        key_mask: Booleans of shape `(batch, sources)`; by default the mask of `key`.
        attention_mask: Booleans that broadcast to `(batch, heads, targets, sources)`, or without
            the axis of heads, or only `(targets, sources)`.
        return_attention_scores: Whether to return the attention weights, too, of shape
            `(batch, heads, targets, sources)`.
        training: Whether to run in training mode, with dropout.
        use_causal_mask: Whether a target attends only to the sources up to its own position.

    Output shape:
        `(batch, targets, features)`, the shape of the query.

    Raises:
        ValueError: An argument is invalid, or shapes do not fit each other.

    Example:
        >>> layer = keras.layers.GroupQueryAttention(8, num_query_heads=4, num_key_value_heads=2)
        >>> x = keras.Input((5, 16))
        >>> layer(x, x, use_causal_mask=True).shape, layer.count_params()
        ((None, 5, 16), 1616)

    References:
        Ainslie et al., "GQA: Training Generalized Multi-Query Transformer Models from Multi-Head
        Checkpoints", 2023. https://arxiv.org/abs/2305.13245
    """

    def __init__(
        self,
        head_dim: int,
        num_query_heads: int,
        num_key_value_heads: int,
        dropout: float = 0.0,
        use_bias: bool = True,
        sliding_window: int | None = None,
        flash_attention: bool | None = None,
        kernel_initializer: InitializerLike | None = "glorot_uniform",
        bias_initializer: InitializerLike | None = "zeros",
        kernel_regularizer: RegularizerLike | None = None,
        bias_regularizer: RegularizerLike | None = None,
        activity_regularizer: RegularizerLike | None = None,
        kernel_constraint: ConstraintLike | None = None,
        bias_constraint: ConstraintLike | None = None,
        use_gate: bool = False,
        seed: int | None = None,
        **kwargs: Unpack[NamedLayerOptions],
    ):
        super().__init__(**kwargs)
        self.head_dim = positive_int(self, "head_dim", head_dim)
        self.num_query_heads = self._heads = positive_int(self, "num_query_heads", num_query_heads)
        groups = positive_int(self, "num_key_value_heads", num_key_value_heads)
        self.num_key_value_heads = groups
        if num_query_heads % groups:
            raise argument_error(
                self,
                "num_key_value_heads",
                f"a divisor of num_query_heads={num_query_heads}",
                groups,
                "for example num_key_value_heads=1",
            )
        self._head_groups = num_query_heads // groups
        self._set_arguments(dropout, use_bias, sliding_window, flash_attention, use_gate, seed)
        self._set_weight_specs(
            (kernel_initializer, kernel_regularizer, kernel_constraint),
            (bias_initializer, bias_regularizer, bias_constraint),
            activity_regularizer,
        )
        self._scale = self.head_dim**-0.5

    def build(self, query_shape: Shape, value_shape: Shape, key_shape: Shape | None = None) -> None:
        """Creates the projections.

        Args:
            query_shape: The shape of `query`.
            value_shape: The shape of `value`.
            key_shape: The shape of `key`; that of `value` by default.
        """
        key_shape = self._check_build(query_shape, value_shape, key_shape)
        queries = (self.num_query_heads, self.head_dim)
        keys = (self.num_key_value_heads, self.head_dim)
        self._query_dense = self._project("query", "bqm,muh->bquh", queries, query_shape)
        self._key_dense = self._project("key", "bkm,mvh->bkvh", keys, key_shape)
        if self.use_gate:
            self._gate_dense = self._project("gate", "bqm,muh->bquh", queries, query_shape)
        self._value_dense = self._project("value", "bkm,mvh->bkvh", keys, value_shape)
        if self.dropout > 0:
            self._dropout_layer = Dropout(self.dropout, dtype=self.dtype_policy, seed=self.seed)
        heads, outputs = (*query_shape[:-1], *queries), query_shape[-1:]
        self._output_dense = self._project("attention_output", "bquh,uhm->bqm", outputs, heads)

    def _check_shapes(self, query: Shape, value: Shape, key: Shape) -> None:
        super()._check_shapes(query, value, key)
        if len(query) != 3:
            raise SpecError(
                self._label,
                expected="tensors of rank 3: (batch, time, features)",
                received=f"query {tuple(query)}",
                fix="reshape them, or use MultiHeadAttention with attention_axes",
            )
