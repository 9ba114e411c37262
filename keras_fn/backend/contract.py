"""What the frontend asks of a backend. A plain module satisfies it.

`Backend` is what every backend has; `docs/writing_a_backend.md` goes through it. The other
protocols are optional: a backend that gains by one of them has it, and the frontend asks by name.

- `compile_call` (`CompilesCalls`): a model's call as one compiled function.
- `compile_many` (`RunsManySteps`): many steps of training as one compiled function.
- `compile_op` (`CompilesOps`): the body of an op as one compiled function.
- `foreach` (`ForEach`): an optimizer's step over many variables at once.
- `ops.while_loop` and `ops.fori_loop` (`Loops`): for backends that trace.
- `record_gradients` (`RecordsGradients`): steps of a user's that call the framework's autograd.
- `device_scope` (`PlacesTensors`): the device of new tensors.
- `to_device` (`MovesTensors`): brings tensors there.
- `profile`, `wait` and `is_out_of_memory` (`Diagnoses`): for tools that look at a run.

A backend reports that it cannot do a thing at all by raising `keras_fn.errors.UnsupportedError`
where it is asked for it: one without gradients, in `value_and_grad`.
"""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

import numpy as np

from keras_fn.backend.primitives import Primitives

Tensor = Any
"""What the backend computes with.

Whatever it is, it has `shape`, which iterates over the sizes, `dtype`, which can be hashed and
compared, and Python's operators, which compositions use like ops: beside a Python number of its
kind a tensor keeps its dtype, and dividing by zero is no error. A mask travels with a tensor as its
attribute `_keras_mask`; for tensors that take no attributes, keras_fn keeps the latest beside them.
"""

Handle = Any
"""What a backend keeps for a variable: an array, a Parameter, a tf.Variable.

It is a tensor, too: reading a variable gives its handle.
"""


class Backend(Protocol):
    """A backend: tensors, variables, primitive ops, compiled steps."""

    @property
    def name(self) -> str:
        """What `KERAS_BACKEND` and the entry point call it."""
        ...

    @property
    def ops(self) -> Primitives:
        """The primitive ops, and other ops where the backend has something faster."""
        ...

    @property
    def LayerBase(self) -> type:
        """Base class of `Layer`: what makes a layer an object of the framework's own kind.

        A class of no content will do. `Layer` calls its `__init__` without arguments, and brings
        `_own_variables()` and `_sublayers()`, from which the framework's view can follow. If the
        class sets `_has_hooks` to True on a layer, calls go through its
        `call_with_hooks(call, args, kwargs)`.
        """
        ...

    # Tensors

    def is_tensor(self, x: Any) -> bool:
        """Whether `x` is a tensor of the framework: concrete, traced, or a variable of its own."""
        ...

    def convert_to_tensor(self, x: Any, dtype: str | None = None) -> Tensor:
        """Makes a tensor of an array, a nested list, a number or a tensor, which stays itself.

        Without a `dtype`, Python floats become `floatx()` and Python integers int32; what has a
        dtype keeps it, as far as the framework can. The tensor shares no memory with an array that
        is none itself.
        """
        ...

    def convert_to_numpy(self, x: Tensor) -> np.ndarray:
        """Brings a tensor to the host; bfloat16 and 8-bit floats as ml_dtypes.

        What is done to the array does not change the tensor.
        """
        ...

    def cast(self, x: Tensor, dtype: str) -> Tensor:
        """Converts to another dtype; `x` itself where it has that dtype."""
        ...

    def dtype_name(self, x: Any) -> str:
        """The name of a tensor's dtype, or of a dtype of the framework."""
        ...

    def is_traced(self, x: Any) -> bool:
        """Whether `x` is a tensor that has no value yet: a graph is being made.

        Control flow asks: Python can branch on other tensors.
        """
        ...

    def shape(self, x: Tensor) -> tuple[Any, ...]:
        """The sizes: ints, and scalar tensors where a trace does not know them."""
        ...

    # Variables: the frontend keeps the handle that it was last given.

    def new_variable(self, value: Any, dtype: str, trainable: bool, name: str) -> Handle:
        """Makes the state of a variable from a host array, which is its own, or from a tensor.

        A tensor may be anybody's, and is not shared. An array nobody else holds, or writes to.
        It may happen inside `abstract_eval` or `compile`: the state outlives them all the same.
        """
        ...

    def assign(self, handle: Handle, value: Tensor) -> Handle:
        """Sets the state; returns the handle to keep, which may be a new one.

        The value has the variable's shape and dtype. It may be anybody's, or a view of the handle.
        """
        ...

    def assign_add(self, handle: Handle, value: Any) -> Handle:
        """Adds a tensor of the same shape and dtype, or a number; returns the handle to keep."""
        ...

    def set_trainable(self, handle: Handle, trainable: bool) -> None:
        """Says whether gradients are wanted, to frameworks that note it on the variable."""
        ...

    # Data

    def borrow(self, x: np.ndarray) -> Tensor:
        """Makes a tensor of an array that nobody changes while the tensor is read.

        It may share the array's memory, which saves copying a data set.
        """
        ...

    def batch_rows(self, x: np.ndarray) -> Any:
        """A batch that one step takes, in whatever form `compile`d steps take it fastest.

        As with `borrow`, nobody changes the array meanwhile.
        """
        ...

    def batch_indices(self, order: np.ndarray, batch_size: int) -> Sequence[Any]:
        """The rows of an epoch cut into batches, in whatever form `compile`d steps take fastest.

        The last batch may be smaller.
        """
        ...

    def gather_rows(self, x: Tensor, indices: Any) -> Tensor:
        """The slices of `x` along its first axis at one of these batches of indices."""
        ...

    # Functions of variables

    def abstract_eval(self, function: Callable[..., Any], args: tuple, kwargs: dict) -> Any:
        """Runs a function, which may call the framework, for the shapes and dtypes of its results.

        The KerasTensors among the nested arguments become tensors; those of the nested results
        become KerasTensors without history. No variable changes. Sizes that depend on unknown ones
        stay None: where the framework cannot have unknown sizes, run it twice with different ones.
        """
        ...

    def value_and_grad(
        self, function: Callable[..., tuple[Tensor, Any]], variables: Sequence[Any]
    ) -> Callable[..., tuple[tuple[Tensor, Any], list[Tensor]]]:
        """Differentiates `function(*args) -> (scalar, more)` with respect to `variables`.

        Assignments that `function` makes are carried out. A variable without influence has a
        gradient of zeros. It may run inside `compile`, and in a `StatelessScope`.

        Raises:
            UnsupportedError: The backend has no gradients: it infers only.
        """
        ...

    def compile(
        self, function: Callable[..., Any], state: Sequence[Any], jit: Any = "auto"
    ) -> Callable[..., Any]:
        """Makes a fast version of a function that reads and assigns the variables `state`.

        The arguments and results are nested tensors. `jit` is `"auto"` for what is fastest, True or
        False for with or without the framework's compiler, a dict for options of it, None for the
        function as it is, to be looked into. Gradients are recorded in `value_and_grad` only. The
        function itself satisfies this, if it may run as it is.
        """
        ...


