"""Base class of the merging layers."""

from collections.abc import Sequence
from functools import reduce
from typing import Any, Unpack

from keras_fn.core.masking import propagates_mask_only
from keras_fn.errors import SpecError, missing_method
from keras_fn.layers._build_wrapper import allow_signature_override
from keras_fn.layers._options import LayerOptions
from keras_fn.layers.layer import Layer
from keras_fn.ops._rules import broadcast
from keras_fn.ops.creation import ones_like
from keras_fn.ops.logic import logical_and, logical_or, where
from keras_fn.ops.manipulation import expand_dims
from keras_fn.types import Nested


class Merge(Layer):
    """Base class of the merging layers: a list of tensors to one tensor."""

    _at_least, _at_most = 1, 1000  # how many inputs

    def __init__(self, **kwargs: Unpack[LayerOptions]):
        super().__init__(**kwargs)
        self.supports_masking = True

    def build(self, input_shape: Nested) -> None:
        """Checks that the shapes are compatible."""
        self._check_number(input_shape)
        self._check_shapes([tuple(shape) for shape in input_shape])

    def _check_number(self, inputs: Any) -> None:
        several = isinstance(inputs, (list, tuple)) and not all(
            isinstance(x, int) or x is None for x in inputs
        )
        if several and self._at_least <= len(inputs) <= self._at_most:
            return
        exactly = self._at_least == self._at_most
        number = f"{self._at_least}" if exactly else f"{self._at_least} or more"
        received = f"{len(inputs)} inputs" if several else "one tensor, or something else"
        raise SpecError(
            self._label,
            expected=f"a list of {number} inputs",
            received=received,
            fix="call it on a list: layer([a, b])",
        )

    def _check_shapes(self, shapes: list[tuple]) -> None:
        if any(not shape for shape in shapes):
            return
        batches = {shape[0] for shape in shapes} - {None}
        try:
            broadcast(*(shape[1:] for shape in shapes))
            fits = len(batches) < 2
        except SpecError:
            fits = False
        if not fits:
            raise SpecError(
                self._label,
                expected="inputs of one batch size, with other sizes that are equal or 1, from the "
                "last axis on",
                received=f"shapes {' and '.join(map(str, shapes))}",
                fix="change their shapes, for example with Dense or Reshape",
            )

    @allow_signature_override
    def call(self, inputs: Nested, mask: Nested = None) -> Nested:
        """Returns the merged inputs."""
        if not isinstance(inputs, (list, tuple)):
            self._check_number(inputs)
        ranks = [len(x.shape) for x in inputs]
        rank = max(ranks)
        if min(ranks) < rank:
            inputs = [_expand_to_rank(x, rank) for x in inputs]
        return self._merge(inputs, mask)

    def _merge(self, inputs: Sequence[Any], mask: Any) -> Any:
        """Returns one tensor of tensors of one rank. `mask` is None or a list."""
        raise missing_method(self, "_merge()")

    @propagates_mask_only
    def compute_mask(self, inputs: Nested, mask: Nested = None) -> Nested:
        """Returns the union of the masks, if every input has one.

        Raises:
            ValueError: The masks are not a list of one for each input.
        """
        masks = self._check_masks(inputs, mask)
        return None if any(m is None for m in masks) else reduce(logical_or, masks)

    def _check_masks(self, inputs: Nested, mask: Nested) -> list[Any]:
        """Returns the masks of the inputs, None where there is none."""
        if mask is None:
            return [None]
        self._check_number(inputs)
        if isinstance(mask, (list, tuple)) and len(mask) == len(inputs):
            return list(mask)
        is_list = isinstance(mask, (list, tuple))
        raise SpecError(
            self._label,
            expected=f"a list of {len(inputs)} masks, one for each input",
            received=f"{len(mask)} masks" if is_list else f"mask of type {type(mask).__name__}",
            fix="pass None for an input without a mask: mask=[mask, None]",
        )


def _expand_to_rank(x: Any, rank: int) -> Any:
    """Returns `x` with axes of size 1 after the batch axis."""
    missing = rank - len(x.shape)
    return expand_dims(x, tuple(range(1, missing + 1))) if missing else x


def _mask_like(mask: Any, x: Any) -> Any:
    """Returns the mask of steps as one of the elements of `x`."""
    axes = tuple(range(len(mask.shape), len(x.shape)))
    return logical_and(expand_dims(mask, axes) if axes else mask, ones_like(x, dtype="bool"))


class MinMaxMerge(Merge):
    """Base class of `Maximum` and `Minimum`, which skip masked elements."""

    _choose: Any

    def _merge(self, inputs: Sequence[Any], mask: Any) -> Any:
        if mask is None:
            return reduce(self._choose, inputs)
        shown = [m if m is None else _mask_like(m, x) for x, m in zip(inputs, mask, strict=True)]
        best, seen = inputs[0], shown[0]
        for x, m in zip(inputs[1:], shown[1:], strict=True):
            x = x if m is None else where(m, x, best)
            best = best if seen is None else where(seen, best, x)
            seen = None if m is None or seen is None else logical_or(seen, m)
            best = self._choose(best, x)
        return best
