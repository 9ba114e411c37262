"""`Function`: a graph of ops as a function, without the training and saving of a model."""

from collections.abc import Sequence

from keras_fn.core import tree
from keras_fn.core.graph import ExecutionPlan, operations_by_depth
from keras_fn.core.graph_model import GraphTensorsMixin
from keras_fn.core.input_binding import InputBinder
from keras_fn.core.keras_tensor import KerasTensor
from keras_fn.core.operation import Operation
from keras_fn.core.registry import mark_builtin
from keras_fn.errors import DTypeError
from keras_fn.layers._shapes import map_shapes
from keras_fn.types import Nested


@mark_builtin
class Function(GraphTensorsMixin, Operation):
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
        source = f"Function {self.name!r}"
        self.input_structure, self.output_structure = inputs, outputs
        self._inputs, self._outputs = tree.flatten(inputs), tree.flatten(outputs)
        for what, tensors in (("inputs", self._inputs), ("outputs", self._outputs)):
            _check_tensors(tensors, what, source)
        self.execution_plan = ExecutionPlan(self._inputs, self._outputs, source)
        self._operations = operations_by_depth(
            tree.flatten_sorted(inputs), tree.flatten_sorted(outputs)
        )
        names = [t.name or f"input_{i}" for i, t in enumerate(self._inputs)]
        keys = list(inputs) if isinstance(inputs, dict) else names
        self.input_binder = InputBinder(source, inputs, keys, self._inputs)

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

    def compute_output_spec(self, inputs: Nested) -> Nested:
        """Infers the shapes and dtypes of the outputs.

        Args:
            inputs: KerasTensors nested like the inputs.

        Returns:
            KerasTensors nested like the outputs.
        """
        return super().compute_output_spec(inputs)

    def compute_output_shape(self, input_shape: Nested) -> Nested:
        """Returns the shapes of the outputs for shapes of the inputs.

        Args:
            input_shape: Shapes nested like the inputs.

        Returns:
            Shapes nested like the outputs.

        Raises:
            ValueError: The shapes are nested otherwise, or do not fit the inputs.

        Example:
            >>> x = keras.KerasTensor((None, 2, 3))
            >>> keras.Function(x, [x[:, 0], x * 2]).compute_output_shape((4, 2, 3))
            [(4, 3), (4, 2, 3)]
        """
        nested = map_shapes(lambda shape: KerasTensor(shape, record_history=False), input_shape)
        shaped = self.input_binder.flatten(nested)
        specs = [
            KerasTensor(x.shape, t.dtype, t.sparse, record_history=False)
            for x, t in zip(shaped, self._inputs, strict=True)
        ]
        outputs = self.compute_output_spec(tree.unflatten(self.input_structure, specs))
        return tree.map_structure(lambda t: t.shape, outputs)


def _check_tensors(tensors: Sequence[object], what: str, source: str) -> None:
    """Raises an error unless the inputs or outputs are KerasTensors."""
    wrong = [x for x in tensors if not isinstance(x, KerasTensor)]
    if wrong or not tensors:
        raise DTypeError(
            source,
            expected=f"{what} that are KerasTensors",
            received=f"{wrong[0]!r}"[:200] if wrong else "none",
            fix="build them from keras.KerasTensor(shape) or keras.Input(shape)",
        )
