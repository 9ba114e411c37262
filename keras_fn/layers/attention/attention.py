"""Dot-product attention."""

from typing import Any, Unpack

from keras_fn.core import masking, tree
from keras_fn.core.shapes import is_compatible
from keras_fn.errors import SpecError
from keras_fn.layers._arguments import check_seed, fraction, one_of
from keras_fn.layers._options import LayerOptions
from keras_fn.layers._shapes import static_dim
from keras_fn.layers.layer import Layer
from keras_fn.ops.activations import softmax
from keras_fn.ops.arithmetic import add, multiply
from keras_fn.ops.attention import MASKED_LOGIT, band_mask, fused_attention, softmax_dtype
from keras_fn.ops.core import cast, dtype as dtype_of
from keras_fn.ops.linalg.products import matmul
from keras_fn.ops.logic import logical_and, where
from keras_fn.ops.manipulation import expand_dims, squeeze, swapaxes
from keras_fn.ops.reductions import sum
from keras_fn.ops.trigonometric import tanh
from keras_fn.random import SeedGenerator, dropout as drop
from keras_fn.settings import settings
from keras_fn.types import Nested


class Attention(Layer):
    """Dot-product attention (Luong): each target is a mean of the sources, weighted by a softmax.

    The score of a target and a source is the product of query and key, without the factor
    `1 / sqrt(features)` of `MultiHeadAttention`. Where no weights are dropped or returned, one
    fused kernel of the framework computes the result.

    Args:
        use_scale: Whether a trainable number multiplies the scores.
        score_mode: `"dot"`: the product of query and key. `"concat"`: the sum of
            `tanh(query + key)`, times a trainable number.
        dropout: Fraction of the attention weights that are dropped in training.
        seed: An integer, for reproducible dropout.

    Call arguments:
        inputs: A list of `query`, of shape `(batch, targets, features)`, `value`, of shape
            `(batch, sources, value_features)`, and optionally `key`, of shape
            `(batch, sources, features)`; by default it is `value`.
        mask: A list of two masks, or None for one. Outputs are 0 where that of the query, of shape
            `(batch, targets)`, is False. Sources are not attended to where that of the value, of
            shape `(batch, sources)`, is False. By default the masks of the inputs.
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
        >>> keras.layers.Attention()([query, value]).shape
        (None, 5, 8)

    References:
        Luong et al., "Effective Approaches to Attention-based Neural Machine Translation", 2015.
        https://arxiv.org/abs/1508.04025
    """

    scale: Any = None
    concat_score_weight: Any = None
    _scores_by_product = True  # whether the scores may be the product of query and key

    def __init__(
        self,
        use_scale: bool = False,
        score_mode: str = "dot",
        dropout: float = 0.0,
        seed: int | None = None,
        **kwargs: Unpack[LayerOptions],
    ):
        super().__init__(**kwargs)
        self.use_scale, self.seed = use_scale, check_seed(self, seed)
        self.score_mode = one_of(self, "score_mode", score_mode, ("dot", "concat"))
        self.dropout = fraction(self, "dropout", dropout)
        self.supports_masking = True
        if dropout > 0:
            self.seed_generator = SeedGenerator(seed)

    def build(self, input_shape: Any) -> None:
        """Creates the trainable numbers of the scores."""
        self._check_shapes(input_shape)
        self._add_scale(input_shape)
        if self.score_mode == "concat":
            self.concat_score_weight = self.add_weight((), "ones", name="concat_score_weight")

    def _add_scale(self, input_shape: Any) -> None:
        del input_shape
        if self.use_scale:
            self.scale = self.add_weight((), "ones", name="scale")

    def _check_shapes(self, shapes: Any) -> None:
        """Checks the shapes of the inputs: a list of two or three."""
        is_list = isinstance(shapes, (list, tuple)) and len(shapes) in (2, 3)
        if not is_list or not all(isinstance(shape, (list, tuple)) for shape in shapes):
            raise SpecError(
                self._label,
                expected="a list of inputs: [query, value], or [query, value, key]",
                received=f"shapes {shapes}",
                fix="for self-attention pass the tensor twice: layer([x, x])",
            )
        query, value, key = (*shapes, shapes[1])[:3]
        fits = (
            len(query) >= 2
            and len(value) == len(key) == len(query)
            and is_compatible((*query[:-2], query[-1]), (*key[:-2], key[-1]))
            and is_compatible(tuple(key[:-1]), tuple(value[:-1]))
        )
        if not fits:
            raise SpecError(
                self._label,
                expected="query and key with equally many features, value and key of equal length: "
                "(batch, targets, features), (batch, sources, value_features), "
                "(batch, sources, features)",
                received=", ".join(str(tuple(shape)) for shape in shapes),
                fix="project them to the same size, or pass a key",
            )
        static_dim(value, -1, self)

    def _check_masks(self, inputs: Any, mask: Any) -> tuple[Any, Any]:
        """Returns the masks of query and value, as booleans."""
        if mask is None:
            return None, None
        if not isinstance(mask, (list, tuple)) or len(mask) not in (2, 3):
            raise SpecError(
                self._label,
                expected="a list of masks: [query_mask, value_mask]",
                received=f"mask={mask!r}"[:200],
                fix="pass None for a mask that there is not",
            )
        for x, one in zip(inputs, mask, strict=False):
            if one is not None and not is_compatible(tuple(one.shape), tuple(x.shape[:-1])):
                raise SpecError(
                    self._label,
                    expected=f"a mask of shape {tuple(x.shape[:-1])}",
                    received=f"shape {tuple(one.shape)}",
                    fix="pass booleans of shape (batch, time)",
                )
        query_mask, value_mask = (None if m is None else cast(m, "bool") for m in mask[:2])
        return query_mask, value_mask

    def call(
        self,
        inputs: Any,
        mask: Any = None,
        training: bool = False,
        return_attention_scores: bool = False,
        use_causal_mask: bool = False,
    ) -> Nested:
        """Returns the outputs, with `return_attention_scores` also the attention weights."""
        self._check_shapes([tuple(x.shape) for x in inputs] if _is_list(inputs) else inputs)
        query, value, key = (*inputs, inputs[1])[:3]
        query_mask, value_mask = self._check_masks(inputs, mask)
        drops = training and self.dropout > 0
        by_product = self._scores_by_product and self.score_mode == "dot"
        weights = None
        if by_product and len(query.shape) == 3 and not (drops or return_attention_scores):
            outputs = self._attend(query, key, value, value_mask, use_causal_mask)
        else:
            weights = self._attention_weights(query, key, value_mask, use_causal_mask)
            dropped = drop(weights, self.dropout, seed=self.seed_generator) if drops else weights
            outputs = matmul(dropped, value)
        if query_mask is not None:
            outputs = where(expand_dims(query_mask, -1), outputs, 0.0)
        return (outputs, weights) if return_attention_scores else outputs

    def _attend(self, query: Any, key: Any, value: Any, mask: Any, is_causal: bool) -> Any:
        """Fused attention of a single head."""
        query = query if self.scale is None else multiply(query, self.scale)
        query, key, value = (expand_dims(x, 2) for x in (query, key, value))
        mask = None if mask is None else expand_dims(mask, (1, 2))
        flash = None if settings.flash_attention else False
        outputs = fused_attention(query, key, value, None, mask, 1.0, bool(is_causal), flash)
        return squeeze(outputs, 2)

    def _attention_weights(self, query: Any, key: Any, mask: Any, is_causal: bool) -> Any:
        """Attention weights; the softmax of half precision is computed in float32."""
        scores = self._calculate_scores(query, key)
        dtype = dtype_of(scores)
        scores = cast(scores, softmax_dtype(dtype))
        mask = None if mask is None else expand_dims(mask, -2)
        if is_causal:
            earlier = band_mask(query, key, len(query.shape) - 2, True, None)
            mask = earlier if mask is None else logical_and(mask, earlier)
        if mask is not None:
            scores = where(mask, scores, MASKED_LOGIT)
        return cast(softmax(scores, -1), dtype)

    def _calculate_scores(self, query: Any, key: Any) -> Any:
        """Scores of shape `(batch, targets, sources)`; subclasses may override it."""
        if self.score_mode == "dot":
            query = query if self.scale is None else multiply(query, self.scale)
            return matmul(query, swapaxes(key, -2, -1))
        terms = add(expand_dims(query, -2), expand_dims(key, -3))
        terms = terms if self.scale is None else multiply(terms, self.scale)
        return multiply(sum(tanh(terms), -1), self.concat_score_weight)

    def compute_mask(self, inputs: Nested, mask: Nested = None) -> Nested:
        """Returns the mask of the query."""
        return None if mask is None else self._check_masks(inputs, mask)[0]

    def _propagate_masks(self, outputs: Any, first: Any, masks: dict[str, Any]) -> None:
        """Gives the outputs the mask of the query; the attention weights have none."""
        mask = self.compute_mask(first, masks.get("inputs"))
        if mask is not None:
            masking.set_mask(tree.flatten(outputs)[0], mask)


def _is_list(inputs: Any) -> bool:
    return isinstance(inputs, (list, tuple))
