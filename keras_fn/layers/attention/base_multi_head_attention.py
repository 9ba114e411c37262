"""Base class of multi-head attention layers."""

from collections.abc import Sequence
from typing import Any

from keras_fn import regularizers
from keras_fn.core import masking, tree
from keras_fn.core.input_spec import InputSpec
from keras_fn.core.operation import infer_spec
from keras_fn.core.shapes import is_compatible
from keras_fn.errors import SpecError, UnsupportedError
from keras_fn.layers._arguments import (
    argument_error,
    check_seed,
    fraction,
    positive_int,
    set_weight_spec,
)
from keras_fn.layers._shapes import static_dim
from keras_fn.layers._signature import follows_call
from keras_fn.layers.core.einsum_dense import EinsumDense
from keras_fn.layers.layer import Layer
from keras_fn.ops._rules import broadcast
from keras_fn.ops.arithmetic import multiply
from keras_fn.ops.attention import (
    attention_equations,
    attention_over_axes,
    attention_weights,
    band_mask,
    drop_unattended,
    fused_attention,
)
from keras_fn.ops.core import cast, dtype as dtype_of
from keras_fn.ops.linalg.products import einsum
from keras_fn.ops.logic import logical_and
from keras_fn.ops.manipulation import expand_dims, repeat, transpose
from keras_fn.settings import settings
from keras_fn.types import Nested, Shape, Tensor


