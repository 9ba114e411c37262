"""Crossentropy losses by PyTorch's fused kernels."""

from typing import Any

import torch
import torch.nn.functional as F

from keras_fn.settings import settings
from keras_fn_torch.tensors import Tensor

_NO_CLASS = -(2**31)  # an ignored class index that does not occur


def binary_crossentropy(target: Tensor, output: Tensor, from_logits: bool = False) -> Tensor:
    """Binary crossentropy by `F.logsigmoid` of both classes, or from probabilities.

    `F.binary_cross_entropy_with_logits` subtracts, and returns 0 for losses below 1e-8.
    """
    if target.shape != output.shape:
        raise ValueError(f"target of shape {target.shape}, output of shape {output.shape}")
    wide = _wide(output)
    if from_logits:
        no, yes = F.logsigmoid(-wide), F.logsigmoid(wide)
    else:
        p = _clipped(wide)
        no, yes = (1 - p).log(), p.log()
    return _narrow(-torch.lerp(no, yes, target.to(wide.dtype)), output)


def sparse_categorical_crossentropy(
    target: Tensor, output: Tensor, from_logits: bool = False, axis: int = -1
) -> Tensor:
    """`F.cross_entropy` with class indices, or from probabilities."""
    if target.dim() == output.dim() and target.shape[-1] == 1:
        target = target.squeeze(-1)
    target, wide = target.long(), _wide(output)
    if from_logits:
        loss = _cross_entropy(wide, target, axis, ignore_index=_NO_CLASS)
    else:
        chosen = wide.gather(axis, target.unsqueeze(axis)).squeeze(axis)
        loss = -_clipped(chosen / wide.sum(axis)).log()
    return _narrow(loss, output)


def categorical_crossentropy(
    target: Tensor, output: Tensor, from_logits: bool = False, axis: int = -1
) -> Tensor:
    """`F.cross_entropy` with a target distribution, or from probabilities."""
    if target.shape != output.shape or not output.dim():
        raise ValueError(f"target of shape {target.shape}, output of shape {output.shape}")
    wide = _wide(output)
    if from_logits and wide.dim() > 1:
        loss = _cross_entropy(wide, target.to(wide.dtype), axis)
    else:
        log_p = wide.log_softmax(axis) if from_logits else None
        if log_p is None:
            log_p = _clipped(wide / wide.sum(axis, keepdim=True)).log()
        loss = -(target.to(wide.dtype) * log_p).sum(axis)
    return _narrow(loss, output)


def _cross_entropy(logits: Tensor, target: Tensor, axis: int, **options: Any) -> Tensor:
    """`F.cross_entropy`, on rows of classes where possible: its fastest form."""
    rank, of_classes = logits.dim(), target.dim() == logits.dim()
    if axis not in (-1, rank - 1):
        target = target.movedim(axis, 1) if of_classes else target
        return F.cross_entropy(logits.movedim(axis, 1), target, reduction="none", **options)
    classes = logits.shape[-1]
    target = target.reshape(-1, classes) if of_classes else target.reshape(-1)
    loss = F.cross_entropy(logits.reshape(-1, classes), target, reduction="none", **options)
    return loss.reshape(logits.shape[:-1])


def _wide(x: Tensor) -> Tensor:
    """Casts half precision to float32, integers to `floatx()`."""
    if x.dtype in (torch.float16, torch.bfloat16):
        return x.float()
    return x if x.is_floating_point() else x.to(getattr(torch, settings.floatx))


def _narrow(loss: Tensor, output: Tensor) -> Tensor:
    """Casts the loss to the dtype of the output, if that is a float."""
    return loss.to(output.dtype) if output.is_floating_point() else loss


def _clipped(p: Tensor) -> Tensor:
    return p.clamp(settings.epsilon, 1 - settings.epsilon)
