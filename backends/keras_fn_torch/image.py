"""Image sampling and resizing by PyTorch's kernels."""

from typing import Any

import torch
import torch.nn.functional as F

from keras_fn_torch.tensors import Tensor

_PADDING = {"constant": "zeros", "nearest": "border", "reflect": "reflection"}


def sample_projective(
    images: Tensor, transform: Tensor, fill_mode: str, fill_value: float
) -> Tensor:
    """`grid_sample`, at points that one matrix product computes."""
    batch, height, width, _ = images.shape
    if not batch:
        return images
    rows = torch.arange(height, dtype=images.dtype, device=images.device)
    columns = torch.arange(width, dtype=images.dtype, device=images.device)
    ones = torch.ones((height, width), dtype=images.dtype, device=images.device)
    pixels = torch.stack([columns * ones, rows[:, None] * ones, ones], -1).reshape(-1, 3)
    # `grid_sample` counts from -1 to 1, from the edge of the first pixel to that of the last.
    numbers = [transform[:, i] for i in range(transform.shape[1])]
    a0, a1, a2, b0, b1, b2 = numbers[:6]
    if len(numbers) == 6:
        w, h = 2.0 / width, 2.0 / height
        x = (a0 * w, a1 * w, a2 * w + (1.0 / width - 1.0))
        y = (b0 * h, b1 * h, b2 * h + (1.0 / height - 1.0))
        matrix = torch.stack([torch.stack(x, -1), torch.stack(y, -1)], -1)
        grid = torch.matmul(pixels, matrix)
    else:
        depth = (*numbers[6:], torch.ones_like(a0))
        matrix = torch.stack([torch.stack(r, -1) for r in ((a0, a1, a2), (b0, b1, b2), depth)], -1)
        points = torch.matmul(pixels, matrix)
        sizes = torch.tensor([width, height], dtype=images.dtype, device=images.device)
        grid = (points[..., :2] / points[..., 2:] * 2.0 + 1.0) / sizes - 1.0
    grid = grid.reshape(-1, height, width, 2).expand(batch, -1, -1, -1)
    shift = fill_value if fill_mode == "constant" else 0.0
    x_ = images.permute(0, 3, 1, 2)
    x_ = x_ - shift if shift else x_
    y_ = F.grid_sample(x_, grid, "bilinear", _PADDING[fill_mode], align_corners=False)
    return (y_ + shift if shift else y_).permute(0, 2, 3, 1)


def resize_bilinear(
    images: Tensor, size: tuple[int, int], antialias: bool, channels_last: bool
) -> Tensor:
    """`interpolate`."""
    x: Any = images.permute(0, 3, 1, 2) if channels_last else images
    if not images.shape[0]:
        y = x.new_zeros((*x.shape[:2], *size))
    else:
        y = F.interpolate(x, size, mode="bilinear", align_corners=False, antialias=antialias)
    return y.permute(0, 2, 3, 1) if channels_last else y
