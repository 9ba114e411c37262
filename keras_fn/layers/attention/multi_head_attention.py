"""Multi-head attention."""

from collections.abc import Sequence
from string import ascii_lowercase
from typing import Any, Unpack

from keras_fn.errors import SpecError
from keras_fn.layers._arguments import argument_error, is_int_at_least, positive_int
from keras_fn.layers._options import NamedLayerOptions
from keras_fn.layers.attention.base_multi_head_attention import BaseMultiHeadAttention
from keras_fn.layers.core.einsum_dense import EinsumDense
from keras_fn.layers.regularization.dropout import Dropout
from keras_fn.types import (
    ConstraintLike,
    InitializerLike,
    RegularizerLike,
    Shape,
)


class MultiHeadAttention(BaseMultiHeadAttention):
    """Multi-head attention: each target is a weighted mean of the sources, for each head.

    Query, key and value are projected to `num_heads` heads. The weights of a head are the softmax
    of the products of query and key, scaled by `1 / sqrt(key_dim)`. The weighted sums of the values
    of all heads are projected to the output. Where no weights are dropped or returned, one fused
    kernel of the framework computes them, masked or not.

    Args:
        num_heads: Number of heads.
        key_dim: Size of each head of query and key.
        value_dim: Size of each head of the value; `key_dim` by default.
        dropout: Fraction of the attention weights that are dropped in training.
        use_bias: Whether the projections add a bias.
        output_shape: Size of the output, or a tuple of sizes that replaces the last axis. By
            default that of the query.
        attention_axes: The axes that attention is over: by default all between the batch and the
            features. The others are like that of the batch.
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
            the axis of heads, or only `(targets, sources)`. A source is attended to where all masks
            are True.
        return_attention_scores: Whether to return the attention weights, too, of shape
            `(batch, heads, targets, sources)`.
        training: Whether to run in training mode, with dropout.
        use_causal_mask: Whether a target attends only to the sources up to its own position.

    Output shape:
        `(batch, targets, features)`, of the query, or as `output_shape` says. For a target without
        any source, the values have the mean of all sources; they are 0 in layers with dropout or
        several attention axes, and where the weights are returned, which are 0, too.

    Raises:
        ValueError: An argument is invalid, or shapes do not fit each other.

    Example:
        >>> layer = keras.layers.MultiHeadAttention(num_heads=2, key_dim=8)
        >>> target, source = keras.Input((5, 16)), keras.Input((7, 12))
        >>> y, weights = layer(target, source, return_attention_scores=True)
        >>> y.shape, weights.shape
        ((None, 5, 16), (None, 2, 5, 7))

    References:
        Vaswani et al., "Attention Is All You Need", 2017. https://arxiv.org/abs/1706.03762
        Beltagy et al., "Longformer", 2020 (sliding window). https://arxiv.org/abs/2004.05150
        Qiu et al., "Gated Attention for Large Language Models", 2025.
        https://arxiv.org/abs/2505.06708
    """

    def __init__(
        self,
        num_heads: int,
        key_dim: int,
        value_dim: int | None = None,
        dropout: float = 0.0,
        use_bias: bool = True,
        output_shape: int | Sequence[int] | None = None,
        attention_axes: int | Sequence[int] | None = None,
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
        self.num_heads = self._heads = positive_int(self, "num_heads", num_heads)
        self.key_dim = positive_int(self, "key_dim", key_dim)
        value_dim = key_dim if value_dim is None else value_dim
        self.value_dim = positive_int(self, "value_dim", value_dim)
        self._set_arguments(dropout, use_bias, sliding_window, flash_attention, use_gate, seed)
        self._set_weight_specs(
            (kernel_initializer, kernel_regularizer, kernel_constraint),
            (bias_initializer, bias_regularizer, bias_constraint),
            activity_regularizer,
        )
        self._output_shape = _to_tuple(self, "output_shape", output_shape, 1)
        self.attention_axes = _to_tuple(self, "attention_axes", attention_axes, None)
        self._scale = self.key_dim**-0.5

    def build(self, query_shape: Shape, value_shape: Shape, key_shape: Shape | None = None) -> None:
        """Creates the projections.

        Args:
            query_shape: The shape of `query`.
            value_shape: The shape of `value`.
            key_shape: The shape of `key`; that of `value` by default.
        """
        key_shape = self._check_build(query_shape, value_shape, key_shape)
        rank, sizes = len(query_shape), (self.num_heads, self.key_dim)
        self._axes = self.attention_axes = self._resolved_axes(rank)
        letters = ascii_lowercase[: rank + 2]
        free, features, new = letters[: rank - 1], letters[rank - 1], letters[rank:]
        equation = f"{free}{features},{features}{new}->{free}{new}"
        values = (self.num_heads, self.value_dim)
        self._query_dense = self._project("query", equation, sizes, query_shape)
        self._key_dense = self._project("key", equation, sizes, key_shape)
        if self.use_gate:
            self._gate_dense = self._project("gate", equation, values, query_shape)
        self._value_dense = self._project("value", equation, values, value_shape)
        if self.dropout > 0:
            self._dropout_layer = Dropout(self.dropout, dtype=self.dtype_policy, seed=self.seed)
        outputs = self._output_sizes(query_shape)
        new = ascii_lowercase[rank + 1 : rank + 1 + len(outputs)]
        equation = f"{letters[:-1]},{letters[rank - 1 : -1]}{new}->{free}{new}"
        heads = (*query_shape[:-1], *values)
        self._output_dense = self._project("attention_output", equation, outputs, heads)

    def _resolved_axes(self, rank: int) -> tuple[int, ...]:
        axes: Any = self.attention_axes
        if axes is None:
            return tuple(range(1, rank - 1))
        resolved = tuple(axis + rank if axis < 0 else axis for axis in axes)
        if not all(0 < axis < rank - 1 for axis in resolved) or len({*resolved}) != len(resolved):
            raise SpecError(
                self._label,
                expected=f"attention_axes from 1 to {rank - 2}: not those of batch and features",
                received=f"attention_axes={axes}",
                fix="count the axis of the batch, too",
            )
        return resolved

    def _output_sizes(self, query_shape: Shape) -> tuple[int | None, ...]:
        return self._output_shape or query_shape[-1:]

    @property
    def query_dense(self) -> EinsumDense:
        """The projection of the query."""
        return self._query_dense

    @property
    def key_dense(self) -> EinsumDense:
        """The projection of the key."""
        return self._key_dense

    @property
    def value_dense(self) -> EinsumDense:
        """The projection of the value."""
        return self._value_dense

    @property
    def output_dense(self) -> EinsumDense:
        """The projection to the output."""
        return self._output_dense

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments of the constructor, as plain values."""
        return {**super().get_config(), "output_shape": self._output_shape}


def _to_tuple(layer: Any, name: str, value: Any, minimum: int | None) -> tuple[int, ...] | None:
    """Returns one integer, or several, as a tuple; None for none."""
    values = (value,) if isinstance(value, int) else value
    if values is None or (isinstance(values, (list, tuple)) and not values):
        return None
    is_sequence = isinstance(values, (list, tuple))
    if is_sequence and all(
        is_int_at_least(v, minimum) if minimum else isinstance(v, int) for v in values
    ):
        return tuple(values)
    fix = f"for example {name}=({minimum or 1},)"
    raise argument_error(layer, name, "an integer, or a tuple of them", value, fix)
