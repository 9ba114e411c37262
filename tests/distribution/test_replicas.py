"""Replicas: processes that each compute with their rows of a batch; what is refused."""

import pytest
from device_programs import HERE, launched, run_whole, thorough_on_tensorflow

import keras_fn as keras
from keras_fn.backend import backend
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


@on_torch
def test_fully_shard_is_refused():
    dist = pytest.importorskip("torch.distributed")
    from torch.distributed.device_mesh import init_device_mesh
    from torch.distributed.fsdp import fully_shard

    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)])
    dist.init_process_group("gloo", store=dist.HashStore(), rank=0, world_size=1)
    try:
        with pytest.raises(NotImplementedError, match="shard_weights=True"):
            fully_shard(model.layers[0], mesh=init_device_mesh("cpu", (1,)))
    finally:
        dist.destroy_process_group()
    assert type(model.layers[0].kernel) is keras.Variable
