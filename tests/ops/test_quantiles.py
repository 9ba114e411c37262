"""Forms in which the numbers of a quantile may come; values are in the conformance table."""

import numpy as np
import pytest

from keras_fn import Variable, ops

X = np.array([[1.0, 5.0, 2.0], [4.0, 3.0, 9.0]], "float32")


@pytest.mark.parametrize("op", [ops.quantile, ops.nanquantile])
@pytest.mark.parametrize("form", [list, tuple, np.array, ops.convert_to_tensor, Variable])
def test_q_may_be_any_vector(op, form):
    result = op(ops.convert_to_tensor(X), form([0.25, 0.5]), axis=1)
    wanted = np.quantile(X, [0.25, 0.5], axis=1)
    np.testing.assert_allclose(ops.convert_to_numpy(result), wanted, rtol=1e-6)


def test_numbers_of_the_host_are_not_rounded_to_32_bits():
    x = ops.convert_to_tensor(np.arange(2**20 + 1, dtype="float32"))
    q = 1 - 2.0**-30
    assert float(ops.quantile(x, q, method="lower")) == 2**20 - 1
