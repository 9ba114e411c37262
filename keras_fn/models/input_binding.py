"""Binds what a model is called on to its inputs: by name, never by sorted position."""

from collections.abc import Sequence
from typing import Any

from keras_fn.backend.loader import current
from keras_fn.core import tree
from keras_fn.core.keras_tensor import KerasTensor
from keras_fn.errors import SpecError
from keras_fn.ops.manipulation import expand_dims, squeeze


class InputBinder:
    """Knows the inputs of a model.

    Args:
        who: The model, for errors.
        structure: Its inputs, nested.
        names: Their names, flat.
        tensors: The KerasTensors, flat.
    """

    def __init__(
        self, source: str, structure: Any, names: Sequence[str], tensors: Sequence[KerasTensor]
    ):
        self.source, self.structure = source, structure
        self.names, self.tensors = list(names), list(tensors)
        sources = [getattr(t, "_keras_history", None) for t in tensors]
        self.layer_names = [s.operation.name if s else None for s in sources]
        self.optional = [s is not None and getattr(s.operation, "optional", False) for s in sources]
        self.single = isinstance(structure, KerasTensor)
        self.has_names = any(isinstance(key, str) for path in tree.paths(structure) for key in path)

    def bind(self, inputs: Any) -> list[Any]:
        """Returns a tensor for each input, in order, of its rank and dtype.

        Raises:
            SpecError: An input is missing, unexpected, or does not fit.
        """
        values = self.flatten(inputs)
        return [self._fitted(value, i) for i, value in enumerate(values)]

    def is_exact_match(self, x: Any) -> bool:
        """Whether `x` is the one input, of the rank and dtype that the model wants."""
        if not self.single:
            return False
        tensor = self.tensors[0]
        return len(x.shape) == len(tensor.shape) and current().dtype_name(x) == tensor.dtype

    def flatten(self, inputs: Any) -> list[Any]:
        """Returns what was given for each input, in order."""
        if self.single and not tree.is_nested(inputs):
            return [inputs]
        if self.has_names and (values := tree.flatten_like(self.structure, inputs)) is not None:
            return values
        if isinstance(inputs, dict):
            return self._by_name(inputs)
        values = tree.flatten(inputs)
        if len(values) != len(self.names):
            raise SpecError(
                self.source,
                expected=f"{len(self.names)} inputs: {', '.join(self.names)}",
                received=f"{len(values)}",
                fix="pass one tensor for each, as a list in this order or as a dict by name",
            )
        return values

    def _by_name(self, inputs: dict[Any, Any]) -> list[Any]:
        for names in (self.names, self.layer_names):
            needed = [n for n, may_lack in zip(names, self.optional, strict=True) if not may_lack]
            missing = [n for n in needed if n not in inputs]
            unexpected = [key for key in inputs if key not in names]
            if not missing and not unexpected:
                return [inputs.get(name) for name in names]
        names = self.names
        missing = [n for n in names if n not in inputs]
        unexpected = [key for key in inputs if key not in names]
        raise SpecError(
            self.source,
            expected=f"inputs named {', '.join(names)}",
            received=f"inputs named {', '.join(map(str, inputs))}",
            fix="; ".join(
                [f"add {', '.join(missing)}"] * bool(missing)
                + [f"drop {', '.join(map(str, unexpected))}"] * bool(unexpected)
            ),
        )

    def _fitted(self, value: Any, i: int) -> Any:
        tensor = self.tensors[i]
        if value is None:
            if self.optional[i]:
                return None
            raise self._misfit(i, "None", "feed a tensor, or make the Input optional=True")
        shape = tuple(value.shape) if hasattr(value, "shape") else None
        if shape is None:
            value = current().convert_to_tensor(value)
            shape = tuple(value.shape)
        wanted = tensor.shape
        if len(shape) != len(wanted):
            value = self._reranked(value, shape, i)
            shape = tuple(value.shape)
        for have, want in zip(shape[1:], wanted[1:], strict=True):  # a batch may be of any size
            if want is not None and have is not None and have != want:
                raise self._misfit(i, f"shape {shape}", "reshape the data to the Input's shape")
        return self._cast(value, tensor.dtype)

    def _reranked(self, value: Any, shape: tuple[int, ...], i: int) -> Any:
        """Adds or drops a last axis of size 1, as for labels of shape `(batch,)`."""
        wanted = self.tensors[i].shape
        if len(shape) == len(wanted) - 1 and wanted[-1] == 1:
            return expand_dims(value, -1)
        if len(shape) == len(wanted) + 1 and shape[-1] == 1:
            return squeeze(value, -1)
        fix = "feed a batch of samples: add the batch axis, for example x[None]"
        if len(shape) != len(wanted) - 1:
            fix = "reshape the data to the Input's shape"
        raise self._misfit(i, f"shape {shape}", fix)

    def _cast(self, value: Any, dtype: str) -> Any:
        if isinstance(value, KerasTensor):
            if value.dtype == dtype:
                return value
            cast = KerasTensor(value.shape, dtype, record_history=False)
            cast._keras_mask = value._keras_mask
            if hasattr(value, "_keras_history"):
                cast._keras_history = value._keras_history
            return cast
        backend = current()
        if not backend.is_tensor(value):
            return backend.convert_to_tensor(value, dtype)
        return value if backend.dtype_name(value) == dtype else backend.cast(value, dtype)

    def _misfit(self, i: int, received: str, fix: str) -> SpecError:
        tensor = self.tensors[i]
        return SpecError(
            self.source,
            expected=f"input {self.names[i]!r} of shape {tensor.shape}",
            received=received,
            fix=fix,
        )
