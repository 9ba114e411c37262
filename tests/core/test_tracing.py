"""What a compiler that follows Python code reads; here nobody follows."""

import inspect

from keras_fn.core.memoize import remembered
from keras_fn.core.tracing import is_followed, traced_as, worked_out


def test_a_marked_function_is_called_as_it_is():
    assert traced_as(lambda x: -x)(lambda x: x + 1)(1) == 2
    assert worked_out(lambda x: x + 1)(1) == 2
    assert is_followed() is False


def test_marks_are_where_the_compiler_of_pytorch_looks():
    other = lambda x: x  # noqa: E731
    assert inspect.getattr_static(traced_as(other)(lambda x: -x), "_torchdynamo_inline") is other
    assert worked_out(lambda: 1)._dynamo_marked_constant  # type: ignore[attr-defined]
    assert is_followed._torchdynamo_inline() is True  # type: ignore[attr-defined]


def test_what_is_remembered_is_followed_without_its_memory():
    def count(sizes):
        return len(sizes)

    assert remembered(count)._torchdynamo_inline is count  # type: ignore[attr-defined]
