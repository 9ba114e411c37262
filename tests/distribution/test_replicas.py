"""Replicas: processes that each compute with their rows of a batch; what is refused."""

import numpy as np
import pytest
from device_programs import HERE, launched, run_whole, thorough_on_tensorflow

import keras_fn as keras
from keras_fn import ops
from keras_fn.backend import backend
from keras_fn.backend.loader import current
from keras_fn.core.replicas import GradientState, ReplicaBatch, ReplicaScope
from keras_fn.core.sharded_variable import ShardedVariable
from keras_fn.distribution.replica_steps import split_rows

on_torch = pytest.mark.skipif(backend() != "torch", reason="a function of PyTorch")
on_replicas = pytest.mark.skipif(backend() == "jax", reason="a process has several devices on JAX")


@pytest.mark.parametrize("total", [1, 2, 5, 32])
@pytest.mark.parametrize("count", [1, 2, 3, 8])
def test_each_row_is_of_one_process(total, count):
    parts = [split_rows(total, i, count) for i in range(count)]
    rows = [row for part in parts for row in range(part.start, part.start + part.count)]
    assert rows == list(range(total))
    assert sum(part.share for part in parts) == pytest.approx(1)
    assert max(part.count for part in parts) - min(part.count for part in parts) <= 1
    assert all(part.rows == max(part.count, 1) and part.start < total for part in parts)


@on_torch
@pytest.mark.parametrize(("share", "sent", "found"), [(0.25, 0.5, 2.0), (0.0, 0.0, 0.0)])
def test_gradients_of_a_sum_are_weighted_by_rows_where_the_loss_is_not(
    share, sent, found, monkeypatch
):
    import torch

    from keras_fn_torch import distribution

    sums = []
    monkeypatch.setattr(distribution.dist, "all_reduce", lambda x: sums.append(x.clone()))
    x = torch.ones(3, requires_grad=True)
    with ReplicaScope(ReplicaBatch(0, 1, 1, 4, share, GradientState())):
        (2 * distribution._AllReduceSum.apply(x)).sum().backward()
    np.testing.assert_array_equal(sums[1].numpy(), [sent] * 3)
    np.testing.assert_array_equal(x.grad.numpy(), [found] * 3)


@on_replicas
def test_scales_of_float8_are_refused_as_their_gradients_have_no_sum():
    scale = keras.Variable("ones", shape=())
    scale.overwrite_with_gradient = True
    replica = ReplicaScope(ReplicaBatch(0, 1, 1, 2, 0.5, GradientState()))
    with replica, pytest.raises(NotImplementedError, match="scale of 8-bit floats"):
        keras.value_and_grad(lambda: scale * 2.0, [scale])


@on_replicas
def test_a_constraint_sees_the_whole_weight_where_an_update_may_be_discarded(monkeypatch):
    def double(shard, *_):  # as if the other process had the same part
        return ops.concatenate([shard, shard])

    monkeypatch.setattr(current(), "gather_shards", double)
    monkeypatch.setattr(ShardedVariable, "exist", True)
    weight = keras.Variable("ones", shape=(4, 2))
    weight._handle = None
    rows = [(slice(start, start + 2), slice(0, 2)) for start in (0, 2)]
    ShardedVariable.convert(weight, rows, 0)
    weight._assign_new_array(np.ones((4, 2), "float32"))
    weight.constraint = keras.constraints.MaxNorm(1.0)
    optimizer = keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(0.1), initial_scale=1.0)
    optimizer.apply([ops.full((4, 2), 20.0)], [weight])
    assert tuple(weight.shard.shape) == (2, 2)
    np.testing.assert_allclose(weight.numpy(), np.full((4, 2), -0.5), atol=1e-5)


@on_replicas
@thorough_on_tensorflow
@pytest.mark.multi_device
@pytest.mark.parametrize("processes", [2, pytest.param(3, marks=pytest.mark.thorough)])
def test_what_programs_do_in_several_processes(processes, tmp_path):
    program = [str(HERE / "replica_program.py"), str(tmp_path)]
    run_whole(launched(processes, program), 1, OMP_NUM_THREADS="1")


@on_torch
@pytest.mark.multi_device
@pytest.mark.thorough
def test_two_processes_give_what_one_gives_in_turns_bit_by_bit():
    run_whole(launched(2, [str(HERE / "turns_program.py")]), 1, OMP_NUM_THREADS="1")


@pytest.fixture
def one_process():
    """PyTorch's process group of this process alone."""
    dist = pytest.importorskip("torch.distributed")
    dist.init_process_group("gloo", store=dist.HashStore(), rank=0, world_size=1)
    yield
    dist.destroy_process_group()


@on_torch
def test_the_store_keeps_no_text_that_all_have_read(one_process, monkeypatch):
    import torch.distributed as dist

    from keras_fn_torch import distribution

    store = dist.TCPStore("127.0.0.1", 0, 1, is_master=True)
    monkeypatch.setattr(distribution._Stores, "texts", dist.PrefixStore("text", store))
    before = store.num_keys()
    for turn in range(3):
        assert distribution.exchange_text(f"name {turn}", "mine", 1.0) == ["mine"]
    assert store.num_keys() == before


@on_torch
def test_sparse_gradients_of_pytorch_are_summed(one_process, monkeypatch):
    import torch
    from torch.nn.functional import embedding

    from keras_fn_torch import distribution, gradient_buckets

    monkeypatch.setattr(gradient_buckets, "_BUCKET_BYTES", 8)
    weight, shard, bias = (torch.ones(4, 2, requires_grad=True) for _ in range(3))
    tensors = [weight, bias]
    buckets = gradient_buckets.GradientBuckets(tensors)
    whole = distribution.gather_shards(shard, [(slice(0, 4), slice(0, 2))], (4, 2), True)
    ids = torch.tensor([1, 2])
    y = embedding(ids, weight, sparse=True) + embedding(ids, whole, sparse=True) + bias[:2]
    *grads, of_shard = torch.autograd.grad(y.sum(), [*tensors, shard])
    expected = np.array([[0.0] * 2, [1.0] * 2, [1.0] * 2, [0.0] * 2])
    for grad in (buckets.sum([g.to_dense() for g in grads])[0], of_shard):
        np.testing.assert_array_equal(grad.numpy(), expected)


@on_torch
def test_fully_shard_is_refused(one_process):
    from torch.distributed.device_mesh import init_device_mesh
    from torch.distributed.fsdp import fully_shard

    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)])
    with pytest.raises(NotImplementedError, match="shard_weights=True"):
        fully_shard(model.layers[0], mesh=init_device_mesh("cpu", (1,)))
    assert type(model.layers[0].kernel) is keras.Variable
