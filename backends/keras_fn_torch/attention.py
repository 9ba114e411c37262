"""Dot-product attention: `F.scaled_dot_product_attention`."""

import torch
import torch.nn.functional as F
from torch.nn.attention import SDPBackend, sdpa_kernel

from keras_fn.errors import SpecError
from keras_fn_torch.tensors import Tensor

_MASKED = -1e30  # finite, as PyTorch's kernels require


def fused_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    bias: Tensor | None,
    mask: Tensor | None,
    scale: float,
    is_causal: bool,
    flash_attention: bool | None,
) -> Tensor:
    """`F.scaled_dot_product_attention`, with the heads first and the masks merged into the bias."""
    if is_causal and (mask is not None or bias is not None):
        earlier = torch.ones(query.shape[1], key.shape[1], dtype=torch.bool, device=query.device)
        earlier = earlier.tril()
        mask, is_causal = earlier if mask is None else mask & earlier, False
    if mask is not None:
        # A query without any key attends uniformly: its logits are 0 and have no gradient.
        sees = mask.any(-1, keepdim=True)
        query = torch.where(sees.transpose(1, 2), query, 0)
        hidden = torch.where(sees, max(_MASKED, torch.finfo(query.dtype).min), 0.0)
        bias = torch.where(mask, 0.0 if bias is None else bias, hidden).to(query.dtype)
    q, k, v = query.transpose(1, 2), key.transpose(1, 2), value.transpose(1, 2)

    def attend() -> Tensor:
        grouped = q.shape[1] != k.shape[1]
        return F.scaled_dot_product_attention(
            q, k, v, bias, 0.0, is_causal, scale=scale, enable_gqa=grouped
        )

    if flash_attention is None:
        return attend().transpose(1, 2)
    kernel = SDPBackend.FLASH_ATTENTION if flash_attention else SDPBackend.MATH
    try:
        with sdpa_kernel(kernel):
            return attend().transpose(1, 2)
    except RuntimeError as error:
        if not flash_attention:
            raise
        raise SpecError(
            "ops.dot_product_attention",
            expected="flash_attention=None or False",
            received=f"flash_attention=True; PyTorch on {query.device.type}: {error}",
            fix="leave flash_attention out: it is used where it can be",
        ) from error
