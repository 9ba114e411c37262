"""Types of `q` that quantiles accept. The conformance table checks the values."""

import numpy as np
import pytest

from keras_fn import Variable, ops

X = np.array([[1.0, 5.0, 2.0], [4.0, 3.0, 9.0]], "float32")


@pytest.mark.parametrize("op", [ops.quantile, ops.nanquantile])
@pytest.mark.parametrize("form", [list, tuple, np.array, ops.convert_to_tensor, Variable])
def test_q_may_be_a_list_an_array_or_a_tensor(op, form):
    result = op(ops.convert_to_tensor(X), form([0.25, 0.5]), axis=1)
    expected = np.quantile(X, [0.25, 0.5], axis=1)
    np.testing.assert_allclose(ops.convert_to_numpy(result), expected, rtol=1e-6)


def test_q_on_the_host_is_not_rounded_to_32_bits():
    x = ops.convert_to_tensor(np.arange(2**20 + 1, dtype="float32"))
    q = 1 - 2.0**-30
    assert float(ops.quantile(x, q, method="lower")) == 2**20 - 1
