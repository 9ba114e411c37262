"""Conversion between complex tensors and pairs of real numbers."""

import torch

from keras_fn_torch.tensors import Tensor


def view_as_complex(x: Tensor) -> Tensor:
    """Views pairs as complex numbers; `torch.view_as_complex` refuses some strides."""
    real, imag = x.unbind(-1)
    return torch.complex(real, imag)


def view_as_real(x: Tensor) -> Tensor:
    """`torch.view_as_real`, also of lazily conjugated tensors."""
    if x.is_complex():
        return torch.view_as_real(x.resolve_conj())
    return torch.stack((x, torch.zeros_like(x)), -1)