class CompilesCalls(Protocol):
    """Optional: a backend where calling a compiled function is faster than running ops."""

    def compile_call(
        self, function: Callable[..., Any], variables: Sequence[Any]
    ) -> Callable[..., Any]:
        """Makes a fast version of a function that reads variables and assigns none.

        Gradients flow through it to its arguments and to the variables.
        """
        ...


class RunsManySteps(Protocol):
    """Optional: a backend that can run many steps in one call, without Python between them."""

    def compile_many(
        self,
        function: Callable[..., Any],
        state: Sequence[Any],
        tensors: Any,
        batches: Any,
        finish: Callable[[Any], Any],
        jit: Any = "auto",
    ) -> Callable[..., Any] | None:
        """Makes a function `(tensors, batches, start, stop)` of a step `(tensors, indices)`.

        It runs the step for `batches[start]` up to `batches[stop - 1]`, waits for the end and
        returns `finish(last)`, where `last` is what the last step returned; `finish` may read the
        state. `tensors` and `batches`, an int32 matrix of indices as `batch_rows` gives it, are
        examples: others of their shapes will come. Where a number of steps is cut, or not, must
        not change the results by a bit. `state` and `jit` are as in `compile`.

        Returns:
            The function, or None where steps one by one are faster or it cannot be done.
        """
        ...


class CompilesOps(Protocol):
    """Optional: a backend where an op that is made of others is slow to call one by one."""

    def compile_op(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Makes a fast version of the body of an op: of tensors and plain arguments.

        It must mean the same for every argument, also where tensors are traced.
        """
        ...


class RecordsGradients(Protocol):
    """Optional: a framework whose own programs take gradients of what was recorded before."""

    def record_gradients(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Makes a function record, also inside `compile`: a step of a user's own."""
        ...


class PlacesTensors(Protocol):
    """Optional: a backend whose framework leaves it to the program where tensors go."""

    def device_scope(self, name: str) -> AbstractContextManager[Any]:
        """Inside, new tensors go to the device of that name: "cpu", "gpu:0"."""
        ...


class MovesTensors(Protocol):
    """Optional: a backend whose framework does not bring tensors together that are apart."""

    def to_device(self, x: Tensor) -> Tensor:
        """Brings a tensor to where new ones go; one that is there stays itself."""
        ...


class Diagnoses(Protocol):
    """Optional: what tools ask that look at a run. A backend may have some of them only."""

    def profile(self, folder: str) -> AbstractContextManager[Any]:
        """Inside, the framework's profiler runs; at the end it writes into the folder.

        What it writes is for TensorBoard, where the framework has a form for that.
        """
        ...

    def wait(self, tensors: Sequence[Tensor]) -> None:
        """Returns when the tensors have been computed. Without it, they are read instead."""
        ...

    def is_out_of_memory(self, error: BaseException) -> bool:
        """Whether the framework raised this error since memory, of any device, was too small."""
        ...


class ForEach(Protocol):
    """Optional: many tensors of one dtype, computed with as one, in one call for all.

    A backend without compiled steps offers such a type as `foreach`, and optimizers then update
    all variables together rather than one after the other. Besides what is below it has the
    operators `+ - * / **`, those in place (`+=` …, which change the tensors that it was made of),
    and the functions of `keras_fn.optimizers.single_tensor`, as methods. The other operand is
    another `ForEach`, a number or a scalar tensor.
    """

    def __init__(self, tensors: Sequence[Tensor]): ...

    def assign(self, other: Any) -> None:
        """Copies the values of another one into the tensors."""
        ...

    @staticmethod
    def align(tensors: Sequence[Tensor], others: Sequence[Tensor]) -> None:
        """Lays tensors out in memory as others of their shapes, where the framework has a choice.

        The tensors stay the same ones.
        """
        ...

    @staticmethod
    def scalar(x: Tensor) -> Any:
        """Gives the value of a scalar tensor as a number, if that waits for nothing; else `x`."""
        ...

    @staticmethod
    def no_grad() -> AbstractContextManager[Any]:
        """Inside, nothing is recorded for gradients, and parameters may change in place."""
        ...
