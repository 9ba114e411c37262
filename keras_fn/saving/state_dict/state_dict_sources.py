"""Where `load_state_dict` reads tensors: dictionaries, `safetensors` files, `.pt` files."""

import contextlib
import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, BinaryIO, NamedTuple, Protocol

import numpy as np

from keras_fn.core.dtypes import numpy_dtype, standardize_dtype
from keras_fn.core.foreign_tensors import framework_of, to_numpy
from keras_fn.core.variable import Variable
from keras_fn.errors import find_similar
from keras_fn.saving import hugging_face
from keras_fn.saving.errors import (
    ModelFileError,
    ModelFileTypeError,
    model_file_errors,
    sanitize_for_display,
)
from keras_fn.saving.file_io import describe, local_path, open_for_reading
from keras_fn.saving.safetensors import safetensors_format
from keras_fn.saving.safetensors.safetensors_file import (
    SIGNATURE_BYTES,
    SafetensorsFile,
    is_safetensors,
    open_safetensors,
)
from keras_fn.saving.state_dict import torch_shards
from keras_fn.saving.state_dict.torch_checkpoint import StoredTensor, TorchCheckpoint

StateDict = Mapping[str, Any]
_ZIP = b"PK\x03\x04"


class TensorSource(Protocol):
    """A tensor that is read when it is needed."""

    @property
    def shape(self) -> tuple[int, ...]: ...
    @property
    def dtype(self) -> np.dtype: ...
    def read(self) -> np.ndarray:
        """Returns the tensor as a new array."""
        ...


class _ArraySource(NamedTuple):
    value: Any

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(self.value.shape)

    @property
    def dtype(self) -> np.dtype:
        return numpy_dtype(standardize_dtype(self.value.dtype))

    def read(self) -> np.ndarray:
        try:
            return np.array(to_numpy(self.value))
        except (TypeError, NotImplementedError, RuntimeError) as error:
            raise ModelFileTypeError(
                "a tensor of the dictionary has no values that NumPy could read",
                expected="a dense tensor with values",
                received=f"{type(self.value).__name__} of shape {self.shape}: {error}"[:300],
                fix="convert it: a sparse one with to_dense(), others with float()",
            ) from error


class _FileSource(NamedTuple):
    file: SafetensorsFile
    name: str

    @property
    def shape(self) -> tuple[int, ...]:
        return self.file.datasets[self.name].shape

    @property
    def dtype(self) -> np.dtype:
        return self.file.datasets[self.name].dtype

    def read(self) -> np.ndarray:
        return self.file.read(self.name, self.shape, self.dtype)


class _CheckpointSource(NamedTuple):
    file: TorchCheckpoint
    tensor: StoredTensor

    @property
    def shape(self) -> tuple[int, ...]:
        return self.tensor.shape

    @property
    def dtype(self) -> np.dtype:
        return self.tensor.dtype

    def read(self) -> np.ndarray:
        return self.file.read(self.tensor, self.dtype)


@contextlib.contextmanager
def open_state_dict(
    source: Any, key: str | None
) -> Iterator[tuple[str, Mapping[str, TensorSource]]]:
    """Context manager of the tensors of a state dict by name, and of its name in messages.

    Args:
        source: A dictionary of tensors, or a path or binary file.
        key: The entry of a checkpoint that holds the state dict.

    Raises:
        ModelFileError: The file is malformed, or there is no such entry.
        ModelFileTypeError: The source is neither a dictionary nor a file.
    """
    if isinstance(source, Mapping):
        yield "the state dict", _tensors_of(source, key)
        return
    if callable(getattr(source, "state_dict", None)):
        raise ModelFileTypeError(
            "a module is not a state dict",
            expected="a dictionary of tensors, or the path of a file",
            received=type(source).__name__,
            fix="pass module.state_dict()",
        )
    if hugging_face.is_hub_path(source):
        source = hugging_face.download(source)[0]
    with open_for_reading(source) as file:
        is_path = isinstance(source, (str, bytes, os.PathLike))
        name = os.fsdecode(source).lower() if is_path else ""
        if name.endswith(safetensors_format.INDEX_ENDING):
            with safetensors_format.open_shards(file, local_path(source)) as files:
                yield describe(file), _named_tensors(files, key)
        elif name.endswith(torch_shards.INDEX_ENDING):
            with torch_shards.open_shards(file, local_path(source)) as checkpoints:
                yield (
                    describe(file),
                    {
                        name: tensor
                        for checkpoint in checkpoints
                        for name, tensor in _tensors_of_checkpoint(checkpoint, key).items()
                    },
                )
        else:
            yield describe(file), _tensors_in(file, key)


