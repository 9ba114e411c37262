"""utils.Config."""

import copy
import json
import pickle

import pytest

from keras_fn.utils import Config


def test_values_are_attributes_and_items():
    config = Config(rate=0.1)
    config.seed, config["size"] = 7, 3
    assert (config.rate, config["seed"], config.size, len(config)) == (0.1, 7, 3, 3)
    assert list(config.keys()) == ["rate", "seed", "size"] and list(config) == sorted(config.keys())
    assert list(config.values()) == [0.1, 7, 3] and dict(config.items()) == config.as_dict()
    assert "seed" in config and "other" not in config
    assert config.get("seed") == 7 and config.get("other", 1) == 1
    assert {**config.as_dict()} == json.loads(config.to_json())
    assert repr(Config(a=1)) == "<Config {'a': 1}>"


def test_values_can_be_removed_and_updated():
    config = Config(a=1, b=2)
    assert config.pop("a") == 1 and config.pop("a", None) is None
    del config["b"]
    config.update({"c": 3}, d=4)
    assert config.as_dict() == {"c": 3, "d": 4}
    with pytest.raises(KeyError):
        config.pop("a")


def test_a_copy_of_the_dict_changes_nothing():
    config = Config(a=1)
    config.as_dict()["a"] = 2
    assert config.a == 1


@pytest.mark.parametrize(
    "change",
    [
        lambda config: setattr(config, "a", 2),
        lambda config: config.update(a=2),
        lambda config: config.pop("a"),
        lambda config: config.__setitem__("b", 2),
        lambda config: config.__delitem__("a"),
    ],
)
def test_a_frozen_config_refuses_changes(change):
    config = Config(a=1)
    assert not config.frozen
    config.freeze()
    assert config.frozen
    with pytest.raises(ValueError, match="frozen"):
        change(config)
    assert config.as_dict() == {"a": 1}
    config.unfreeze()
    change(config)


def test_an_unknown_name_gets_a_hint():
    with pytest.raises(AttributeError, match="'learning_rate'"):
        _ = Config(learning_rate=0.1).learning_rat
    with pytest.raises(KeyError):
        _ = Config()["a"]
    with pytest.raises(TypeError, match="JSON"):
        Config(a=object()).to_json()


@pytest.mark.parametrize(
    "copied", [copy.copy, copy.deepcopy, lambda c: pickle.loads(pickle.dumps(c))]
)
def test_a_config_is_copied(copied):
    config = Config(a=[1])
    config.freeze()
    again = copied(config)
    assert again.as_dict() == {"a": [1]} and again.frozen
