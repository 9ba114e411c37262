"""Preprocessing layers in tf.data, a torch DataLoader and Grain, where these are installed.

In an environment of one backend a part of it runs; `nox -s "pipelines(jax)"` installs all.
"""

import functools

import numpy as np
import pytest
from host_layers import Double, Lengths, Noise, Samples, SumAndName, Upper, string, text, zeros

import keras_fn as keras
from keras_fn import layers

BACKEND = keras.config.backend()

# JAX warns of forks, in which layers of text run all the same.
pytestmark = pytest.mark.filterwarnings("ignore:os.fork:RuntimeWarning")


def draws_of(batches):
    """The rows of all batches, which are all different if each was drawn by itself."""
    return {tuple(row) for batch in batches for row in np.asarray(batch).tolist()}


# ---------------------------------------------------------------- tf.data


@pytest.fixture
def tf():
    return pytest.importorskip("tensorflow")


def test_tf_data_maps_layers_with_static_shapes(tf):
    data = tf.data.Dataset.from_tensor_slices(([["a"], ["bcd"], ["ef"]], [0, 1, 2])).batch(2)
    lengths, upper, double = Lengths(), Upper(), Double()
    mapped = data.map(lambda x, y: (lengths(x), upper(x), double(y)))
    assert [tuple(spec.shape) for spec in mapped.element_spec] == [(None, 1), (None, 1), (None,)]
    assert [spec.dtype.name for spec in mapped.element_spec][1:] == ["string", "float32"]
    first, second = ([x.numpy().tolist() for x in element] for element in mapped)
    assert first == [[[1], [3]], [[b"A"], [b"BCD"]], [0.0, 2.0]]
    assert second == [[[2]], [[b"EF"]], [4.0]]


def test_tf_data_maps_nested_elements(tf):
    a, b = np.ones((3, 2), "float32"), np.full((3, 2), 2, "float32")
    mapped = tf.data.Dataset.from_tensor_slices({"a": a, "b": (b,)}).batch(3).map(SumAndName())
    (element,) = mapped
    assert element["sum"].numpy().tolist() == [[3.0, 3.0]] * 3
    assert element["pair"][1].numpy().tolist() == [[4.0, 4.0]] * 3


@pytest.mark.parametrize("parallel", [None, 2])
def test_tf_data_draws_anew_for_each_element_and_epoch(tf, parallel):
    if parallel and BACKEND == "tensorflow":
        pytest.skip("two native calls at once may read the state of a generator at the same time")
    noise = Noise(seed=1)
    data = tf.data.Dataset.from_tensor_slices(np.zeros((4, 1, 2), "float32"))
    mapped = data.map(noise, num_parallel_calls=parallel)
    assert len(draws_of([*mapped, *mapped])) == 8


def test_a_model_is_fit_on_a_mapped_tf_data_set_and_on_text(tf):
    data = tf.data.Dataset.from_tensor_slices(([["a"], ["bcd"]] * 2, [[1.0], [3.0]] * 2)).batch(2)
    lengths = Lengths()
    numbers = [keras.Input((1,)), layers.Rescaling(0.5), layers.Dense(1, "linear")]
    texts = [keras.Input((1,), dtype="string"), lengths, *numbers[1:]]
    for stack, source in (
        (numbers, data.map(lambda x, y: (lengths(x), y)).prefetch(1)),
        (texts, data),
    ):
        model = keras.Sequential(stack)
        model.compile(keras.optimizers.SGD(0.1), "mse")
        losses = model.fit(source, epochs=3, verbose=0).history["loss"]
        assert losses[-1] < losses[0]


# ---------------------------------------------------------------- DataLoader


@pytest.fixture
def loader():
    torch = pytest.importorskip("torch")
    return functools.partial(torch.utils.data.DataLoader, batch_size=2)


@pytest.mark.parametrize("workers", [0, 2])
def test_a_data_loader_collates_what_layers_return(loader, workers):
    def run(samples):
        return [batch.numpy().tolist() for batch in loader(samples, num_workers=workers)]

    assert run(Samples(Lengths(), text)) == [[[0], [1]], [[2], [3]]]
    assert run(Samples(Lengths(), string)) == [[0, 1], [2, 3]]
    if not workers or BACKEND == "torch":
        assert run(Samples(Double(), float)) == [[0.0, 2.0], [4.0, 6.0]]


def test_workers_of_a_data_loader_draw_different_numbers(loader):
    context = {} if BACKEND == "torch" else {"multiprocessing_context": "spawn"}
    batches = loader(Samples(Noise(seed=1), zeros), num_workers=2, **context)
    assert len(draws_of([*batches, *batches])) == 8


def test_a_collate_function_gets_tensors_of_torch_back(loader):
    import torch

    double = Double()
    batches = loader([1.0, 2.0], collate_fn=lambda batch: double(torch.tensor(batch)))
    (batch,) = batches
    assert isinstance(batch, torch.Tensor)
    assert batch.tolist() == [2.0, 4.0]


def test_forked_workers_are_refused_where_the_backend_would_wait_forever(loader):
    if BACKEND == "torch":
        pytest.skip("PyTorch computes in a forked process")
    with pytest.raises(Exception, match="forkserver"):
        list(loader(Samples(Double(), zeros), num_workers=1, multiprocessing_context="fork"))


# ---------------------------------------------------------------- Grain


@pytest.fixture
def grain():
    return pytest.importorskip("grain")


@pytest.mark.parametrize("kind", ["map", "iter"])
def test_grain_batches_what_layers_return(grain, kind):
    def run(layer, values):
        source = grain.MapDataset.source(values)
        source = source if kind == "map" else source.to_iter_dataset()
        return np.concatenate(list(source.map(layer).batch(2)))

    assert run(Lengths(), ["a", "bc", "", "d"]).tolist() == [1, 2, 0, 1]
    assert run(Double(), np.arange(4)).tolist() == [0, 2, 4, 6]
    assert len(draws_of([run(Noise(seed=1), np.zeros((4, 2), "float32"))])) == 4


@pytest.mark.thorough
def test_processes_of_grain_draw_different_numbers(grain):
    from absl import flags

    flags.FLAGS(["test"])
    options = grain.MultiprocessingOptions(num_workers=2)
    source = grain.MapDataset.source(np.zeros((4, 2), "float32")).to_iter_dataset()
    batches = [np.array(b) for b in source.map(Noise(seed=1)).batch(2).mp_prefetch(options)]
    assert len(draws_of(batches)) == 4
