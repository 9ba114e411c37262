"""Stateless random numbers: two integers name the draw."""

import threading
from typing import Any

import torch

from keras_fn_torch.tensors import Tensor, default_device, native

_generators = threading.local()
_MASK = (1 << 64) - 1


def _generator(seed: Tensor, device: torch.device) -> torch.Generator:
    """The thread's generator for a device, at the state that the seed names."""
    made = vars(_generators)
    generator = made.get(device)
    if generator is None:
        generator = made[device] = torch.Generator(device)
    first, second = seed.tolist()  # free on the CPU; on other devices it waits for the value
    return generator.manual_seed(_mix(_mix(int(first)) + int(second)))


def _mix(x: int) -> int:
    """Spreads a number over 64 bits (the finaliser of SplitMix64): seeds are often small.

    The CPU's generator reads the lower 32 bits of its seed only.
    """
    x = (x + 0x9E3779B97F4A7C15) & _MASK
    x = ((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    x = ((x ^ (x >> 27)) * 0x94D049BB133111EB) & _MASK
    return x ^ (x >> 31)


def _draw(draw: Any, shape: Any, dtype: str, seed: Tensor, *limits: int) -> Tensor:
    """Calls one of PyTorch's random functions with a generator of its own."""
    device = default_device()
    generator = None if device.type == "meta" else _generator(seed, device)
    options = {"dtype": native(dtype), "device": device, "generator": generator}
    return draw(*limits, tuple(shape), **options)


def random_uniform(shape: Any, dtype: str, seed: Tensor) -> Tensor:
    """Floats in [0, 1)."""
    return _draw(torch.rand, shape, dtype, seed)


def random_normal(shape: Any, dtype: str, seed: Tensor) -> Tensor:
    """Standard normal floats."""
    return _draw(torch.randn, shape, dtype, seed)


def random_randint(shape: Any, minval: Any, maxval: Any, dtype: str, seed: Tensor) -> Tensor:
    """Integers in [minval, maxval); the limits are numbers, or tensors that broadcast."""
    if isinstance(minval, (int, float)) and isinstance(maxval, (int, float)):
        drawn = _draw(torch.randint, shape, "int64", seed, int(minval), int(maxval))
    else:  # 62 random bits, folded: the limits stay on their device
        bits = _draw(torch.randint, shape, "int64", seed, 0, 1 << 62)
        low = torch.as_tensor(minval, dtype=torch.int64, device=bits.device)
        drawn = low + bits % (torch.as_tensor(maxval, device=bits.device).long() - low)
    return drawn.to(native(dtype))


def random_gamma(shape: Any, alpha: Tensor, dtype: str, seed: Tensor) -> Tensor:
    """Gamma floats, of parameters from 1 on that broadcast."""
    return _of_parameters(torch._standard_gamma, shape, dtype, seed, alpha)


def random_binomial(
    shape: Any, counts: Tensor, probabilities: Tensor, dtype: str, seed: Tensor
) -> Tensor:
    """Numbers of successes; parameters broadcast."""
    return _of_parameters(torch.binomial, shape, dtype, seed, counts, probabilities)


def _of_parameters(draw: Any, shape: Any, dtype: str, seed: Tensor, *parameters: Tensor) -> Tensor:
    """Calls one of PyTorch's random functions of tensors, whose shape the result has."""
    tensors = [p.detach().to(native(dtype)).broadcast_to(tuple(shape)) for p in parameters]
    if tensors[0].is_meta:
        return torch.empty_like(tensors[0])
    return draw(*tensors, generator=_generator(seed, tensors[0].device))
