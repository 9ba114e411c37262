import pytest

import keras_fn
from keras_fn.utils.model_utils import get_source_inputs


def test_source_inputs_have_no_duplicates():
    a, b = keras_fn.Input((3,)), keras_fn.Input((3,))
    unused = keras_fn.Input((3,))
    hidden = keras_fn.layers.Dense(3)(a)
    found = get_source_inputs(hidden * b + hidden)
    assert {id(t) for t in found} == {id(a), id(b)} and len(found) == 2
    assert get_source_inputs(unused)[0] is unused
    assert {id(t) for t in get_source_inputs([hidden, unused])} == {id(a), id(unused)}


def test_a_tensor_without_a_graph_is_its_own_source():
    tensor = keras_fn.KerasTensor((3,))
    assert get_source_inputs(tensor)[0] is tensor


def test_only_symbolic_tensors_have_sources():
    with pytest.raises(TypeError, match="KerasTensor"):
        get_source_inputs([1.0])
