"""Graphs of nodes and the plan that runs them."""

import numpy as np
import pytest

import keras_fn as keras
from keras_fn import KerasTensor, Operation, layers, ops
from keras_fn.core.graph import ExecutionPlan, find_source_inputs, topological_sort
from keras_fn.errors import SpecError


class Counted(Operation):
    """Adds one, and counts how often."""

    calls = 0

    def call(self, x):
        self.calls += 1
        return ops.add(x, 1.0)


def numbers(x):
    return ops.convert_to_numpy(x).tolist()


DEEP = 5000


def test_a_graph_of_thousands_of_nodes_is_built_sorted_and_run():
    x = y = KerasTensor((1,))
    for _ in range(DEEP):
        y = ops.add(y, 1.0)
    plan = ExecutionPlan([x], [y])
    assert len(plan.nodes) == DEEP
    assert numbers(plan.run([ops.zeros((1,))])[0]) == [float(DEEP)]


def test_a_functional_model_may_be_thousands_of_layers_deep():
    step = layers.Activation("relu")
    x = y = keras.Input((1,))
    for _ in range(DEEP):
        y = step(y)
    model = keras.Model(x, y)
    assert len(model.layers) == 2
    assert numbers(model(np.ones((1, 1), "float32"))) == [[1.0]]


def test_a_diamond_computes_the_shared_node_once():
    x = KerasTensor((1,))
    shared = Counted()
    y = shared(x)
    shared.calls = 0
    plan = ExecutionPlan([x], [y * 2.0, y * 3.0])
    first, second = plan.run([ops.ones((1,))])
    assert (numbers(first), numbers(second), shared.calls) == ([4.0], [6.0], 1)


def test_producers_stand_before_consumers_in_wide_graphs():
    x = KerasTensor((1,))
    row = [ops.add(x, float(i)) for i in range(5)]
    for _ in range(4):
        row = [ops.add(a, b) for a, b in zip(row, row[1:] + row[:1], strict=True)]
    nodes = topological_sort([x], row, "test")
    position = {id(node): i for i, node in enumerate(nodes)}
    for node in nodes:
        for parent in node.parent_nodes if node.input_tensors[0] is not x else []:
            assert position[id(parent)] < position[id(node)]
    assert len(nodes) == 25


def test_a_layer_called_twice_is_two_steps_with_one_weight():
    dense = layers.Dense(2, use_bias=False, kernel_initializer="ones")
    a, b = keras.Input((2,)), keras.Input((2,))
    model = keras.Model([a, b], [dense(a), dense(dense(b))])
    one = np.ones((1, 2), "float32")
    assert [numbers(y) for y in model([one, one])] == [[[2.0, 2.0]], [[4.0, 4.0]]]
    assert len(model.weights) == 1 and len(model.layers) == 3


def test_a_model_can_begin_at_any_tensor():
    x = KerasTensor((2,))
    middle = ops.add(x, 1.0)
    last = ops.multiply(middle, 2.0)
    assert numbers(ExecutionPlan([middle], [last]).run([ops.ones((2,))])[0]) == [2.0, 2.0]


def test_an_input_may_be_an_output():
    x = KerasTensor((1,))
    assert [numbers(y) for y in ExecutionPlan([x], [x, x + 1.0]).run([ops.ones((1,))])] == [
        [1.0],
        [2.0],
    ]


def test_values_that_nothing_needs_are_dropped_but_outputs_are_kept():
    x = KerasTensor((1,))
    a = x + 1.0
    b = a + 1.0
    outputs = ExecutionPlan([x], [a, b, a]).run([ops.zeros((1,))])
    assert [numbers(y) for y in outputs] == [[1.0], [2.0], [1.0]]


def test_constants_and_nested_arguments_stand_where_they_were():
    x, y = KerasTensor((1, 2)), KerasTensor((1, 2))
    result = ops.concatenate([x, np.zeros((1, 1), "float32"), y], axis=-1)
    run = keras.Function({"a": x, "b": y}, {"z": [result]})
    value = run({"b": np.full((1, 2), 2.0, "float32"), "a": np.ones((1, 2), "float32")})
    assert numbers(value["z"][0]) == [[1.0, 1.0, 0.0, 2.0, 2.0]]


def test_an_operation_with_several_outputs_fills_its_slots_in_order():
    x = KerasTensor((1, 4))
    first, second = ops.split(x, 2, axis=1)
    run = keras.Function(x, [second, first])
    value = run(np.array([[1, 2, 3, 4]], "float32"))
    assert [numbers(v) for v in value] == [[[3.0, 4.0]], [[1.0, 2.0]]]


def test_an_output_that_the_inputs_do_not_reach_is_refused():
    a, b = keras.Input((2,), name="a"), keras.Input((2,), name="b")
    with pytest.raises(SpecError) as caught:
        ExecutionPlan([a], [a + b], "Function 'f'")
    assert str(caught.value) == (
        "Function 'f'\n  expected: outputs that can be computed from the inputs 'a'\n"
        "  received: a path that begins at the tensor of 'b' (shape (None, 2)), not an input\n"
        "  fix:      add that tensor to inputs=, or build the outputs from 'a' alone"
    )


def test_creators_finds_the_inputs_of_tensors():
    a, b, c = (keras.Input((1,)) for _ in range(3))
    assert find_source_inputs([a + b, b * 2.0]) == [a, b]
    assert find_source_inputs([c]) == [c]
