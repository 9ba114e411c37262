"""The backend contract: everything that the frontend requires of a backend. A module satisfies it.

`Backend` is the part that every backend implements; `docs/writing_a_backend.md` explains it step by
step. The other protocols are optional capabilities. The frontend checks for one by name, with
`keras_fn.backend.loader.supports("compile_call")`:

- `compile_call` (`SupportsCompileCall`): a model's call as one compiled function.
- `compile_multi_step` (`SupportsMultiStep`): many training steps as one compiled function.
- `trace_settings` (`SupportsSharedPrograms`): models that are alike share compiled functions.
- `cache_compilations` (`SupportsCompilationCache`): compiled functions on disk.
- `outline` (`SupportsOutlining`): part of a compiled function as a function of its own.
- `is_refusal` (`SupportsRefusals`): which errors of the framework are about an op's arguments.
- `is_value_donated` (`SupportsDonation`): steps that reuse the memory of the values they replace.
- `widen_operands` (`SupportsWidening`): a call that was refused, in a wider dtype.
- `compile_op` (`SupportsCompileOp`): the body of a composite op as one compiled function.
- `foreach` (`SupportsForeach`): an optimizer's step over many variables at once.
- `ops.while_loop` and `ops.fori_loop` (`SupportsLoops`): control flow of backends that trace.
- `ops.all_reduce_mean` (`SupportsAllReduce`): a mean over the replicas of a distributed program.
- `stored_dtype` (`SupportsStoredDtype`): the dtype in which values of a 64-bit dtype are stored.
- `record_gradients` (`SupportsAutogradRecording`): custom steps that call the framework's autograd.
- `device_scope` (`SupportsDeviceScope`): the device of new tensors.
- `list_devices` (`SupportsDevices`): the devices of the framework, by name.
- `process_count` (`SupportsProcesses`): several processes, which find and tell each other.
- `new_sharded_variable` (`SupportsDistribution`): arrays over several devices and processes.
- `all_reduce_sum` (`SupportsReplicas`): processes that each compute with their rows of a batch.
- `to_device` (`SupportsToDevice`): moves tensors to that device.
- `is_sparse` (`SupportsSparse`): sparse tensors.
- `is_ragged` (`SupportsRagged`): ragged tensors of the framework, as data.
- `text_tensors` (`SupportsText`): tensors of strings.
- `module_variables` (`SupportsModules`): modules of PyTorch as layers.
- `flatten_pytree` (`SupportsPytrees`): functions of JAX, and modules of Flax, as layers.
- `load_saved_model` (`SupportsSavedModels`): programs of TensorFlow as layers.
- `export_torch`, `export_onnx`, `export_tf_saved_model`, `export_stablehlo`, `export_litert`
  (`SupportsExport`): artifacts for inference; a backend offers any subset.
- `survives_fork` (`SupportsFork`): a forked process can compute.
- `profile`, `block_until_ready` and `is_out_of_memory` (`SupportsProfiling`): profiling hooks.

The protocols about devices are in `keras_fn.backend.distribution_contract`, that of exports in
`export_contract`, those about compiled functions that are used again in `program_contract`.

A backend that cannot do something at all raises `keras_fn.errors.UnsupportedError` when it is
called for it: a backend without gradients does so in `value_and_grad`.
"""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

import numpy as np

from keras_fn.backend.backend_types import Handle, Tensor
from keras_fn.backend.primitives import Primitives


