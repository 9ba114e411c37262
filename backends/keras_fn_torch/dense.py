"""The dense (linear) op: matrix product and bias in one."""

import torch
import torch.nn.functional as F

from keras_fn_torch.linalg import matmul
from keras_fn_torch.tensors import Tensor


def dense(x: Tensor, kernel: Tensor, bias: Tensor | None = None) -> Tensor:
    """`torch.addmm` or `F.linear`: product and bias in one kernel."""
    if x.dtype is not kernel.dtype:
        dtype = torch.promote_types(x.dtype, kernel.dtype)
        x, kernel = x.to(dtype), kernel.to(dtype)
    if bias is None or x.dtype is not bias.dtype or not x.is_floating_point():
        product = matmul(x, kernel)
        return product if bias is None else torch.add(product, bias)
    if x.dim() == 2:
        return torch.addmm(bias, x, kernel)
    return F.linear(x, kernel.t(), bias)


def dense_general(x: Tensor, kernel: Tensor, bias: Tensor | None = None, axes: int = 1) -> Tensor:
    """One matrix product with the bias: the axes are merged, which copies nothing."""
    outputs = kernel.shape[axes:]
    if axes != 1:
        x = x.flatten(-axes)
    product = dense(x, kernel.reshape(x.shape[-1], -1), None if bias is None else bias.flatten())
    return product.unflatten(-1, outputs) if len(outputs) != 1 else product
