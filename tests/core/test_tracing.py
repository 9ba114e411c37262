"""Marks for Dynamo, outside of its tracing."""

import inspect

from keras_fn.core.memoize import memoize
from keras_fn.core.tracing import (
    assume_constant_result,
    is_dynamo_compiling,
    substitute_when_tracing,
)


def test_a_marked_function_is_called_as_it_is():
    assert substitute_when_tracing(lambda x: -x)(lambda x: x + 1)(1) == 2
    assert assume_constant_result(lambda x: x + 1)(1) == 2
    assert is_dynamo_compiling() is False


def test_marks_are_where_the_compiler_of_pytorch_looks():
    other = lambda x: x  # noqa: E731
    assert (
        inspect.getattr_static(substitute_when_tracing(other)(lambda x: -x), "_torchdynamo_inline")
        is other
    )
    assert assume_constant_result(lambda: 1)._dynamo_marked_constant  # type: ignore[attr-defined]
    assert is_dynamo_compiling._torchdynamo_inline() is True  # type: ignore[attr-defined]


def test_what_is_remembered_is_followed_without_its_memory():
    def count(sizes):
        return len(sizes)

    assert memoize(count)._torchdynamo_inline is count  # type: ignore[attr-defined]