class BaseMultiHeadAttention(Layer):
    """Base class of multi-head attention: projections, masks, and the attention of the heads.

    Subclasses set the sizes of the heads, and build the projections with `_project`.
    """

    _names_inner_errors = True
    _query_dense: Any
    _key_dense: Any
    _value_dense: Any
    _output_dense: Any
    _gate_dense: Any = None
    _dropout_layer: Any = None
    _not_in_config = frozenset({"flash_attention", "output_shape", "activity_regularizer"})
    _axes: tuple[int, ...] = (1,)  # that attention is over
    _scale: float
    _head_groups = 1  # how many heads share a key
    _heads: int

    def _set_arguments(
        self,
        dropout: float,
        use_bias: bool,
        sliding_window: int | None,
        flash_attention: bool | None,
        use_gate: bool,
        seed: int | None,
    ) -> None:
        self.dropout, self.use_bias = fraction(self, "dropout", dropout), use_bias
        self.use_gate, self.seed = use_gate, check_seed(self, seed)
        self.sliding_window = sliding_window
        if sliding_window is not None:
            positive_int(self, "sliding_window", sliding_window)
        self.flash_attention = flash_attention
        if flash_attention and dropout > 0:
            raise argument_error(
                self,
                "flash_attention",
                "None or False with dropout, which flash attention does not support",
                flash_attention,
                "omit flash_attention: it is used where possible; or set dropout=0.0",
            )
        self.supports_masking = True

    def _set_weight_specs(self, kernel: Sequence[Any], bias: Sequence[Any], activity: Any) -> None:
        """Sets initializers, regularizers and constraints of the projections."""
        set_weight_spec(self, "kernel", *kernel)
        set_weight_spec(self, "bias", *bias)
        self._projection_regularizer = regularizers.get(activity)  # of each projection's output

    def _project(self, name: str, equation: str, sizes: Sequence[Any], shape: Any) -> EinsumDense:
        """Returns a projection that is built for inputs of a shape."""
        layer: Any = self
        outputs = equation.partition("->")[2]
        kernel = equation.partition("->")[0].partition(",")[2]
        projection = EinsumDense(
            equation,
            (*[None] * (len(outputs) - 1 - len(sizes)), *sizes),
            activation="sigmoid" if name == "gate" else None,
            bias_axes="".join(c for c in outputs if c in kernel) if self.use_bias else None,
            kernel_initializer=layer.kernel_initializer,
            bias_initializer=layer.bias_initializer,
            kernel_regularizer=layer.kernel_regularizer,
            bias_regularizer=layer.bias_regularizer,
            activity_regularizer=self._projection_regularizer,
            kernel_constraint=layer.kernel_constraint,
            bias_constraint=layer.bias_constraint,
            dtype=self.dtype_policy,
            name=name,
        )
        projection.build(shape)
        return projection

    def _check_build(self, query: Any, value: Any, key: Any) -> Shape:
        """Checks the shapes that the layer is built for, and returns that of the key."""
        if query is None or value is None:
            raise SpecError(
                self._label,
                expected="a query and a value",
                received="a query without a value" if query else "a value without a query",
                fix="for self-attention pass the tensor twice: layer(x, x)",
            )
        key = value if key is None else key
        self._check_shapes(query, value, key)
        sizes = [static_dim(shape, -1, self) for shape in (query, value, key)]
        rank = len(query)
        self.input_spec = InputSpec(ndim=rank, axes={-1: sizes[0]})
        self._built_for = (rank, *sizes)
        return key

    def _check_shapes(self, query: Any, value: Any, key: Any) -> None:
        """Checks that the shapes of query, value and key fit each other."""
        rank = len(query)
        free = [i for i in range(rank - 1) if i not in self._resolved_axes(rank)]
        fits = (
            rank >= 3
            and len(value) == rank == len(key)
            and is_compatible(tuple(value[:-1]), tuple(key[:-1]))
            and is_compatible([query[i] for i in free], [value[i] for i in free])
        )
        if not fits:
            raise SpecError(
                self._label,
                expected="query, value and key of one rank, at least 3: (batch, time, features); "
                "value and key of equal sizes but the last",
                received=f"query {tuple(query)}, value {tuple(value)}, key {tuple(key)}",
                fix="add the missing axis, or pass key and value of one sequence",
            )

    def _resolved_axes(self, rank: int) -> tuple[int, ...]:
        """Returns the axes that attention is over, for inputs of a rank."""
        del rank
        return self._axes

    def _check_inputs(self, query: Any, value: Any, key: Any) -> None:
        """Checks the shapes of the tensors of a call."""
        shapes = query.shape, value.shape, key.shape
        sizes = (len(shapes[0]), *[shape[-1] for shape in shapes])
        if self._built_for != sizes and not is_compatible(self._built_for, sizes):
            rank, *sizes = self._built_for
            raise SpecError(
                self._label,
                expected=f"query, value and key of rank {rank} and {sizes[0]}, {sizes[1]} and "
                f"{sizes[2]} features, as the layer was built for",
                received=", ".join(str(tuple(shape)) for shape in shapes),
                fix="use another layer for tensors of other sizes",
            )
        if key is not value or query is not value:
            self._check_shapes(*shapes)

    # ---------------------------------------------------------------- the call

    def call(
        self,
        query: Tensor,
        value: Tensor,
        key: Tensor | None = None,
        query_mask: Tensor | None = None,
        value_mask: Tensor | None = None,
        key_mask: Tensor | None = None,
        attention_mask: Tensor | None = None,
        return_attention_scores: bool = False,
        training: bool | None = None,
        use_causal_mask: bool = False,
    ) -> Nested:
        """Returns the outputs, with `return_attention_scores` also the attention weights.

        Args:
            query: Tensor of shape `(batch, targets, features)`.
            value: Tensor of shape `(batch, sources, features)`.
            key: Tensor of shape `(batch, sources, features)`; `value` by default.
            query_mask: Booleans of shape `(batch, targets)`; by default the mask of `query`.
            value_mask: Booleans of shape `(batch, sources)`; by default the mask of `value`.
            key_mask: Booleans of shape `(batch, sources)`; by default the mask of `key`.
            attention_mask: Booleans that broadcast to `(batch, heads, targets, sources)`, without
                the axis of heads `(batch, targets, sources)`, or `(targets, sources)`: where False,
                a source is not attended to.
            return_attention_scores: Whether to return the attention weights, too.
            training: Whether to run in training mode, with dropout.
            use_causal_mask: Whether a target attends only to sources up to its own position.
        """
        key = value if key is None else key
        self._check_inputs(query, value, key)
        if len(self._axes) != 1 and (use_causal_mask or self.sliding_window is not None):
            raise SpecError(
                self._label,
                expected="attention over one axis with use_causal_mask or sliding_window",
                received=f"attention_axes={self._axes}",
                fix="pass attention_axes with one axis, or an attention_mask",
            )
        is_overridden = (
            type(self)._compute_attention is not BaseMultiHeadAttention._compute_attention
        )
        mask = None
        is_masked = not (query_mask is value_mask is key_mask is attention_mask is None)
        if is_masked or self.sliding_window is not None or (is_overridden and use_causal_mask):
            mask = self._compute_attention_mask(
                query,
                value,
                query_mask=query_mask,
                value_mask=value_mask,
                key_mask=key_mask,
                attention_mask=attention_mask,
                use_causal_mask=use_causal_mask and is_overridden,
            )
        gate = None if self._gate_dense is None else self._gate_dense(query)
        query, key, value = self._query_dense(query), self._key_dense(key), self._value_dense(value)
        options: dict[str, Any] = {} if is_overridden else {"use_causal_mask": use_causal_mask}
        if return_attention_scores:  # an override may be without it
            options["return_attention_scores"] = True
        outputs, weights = self._compute_attention(query, key, value, mask, training, **options)
        outputs = self._output_dense(outputs if gate is None else multiply(outputs, gate))
        return (outputs, weights) if return_attention_scores else outputs

    def _compute_attention(
        self,
        query: Any,
        key: Any,
        value: Any,
        attention_mask: Any = None,
        training: bool | None = None,
        return_attention_scores: bool = False,
        use_causal_mask: bool = False,
    ) -> tuple[Any, Any]:
        """Attention of the projected tensors; subclasses may override it.

        Args:
            query: Tensor of shape `(batch, targets, heads, head_size)`.
            key: Tensor of shape `(batch, sources, heads, head_size)`.
            value: Tensor of shape `(batch, sources, heads, value_size)`.
            attention_mask: Booleans that broadcast to `(batch, heads, targets, sources)`, also
                without the axis of heads, or None.
            training: Whether to drop attention weights.
            return_attention_scores: Whether to return the attention weights.
            use_causal_mask: Whether a causal mask is to be applied, too. Overrides receive it as
                part of `attention_mask`.

        Returns:
            The outputs, of shape `(batch, targets, heads, value_size)`, and the weights or None.
        """
        axes, scale, flash = self._axes, self._scale, self.flash_attention
        has_dropout = self._dropout_layer is not None
        rank = len(query.shape) + len(axes) - 1
        if attention_mask is not None and len(attention_mask.shape) < rank:
            attention_mask = self._add_axis_of_heads(attention_mask, rank)
        if return_attention_scores or (training and has_dropout):
            if flash:
                raise UnsupportedError(
                    f"{self._label} cannot return the attention scores of flash attention, which "
                    "does not compute them.",
                    fix="omit flash_attention: it is used where possible",
                )
            if use_causal_mask:
                attention_mask = self._with_band(attention_mask, query, key)
            if self._head_groups > 1:
                key, value = (repeat(x, self._head_groups, axis=2) for x in (key, value))
            weights = attention_weights(query, key, attention_mask, scale, axes)
            dropped = self._dropout_layer(weights, training=training) if has_dropout else weights
            _, equation = attention_equations(len(query.shape), axes)
            return einsum(equation, dropped, value), weights
        if flash is None and not settings.flash_attention:
            flash = False
        causal, is_flat = bool(use_causal_mask), len(query.shape) == 4
        zeroes = attention_mask is not None and (has_dropout or not is_flat)
        if zeroes and causal:  # which targets have no source?
            attention_mask, causal = self._with_band(attention_mask, query, key), False
        if not is_flat:
            return attention_over_axes(
                query, key, value, attention_mask, scale, causal, flash, axes
            ), None
        outputs = fused_attention(query, key, value, None, attention_mask, scale, causal, flash)
        if attention_mask is not None and has_dropout:  # as where the weights are computed
            outputs = drop_unattended(outputs, attention_mask)
        return outputs, None

    # ---------------------------------------------------------------- masks

    def _compute_attention_mask(
        self,
        query: Any,
        value: Any,
        query_mask: Any = None,
        value_mask: Any = None,
        key_mask: Any = None,
        attention_mask: Any = None,
        use_causal_mask: bool = False,
    ) -> Any:
        """Returns the conjunction of all masks, with the rank of the attention weights, or None."""
        masks = []
        if query_mask is not None:
            masks.append(self._expand_mask(query_mask, query, of_targets=True))
        if value_mask is not None:
            masks.append(self._expand_mask(value_mask, value, of_targets=False))
        if key_mask is not None and key_mask is not value_mask:
            masks.append(self._expand_mask(key_mask, value, of_targets=False))
        if attention_mask is not None:
            masks.append(self._expand_attention_mask(attention_mask, query, value))
        mask = None
        for more in masks:
            mask = more if mask is None else logical_and(mask, more)
        if use_causal_mask or self.sliding_window is not None:
            mask = self._with_band(mask, query, value, use_causal_mask, self.sliding_window)
        return mask

    def _with_band(
        self, mask: Any, query: Any, key: Any, is_causal: bool = True, window: int | None = None
    ) -> Any:
        """Returns a mask together with the causal mask, and that of the sliding window."""
        band = band_mask(query, key, self._axes[0], is_causal, window)
        if mask is not None:
            return logical_and(mask, band)
        missing = self._built_for[0] - len(self._axes)  # further axes, and the heads
        return expand_dims(band, tuple(range(missing)))

    def _expand_mask(self, mask: Any, x: Any, of_targets: bool) -> Any:
        """Returns a mask of the first axes of `x`, with the rank of the attention weights."""
        rank, axes = len(x.shape), self._axes
        mask, count, shape = cast(mask, "bool"), len(axes), tuple(mask.shape)
        if len(shape) < 2 or not is_compatible(shape, tuple(x.shape[: min(len(shape), rank - 1)])):
            raise SpecError(
                self._label,
                expected=f"a mask of the axes of {tuple(x.shape)} but the last",
                received=f"a mask of shape {shape}",
                fix="pass booleans of shape (batch, time)",
            )
        if rank == 3:
            return expand_dims(mask, (1, 3) if of_targets else (1, 2))
        mask = expand_dims(mask, tuple(range(len(mask.shape), rank - 1)))
        free = [i for i in range(rank - 1) if i not in axes]
        mask = transpose(mask, (*free, *axes))
        first = len(free)
        units = range(first + 1 + count, first + 1 + 2 * count)
        if not of_targets:
            units = range(first + 1, first + 1 + count)
        return expand_dims(mask, (first, *units))

    def _expand_attention_mask(self, mask: Any, query: Any, value: Any) -> Any:
        """Returns an attention mask with the rank of the attention weights."""
        axes, rank = self._axes, len(query.shape)
        free = [i for i in range(rank - 1) if i not in axes]
        shape = tuple(mask.shape)
        full = (
            *[query.shape[i] for i in free],
            self._heads,
            *[query.shape[i] for i in axes],
            *[value.shape[i] for i in axes],
        )
        kept = 2 * len(axes)
        first = len(shape) - kept
        expanded = (*shape[:first], *[1] * (len(full) - len(shape)), *shape[first:])
        if first < 0 or not _broadcasts_to(expanded, full):
            raise SpecError(
                self._label,
                expected=f"an attention_mask that broadcasts to {full}: (batch, heads, targets, "
                "sources), or without the axis of heads",
                received=f"shape {shape}",
                fix="pass booleans of shape (batch, targets, sources)",
            )
        mask = mask if dtype_of(mask) == "bool" else cast(mask, "bool")
        missing = len(full) - len(shape)
        return expand_dims(mask, tuple(range(first, first + missing))) if missing else mask

    def _add_axis_of_heads(self, mask: Any, rank: int) -> Any:
        """Returns a mask of targets and sources, without heads, with the rank of the weights."""
        first = len(mask.shape) - 2 * len(self._axes)
        missing = rank - len(mask.shape)
        return expand_dims(cast(mask, "bool"), tuple(range(first, first + missing)))

    def _compute_causal_mask(self, query: Any, value: Any = None) -> Any:
        """Returns the causal mask, of shape `(1, targets, sources)`."""
        band = band_mask(query, query if value is None else value, self._axes[0], True, None)
        return expand_dims(band, 0)

    def _propagate_masks(self, outputs: Any, first: Any, masks: dict[str, Any]) -> None:
        """Gives the outputs the mask of the query; the attention weights have none."""
        mask = self.compute_mask(first, masks.get("query"))
        if mask is not None:
            masking.set_mask(tree.flatten(outputs)[0], tree.flatten(mask)[0])

    # ---------------------------------------------------------------- specs and config

    @follows_call
    def compute_output_shape(  # pyright: ignore[reportIncompatibleMethodOverride]
        self, query_shape: Shape, value_shape: Shape, key_shape: Shape | None = None
    ) -> Shape:
        """Returns the shape of the outputs, without the attention weights.

        Args:
            query_shape: The shape of `query`.
            value_shape: The shape of `value`.
            key_shape: The shape of `key`; that of `value` by default.
        """
        query, value = tuple(query_shape), tuple(value_shape)
        self._check_shapes(query, value, value if key_shape is None else tuple(key_shape))
        return (*query[:-1], *self._output_sizes(query))

    def _output_sizes(self, query_shape: Shape) -> tuple[int | None, ...]:
        return query_shape[-1:]

    @follows_call
    def compute_output_spec(
        self,
        query: Tensor,
        value: Tensor,
        key: Tensor | None = None,
        query_mask: Tensor | None = None,
        value_mask: Tensor | None = None,
        key_mask: Tensor | None = None,
        attention_mask: Tensor | None = None,
        return_attention_scores: bool = False,
        training: bool | None = None,
        use_causal_mask: bool = False,
    ) -> Nested:
        """Returns the shapes and dtypes of the outputs of a call, as KerasTensors."""
        masks = {
            "query_mask": query_mask,
            "value_mask": value_mask,
            "key_mask": key_mask,
            "attention_mask": attention_mask,
        }
        options = {
            "return_attention_scores": return_attention_scores,
            "training": training,
            "use_causal_mask": use_causal_mask,
        }
        return infer_spec(self, (query, value, key), {**masks, **options})

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments of the constructor, as plain values."""
        regularizer = regularizers.serialize(self._projection_regularizer)
        return {**super().get_config(), "activity_regularizer": regularizer}


def _broadcasts_to(shape: Shape, full: Shape) -> bool:
    try:
        return is_compatible(broadcast(shape, full), full)
    except SpecError:
        return False
