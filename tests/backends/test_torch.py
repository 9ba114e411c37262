"""Interoperability with PyTorch: modules, hooks, meta tensors, fused ops."""

import copy
import io
import os
import pickle
import subprocess
import sys
import threading
import timeit

import ml_dtypes
import numpy as np
import pytest

if os.environ.get("KERAS_BACKEND") != "torch":
    pytest.skip("The backend under test is not torch.", allow_module_level=True)

import torch
from torch import nn

import keras_fn_torch as backend
from keras_fn import ops
from keras_fn.core.keras_tensor import KerasTensor
from keras_fn.core.scopes import StatelessScope
from keras_fn.core.variable import Variable
from keras_fn.layers.core.dense import Dense
from keras_fn.layers.layer import Layer


class Net(Layer):
    """Two layers of the same name, a counter, and PyTorch modules and parameters."""

    def __init__(self):
        super().__init__()
        self.first, self.second = Dense(4, name="dense"), Dense(2, name="dense")
        self.raw = nn.Linear(2, 2)
        self.factor = nn.Parameter(torch.ones(2))

    def build(self, input_shape):
        self.count = self.add_weight(
            (), dtype="int32", initializer="zeros", trainable=False, name="count"
        )

    def call(self, x):
        return self.raw(self.second(self.first(x))) * self.factor


@pytest.fixture
def x():
    return torch.linspace(-1, 1, 15).reshape(3, 5)


@pytest.fixture
def net(x):
    net = Net()
    net(x)
    return net


# ---------------------------------------------------------------- modules


def test_parameters_are_the_layers_variables_under_unique_names(net):
    found = dict(net.named_parameters())
    assert set(found) == {
        "count", "factor", "dense.kernel", "dense.bias", "dense_1.kernel", "dense_1.bias",
        "raw.module.weight", "raw.module.bias",
    }  # fmt: skip
    assert found["dense.kernel"] is net.first.kernel.value
    assert found["dense_1.bias"] is net.second.bias.value
    assert [m for _, m in net.named_children()] == [net.first, net.second, net.raw]
    assert not found["count"].requires_grad


def test_layers_added_later_are_found(net):
    net.third = Dense(3, name="third")
    assert net.get_submodule("third") is net.third
    net.register_parameter("shift", nn.Parameter(torch.zeros(2)))
    assert net.get_parameter("shift") is net.shift
    with pytest.raises(AttributeError, match="nothing"):
        net.get_parameter("dense.nothing")
    del net.shift
    assert "shift" not in dict(net.named_parameters())


@pytest.mark.parametrize("assign", [False, True])
def test_state_dict_round_trip(net, x, assign):
    file = io.BytesIO()
    torch.save(net.state_dict(), file)
    file.seek(0)
    other = Net()
    other(x)
    kernel = other.first.kernel.value
    assert str(other.load_state_dict(torch.load(file), assign=assign)).startswith("<All keys")
    assert torch.equal(other(x), net(x))
    assert other.first.kernel.value is kernel  # an optimizer that holds it still does


def test_wrong_state_dict_is_refused(net):
    state = net.state_dict()
    del state["dense.kernel"]
    with pytest.raises(RuntimeError, match=r"dense\.kernel"):
        net.load_state_dict(state)


def test_to_casts_the_variables_in_place(net):
    kernel = net.first.kernel.value
    net.to(torch.float64)
    assert net.first.kernel.dtype == "float64"
    assert net.first.kernel.value is kernel
    assert kernel.dtype is torch.float64
    assert net.count.dtype == "int32"


def test_torch_optimizer_trains_a_layer(net, x):
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
    losses = []
    for _ in range(5):
        optimizer.zero_grad()
        loss = torch.square(net(x) - 1).mean()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses == sorted(losses, reverse=True)
    net.zero_grad()
    assert all(p.grad is None for p in net.parameters())


def test_modes_and_gradients_apply_to_submodules(net):
    assert not net.eval().raw.training
    assert net.train().raw.training
    assert not any(p.requires_grad for p in net.requires_grad_(False).parameters())
    assert net.requires_grad_().first.kernel.value.requires_grad


def test_functional_call_swaps_weights(net, x):
    zeros = {key: torch.zeros_like(value) for key, value in net.named_parameters()}
    before = net(x)
    assert not torch.func.functional_call(net, zeros, (x,)).any()
    assert torch.equal(net(x), before)


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))])
def test_copies_are_equal_and_independent(x, copied):
    layer = Dense(3)
    expected = layer(x)
    other = copied(layer)
    assert torch.equal(other(x), expected)
    assert other.kernel.value is not layer.kernel.value
    assert [k for k, _ in other.named_parameters()] == ["kernel", "bias"]


