"""The same work in PyTorch alone, as one writes it by hand."""

from collections.abc import Callable
from typing import Any

import native_weights
import torch
from torch import nn
from torch.nn import functional as F
from torch.nn.utils.rnn import pack_padded_sequence


class ResNet(nn.Module):
    """The toy ResNet, channels first."""

    def __init__(self) -> None:
        super().__init__()
        self.c1, self.c2 = nn.Conv2d(3, 32, 3), nn.Conv2d(32, 64, 3)
        self.blocks = nn.ModuleList(nn.Conv2d(64, 64, 3, padding=1) for _ in range(4))
        self.last, self.d1, self.d2 = nn.Conv2d(64, 64, 3), nn.Linear(64, 256), nn.Linear(256, 10)
        self.drop = nn.Dropout(0.5)

    def forward(self, x: Any) -> Any:
        x = F.max_pool2d(F.relu(self.c2(F.relu(self.c1(x)))), 3)
        for a, b in (self.blocks[:2], self.blocks[2:]):
            x = x + F.relu(b(F.relu(a(x))))
        x = F.relu(self.last(x)).mean((2, 3))
        return self.d2(self.drop(F.relu(self.d1(x))))


class Ticket(nn.Module):
    """Two embeddings, two LSTMs, two heads."""

    def __init__(self, words: int, tags: int) -> None:
        super().__init__()
        self.e1, self.e2 = nn.Embedding(words, 64), nn.Embedding(words, 64)
        self.l1 = nn.LSTM(64, 128, batch_first=True)
        self.l2 = nn.LSTM(64, 32, batch_first=True)
        self.p, self.d = nn.Linear(160 + tags, 1), nn.Linear(160 + tags, 4)

    def forward(self, title: Any, body: Any, tags: Any) -> Any:
        a, b = self.l1(self.e1(title))[0][:, -1], self.l2(self.e2(body))[0][:, -1]
        x = torch.cat([a, b, tags], 1)
        return self.p(x), self.d(x)


class Masked(nn.Module):
    """An embedding, a recurrent layer over packed sequences, a head."""

    def __init__(self, cls: Any) -> None:
        super().__init__()
        self.e, self.rnn = nn.Embedding(1000, 64), cls(64, 128, batch_first=True)
        self.d = nn.Linear(128, 4)

    def forward(self, words: Any) -> Any:
        lengths = (words != 0).sum(1)
        packed = pack_padded_sequence(self.e(words), lengths, True, enforce_sorted=False)
        h = self.rnn(packed)[1]
        return self.d((h[0] if isinstance(h, tuple) else h)[-1])


class Block(nn.Module):
    """A pre-norm block with causal attention of 4 heads."""

    def __init__(self) -> None:
        super().__init__()
        self.n1, self.n2 = nn.LayerNorm(128), nn.LayerNorm(128)
        self.qkv, self.out = nn.Linear(128, 384), nn.Linear(128, 128)
        self.up, self.down = nn.Linear(128, 512), nn.Linear(512, 128)

    def forward(self, x: Any) -> Any:
        q, k, v = self.qkv(self.n1(x)).unflatten(-1, (12, 32)).transpose(1, 2).chunk(3, 1)
        h = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.out(h.transpose(1, 2).flatten(2))
        return x + self.down(F.gelu(self.up(self.n2(x))))


class Attention(nn.Module):
    """Self-attention of 8 heads, with one product for query, key and value."""

    def __init__(self) -> None:
        super().__init__()
        self.qkv, self.out = nn.Linear(128, 384), nn.Linear(128, 128)

    def forward(self, x: Any) -> Any:
        q, k, v = self.qkv(x).unflatten(-1, (24, 16)).transpose(1, 2).chunk(3, 1)
        return self.out(F.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2))


def transformer_net() -> Any:
    blocks = [Block() for _ in range(4)]
    return nn.Sequential(nn.Embedding(1000, 128), *blocks, nn.LayerNorm(128), nn.Linear(128, 1000))


def mlp_net() -> Any:
    return nn.Sequential(
        nn.Linear(784, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10)
    )


def mlp(x: Any, y: Any, batch: int) -> Callable[[], None]:
    net = mlp_net()
    xs, ys = torch.from_numpy(x), torch.from_numpy(y).long()

    def loss(i: Any) -> Any:
        out = net(xs[i])
        return F.cross_entropy(out, ys[i]), (out.argmax(1) == ys[i]).sum()

    return _epoch(net, loss, len(x), batch)


class Convolutions(nn.Sequential):
    """A chain of 48 small convolutions."""

    def __init__(self) -> None:
        steps: list[Any] = []
        for channels in (3, *(16,) * 47):
            steps += [nn.Conv2d(channels, 16, 3, padding=1), nn.ReLU()]
        super().__init__(*steps, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(16, 10))


def convolutions(x: Any, y: Any, batch: int) -> Callable[[], None]:
    net = Convolutions()
    xs = torch.from_numpy(x).permute(0, 3, 1, 2).contiguous()
    ys = torch.from_numpy(y).long()

    def loss(i: Any) -> Any:
        out = net(xs[i])
        return F.cross_entropy(out, ys[i]), (out.argmax(1) == ys[i]).sum()

    return _epoch(net, loss, len(x), batch)