class Backend(Protocol):
    """A backend: tensors, variables, primitive ops, function transforms."""

    @property
    def name(self) -> str:
        """The name in `KERAS_BACKEND` and of the entry point."""
        ...

    @property
    def ops(self) -> Primitives:
        """A module of the primitive ops, and of composite ops that the backend has faster."""
        ...

    @property
    def LayerBase(self) -> type:
        """Base class of `Layer`, which makes a layer an object of the framework (an `nn.Module`).

        An empty class is enough. `Layer` calls its `__init__` without arguments, and provides
        `_own_variables()` and `_sublayers()`, from which the framework's view can be derived. If
        the class sets `_has_hooks` to True on a layer, calls go through its
        `call_with_hooks(call, args, kwargs)`.
        """
        ...

    # Tensors

    def is_tensor(self, x: Any) -> bool:
        """Returns whether `x` is a tensor of the framework: concrete, traced, or a variable."""
        ...

    def convert_to_tensor(self, x: Any, dtype: str | None = None) -> Tensor:
        """Converts an array, a nested list or a number to a tensor; a tensor is returned as is.

        Without a `dtype`, Python floats become `floatx()` and Python integers int32; anything that
        has a dtype keeps it as far as the framework can represent it. The tensor shares no memory
        with a host array.
        """
        ...

    def convert_to_numpy(self, x: Tensor, copy: bool = True) -> np.ndarray:
        """Copies a tensor to the host; bfloat16 and 8-bit floats become `ml_dtypes`.

        Args:
            x: The tensor.
            copy: Whether the array can be written to, and shares no memory with the tensor. False
                for an array that is only read, and at once.
        """
        ...

    def cast(self, x: Tensor, dtype: str) -> Tensor:
        """Casts to another dtype; returns `x` itself if it has that dtype."""
        ...

    def dtype_name(self, x: Any) -> str:
        """Returns the name of a tensor's dtype, or of a dtype object of the framework."""
        ...

    def is_traced(self, x: Any) -> bool:
        """Returns whether `x` is a tracer: a tensor without a value, while a graph is recorded.

        Control flow asks for it: Python can branch on all other tensors.
        """
        ...

    def shape(self, x: Tensor) -> tuple[Any, ...]:
        """Returns the sizes of the axes: ints, and scalar tensors for sizes unknown in a trace."""
        ...

    # Variables: the frontend keeps the handle that was returned last.

    def new_variable(self, value: Any, dtype: str, trainable: bool, name: str) -> Handle:
        """Creates the state of a variable from a host array, which it may own, or from a tensor.

        A tensor may have other owners, so its memory is not shared. The frontend neither keeps nor
        changes the array. The call may happen inside `abstract_eval` or `compile`: the state is
        real and outlives the trace.
        """
        ...

    def assign(self, handle: Handle, value: Tensor) -> Handle:
        """Sets the state; returns the handle to keep, which may be a new one.

        The value has the variable's shape and dtype. It may have other owners, or be a view of the
        handle.
        """
        ...

    def take_over(self, handle: Handle, new: Handle) -> Handle:
        """Sets the state to that of a variable that no one else holds; returns the handle to keep.

        `new` has the shape and dtype, and is not used afterwards: its memory need not be copied.
        """
        ...

    def assign_add(self, handle: Handle, value: Any) -> Handle:
        """Adds a tensor of the same shape and dtype, or a number; returns the handle to keep."""
        ...

    def set_trainable(self, handle: Handle, trainable: bool) -> None:
        """Sets whether the variable requires gradients, if the framework stores that on it."""
        ...

    # Data

    def from_numpy(self, x: np.ndarray) -> Tensor:
        """Converts an array, without a copy where possible. The array is not changed afterwards.

        Sharing its memory saves a copy of the data set.
        """
        ...

    def prepare_host_batch(self, x: np.ndarray) -> Any:
        """Converts a batch of host data to the form that a `compile`d step takes fastest.

        As with `from_numpy`, the array is not changed afterwards.
        """
        ...

    def split_into_batches(self, order: np.ndarray, batch_size: int) -> Sequence[Any]:
        """Splits the sample indices of an epoch into batches, in the form that steps take fastest.

        The last batch may be smaller.
        """
        ...

    def gather_rows(self, x: Tensor, indices: Any) -> Tensor:
        """Gathers the slices of `x` along its first axis at one of these batches of indices."""
        ...

    # Function transforms

    def abstract_eval(self, function: Callable[..., Any], args: tuple, kwargs: dict) -> Any:
        """Evaluates a function abstractly: returns the shapes and dtypes of its results.

        The function may call the framework. The `KerasTensor`s among the nested arguments become
        tensors; tensors among the nested results become `KerasTensor`s without history. No variable
        changes. Sizes that depend on unknown sizes stay None: where the framework has no unknown
        sizes, evaluate twice with different ones.
        """
        ...

    def value_and_grad(
        self, function: Callable[..., tuple[Tensor, Any]], variables: Sequence[Any]
    ) -> Callable[..., tuple[tuple[Tensor, Any], list[Tensor]]]:
        """Returns a function that computes `function(*args) -> (scalar, aux)` and its gradients.

        The gradients are with respect to `variables`; a variable without influence has a gradient
        of zeros. Assignments that `function` makes take effect. The call may happen inside
        `compile`, and in a `StatelessScope`.

        Raises:
            UnsupportedError: The backend has no gradients: it is for inference only.
        """
        ...

    def compile(
        self,
        function: Callable[..., Any],
        state: Sequence[Any],
        jit: Any = "auto",
        donate: bool = True,
    ) -> Callable[..., Any]:
        """Compiles a function that reads and assigns the variables `state`.

        The arguments and results are nested tensors. Gradients are recorded in `value_and_grad`
        only. Returning the function itself is a valid implementation.

        Args:
            function: The function.
            state: The variables.
            jit: `"auto"` for the fastest mode, True or False for with or without the framework's
                compiler, a dict for options of the compiler, None for the uncompiled function
                (for debugging).
            donate: Whether the memory of the old values may be reused. False for what several
                threads may run at once: prediction and evaluation.
        """
        ...


