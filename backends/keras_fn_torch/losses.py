"""Crossentropies as PyTorch's fused functions: one kernel forwards and one backwards.

That of two classes is not among them: `F.binary_cross_entropy_with_logits` gives 0 for losses
below 1e-8.
"""

import torch
import torch.nn.functional as F

from keras_fn.settings import settings
from keras_fn_torch.tensors import Tensor

_NO_CLASS = -(2**31)  # cross_entropy leaves a class number out: one that nobody has


def sparse_categorical_crossentropy(
    target: Tensor, output: Tensor, from_logits: bool = False, axis: int = -1
) -> Tensor:
    """`F.cross_entropy`, or of probabilities the logarithm of the one that counts."""
    if target.dim() == output.dim() and target.shape[-1] == 1:
        target = target.squeeze(-1)
    target, wide = target.long(), _wide(output)
    if from_logits:
        logits = wide.movedim(axis, 1) if wide.dim() > 1 else wide
        loss = F.cross_entropy(logits, target, reduction="none", ignore_index=_NO_CLASS)
    else:
        chosen = wide.gather(axis, target.unsqueeze(axis)).squeeze(axis)
        loss = -_clipped(chosen / wide.sum(axis)).log()
    return loss.to(output.dtype) if output.is_floating_point() else loss


def categorical_crossentropy(
    target: Tensor, output: Tensor, from_logits: bool = False, axis: int = -1
) -> Tensor:
    """`F.cross_entropy` with a distribution for a target."""
    if target.shape != output.shape or not output.dim():
        raise ValueError(f"target of shape {target.shape}, output of shape {output.shape}")
    wide = _wide(output)
    if from_logits and wide.dim() > 1:
        logits, classes = wide.movedim(axis, 1), target.to(wide.dtype).movedim(axis, 1)
        loss = F.cross_entropy(logits, classes, reduction="none")
    else:
        log_p = wide.log_softmax(axis) if from_logits else None
        if log_p is None:
            log_p = _clipped(wide / wide.sum(axis, keepdim=True)).log()
        loss = -(target.to(wide.dtype) * log_p).sum(axis)
    return loss.to(output.dtype) if output.is_floating_point() else loss


def _wide(x: Tensor) -> Tensor:
    """Half precision as float32, integers as `floatx()`."""
    if x.dtype in (torch.float16, torch.bfloat16):
        return x.float()
    return x if x.is_floating_point() else x.to(getattr(torch, settings.floatx))


def _clipped(p: Tensor) -> Tensor:
    return p.clamp(settings.epsilon, 1 - settings.epsilon)