def _tensors_in(file: BinaryIO, key: str | None) -> Mapping[str, TensorSource]:
    """Returns the tensors in a file, whose format its first bytes say."""
    signature = file.read(SIGNATURE_BYTES)
    file.seek(0)
    if is_safetensors(signature):
        return _named_tensors([open_safetensors(file)], key)
    if signature.startswith(_ZIP):
        return _tensors_of_checkpoint(TorchCheckpoint(file), key)
    raise ModelFileError(
        f"{describe(file)}: not a file of tensors",
        expected="a .safetensors file, or a .pt file of PyTorch 1.6 or later",
        received=repr(signature),
        fix="save it again with torch.save, or with the safetensors library; a file of Keras is "
        "loaded with load_weights",
    )


def _tensors_of_checkpoint(checkpoint: TorchCheckpoint, key: str | None) -> dict[str, TensorSource]:
    with model_file_errors(checkpoint.name):
        return {
            _checked_name(name, value, isinstance(value, StoredTensor)): _CheckpointSource(
                checkpoint, value
            )
            for name, value in _entry(checkpoint.content, key, StoredTensor).items()
        }


def _named_tensors(files: Sequence[SafetensorsFile], key: str | None) -> Mapping[str, TensorSource]:
    if key is not None:
        raise _no_entry(key, ())
    return {name: _FileSource(file, name) for file in files for name in file.datasets}


def _tensors_of(source: StateDict, key: str | None) -> Mapping[str, TensorSource]:
    """Returns the tensors of a dictionary in memory."""
    tensors: dict[str, TensorSource] = {}
    for name, value in _entry(source, key, Variable, np.ndarray, framework_of).items():
        value = value.value if isinstance(value, Variable) else value
        is_tensor = isinstance(value, np.ndarray) or framework_of(value) is not None
        tensors[_checked_name(name, value, is_tensor)] = _ArraySource(value)
    return tensors


def _checked_name(name: Any, value: Any, is_tensor: bool) -> str:
    """Returns the name of an entry, after checking that it is a text, and that of a tensor."""
    if not is_tensor or not isinstance(name, str):
        raise ModelFileTypeError(
            f"the entry {sanitize_for_display(name, 100)!r} is not a tensor with a name",
            expected="a dictionary of tensors or arrays by their names",
            received=f"{type(value).__name__} by a key of type {type(name).__name__}",
            fix="pass the entry that holds the state dict as key=, or remove this one",
        )
    return name


def _entry(content: Any, key: str | None, *kinds: Any) -> dict[str, Any]:
    """Returns the state dict in what was saved: all of it, the entry `key`, or the only one.

    Args:
        content: What was saved.
        key: The entry; None to find it.
        *kinds: Types of tensors, and predicates of them.
    """
    entries = dict(content) if isinstance(content, Mapping) else {}

    def is_tensor(value: Any) -> bool:
        types = tuple(kind for kind in kinds if isinstance(kind, type))
        tests = (kind for kind in kinds if not isinstance(kind, type))
        return isinstance(value, types) or any(test(value) is not None for test in tests)

    def is_state_dict(value: Any) -> bool:
        return isinstance(value, Mapping) and bool(value) and all(map(is_tensor, value.values()))

    if key is None and (not entries or any(map(is_tensor, entries.values()))):
        return entries
    found = [name for name, value in entries.items() if is_state_dict(value)]
    if key is None and len(found) == 1:
        key = found[0]
    if key is None or key not in entries or not isinstance(entries[key], Mapping):
        raise _no_entry(key, found or list(entries))
    return dict(entries[key])


def _no_entry(key: str | None, names: Sequence[Any]) -> ModelFileError:
    near = find_similar(key or "", map(str, names), 1) or [str(name) for name in names[:1]]
    return ModelFileError(
        "load_state_dict: there is no such entry"
        if key is not None
        else "load_state_dict: there are several entries that can hold the state dict, or none",
        expected=f"key=, one of {', '.join(repr(name)[:60] for name in names[:8])}"
        if names
        else "key=None: the tensors are not inside of another entry",
        received=f"key={key!r}",
        fix=f"for example key={near[0]!r}" if near else "leave it out",
    )