class SupportsCompileCall(Protocol):
    """Optional: a backend where calling a compiled function is faster than running ops eagerly."""

    def compile_call(
        self, function: Callable[..., Any], variables: Sequence[Any]
    ) -> Callable[..., Any]:
        """Compiles a function that reads `variables` and assigns none.

        Gradients flow through it to its arguments and to the variables.
        """
        ...


class SupportsOutlining(Protocol):
    """Optional: a backend whose compiler needs less time for many functions than for a long one."""

    def outline(
        self, function: Callable[[Sequence[Any]], list[Any]], values: Sequence[Any]
    ) -> list[Any]:
        """Calls a function of tensors; where it is compiled, as a function that is not inlined.

        Args:
            function: Takes tensors and returns tensors. It may read and assign variables.
            values: Its argument.
        """
        ...


class SupportsMultiStep(Protocol):
    """Optional: a backend that can run many steps in one call, without Python between them."""

    def compile_multi_step(
        self,
        function: Callable[..., Any],
        state: Sequence[Any],
        tensors: Any,
        batches: Any,
        finalize: Callable[[Any], Any],
        jit: Any = "auto",
    ) -> Callable[..., Any] | None:
        """Compiles a loop `(tensors, batches, start, stop)` over a step `(tensors, indices)`.

        It runs the step for `batches[start]` to `batches[stop - 1]`, blocks until they are done
        and returns `finalize(last)`, where `last` is the result of the last step. How the steps
        are split into calls must not change the results by a bit.

        Args:
            function: The step.
            state: As in `compile`.
            tensors: Example data; calls pass others of the same shapes.
            batches: Example batches: an int32 matrix of indices from `prepare_host_batch`.
            finalize: Computes the results of the last step. It may read the state.
            jit: As in `compile`.

        Returns:
            The loop, or None where single steps are faster or it cannot be compiled.
        """
        ...


class SupportsRefusals(Protocol):
    """`is_refusal`: which errors of the framework are about the arguments of an op."""

    def is_refusal(self, error: Exception) -> bool:
        """Returns whether an error says that the framework does not accept the arguments.

        The frontend then raises an error that names the op and its arguments. Other errors, such as
        those about memory, are raised as they are.
        """
        ...

    def needs_values(self, error: Exception) -> bool:
        """Returns whether an error says that a tracer has no value, while a function is compiled.

        The frontend then raises a `TracedValueError`.
        """
        ...


class SupportsDonation(Protocol):
    """Optional: a framework whose compiled steps reuse the memory of the values they replace."""

    def is_value_donated(self, error: Exception) -> bool:
        """Returns whether an error says that the memory of a tensor was reused meanwhile.

        A variable that is read while another thread trains it is then read again.
        """
        ...


class SupportsWidening(Protocol):
    """`widen_operands`: a second form of operands whose dtype few kernels of the framework have."""

    def widen_operands(self, args: list[Any]) -> list[Any] | None:
        """Returns the arguments of a refused call with operands of a wider dtype.

        The results are cast to the dtypes of the op's rule. None if there are no such operands.
        """
        ...


