"""The base classes of layers that also run in data pipelines, and of those that run on the host."""

import multiprocessing
import os
import sys
import zlib
from threading import RLock
from typing import Any

import numpy as np

from keras_fn.backend.loader import current, is_loaded, supports
from keras_fn.core import tree
from keras_fn.core.device import device
from keras_fn.core.foreign_tensors import (
    call_in_graph,
    framework_of,
    graph_spec,
    is_in_graph,
    to_framework,
    to_numpy,
)
from keras_fn.core.host_text import list_to_array, to_host_values
from keras_fn.core.keras_tensor import KerasTensor
from keras_fn.core.scopes import CapturedContext, context
from keras_fn.core.tracing import is_dynamo_compiling, substitute_when_tracing
from keras_fn.errors import DTypeError, UnsupportedError, missing_method
from keras_fn.layers.layer import Layer
from keras_fn.types import Nested, Tensor


class DataLayer(Layer):
    """Base class of preprocessing layers: they run in models and in data pipelines.

    Outside of a model, the result is of the kind of the inputs: symbolic tensors in
    `tf.data.Dataset.map`, and tensors of any framework, on every backend. NumPy arrays become
    tensors of the backend; in a worker or a transformation of a torch `DataLoader` or of Grain they
    stay NumPy arrays, which these can collate.
    """

    _runs_on_host = False  # whether it computes in NumPy, so that no compiled step can hold it
    autograph_info__ = None  # TensorFlow's mark of what it calls as it is, in a mapped function
    _seeded_in = 0  # the worker process whose own random numbers its generators draw

    def _traced_data_call(self, *args: Any, **kwargs: Any) -> Tensor:
        """Like `__call__`, for a compiler that traces it: there are tensors of the backend only."""
        return Layer._traced_call(self, *args, **kwargs)

    @substitute_when_tracing(_traced_data_call)
    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        inputs = args[0] if args else None
        if self._runs_on_host and (text := list_to_array(inputs)) is not None:
            args, inputs = (text, *args[1:]), text  # lists can be long
        is_native = current().is_tensor(inputs) and not self._runs_on_host
        if is_native or isinstance(inputs, KerasTensor) or not args or context.current.symbolic:
            if _in_worker and _is_in_pipeline():
                _reseed_in_worker(self)
            return super().__call__(*args, **kwargs)
        leaves = [x for x in tree.flatten(inputs) if x is not None]
        if any(isinstance(x, KerasTensor) for x in leaves):
            return super().__call__(*args, **kwargs)
        own = current().name
        in_graph = any(map(is_in_graph, leaves))
        if in_graph and (own != "tensorflow" or self._runs_on_host):
            return self._call_in_graph(args, kwargs)
        foreign = [x for x in leaves if framework_of(x) not in (None, own)]
        if foreign:
            arrays = tree.map_structure(lambda x: to_numpy(x) if framework_of(x) else x, inputs)
            return tree.map_structure(
                lambda x: to_framework(x, foreign[0]) if isinstance(x, np.ndarray) else x,
                self._call_on_arrays((arrays, *args[1:]), kwargs),
            )
        if not any(map(current().is_tensor, leaves)) and _is_in_pipeline():
            return self._call_on_arrays(args, kwargs)
        return super().__call__(*args, **kwargs)

    def _call_on_arrays(self, args: tuple, kwargs: dict[str, Any]) -> Any:
        """Calls the layer on arrays, and returns its results as arrays."""
        self._check_process()
        variables = [] if self._runs_on_host else self.variables
        _reseed_in_worker(self)

        def run() -> Any:
            results = Layer.__call__(self, *args, **kwargs)
            return tree.map_structure(_to_array, results)

        if variables or not supports("device_scope"):
            with DRAW_LOCK:  # pipelines call a layer in several threads
                return run()
        with device("cpu"):
            return run()

    def _check_process(self) -> None:
        """Refuses what would wait forever: threads of the framework that a fork did not copy."""
        if _forked_with_backend and not self._runs_on_host and not supports("survives_fork"):
            raise UnsupportedError(
                f"{self._label} runs in a process that was forked after {current().name} had "
                "started its threads, which a fork does not copy: it would wait forever",
                fix="start the workers by multiprocessing_context='forkserver' or 'spawn' of the "
                "DataLoader, use num_workers=0, or KERAS_BACKEND=torch",
            )

    def _call_in_graph(self, args: tuple, kwargs: dict[str, Any]) -> Any:
        """Adds a call to a graph of TensorFlow: the layer runs on the host for each element."""
        inputs = args[0]
        specs = tree.map_structure(
            lambda x: graph_spec(x, self._label) if is_in_graph(x) else x, inputs
        )
        outputs = self.compute_output_spec(specs, *args[1:], **kwargs)
        scope = CapturedContext()

        def run(arrays: Nested) -> Any:
            with scope:
                return self._call_on_arrays((arrays, *args[1:]), kwargs)

        return call_in_graph(run, inputs, outputs)