def resnet(x: Any, y: Any, batch: int) -> Callable[[], None]:
    net = ResNet()
    xs = torch.from_numpy(x).permute(0, 3, 1, 2).contiguous()
    ys = torch.from_numpy(y.argmax(1))

    def loss(i: Any) -> Any:
        out = net(xs[i])
        return F.cross_entropy(out, ys[i]), (out.argmax(1) == ys[i]).sum()

    return _epoch(net, loss, len(x), batch)


def ticket(x: Any, y: Any, batch: int) -> Callable[[], None]:
    net = Ticket(1000, x["tags"].shape[1])
    xs = [torch.from_numpy(x[k]) for k in ("title", "body", "tags")]
    p, d = torch.from_numpy(y["priority"]), torch.from_numpy(y["department"])

    def loss(i: Any) -> Any:
        a, b = net(*[t[i] for t in xs])
        one = F.binary_cross_entropy_with_logits(a, p[i])
        return one + 0.2 * F.cross_entropy(b, d[i]), one.detach()

    return _epoch(net, loss, len(xs[0]), batch)


def masked_lstm(x: Any, y: Any, batch: int, cls: Any = nn.LSTM) -> Callable[[], None]:
    net, xs, ys = Masked(cls), torch.from_numpy(x), torch.from_numpy(y).long()

    def loss(i: Any) -> Any:
        value = F.cross_entropy(net(xs[i]), ys[i])
        return value, value.detach()

    return _epoch(net, loss, len(x), batch)


def masked_gru(x: Any, y: Any, batch: int) -> Callable[[], None]:
    return masked_lstm(x, y, batch, nn.GRU)


def transformer(x: Any, y: Any, batch: int) -> Callable[[], None]:
    net = transformer_net()
    xs, ys = torch.from_numpy(x), torch.from_numpy(y).long()

    def loss(i: Any) -> Any:
        value = F.cross_entropy(net(xs[i]).flatten(0, 1), ys[i].flatten())
        return value, value.detach()

    adam = torch.optim.Adam(net.parameters(), 1e-3, eps=1e-7, fused=True)
    return _epoch(net, loss, len(xs), batch, adam)


def attention(x: Any, y: Any, batch: int) -> Callable[[], None]:
    net, xs, ys = Attention(), torch.from_numpy(x), torch.from_numpy(y)

    def loss(i: Any) -> Any:
        value = F.mse_loss(net(xs[i]), ys[i])
        return value, value.detach()

    return _epoch(net, loss, len(xs), batch)


def _epoch(
    net: Any, loss: Any, samples: int, batch: int, optimizer: Any = None
) -> Callable[[], None]:
    if optimizer is None:
        optimizer = torch.optim.RMSprop(net.parameters(), lr=1e-3, alpha=0.9, eps=1e-7)

    def run() -> None:
        order, total, hits = torch.randperm(samples), 0.0, 0.0
        for k in range(0, samples, batch):
            optimizer.zero_grad()
            value, more = loss(order[k : k + batch])
            value.backward()
            optimizer.step()
            total, hits = total + value.detach(), hits + more
        float(total), float(hits)

    return run


def forward(x: Any, name: str = "mlp") -> Callable[[], Any]:
    net, xs = NETS[name](), torch.from_numpy(x)
    net.requires_grad_(False)
    return lambda: net(xs)


def predict(x: Any, batch: int) -> Callable[[], Any]:
    net = mlp_net()

    @torch.inference_mode()
    def run() -> Any:
        return torch.cat([net(rows) for rows in torch.from_numpy(x).split(batch)]).numpy()

    return run


def dense_stack(count: int) -> Any:
    return nn.Sequential(*(nn.Linear(64, 64) for _ in range(count)))


tensor = torch.from_numpy
NETS = {
    "mlp": mlp_net,
    "resnet": ResNet,
    "convolutions": Convolutions,
    "ticket": lambda: Ticket(1000, 12),
    "transformer": transformer_net,
    "attention": Attention,
}


def parameters(name: str) -> int:
    """How many numbers the weights of a model are."""
    if name not in NETS:
        return native_weights.count(name)
    named = NETS[name]().named_parameters()
    # An LSTM of PyTorch has two biases, of which the sum is one.
    return sum(p.numel() for key, p in named if not key.startswith(("l1.bias_h", "l2.bias_h")))


def compiled(function: Any) -> Any:
    """PyTorch runs as it is: `torch.compile` is for those who ask for it."""
    return function


def _conv(x: Any, kernel: Any) -> Any:
    out = F.conv2d(x.permute(0, 3, 1, 2), kernel.permute(3, 2, 0, 1), padding="same")
    return out.permute(0, 2, 3, 1)


def _attention(q: Any, k: Any, v: Any) -> Any:
    q, k, v = (t.transpose(1, 2) for t in (q, k, v))
    return F.scaled_dot_product_attention(q, k, v).transpose(1, 2)


def _scan(x: Any) -> Any:
    carry, outputs = torch.zeros(8), []
    for row in x:
        carry = carry + row
        outputs.append(carry)
    return torch.stack(outputs)


OPS = {
    "relu": torch.relu,
    "add": torch.add,
    "sum": lambda x: torch.sum(x, -1),
    "matmul": torch.matmul,
    "conv": _conv,
    "attention": _attention,
    "gather": lambda x, indices: x.index_select(0, indices),
    "scan": _scan,
}
