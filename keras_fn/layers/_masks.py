"""Masks of a layer's outputs."""

from typing import Any

from keras_fn.core import masking, tree
from keras_fn.layers._build_wrapper import allow_signature_override
from keras_fn.types import Nested


class MaskPropagationMixin:
    """The masks of the outputs of a `Layer`.

    `compute_mask` says what the mask of the output is. Masks that `call` itself gives to all of its
    outputs, or that the layers inside gave them, have precedence.
    """

    supports_masking: bool
    _passes_masks = False  # whether masks pass through although `supports_masking` is False

    @allow_signature_override
    @masking.propagates_mask_only
    def compute_mask(self, inputs: Nested, previous_mask: Nested) -> Nested:
        """Returns the mask of the output: by default the mask of the input.

        Args:
            inputs: The inputs of the call.
            previous_mask: Their mask, nested like them, or None.

        Returns:
            A mask, nested masks, or None.
        """
        del inputs
        return previous_mask

    @property
    def _makes_masks(self) -> bool:
        return not hasattr(type(self).compute_mask, "propagates_mask_only")

    def _propagate_masks(self, outputs: Any, first: Any, masks: dict[str, Any]) -> None:
        if not (self.supports_masking or self._passes_masks or self._makes_masks):
            return
        flat = tree.flatten(outputs)
        if _have_own_masks(flat, masks):
            return
        mask = self.compute_mask(first, next(iter(masks.values()), None))
        if mask is None:
            return
        flat_masks = tree.flatten(mask)
        if len(flat_masks) != len(flat):
            flat_masks = [flat_masks[0]] * len(flat)
        for x, m in zip(flat, flat_masks, strict=True):
            masking.set_mask(x, m)


def _have_own_masks(outputs: list[Any], masks: dict[str, Any]) -> bool:
    """Returns whether all outputs have masks that are not those of inputs passed on as they are."""
    received = {id(mask) for mask in tree.flatten(masks)}
    own = [masking.get_mask(x) for x in outputs]
    return bool(own) and all(mask is not None and id(mask) not in received for mask in own)