class HostLayer(DataLayer):
    """Base class of layers that compute on the host, in NumPy: on text, or hashes of numbers.

    Subclasses define `_call_on_host` and `compute_output_spec`. In a model they are part of the
    host preprocessing, which runs on each batch before the compiled step.
    """

    _runs_on_host = True
    _takes_text = True

    def _call_on_host(self, inputs: Any) -> Any:
        """Computes the outputs. Subclasses define it.

        Args:
            inputs: A NumPy array: of numbers, or of text of one of the dtypes `object` (of str or
                bytes in UTF-8), `U`, `S` and `StringDType`. Nested lists of unequal lengths stay
                lists. If the layer was called on several tensors: arrays nested in the same way.

        Returns:
            A NumPy array, of text or of numbers, or nested arrays.
        """
        raise missing_method(self, "_call_on_host(inputs)")

    def call(self, inputs: Nested) -> Nested:
        """Returns the outputs.

        Args:
            inputs: Arrays, tensors, or nested lists of strings or numbers.
        """
        if context.current.symbolic:
            return self.compute_output_spec(inputs)
        return self._from_host(self.run_on_host(inputs))

    def _from_host(self, outputs: Any) -> Any:
        """Returns the outputs of `_call_on_host` as tensors.

        Text stays an array where there are no tensors of it.
        """
        return tree.map_structure(_to_tensor, outputs)

    def run_on_host(self, inputs: Nested) -> Nested:
        """Returns the outputs as arrays: in the host preprocessing of a model.

        Args:
            inputs: Arrays or tensors.
        """
        return self._call_on_host(self._to_host(inputs))

    def _convert_inputs(self, arguments: dict[str, Any]) -> dict[str, Any]:
        """Returns the arguments with arrays on the host instead of anything that has values."""
        return {
            name: self._to_host(value) if name == self._signature.names[0] else value
            for name, value in arguments.items()
        }

    def _to_host(self, inputs: Any) -> Any:
        if isinstance(inputs, dict):
            return {key: self._to_host(value) for key, value in inputs.items()}
        if isinstance(inputs, (list, tuple)) and _holds_arrays(inputs):
            return type(inputs)([self._to_host(value) for value in inputs])
        if isinstance(inputs, KerasTensor) or inputs is None:
            return inputs
        if is_dynamo_compiling() or (current().is_tensor(inputs) and current().is_traced(inputs)):
            raise DTypeError(
                self._label,
                expected="values: it computes on the host, outside of compiled functions",
                received="a tensor in a function that is being compiled",
                fix="map it over the data set before: dataset.map(layer); or use it in a "
                "Functional model, from an Input on: it then runs on each batch before the step",
            )
        return to_host_values(inputs)


DRAW_LOCK = RLock()
"""Held while a layer draws, so that calls in several threads have different random numbers."""

_forked_with_backend = False  # whether this process is a fork of one that had loaded the backend
_in_worker = multiprocessing.parent_process() is not None  # whether another process started this


def _note_fork() -> None:
    global _forked_with_backend, _in_worker
    _forked_with_backend, _in_worker = is_loaded(), True


if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(after_in_child=_note_fork)

_PIPELINES = ("torch.utils.data.", "torchdata.", "grain.", "keras_fn.data_adapters.worker_pool")
"""The modules whose frames call the functions of a data pipeline."""


def _is_in_pipeline() -> bool:
    """Returns whether the caller is a transformation or a data set of a data pipeline."""
    frame = sys._getframe(2)
    while frame is not None:
        if frame.f_globals.get("__name__", "").startswith(_PIPELINES):
            return True
        frame = frame.f_back
    return False


def _reseed_in_worker(layer: DataLayer) -> None:
    """Gives the layer's copy in a worker process random numbers of its own: once in each process.

    Without this, all workers, and those of all epochs, would draw what the original draws next.
    """
    if layer._seeded_in == os.getpid() or multiprocessing.parent_process() is None:
        return
    layer._seeded_in = os.getpid()
    torch: Any = sys.modules.get("torch")
    worker = torch.utils.data.get_worker_info() if torch is not None else None
    # PyTorch draws a seed for each worker and epoch; other processes are numbered.
    identity = getattr(multiprocessing.current_process(), "_identity", ())
    key = str(identity if worker is None else worker.seed)
    for variable in layer.variables:
        if variable.name == "seed_generator_state":
            seed, draws = variable.numpy().tolist()
            seed = (seed ^ zlib.crc32(key.encode())) % 2**32
            variable.assign(np.array([seed, draws], "uint32"))


def _holds_arrays(values: Any) -> bool:
    """Returns whether a list holds tensors, or lists of them, rather than one tensor's data."""
    return any(
        (hasattr(x, "shape") and x.shape != ())
        or isinstance(x, dict)
        or (isinstance(x, (list, tuple)) and _holds_arrays(x))
        for x in values
    )


def _to_array(x: Any) -> Any:
    """Returns a tensor as an array, and anything else as it is."""
    return current().convert_to_numpy(x) if current().is_tensor(x) else x


def _to_tensor(x: Any) -> Any:
    """Returns an array as a tensor; text stays on the host where there are no tensors of it."""
    if not isinstance(x, np.ndarray) or (x.dtype.kind in "USOT" and not supports("text_tensors")):
        return x
    return current().convert_to_tensor(x)
