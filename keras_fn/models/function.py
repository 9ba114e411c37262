"""`Function`: a graph of ops as a function, without the training and saving of a model."""

from keras_fn.core import tree
from keras_fn.core.graph import ExecutionPlan
from keras_fn.core.input_binding import InputBinder
from keras_fn.core.operation import Operation
from keras_fn.core.registry import mark_builtin
from keras_fn.types import Nested


@mark_builtin
class Function(Operation):
    """Function of tensors that runs the graph between input and output KerasTensors.

    Args:
        inputs: The input KerasTensors, nested in lists, tuples and dicts.
        outputs: The output KerasTensors, which are computed from the inputs, nested.
        name: Name of the function; automatic by default.

    Raises:
        ValueError: The outputs cannot be computed from the inputs.

    Example:
        >>> x = keras.KerasTensor((None, 2))
        >>> double = keras.Function(x, x * 2)
        >>> ops.convert_to_numpy(double(np.ones((1, 2), "float32"))).tolist()
        [[2.0, 2.0]]
    """

    def __init__(self, inputs: Nested, outputs: Nested, name: str | None = None):
        super().__init__(name)
        self.inputs, self.outputs = tree.flatten(inputs), tree.flatten(outputs)
        self.input_structure, self.output_structure = inputs, outputs
        source = f"Function {self.name!r}"
        self.execution_plan = ExecutionPlan(self.inputs, self.outputs, source)
        names = [t.name or f"input_{i}" for i, t in enumerate(self.inputs)]
        keys = list(inputs) if isinstance(inputs, dict) else names
        self.input_binder = InputBinder(source, inputs, keys, self.inputs)

    def call(self, inputs: Nested) -> Nested:
        """Runs the graph.

        Args:
            inputs: Tensors nested like the inputs.

        Returns:
            Tensors nested like the outputs.
        """
        return tree.unflatten(
            self.output_structure, self.execution_plan.run(self.input_binder.bind(inputs))
        )