def test_creating_a_layer_is_cheap():
    """The base class adds a few microseconds for each of 200 layers."""

    def best(make):
        return min(timeit.repeat(make, number=200, repeat=5))

    assert best(backend.LayerBase) < 4 * best(nn.Module) + 1e-3


# ---------------------------------------------------------------- hooks


def test_hooks_run_around_a_call(net, x):
    seen = []
    net.first.register_forward_pre_hook(lambda m, args: seen.append(("before", m, len(args))))
    handle = net.first.register_forward_hook(lambda m, args, y: seen.append(("after", m, y.shape)))
    net(x)
    assert seen == [("before", net.first, 1), ("after", net.first, (3, 4))]
    handle.remove()
    net(x)
    assert len(seen) == 3


def test_hooks_may_change_inputs_and_outputs(net, x):
    net.first.register_forward_pre_hook(lambda m, args: (torch.zeros_like(args[0]),))
    net.first.register_forward_hook(lambda m, args, y: y + 1)
    assert torch.equal(net.first(x), torch.ones(3, 4) + net.first.bias.value)


def test_backward_hooks_see_gradients(net, x):
    seen = []
    net.first.register_full_backward_hook(lambda m, into, outof: seen.append(outof[0].shape))
    net(x.requires_grad_()).sum().backward()
    assert seen == [(3, 4)]


def test_a_layer_can_be_called_by_forward(net, x):
    net.register_forward_hook(lambda m, args, y: y * 0)
    assert torch.equal(net.forward(x), torch.zeros(3, 2))


# ---------------------------------------------------------------- imports

PROGRAM = """
import io, sys, torch
from keras_fn import ops
from keras_fn.core.keras_tensor import KerasTensor
from keras_fn.layers.layer import Layer
from keras_fn.layers.core.dense import Dense
import keras_fn_torch as backend

class Foreign(Layer):
    def __init__(self):
        super().__init__()
        self.dense = Dense(4)
        self.raw = torch.nn.LSTM(4, 3, batch_first=True)
    def call(self, x):
        y = self.raw(self.dense(x))[0]
        y = torch.nn.functional.layer_norm(y, (3,)) + torch.zeros(3)
        return torch.softmax(y.mean(1), -1)

layer = Foreign()
assert layer(KerasTensor((None, 7, 5))).shape == (None, 3)
x = torch.ones(2, 7, 5)
step = backend.value_and_grad(lambda: (layer(x)[:, 0].sum(), None), layer.trainable_variables)
for _ in range(2):
    _, grads = backend.compile(step, layer.variables)()
    for v, g in zip(layer.trainable_variables, grads):
        v.assign(v.value - g)
torch.save(layer.state_dict(), io.BytesIO())
unwanted = {"jax", "tensorflow", "keras", "torch._dynamo", "torch._inductor"} & set(sys.modules)
assert not unwanted, unwanted
"""


def test_building_training_and_saving_import_neither_the_compiler_nor_another_framework():
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


# ---------------------------------------------------------------- abstract evaluation


class Foreign(Layer):
    """Calls PyTorch only; assigns a variable and samples random numbers."""

    def build(self, input_shape):
        self.kernel = self.add_weight((input_shape[-1], 4), name="kernel")
        self.seen = self.add_weight((), initializer="zeros", trainable=False, name="seen")

    def call(self, x):
        self.seen.assign(self.seen.value + 1)
        noise = torch.rand(x.shape[0], 1, 4, device=x.device)
        y = torch.matmul(x, self.kernel) + noise + torch.zeros(4)
        return {"y": torch.nn.functional.dropout(y), "size": y.to("cpu").long().argmax(-1)}


def test_a_layer_of_torch_code_is_inferred_without_side_effects():
    layer = Foreign()
    before = torch.get_rng_state()
    out = layer(KerasTensor((None, 7, 3)))
    assert torch.equal(torch.get_rng_state(), before)
    assert (out["y"].shape, out["y"].dtype) == ((None, 7, 4), "float32")
    assert (out["size"].shape, out["size"].dtype) == ((None, 7), "int64")
    assert layer.seen.numpy() == 0
    assert not layer.kernel.value.is_meta


def test_unknown_sizes_stay_unknown_and_known_ones_are_inferred():
    def function(x, y):
        return torch.cat([x, x], 0), x @ y, torch.zeros(x.shape[1])

    a, b, c = backend.abstract_eval(
        function, (KerasTensor((None, 3)), KerasTensor((3, None), "float32")), {}
    )
    assert (a.shape, b.shape, c.shape) == ((None, 3), (None, None), (3,))


