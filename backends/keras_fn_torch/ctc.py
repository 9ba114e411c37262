"""CTC loss: `F.ctc_loss`."""

import torch
import torch.nn.functional as F

from keras_fn_torch.tensors import Tensor


def ctc_loss(
    target: Tensor,
    output: Tensor,
    target_length: Tensor,
    output_length: Tensor,
    mask_index: int = 0,
) -> Tensor:
    """`F.ctc_loss`; labels that do not fit have the loss inf and a gradient that is not NaN."""
    batch, time, classes = output.shape
    shapes = [(batch,), tuple(target_length.shape), tuple(output_length.shape)]
    if target.dim() != 2 or len({target.shape[:1], *shapes}) > 1 or not 0 <= mask_index < classes:
        raise ValueError(f"target {target.shape}, output {output.shape}, lengths {shapes}")
    if not batch or not time:  # PyTorch raises for these
        loss = output.float().sum((1, 2))
        return torch.where(target_length > 0, torch.inf, loss)
    wide = output if output.dtype is torch.float64 else output.float()
    log_p = F.log_softmax(wide, -1).transpose(0, 1)
    inside = torch.arange(target.shape[1], device=target.device) < target_length.unsqueeze(1)
    target = target.long().where(inside, (mask_index + 1) % classes)
    loss = F.ctc_loss(
        log_p, target, output_length.long(), target_length.long(), mask_index, "none", True
    )
    repeats = (target[:, 1:] == target[:, :-1]) & inside[:, 1:]
    fits = output_length >= target_length + repeats.sum(1)
    return torch.where(fits, loss, torch.inf)
