"""Every row of the table of layers against what Keras 3.15.1 gave: `layer_cases/facts.py`."""

import json

import numpy as np
import pytest
from layer_cases import CASES, FAMILIES
from layer_cases.facts import facts_of, noted

import keras_fn as keras
from keras_fn.core.dtypes import stored_dtype
from keras_fn.core.naming import reset_names

FAMILY_OF = {name: family for family, cases in FAMILIES.items() for name in cases}
NOTED = [name for name, case in CASES.items() if case.keras]


@pytest.fixture(scope="module")
def facts():
    return {family: noted(family) for family in FAMILIES}


@pytest.mark.parametrize("name", NOTED)
def test_a_layer_is_what_keras_makes_of_it(name, facts):
    case, (configs, values) = CASES[name], facts[FAMILY_OF[name]]
    assert name in configs, f"note it: {noted.__module__} says how"
    reset_names()
    ours, found = facts_of(keras, case)
    expected = configs[name]
    expected["symbol"] = [[shape, stored_dtype(dtype)] for shape, dtype in expected["symbol"]]
    for fact in ours:
        assert (ours[fact] == expected[fact]) is (fact not in case.differs), fact
    assert {key for key in values if key.split("|")[0] == name} == found.keys()
    for key, value in found.items() if "values" not in case.differs else ():
        is_same_dtype = str(value.dtype) == stored_dtype(str(values[key].dtype))
        assert is_same_dtype is ("dtypes" not in case.differs), value.dtype
        if value.dtype.kind in "OUS":
            assert value.tolist() == values[key].tolist()
            continue
        tolerance = case.tolerance
        np.testing.assert_allclose(value, values[key], tolerance, tolerance, err_msg=key)


@pytest.mark.parametrize("name", NOTED)
def test_a_config_of_keras_makes_the_layer_again(name, facts):
    case = CASES[name]
    config = facts[FAMILY_OF[name]][0][name]["config"]
    again = getattr(keras.layers, case.cls).from_config(config).get_config()
    if "config" in case.differs:
        config["dtype"] = again["dtype"]
    assert json.loads(json.dumps(again)) == config
