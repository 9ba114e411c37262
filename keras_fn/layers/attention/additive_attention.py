"""Additive attention."""

from typing import Any, Unpack

from keras_fn.layers._options import LayerOptions
from keras_fn.layers._shapes import static_dim
from keras_fn.layers.attention.attention import Attention
from keras_fn.ops.arithmetic import add, multiply
from keras_fn.ops.manipulation import expand_dims
from keras_fn.ops.reductions import sum
from keras_fn.ops.trigonometric import tanh


class AdditiveAttentionOptions(LayerOptions, total=False):
    """Keyword arguments of `AdditiveAttention`."""

    seed: int | None


class AdditiveAttention(Attention):
    """Additive attention (Bahdanau): each target is a mean of the sources, weighted by a softmax.

    The score of a target and a source is the sum of `scale * tanh(query + key)` over the features.

    Args:
        use_scale: Whether `scale` is a trainable vector. By default True; False: it is 1.
        dropout: Fraction of the attention weights that are dropped in training.
        **kwargs: Arguments of `Layer`; `seed`: an integer, for reproducible dropout.

    Call arguments:
        inputs: A list of `query`, of shape `(batch, targets, features)`, `value`, of shape
            `(batch, sources, value_features)`, and optionally `key`, of shape
            `(batch, sources, features)`; by default it is `value`.
        mask: A list of two masks, or None for one: see `Attention`.
        return_attention_scores: Whether to return the attention weights, too, of shape
            `(batch, targets, sources)`.
        training: Whether to run in training mode, with dropout.
        use_causal_mask: Whether a target attends only to the sources up to its own position.

    Output shape:
        `(batch, targets, value_features)`. A target without any source is the mean of all.

    Raises:
        ValueError: An argument is invalid, or the inputs are not such a list.

    Example:
        >>> query, value = keras.Input((5, 8)), keras.Input((7, 8))
        >>> keras.layers.AdditiveAttention()([query, value]).shape
        (None, 5, 8)

    References:
        Bahdanau et al., "Neural Machine Translation by Jointly Learning to Align and Translate",
        2015. https://arxiv.org/abs/1409.0473
    """

    _not_in_config = frozenset({"score_mode"})
    _scores_by_product = False

    def __init__(
        self,
        use_scale: bool = True,
        dropout: float = 0.0,
        **kwargs: Unpack[AdditiveAttentionOptions],
    ):
        super().__init__(use_scale=use_scale, dropout=dropout, **kwargs)

    def _add_scale(self, input_shape: Any) -> None:
        if self.use_scale:
            size = static_dim(input_shape[0], -1, self)
            self.scale = self.add_weight((size,), "glorot_uniform", name="scale")

    def _calculate_scores(self, query: Any, key: Any) -> Any:
        """Scores of shape `(batch, targets, sources)`."""
        terms = tanh(add(expand_dims(query, -2), expand_dims(key, -3)))
        return sum(terms if self.scale is None else multiply(terms, self.scale), -1)