def test_real_tensors_and_ops_mix_with_abstract_ones():
    constant, variable = torch.ones(3), Variable(np.ones(3, "float32"))

    def function(x):
        x = ops.add(x, np.ones(3, "float32")) + ops.ones((3,)) + ops.arange(3)
        x += constant
        return ops.softmax(x * variable), torch.stack([constant, variable.value]), None

    a, b, c = backend.abstract_eval(function, (KerasTensor((None, 3)),), {})
    assert (a.shape, b.shape, c) == ((None, 3), (2, 3), None)
    assert torch.equal(constant, torch.ones(3))


def test_reading_an_abstract_value_is_an_error():
    with pytest.raises(RuntimeError):
        backend.abstract_eval(lambda x: x * x.sum().item(), (KerasTensor((2,)),), {})


@pytest.mark.thorough  # it imports what compiles
def test_a_trace_with_symbolic_sizes_leaves_other_calls_as_they_were():
    from torch.fx.experimental.proxy_tensor import make_fx

    class Sum(Layer):
        def call(self, x, pair):
            return x + (pair[0] if isinstance(pair, list) else pair)

    layer, x = Sum(), torch.ones(3, 2)
    layer(x, x)
    make_fx(layer, tracing_mode="symbolic")(torch.ones(4, 2), torch.ones(4, 2))
    assert layer(x, [x.double()]).dtype == torch.float32  # cast, as in the slow path


def test_after_an_error_tensors_are_real_again():
    with pytest.raises(ZeroDivisionError):
        backend.abstract_eval(lambda x: 1 / 0, (KerasTensor((2,)),), {})
    assert not ops.ones((2,)).is_meta
    assert not torch.ones(2).is_meta


# ---------------------------------------------------------------- gradients


def variables():
    return [Variable([1.0, 2.0]), Variable([3.0]), Variable([5.0, 5.0])]


def test_gradients_of_used_and_unused_variables():
    a, b, c = variables()
    step = backend.value_and_grad(lambda x: ((a * b * x).sum(), {"a": a * 2}), [a, b, c])
    (value, more), grads = step(2.0)
    assert float(value) == 18.0
    assert not value.requires_grad and not more["a"].requires_grad
    assert [g.tolist() for g in grads] == [[6.0, 6.0], [6.0], [0.0, 0.0]]


def test_a_value_that_depends_on_nothing_has_zero_gradients():
    a, b, _ = variables()
    (value, _), grads = backend.value_and_grad(lambda: (torch.tensor(1.0), None), [a, b])()
    assert float(value) == 1.0
    assert [g.tolist() for g in grads] == [[0.0, 0.0], [0.0]]


def test_gradients_inside_a_stateless_scope_use_its_values():
    a, b, _ = variables()
    count = Variable(0.0, trainable=False)

    def function():
        count.assign(count + 1)
        return (a * a * b).sum(), None

    with StatelessScope([(a, torch.tensor([10.0, 0.0]))]) as scope:
        (value, _), (grad,) = backend.value_and_grad(function, [a])()
        assert float(scope.get_current_value(count)) == 1.0
        assert not scope.get_current_value(a).requires_grad
    assert (float(value), grad.tolist()) == (300.0, [60.0, 0.0])
    assert float(count.value) == 0.0


def test_gradients_with_respect_to_a_frozen_variable_and_without_grad_mode():
    a, b, _ = variables()
    a.trainable = False
    count = Variable(0.0, trainable=False)

    def function():
        count.assign(count + 1)
        return (a * b).sum(), None

    with torch.no_grad():
        _, grads = backend.value_and_grad(function, [a, b])()
    assert [g.tolist() for g in grads] == [[3.0, 3.0], [3.0]]
    assert float(count.value) == 1.0
    assert a.value.grad is None and not a.value.requires_grad


def test_a_step_records_gradients_only_in_value_and_grad():
    a, b, _ = variables()

    def step(x):
        (value, _), grads = backend.value_and_grad(lambda: ((a * b * x).sum(), None), [a])()
        return value, a.value * 2, grads[0]

    value, outside, grad = backend.compile(step, [a, b])(torch.tensor(2.0))
    assert (float(value), grad.tolist()) == (18.0, [6.0, 6.0])
    assert not outside.requires_grad


def test_options_reach_the_compiler():
    graphs = []

    def compiler(module, inputs):
        graphs.append(module)
        return module.forward

    double = backend.compile(lambda x: x * 2, [], {"backend": compiler, "fullgraph": True})
    assert double(torch.tensor(3.0)).item() == 6.0
    assert len(graphs) == 1


# ---------------------------------------------------------------- tensors


