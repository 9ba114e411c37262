"""PyTorch's fused ops compared with the composite ops they replace: values and gradients."""

import os

import numpy as np
import pytest

if os.environ.get("KERAS_BACKEND") != "torch":
    pytest.skip("The backend under test is not torch.", allow_module_level=True)

import torch

import keras_fn as keras
import keras_fn_torch as backend
from keras_fn import ops
from keras_fn.core.operators import OPS
from keras_fn.ops import rnn
from keras_fn_torch.rnn import gru, lstm

POINTS = torch.tensor([-9.0, -2.5, -1.0, -0.3, 0.4, 1.0, 2.9, 8.0])
OVERRIDES = {
    "relu": (), "leaky_relu": (0.3,), "elu": (0.7,), "selu": (), "silu": (), "softplus": (),
    "gelu": (False,), "hard_sigmoid": (), "hard_silu": (), "log_sigmoid": (), "log_softmax": (),
    "logsumexp": (-1, True), "square": (), "clip": (-1.5, 2.5), "glu": (),
}  # fmt: skip


@pytest.mark.parametrize("name", OVERRIDES)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.int32])
def test_an_override_agrees_with_the_composite(name, dtype):
    native, body = getattr(backend.ops, name), OPS[name].op.fn
    results = []
    for function in (native, body):
        x = POINTS.to(dtype)
        if dtype.is_floating_point:
            x.requires_grad_()
        y = function(x, *OVERRIDES[name])
        weights = torch.arange(1, y.numel() + 1).reshape(y.shape)
        grad = torch.autograd.grad((y * weights).sum(), x)[0] if x.requires_grad else x
        results.append((y.detach(), grad))
    (y, grad), (y_body, grad_body) = results
    torch.testing.assert_close(y, y_body, rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(grad, grad_body, rtol=1e-5, atol=1e-6)


def test_every_override_is_compared():
    composites = {n for n, op in OPS.items() if op.op.rule is None and hasattr(backend.ops, n)}
    composites.add("square")  # which has a rule, too
    elsewhere = {
        "dense",
        "batch_normalization",
        "layer_normalization",
        "lstm",
        "gru",
        "moveaxis",
        "swapaxes",
        "rms_normalization",
        "batch_norm_train",
        "binary_crossentropy",
        "categorical_crossentropy",
        "sparse_categorical_crossentropy",
    }
    with_a_rule = {"relu", "clip"}  # for booleans
    assert composites - elsewhere == set(OVERRIDES) - with_a_rule


@pytest.mark.parametrize("from_logits", [True, False])
@pytest.mark.parametrize("axis", [-1, 1])
@pytest.mark.parametrize("sparse", [True, False])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_crossentropies_and_their_gradients(from_logits, axis, sparse, dtype):
    random = torch.Generator().manual_seed(0)
    output = torch.rand((2, 3, 4), generator=random).to(dtype)
    target = torch.rand((2, 3, 4), generator=random).softmax(axis)
    name = "categorical_crossentropy"
    if sparse:
        name, target = f"sparse_{name}", target.argmax(axis).to(torch.int32)

    def run(function):
        leaf = output.clone().requires_grad_()
        y = function(target, leaf, from_logits, axis)
        return y.detach(), torch.autograd.grad(torch.square(y.float()).sum(), leaf)[0]

    for a, b in zip(run(getattr(backend.ops, name)), run(OPS[name].op.fn), strict=True):
        torch.testing.assert_close(a, b)


@pytest.mark.parametrize("from_logits", [True, False])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_binary_crossentropy_and_its_gradients(from_logits, dtype):
    logits = torch.tensor([-90.0, -15.0, -1.0, 0.0, 1.0, 15.0, 90.0])
    output = (logits if from_logits else torch.linspace(0.0, 1.0, 7)).to(dtype)
    native, body = backend.ops.binary_crossentropy, OPS["binary_crossentropy"].op.fn
    for target in (torch.zeros(7), torch.ones(7), torch.linspace(0.0, 1.0, 7)):
        results = []
        for function in (native, body):
            x, t = output.clone().requires_grad_(), target.clone().requires_grad_()
            y = function(t, x, from_logits)
            results.append((y.detach(), *torch.autograd.grad(y.float().sum(), (x, t))))
        rtol = 1e-5 if dtype is torch.float32 else 0.02
        (loss, *grads), (expected, *their_grads) = results
        torch.testing.assert_close(loss, expected, rtol=rtol, atol=0)
        torch.testing.assert_close(grads, their_grads, rtol=rtol, atol=1e-7)


def test_split_parts_and_their_gradients():
    x = torch.arange(12.0).reshape(2, 6).requires_grad_()
    for places in (3, [1, 4], [0, 4], [-2], [4, 1], [9]):
        parts = ops.split(x, places, axis=1)
        expected = np.split(x.detach().numpy(), places, axis=1)
        for part, array in zip(parts, expected, strict=True):
            np.testing.assert_array_equal(part.detach().numpy(), array)
        loss = sum((i + 1) * part.sum() for i, part in enumerate(parts))
        grads = torch.autograd.grad(loss, x)[0]
        weights = np.zeros((2, 6), "float32")
        for i, array in enumerate(np.split(np.arange(12).reshape(2, 6), places, axis=1)):
            for k in array.ravel():
                weights.flat[k] += i + 1
        np.testing.assert_array_equal(grads.numpy(), weights)


def test_recurrent_kernels_have_the_memory_format_of_pytorch_and_stay_the_same_weights():
    layer = keras.layers.LSTM(3)
    layer.build((None, 4, 2))
    kernel, before = layer.cell.kernel.value, layer.cell.kernel.numpy()
    x = torch.randn(2, 4, 2, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        first = layer(x)
    assert layer.cell.kernel.value is kernel and kernel.t().is_contiguous()
    np.testing.assert_array_equal(layer.cell.kernel.numpy(), before)
    torch.testing.assert_close(layer(x), first.clone())

    optimizer = keras.optimizers.Adam(0.1)
    loss, grads = keras.value_and_grad(lambda: torch.square(layer(x)).sum(), layer.weights)()
    optimizer.apply(grads, layer.weights)
    slot = next(v for v in optimizer.variables if v.shape == kernel.shape and "bias" not in v.name)
    assert slot.value.stride() == kernel.stride() == grads[0].stride()
    assert torch.square(layer(x)).sum() < loss


def test_gradients_at_zero_agree_with_the_composite():
    for name, expected in (("relu", 0.0), ("leaky_relu", 0.2)):
        x = torch.zeros(1, requires_grad=True)
        assert torch.autograd.grad(getattr(backend.ops, name)(x), x)[0].item() == pytest.approx(
            expected
        )


@pytest.mark.parametrize("shape", [(4, 3), (2, 4, 3), (3,)])
@pytest.mark.parametrize("bias", [True, False])
def test_dense_is_matmul_plus_bias(shape, bias):
    rng = np.random.default_rng(0)
    x, kernel, b = (rng.normal(size=s).astype("float32") for s in (shape, (3, 5), (5,)))
    got = ops.convert_to_numpy(OPS["dense"](x, kernel, b if bias else None))
    np.testing.assert_allclose(got, x @ kernel + (b if bias else 0), rtol=1e-5, atol=1e-6)
    assert OPS["dense"](x.astype("int32"), kernel, b).dtype is torch.float32


@pytest.mark.parametrize("axis", [-1, 1, 0])
@pytest.mark.parametrize("extras", [True, False])
def test_batch_normalization_and_its_gradients(axis, extras):
    arguments = [torch.randn(3, 3, 3, generator=torch.Generator().manual_seed(0))]
    arguments += [torch.tensor([0.1, -2.0, 3.0]), torch.tensor([1.0, 0.5, 2.0])]
    if extras:
        arguments += [torch.tensor([1.0, 2.0, 3.0]), torch.tensor([0.5, 1.5, -1.0])]

    def run(function):
        leaves = [a.clone().requires_grad_() for a in arguments]
        x, mean, variance, *rest = leaves
        y = function(x, mean, variance, axis, *rest)
        return y, *torch.autograd.grad(torch.square(y).sum(), leaves)

    native, body = map(run, (backend.ops.batch_normalization, OPS["batch_normalization"].op.fn))
    for a, b in zip(native, body, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("axis", [-1, 1, (2, 1), 0])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("extras", [True, False])
def test_layer_normalization_and_its_gradients(axis, dtype, extras):
    x = torch.randn(3, 4, 5, generator=torch.Generator().manual_seed(0))
    sizes = [x.shape[a] for a in (sorted(axis) if isinstance(axis, tuple) else [axis])]
    gamma = torch.linspace(-1, 2, int(np.prod(sizes))).reshape(sizes)
    arguments = [x.to(dtype), gamma, gamma + 1] if extras else [x.to(dtype)]

    def run(function):
        leaves = [a.clone().requires_grad_() for a in arguments]
        y = function(*leaves, *[None] * (3 - len(leaves)), axis)
        return y, *torch.autograd.grad(torch.square(y.float()).sum(), leaves)

    native, body = map(run, (backend.ops.layer_normalization, OPS["layer_normalization"].op.fn))
    tolerance = 1e-4 if dtype is torch.float32 else 3e-2
    for a, b in zip(native, body, strict=True):
        torch.testing.assert_close(a, b, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("go_backwards", [True, False])
@pytest.mark.parametrize("name", ["lstm", "gru"])
def test_fused_recurrent_ops_agree_with_the_recurrence(name, go_backwards, bias):
    gates = 4 if name == "lstm" else 3
    generator = torch.Generator().manual_seed(0)
    shapes = [(2, 5, 3), (2, 4), (2, 4), (3, gates * 4), (4, gates * 4), (gates * 4,)]
    if name == "gru":
        del shapes[2]
        shapes[-1] = (2, gates * 4)
    arguments = [torch.randn(s, generator=generator) for s in (shapes if bias else shapes[:-1])]

    def run(function):
        leaves = [a.clone().requires_grad_() for a in arguments]
        given = leaves if bias else [*leaves, None]
        results = function(*given, go_backwards)
        total = sum((r * torch.arange(1, r.numel() + 1).reshape(r.shape)).sum() for r in results)
        return *results, *torch.autograd.grad(total, leaves)

    native, body = run({"lstm": lstm, "gru": gru}[name]), run(getattr(rnn, name).op.fn)
    assert len(native) == len(body)
    for a, b in zip(native, body, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-4)


def test_channels_last_memory_format_is_kept():
    x, kernel = torch.rand(2, 8, 8, 3), torch.rand(3, 3, 3, 4)
    y = ops.conv(x, kernel, padding="same", data_format="channels_last")
    assert y.is_contiguous()
    assert ops.max_pool(y, 2, data_format="channels_last").is_contiguous()


@pytest.mark.parametrize("reverse", [True, False])
def test_scan_carries_nested_states_and_stacks_outputs(reverse):
    def step(carry, x):
        total = carry["total"] + x["a"]
        return {"total": total}, (total, None)

    xs = {"a": torch.arange(4.0), "b": None}
    carry, (sums, nothing) = backend.ops.scan(
        step, {"total": torch.tensor(0.0)}, xs, reverse=reverse
    )
    assert nothing is None
    assert float(carry["total"]) == 6.0
    assert sums.tolist() == ([6.0, 6.0, 5.0, 3.0] if reverse else [0.0, 1.0, 3.0, 6.0])
    carry, ys = backend.ops.scan(lambda c, _: (c * 2, c), torch.tensor(1), None, 4)
    assert (int(carry), ys.tolist()) == (16, [1, 2, 4, 8])
