"""Stateless random numbers: a key of two integers determines the sample."""

import threading
from collections.abc import Callable
from typing import Any, TypeAlias

import torch

from keras_fn_torch.device import default_device
from keras_fn_torch.tensors import Tensor, native_dtype

_generators = threading.local()
_Draw: TypeAlias = Callable[..., Tensor]
_MASK = (1 << 64) - 1


def _generator(seed: Tensor, device: torch.device) -> torch.Generator:
    """Returns the thread's generator for a device, seeded."""
    generators = vars(_generators)
    generator = generators.get(device)
    if generator is None:
        generator = generators[device] = torch.Generator(device)
    first, second = seed.tolist()  # free on the CPU; synchronizes on other devices
    return generator.manual_seed(_splitmix64(_splitmix64(int(first)) + int(second)))


def _splitmix64(x: int) -> int:
    """Finalizer of SplitMix64: spreads a number over 64 bits, as seeds are often small.

    The CPU generator reads only the lower 32 bits of its seed.
    """
    x = (x + 0x9E3779B97F4A7C15) & _MASK
    x = ((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    x = ((x ^ (x >> 27)) * 0x94D049BB133111EB) & _MASK
    return x ^ (x >> 31)


_DRAWS = {
    draw.__name__: draw
    for draw in (torch.rand, torch.randn, torch.randint, torch._standard_gamma, torch.binomial)
}
_library = torch.library.Library("keras_fn", "FRAGMENT")
# A CUDA graph cannot reseed a generator: the graph is split there.
_tags = [tag for name, tag in torch.Tag.__members__.items() if name == "cudagraph_unsafe"]


def _as_custom_op(signature: str, result: Callable[..., Tensor]) -> Callable[[_Draw], _Draw]:
    """Decorator: registers a sampling function as a custom op, as Dynamo cannot trace generators.

    Args:
        signature: The arguments in PyTorch's schema language.
        result: Shape function: returns a tensor on the meta device, given meta tensors.
    """

    def make(function: _Draw) -> _Draw:
        name = function.__name__

        def run(draw: str, *args: Any) -> Tensor:
            return function(_DRAWS[draw], *args)

        _library.define(f"{name}({signature}) -> Tensor", tags=_tags)
        _library.impl(name, run, "CompositeExplicitAutograd")
        # The effect of `register_fake`, which first searches all modules for its caller.
        _library.impl(name, result, "Meta")

        def call(draw: Any, *args: Any) -> Tensor:
            # An exported program runs without keras_fn: there PyTorch's own generator draws.
            if torch.compiler.is_compiling() and not torch.compiler.is_exporting():
                return getattr(torch.ops.keras_fn, name)(draw.__name__, *args)
            return function(draw, *args)

        return call

    return make


def _draw(draw: Any, shape: Any, dtype: str, seed: Tensor, *limits: int) -> Tensor:
    """Calls a random function of PyTorch with a seeded generator."""
    return _run(draw, shape, native_dtype(dtype), default_device(), seed, limits)


@_as_custom_op(
    "str draw, SymInt[] shape, ScalarType dtype, Device device, Tensor seed, int[] limits",
    lambda draw, shape, dtype, *_: torch.empty(shape, dtype=dtype, device="meta"),
)
def _run(
    draw: Any, shape: Any, dtype: torch.dtype, device: torch.device, seed: Tensor, limits: Any
) -> Tensor:
    if torch.compiler.is_exporting():
        return draw(*limits, tuple(shape), dtype=dtype, device=device)
    generator = None if device.type == "meta" else _generator(seed, device)
    options = {"dtype": dtype, "device": device, "generator": generator}
    return draw(*limits, tuple(shape), **options)


def random_uniform(shape: Any, dtype: str, seed: Tensor) -> Tensor:
    """Uniform floats in [0, 1)."""
    return _draw(torch.rand, shape, dtype, seed)


def random_normal(shape: Any, dtype: str, seed: Tensor) -> Tensor:
    """Standard normal floats."""
    return _draw(torch.randn, shape, dtype, seed)


def random_randint(shape: Any, minval: Any, maxval: Any, dtype: str, seed: Tensor) -> Tensor:
    """Uniform integers in [minval, maxval); the limits are numbers, or tensors that broadcast."""
    if isinstance(minval, (int, float)) and isinstance(maxval, (int, float)):
        drawn = _draw(torch.randint, shape, "int64", seed, int(minval), int(maxval))
    else:  # 62 random bits, modulo the range: the limits stay on their device
        bits = _draw(torch.randint, shape, "int64", seed, 0, 1 << 62)
        low = torch.as_tensor(minval, dtype=torch.int64, device=bits.device)
        drawn = low + bits % (torch.as_tensor(maxval, device=bits.device).long() - low)
    return drawn.to(native_dtype(dtype))


def random_gamma(shape: Any, alpha: Tensor, dtype: str, seed: Tensor) -> Tensor:
    """Gamma samples; `alpha` is at least 1 and broadcasts."""
    return _draw_with_parameters(torch._standard_gamma, shape, dtype, seed, alpha)


def random_binomial(
    shape: Any, counts: Tensor, probabilities: Tensor, dtype: str, seed: Tensor
) -> Tensor:
    """Binomial samples; the parameters broadcast."""
    return _draw_with_parameters(torch.binomial, shape, dtype, seed, counts, probabilities)


def _draw_with_parameters(
    draw: Any, shape: Any, dtype: str, seed: Tensor, *parameters: Tensor
) -> Tensor:
    """Calls a random function of PyTorch that samples with tensors of parameters."""
    tensors = [p.detach().to(native_dtype(dtype)).broadcast_to(tuple(shape)) for p in parameters]
    return _run_like(draw, tensors, seed)


@_as_custom_op(
    "str draw, Tensor[] parameters, Tensor seed",
    lambda draw, parameters, _: torch.empty_like(parameters[0]),
)
def _run_like(draw: Any, parameters: list[Tensor], seed: Tensor) -> Tensor:
    if parameters[0].is_meta:
        return torch.empty_like(parameters[0])
    if torch.compiler.is_exporting():
        return draw(*parameters)
    return draw(*parameters, generator=_generator(seed, parameters[0].device))
