"""Results that are kept."""

import pytest

from keras_fn.core.memoize import memoize


def test_a_result_is_worked_out_once_for_equal_arguments() -> None:
    calls = []
    double = memoize(lambda x: calls.append(x) or [x, x])
    assert double(3) is double(3)
    assert calls == [3]


def test_arguments_without_a_hash_are_worked_out_each_time() -> None:
    count = memoize(len)
    sizes = [1]
    assert count(sizes) == 1
    sizes.append(2)
    assert count(sizes) == 2


def test_its_own_errors_come_through_alone() -> None:
    @memoize
    def refuse(x: int) -> None:
        raise TypeError(f"no {x}")

    with pytest.raises(TypeError, match="no 1") as caught:
        refuse(1)
    assert caught.value.__context__ is None
