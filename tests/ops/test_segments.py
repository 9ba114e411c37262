"""Segment reductions."""

import numpy as np
import pytest

from keras_fn import ops
from keras_fn.core.keras_tensor import KerasTensor
from keras_fn.errors import SpecError


@pytest.mark.parametrize("tail", [(), (3,), (2, 3)])
@pytest.mark.parametrize("dtype", ["float32", "int32"])
def test_slices_of_a_segment_are_summed(tail: tuple[int, ...], dtype: str) -> None:
    random = np.random.RandomState(0)
    data = random.randint(-9, 9, size=(20, *tail)).astype(dtype)
    ids = random.randint(0, 5, size=20)
    expected = np.zeros((6, *tail), dtype)
    np.add.at(expected, ids, data)
    for options in ({"num_segments": 6}, {}):
        result = ops.convert_to_numpy(ops.segment_sum(data, ids, **options))
        np.testing.assert_array_equal(result, expected[: len(result)])
        assert result.dtype == dtype
        assert len(result) == options.get("num_segments", 5)


def test_segment_ids_out_of_range_are_dropped() -> None:
    result = ops.segment_sum([1.0, 2.0, 4.0, 8.0], [-1, 0, 1, 2], num_segments=2)
    assert ops.convert_to_numpy(result).tolist() == [2.0, 4.0]


def test_the_shape_is_inferred() -> None:
    ids = KerasTensor((None,), "int32")
    assert ops.segment_sum(KerasTensor((None, 3)), ids, num_segments=4).shape == (4, 3)
    assert ops.segment_sum(KerasTensor((7, 3)), ids).shape == (None, 3)
    with pytest.raises(SpecError, match=r"segment_ids of shape \(6,\)"):
        ops.segment_sum(KerasTensor((7, 3)), KerasTensor((6,), "int32"))
