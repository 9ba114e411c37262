"""Scopes: what is in force, and for whom."""

import threading

import numpy as np
import pytest

from keras_fn import StatelessScope, SymbolicScope, Variable, ops
from keras_fn.core.scopes import (
    DEFAULT_CONTEXT,
    AutocastScope,
    BuildScope,
    CapturedContext,
    DeferredInitScope,
    TrainingScope,
    context,
    in_stateless_scope,
)


def test_nothing_is_in_force_at_first_and_at_last():
    assert context.current is DEFAULT_CONTEXT
    with SymbolicScope(), AutocastScope("float16"), TrainingScope(True), DeferredInitScope():
        now = context.current
        assert (now.symbolic, now.autocast, now.training, now.deferred_init) == (
            True,
            "float16",
            True,
            True,
        )
        with BuildScope():
            now = context.current
            assert (now.symbolic, now.autocast, now.stateless) == (False, None, None)
    assert context.current is DEFAULT_CONTEXT


def test_the_innermost_word_counts():
    with TrainingScope(True):
        with TrainingScope(False):
            assert context.current.training is False
        assert context.current.training is True


def test_a_scope_ends_after_an_error():
    with pytest.raises(ValueError), StatelessScope():
        assert in_stateless_scope()
        raise ValueError
    assert not in_stateless_scope()


def test_another_thread_does_not_see_a_scope():
    seen = []
    with SymbolicScope():
        thread = threading.Thread(target=lambda: seen.append(context.current.symbolic))
        thread.start()
        thread.join()
    assert seen == [False]


def test_another_thread_can_be_given_the_scopes():
    seen = []
    with SymbolicScope(), TrainingScope(True):
        scopes = CapturedContext()

    def run():
        with scopes, TrainingScope(False):
            seen.append(context.current)
        seen.append(context.current)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert (seen[0].symbolic, seen[0].training) == (True, False)
    assert seen[1] is DEFAULT_CONTEXT is context.current


def test_losses_are_kept_where_they_are_asked_for():
    with StatelessScope(collect_losses=True) as scope:
        scope.add_loss(ops.ones(()))
    assert len(scope.losses) == 1


def test_variables_made_inside_have_their_values_afterwards():
    with StatelessScope():
        variable = Variable(ops.ones, shape=(2,))
    assert variable.numpy().tolist() == [1.0, 1.0]


@pytest.mark.parametrize("make", [np.array, Variable, ops.convert_to_tensor, list])
def test_values_may_be_arrays_variables_and_lists(make):
    variable = Variable([1.0, 2.0])
    with StatelessScope([(variable, make([3.0, 4.0]))]):
        assert ops.is_tensor(variable.value)
        doubled = variable * 2
    assert ops.convert_to_numpy(doubled).tolist() == [6.0, 8.0]
    assert variable.numpy().tolist() == [1.0, 2.0]
