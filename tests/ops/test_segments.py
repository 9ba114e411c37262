"""Sums over groups."""

import numpy as np
import pytest

from keras_fn import ops
from keras_fn.core.keras_tensor import KerasTensor
from keras_fn.errors import SpecError


@pytest.mark.parametrize("tail", [(), (3,), (2, 3)])
@pytest.mark.parametrize("dtype", ["float32", "int32"])
def test_slices_of_one_number_are_added(tail: tuple[int, ...], dtype: str) -> None:
    random = np.random.RandomState(0)
    data = random.randint(-9, 9, size=(20, *tail)).astype(dtype)
    ids = random.randint(0, 5, size=20)
    expected = np.zeros((6, *tail), dtype)
    np.add.at(expected, ids, data)
    for options in ({"num_segments": 6}, {}):
        got = ops.convert_to_numpy(ops.segment_sum(data, ids, **options))
        np.testing.assert_array_equal(got, expected[: len(got)])
        assert got.dtype == dtype
        assert len(got) == options.get("num_segments", 5)


def test_numbers_out_of_range_are_left_out() -> None:
    got = ops.segment_sum([1.0, 2.0, 4.0, 8.0], [-1, 0, 1, 2], num_segments=2)
    assert ops.convert_to_numpy(got).tolist() == [2.0, 4.0]


def test_the_shape_is_inferred() -> None:
    ids = KerasTensor((None,), "int32")
    assert ops.segment_sum(KerasTensor((None, 3)), ids, num_segments=4).shape == (4, 3)
    assert ops.segment_sum(KerasTensor((7, 3)), ids).shape == (None, 3)
    with pytest.raises(SpecError, match=r"segment_ids of shape \(6,\)"):
        ops.segment_sum(KerasTensor((7, 3)), KerasTensor((6,), "int32"))