def test_tensors_do_not_share_the_memory_of_arrays():
    array = np.arange(4.0)
    tensor = backend.convert_to_tensor(array)
    handle = backend.new_variable(tensor, "float64", True, "v")
    host = backend.convert_to_numpy(handle)
    array[:] = 9
    backend.assign(handle, handle + 1)
    assert tensor.tolist() == host.tolist() == [0, 1, 2, 3]
    assert handle.tolist() == [1, 2, 3, 4]


@pytest.mark.parametrize(
    "dtype", ["bool", "uint8", "uint16", "uint32", "uint64", "int8", "int64", "float16",
              "bfloat16", "float64", "float8_e4m3fn", "float8_e5m2", "complex64"],
)  # fmt: skip
def test_array_round_trip(dtype):
    array = np.array([[0, 1], [1, 0]]).astype(getattr(ml_dtypes, dtype, dtype))
    for given in (array, array.T, array[::-1], np.broadcast_to(array[0], (3, 2))):
        tensor = backend.convert_to_tensor(given)
        assert backend.dtype_name(tensor) == dtype
        back = backend.convert_to_numpy(tensor)
        assert back.dtype == array.dtype
        np.testing.assert_array_equal(back, given)


def test_python_numbers_have_the_default_dtypes():
    found = [backend.convert_to_tensor(x).dtype for x in (1.0, [1.0], 1, [[1]], True, 2**40)]
    assert found == [
        torch.float32, torch.float32, torch.int32, torch.int32, torch.bool, torch.int64,
    ]  # fmt: skip
    assert backend.convert_to_tensor([torch.tensor(1.0), Variable(2.0)]).tolist() == [1.0, 2.0]
    with pytest.raises(TypeError, match="numbers"):
        backend.convert_to_tensor(["text"])


def test_a_variable_is_assigned_a_view_of_itself():
    v = Variable(np.arange(9.0).reshape(3, 3))
    handle = v.value
    v.assign(torch.transpose(v.value, 0, 1))
    assert v.value is handle
    np.testing.assert_array_equal(v.numpy(), np.arange(9.0).reshape(3, 3).T)


def test_integer_variables_require_no_gradient():
    handle = backend.new_variable(np.arange(3), "int32", True, "n")
    backend.set_trainable(handle, True)
    assert isinstance(handle, nn.Parameter) and not handle.requires_grad


def test_device_scope_sets_the_device_of_new_tensors():
    with backend.device_scope("cpu"):
        assert ops.zeros((2,)).device == torch.device("cpu")
        with backend.device_scope("meta"):
            assert backend.convert_to_tensor(np.ones(3)).is_meta
    assert not ops.zeros((2,)).is_meta


# ---------------------------------------------------------------- random numbers


def test_random_numbers_depend_on_the_seed_alone():
    def draw(*seed):
        return backend.ops.random_uniform((100,), "float32", torch.tensor(seed))

    assert torch.equal(draw(1, 2), draw(1, 2))
    for other in ((1, 3), (2, 2), (2, 1), (0, 3), (-1, 2)):
        assert not torch.equal(draw(1, 2), draw(*other))


def test_sampling_does_not_change_the_global_generator():
    before = torch.get_rng_state()
    backend.ops.random_normal((3,), "float32", torch.tensor([1, 2]))
    assert torch.equal(torch.get_rng_state(), before)


def test_distributions():
    seed = torch.tensor([3, 4])
    uniform = backend.ops.random_uniform((10000,), "float32", seed)
    normal = backend.ops.random_normal((10000,), "bfloat16", seed).float()
    whole = backend.ops.random_randint((10000,), -2, 3, "int8", seed)
    low, high = torch.tensor([0, 10]), torch.tensor([2, 20])
    ranges = backend.ops.random_randint((5000, 2), low, high, "int32", seed)
    assert uniform.min() >= 0 and uniform.max() < 1 and abs(uniform.mean() - 0.5) < 0.02
    assert abs(normal.mean()) < 0.05 and abs(normal.std() - 1) < 0.05
    assert whole.unique().tolist() == [-2, -1, 0, 1, 2]
    assert ranges[:, 0].unique().tolist() == [0, 1]
    assert ranges[:, 1].unique().tolist() == list(range(10, 20))


def test_a_variable_keeps_memory_that_a_kernel_in_another_thread_may_read():
    variable = Variable(np.zeros((2, 3), "float32"))
    address, done = variable.value.data_ptr(), threading.Event()
    thread = threading.Thread(target=done.wait)
    thread.start()
    try:
        variable._assign_new_array(np.ones((2, 3), "float32"))
    finally:
        done.set()
        thread.join()
    assert variable.value.data_ptr() == address
    assert variable.value.tolist() == [[1.0] * 3] * 2
