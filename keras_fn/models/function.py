"""A graph of ops as a function, without the rest of a model."""

from typing import Any

from keras_fn.core import tree
from keras_fn.core.graph import ExecutionPlan
from keras_fn.core.operation import Operation
from keras_fn.core.registry import mark_builtin
from keras_fn.models.input_binding import InputBinder


@mark_builtin
class Function(Operation):
    """Computes output tensors of a graph from input tensors.

    Args:
        inputs: KerasTensors, nested.
        outputs: KerasTensors that can be computed from them, nested.
        name: A name; automatic by default.

    Example:
        >>> x = keras.KerasTensor((None, 2))
        >>> double = keras.Function(x, x * 2)
        >>> ops.convert_to_numpy(double(np.ones((1, 2), "float32"))).tolist()
        [[2.0, 2.0]]
    """

    def __init__(self, inputs: Any, outputs: Any, name: str | None = None):
        super().__init__(name)
        self.inputs, self.outputs = tree.flatten(inputs), tree.flatten(outputs)
        self.input_structure, self.output_structure = inputs, outputs
        source = f"Function {self.name!r}"
        self.execution_plan = ExecutionPlan(self.inputs, self.outputs, source)
        names = [t.name or f"input_{i}" for i, t in enumerate(self.inputs)]
        keys = list(inputs) if isinstance(inputs, dict) else names
        self.input_binder = InputBinder(source, inputs, keys, self.inputs)

    def call(self, inputs: Any) -> Any:
        """Returns the outputs, nested as they were given."""
        return tree.unflatten(self.output_structure, self.execution_plan.run(self.input_binder.bind(inputs)))
