"""The models of `inference.py` in PyTorch alone, as one writes them by hand."""

from collections.abc import Callable
from typing import Any

import torch
from torch import nn
from torch.nn import functional as F

COMPILES_LOOPS = False
tensor = torch.from_numpy
Call = Callable[[Any], Any]
Work = Callable[[Call, Any], Any]


class Block(nn.Module):
    """A pre-norm block with causal attention of 8 heads."""

    def __init__(self) -> None:
        super().__init__()
        self.n1, self.n2 = nn.LayerNorm(256), nn.LayerNorm(256)
        self.qkv, self.out = nn.Linear(256, 768), nn.Linear(256, 256)
        self.up, self.down = nn.Linear(256, 1024), nn.Linear(1024, 256)

    def forward(self, x: Any) -> Any:
        q, k, v = self.qkv(self.n1(x)).unflatten(-1, (24, 32)).transpose(1, 2).chunk(3, 1)
        h = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.out(h.transpose(1, 2).flatten(2))
        return x + self.down(F.gelu(self.up(self.n2(x))))


def cnn() -> Any:
    """The convolutional classifier, channels first."""
    parts: list[Any] = []
    for channels, filters in ((3, 32), (32, 64), (64, 128)):
        parts += [nn.Conv2d(channels, filters, 3, padding=1), nn.BatchNorm2d(filters)]
        parts += [nn.ReLU(), nn.MaxPool2d(2)]
    head = [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(128, 144), nn.ReLU()]
    return nn.Sequential(*parts, *head, nn.Linear(144, 10)).eval()


def transformer() -> Any:
    """The language model."""
    head = [nn.LayerNorm(256), nn.Linear(256, 1024)]
    return nn.Sequential(nn.Embedding(1024, 256), Block(), Block(), *head).eval()


def program(name: str, is_compiled: bool) -> Call:
    """Returns the native program of a row."""
    net = cnn() if name == "cnn" else transformer()
    call = torch.compile(net) if is_compiled else net

    @torch.inference_mode()
    def forward(x: Any) -> Any:
        return call(x)

    @torch.inference_mode()
    def classify(x: Any) -> Any:
        return call(x.permute(0, 3, 1, 2))

    @torch.inference_mode()
    def generate(tokens: Any) -> Any:
        tokens = tokens.clone()
        for k in range(32, 64):
            tokens[:, k] = call(tokens)[:, k - 1].argmax(-1)
        return tokens

    return {"cnn": classify, "transformer": forward, "generate": generate}[name]


def run_model(model: Any, work: Work) -> Call:
    """Returns the work with a model of Keras, run eagerly."""

    @torch.inference_mode()
    def run(x: Any) -> Any:
        return work(model, x)

    return run


def compile_model(model: Any, work: Work) -> Call:
    """Returns the work with a model of Keras, compiled as users do."""
    return run_model(torch.compile(model), work)


def wait(result: Any) -> None:
    """Does nothing: results on a CPU are there."""
    del result