class SupportsCompileOp(Protocol):
    """Optional: a backend where a composite op is slow when its primitives run one by one."""

    def compile_op(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Compiles the body of an op: a function of tensors and plain arguments.

        The result must be the same for every argument, also where tensors are traced.
        """
        ...


class SupportsStoredDtype(Protocol):
    """Optional: a backend that stores the values of some dtypes in another one."""

    def stored_dtype(self, dtype: str) -> str:
        """Returns the dtype in which values of a 64-bit dtype (complex128, too) are stored."""
        ...


class SupportsAutogradRecording(Protocol):
    """Optional: a framework whose programs take gradients of operations recorded before."""

    def record_gradients(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Makes a function record its operations, also inside `compile`: a custom train step."""
        ...


class SupportsSparse(Protocol):
    """Optional: sparse tensors, of the framework's own class. `is_tensor` is true for them.

    A sparse tensor is a list of entries: an index for each axis, and a value. `cast`,
    `convert_to_tensor` (also of SciPy's matrices, with `keras_fn.core.sparse.sparse_from_scipy`),
    `convert_to_numpy` (which makes it dense), `shape` and `is_traced` accept one.
    """

    def is_sparse(self, x: Any) -> bool:
        """Returns whether `x` is a sparse tensor, concrete or traced."""
        ...

    def make_sparse(
        self, indices: Tensor, values: Tensor, shape: tuple[Any, ...], is_unique: bool = False
    ) -> Tensor:
        """Makes a sparse tensor of entries in any order; those of one index are added.

        Args:
            indices: Integers of shape `(entries, axes)`.
            values: The values, of shape `(entries,)`.
            shape: The sizes of the axes, which may be scalar tensors in a trace.
            is_unique: Whether no index occurs twice.
        """
        ...

    def sparse_from_numpy(
        self, indices: np.ndarray, values: np.ndarray, shape: tuple[int, ...]
    ) -> Tensor:
        """Makes a sparse tensor of entries on the host, none of which has the same index.

        Where a compiled function is for one number of entries, it may add padding: entries of value
        0 whose indices are the sizes of the axes.
        """
        ...

    def sparse_parts(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Returns the indices and values of the entries. No index occurs twice but padding's."""
        ...

    def map_values(self, function: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
        """Returns a sparse tensor with `function(values)`: an elementwise function, 0 at 0.

        The dtype may change. No index of `x` occurs twice in the call.
        """
        ...

    def to_dense(self, x: Tensor) -> Tensor:
        """Returns the dense tensor."""
        ...

    def sparse_matmul(self, x: Tensor, y: Tensor) -> Tensor:
        """Multiplies a sparse matrix with a dense one of the same dtype; the result is dense.

        Gradients flow to `y`.
        """
        ...

    def sparse_sparse_matmul(self, x: Tensor, y: Tensor) -> Tensor:
        """Multiplies two sparse matrices of the same dtype; the result is sparse."""
        ...


class SupportsRagged(Protocol):
    """Optional: a framework with ragged tensors, which may be the data of a model."""

    def is_ragged(self, x: Any) -> bool:
        """Returns whether `x` is a ragged tensor."""
        ...

    def ragged_samples(self, x: Any) -> list[np.ndarray]:
        """Returns the samples of a ragged tensor, arrays of shapes `(time, ...)`.

        Raises:
            ValueError: Another axis is ragged too.
        """
        ...

    def ragged_from_rows(self, values: np.ndarray, row_lengths: np.ndarray) -> Any:
        """Makes a ragged tensor of rows of unequal lengths.

        Args:
            values: The elements of all rows, one row after the other.
            row_lengths: The number of elements of each row.
        """
        ...


class SupportsText(Protocol):
    """Optional: a framework with tensors of strings. Others leave text in arrays, on the host."""

    @property
    def text_tensors(self) -> bool:
        """True."""
        ...


class SupportsModules(Protocol):
    """Optional: PyTorch, whose modules `TorchModuleWrapper` wraps."""

    def is_module(self, value: object) -> bool:
        """Returns whether a value is a module, and not a layer."""
        ...

    def is_initialized(self, module: Any) -> bool:
        """Returns whether all parameters of a module have a shape."""
        ...

    def initialize_module(self, module: Any, shapes: list[tuple[int, ...]]) -> None:
        """Runs a lazy module on zeros of these shapes, which gives its parameters theirs."""
        ...

    def module_variables(self, module: Any) -> dict[str, Any]:
        """Returns the parameters and buffers as `Variable`s that share the module's tensors."""
        ...

    def call_module(
        self, module: Any, variables: dict[str, Any], training: bool, args: tuple, kwargs: Any
    ) -> Any:
        """Calls a module with the values of its variables that the active scopes define."""
        ...


class SupportsPytrees(Protocol):
    """Optional: JAX, whose functions `JaxLayer` and `FlaxLayer` wrap, or a way to run them."""

    def flatten_pytree(self, values: Any) -> tuple[list[Any], Callable[[list[Any]], Any]]:
        """Returns the leaves of a pytree, and the function that nests others in the same way."""
        ...

    def call_jax(self, function: Callable[..., Any], arguments: Sequence[Any]) -> Any:
        """Calls a function of JAX, with tensors as arrays of JAX. Returns what it returns."""
        ...

    def wrap_jax(
        self, function: Callable[..., Any], platforms: Sequence[str] | None = None
    ) -> Callable[..., Any]:
        """Returns a function of JAX as one of tensors, through which gradients flow.

        Args:
            function: Takes pytrees by position.
            platforms: The platforms for which a saved program holds it; None for that of JAX.
        """
        ...

    def flax_collections_but(self, name: str) -> Any:
        """Returns Flax's `mutable` argument for all collections of variables but one."""
        ...


class SupportsSavedModels(Protocol):
    """Optional: TensorFlow, whose SavedModels `TFSMLayer` wraps."""

    def load_saved_model(
        self, path: str, endpoints: list[str]
    ) -> tuple[list[Callable[..., Any]], list[Any]]:
        """Returns functions of a SavedModel, and the `Variable`s that they use.

        Raises:
            LookupError: There is no such endpoint. Its argument is the list of signatures.
        """
        ...


class SupportsFork(Protocol):
    """Optional: a framework that computes in a process forked after it was used."""

    @property
    def survives_fork(self) -> bool:
        """True."""
        ...


class SupportsProfiling(Protocol):
    """Optional profiling hooks. A backend may implement any subset."""

    def profile(self, folder: str) -> AbstractContextManager[Any]:
        """Returns a context in which the framework's profiler runs; it writes into the folder.

        The format is TensorBoard's where the framework supports it.
        """
        ...

    def block_until_ready(self, tensors: Sequence[Tensor]) -> None:
        """Blocks until the tensors have been computed. Without it, their values are fetched."""
        ...

    def is_out_of_memory(self, error: BaseException) -> bool:
        """Returns whether the framework raised this error because a device ran out of memory."""
        ...


class ForEach(Protocol):
    """A list of tensors of one dtype, on which arithmetic is one call for all of them.

    In addition to the methods below it has the operators `+ - * / **`, the in-place ones (`+=` ...,
    which change the tensors that it was created from), and the functions of
    `keras_fn.optimizers.single_tensor`, as methods. The other operand is another `ForEach`, a
    number or a scalar tensor.
    """

    def __init__(self, tensors: Sequence[Tensor]): ...

    def assign(self, other: Any) -> None:
        """Copies the values of another list into the tensors."""
        ...

    @staticmethod
    def match_memory_format(tensors: Sequence[Tensor], others: Sequence[Tensor]) -> None:
        """Gives tensors the memory format of others of their shapes, if the framework has several.

        The tensor objects stay the same.
        """
        ...

    @staticmethod
    def scalar(x: Tensor) -> Any:
        """Returns a scalar tensor as a number if that does not block, otherwise `x`."""
        ...

    @staticmethod
    def no_grad() -> AbstractContextManager[Any]:
        """Returns a context in which nothing is recorded, and parameters may change in place."""
        ...


class SupportsForeach(Protocol):
    """Optional: a backend without compiled steps: optimizers update all variables together."""

    @property
    def foreach(self) -> type[ForEach]:
        """The type of a list of tensors."""
        ...
