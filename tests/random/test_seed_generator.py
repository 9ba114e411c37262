"""Seed generators and the global seed."""

import random
import sys

import numpy as np
import pytest

from keras_fn import ops
from keras_fn.core.scopes import StatelessScope, SymbolicScope
from keras_fn.core.serialization import deserialize_keras_object, serialize_keras_object
from keras_fn.random import SeedGenerator, normal, seed_generator
from keras_fn.random.seed_generator import (
    draw_seed,
    initial_key,
    make_default_seed,
    set_random_seed,
)


def numbers(key):
    return ops.convert_to_numpy(key).tolist()


def test_each_key_increments_the_count():
    seed = SeedGenerator(seed=5)
    assert [numbers(seed.next()) for _ in range(3)] == [[5, 0], [5, 1], [5, 2]]
    assert seed.state.numpy().tolist() == [5, 3]
    assert seed.state.dtype == "uint32" and not seed.state.trainable


def test_unordered_keys_differ_too():
    seed = SeedGenerator(seed=5)
    keys = {tuple(numbers(seed.next(ordered=False))) for _ in range(20)}
    assert len(keys) == 20


def test_a_key_keeps_its_value_when_the_state_moves_on():
    seed = SeedGenerator(seed=5)
    key = seed.next()
    seed.next()
    assert numbers(key) == [5, 0]


def test_symbolic_calls_do_not_update_the_state():
    seed = SeedGenerator(seed=5)
    with SymbolicScope():
        seed.next()
        assert normal((2, 3), seed=seed).shape == (2, 3)
    assert numbers(seed.next()) == [5, 0]


def test_a_stateless_scope_keeps_the_update():
    seed = SeedGenerator(seed=5)
    with StatelessScope() as scope:
        seed.next()
        assert numbers(seed.next()) == [5, 1]
    assert numbers(scope.get_current_value(seed.state)) == [5, 2]
    assert seed.state.numpy().tolist() == [5, 0]


def test_names_paths_and_tracking():
    seed = SeedGenerator(seed=5, name="mine")
    assert seed.state.path == "mine/seed_generator_state"
    assert seed.variables == [seed.state] and seed.kind == "seed"


def test_config_round_trip():
    seed = SeedGenerator(seed=5, name="mine")
    config = serialize_keras_object(seed)
    assert config == {
        "module": "keras.random",
        "class_name": "SeedGenerator",
        "config": {"seed": 5, "name": "mine"},
        "registered_name": None,
    }
    assert numbers(deserialize_keras_object(config).next()) == [5, 0]


@pytest.mark.parametrize("seed", ["5", 5.0, [5], True])
def test_other_seeds_are_rejected(seed):
    with pytest.raises(TypeError, match="integer"):
        SeedGenerator(seed=seed)
    with pytest.raises(TypeError, match="integer"):
        draw_seed(seed)


def test_unknown_arguments_are_rejected():
    with pytest.raises(ValueError, match="sed"):
        SeedGenerator(sed=5)


def test_an_integer_is_always_the_same_key():
    assert numbers(draw_seed(9)) == numbers(draw_seed(9)) == [9, 0]
    assert numbers(draw_seed(-1)) == [2**32 - 1, 0]


def test_a_tensor_is_the_key_itself():
    key = ops.convert_to_tensor([3, 4], dtype="int32")
    assert draw_seed(key) is key


def everything():
    return [
        random.random(),
        np.random.rand(),
        make_default_seed(),
        initial_key(None),
        numbers(draw_seed(None)),
        numbers(draw_seed(None)),
        numbers(SeedGenerator().next()),
    ]


@pytest.mark.parametrize(
    ("library", "draw"),
    [
        ("torch", lambda torch: torch.rand(3).tolist()),
        ("tensorflow", lambda tf: tf.random.uniform((3,)).numpy().tolist()),
    ],
)
def test_set_random_seed_seeds_the_frameworks_that_are_imported(library, draw):
    framework = sys.modules.get(library)
    if framework is None:
        pytest.skip(f"{library} is not imported")
    set_random_seed(5)
    first, second = draw(framework), draw(framework)
    set_random_seed(5)
    assert draw(framework) == first != second


def test_set_random_seed_fixes_all_that_follows():
    set_random_seed(1)
    first = everything()
    set_random_seed(1)
    assert everything() == first
    set_random_seed(2)
    second = everything()
    assert all(a != b for a, b in zip(first, second, strict=True))
    assert first[4] != first[5]


def test_the_generator_of_python_does_not_affect_ours():
    set_random_seed(1)
    expected = make_default_seed()
    set_random_seed(1)
    random.random()
    assert make_default_seed() == expected


def test_initial_keys_differ_from_keys_of_explicit_seeds():
    set_random_seed(4)
    assert initial_key(4) == initial_key(4) == (4, 0)
    assert [initial_key(None) for _ in range(2)] == [(4, 1), (4, 2)]


def test_initial_keys_of_a_generator_advance():
    seed = SeedGenerator(2**32 - 1)  # beyond what a signed integer holds
    assert [initial_key(seed) for _ in range(2)] == [(2**32 - 1, 0), (2**32 - 1, 1)]


@pytest.mark.parametrize("seed", [-1, 2**32])
def test_a_seed_out_of_range_is_rejected(seed):
    with pytest.raises(ValueError, match="between"):
        set_random_seed(seed)


def test_before_a_global_seed_pythons_own_seeds_initial_weights(monkeypatch):
    # As in Keras: programs call random.seed.
    monkeypatch.setattr(seed_generator, "_global_state", seed_generator._GlobalSeedState(None))
    found = []
    for seed in (3, 3, 4):
        random.seed(seed)
        found.append((initial_key(None), make_default_seed()))
    assert found[0] == found[1] != found[2]
