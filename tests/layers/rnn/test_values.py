"""Outputs that were noted from Keras 3.15.1, for every layer, option and kind of mask."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from keras_fn import layers, ops

spec = importlib.util.spec_from_file_location("rnn_cases", Path(__file__).with_name("cases.py"))
cases = importlib.util.module_from_spec(spec)
spec.loader.exec_module(cases)

KERAS = cases.noted()


def check(ours, theirs):
    assert [tuple(y.shape) for y in ours] == [y.shape for y in theirs]
    for y, expected in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(ops.convert_to_numpy(y), expected, atol=2e-6, rtol=1e-5)


@pytest.mark.parametrize("case", cases.CASES, ids=lambda case: "-".join(map(str, case)))
def test_outputs_are_those_of_keras(case):
    expected = KERAS[case]
    if "zeroed_last" in case:  # here `zero_output_for_mask` is about sequences, as documented
        last = expected[-1 if case[0] == "stacked" else 1]  # a state of the last cell
        expected = [last, *expected[1:]]
    check(cases.outputs(layers, *case), expected)


def test_all_cases_are_noted():
    assert set(KERAS) == set(cases.CASES)
    assert all(np.isfinite(y).all() for ys in KERAS.values() for y in ys)
