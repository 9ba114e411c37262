"""Limits on the resources that loading a model file can use."""

import contextlib
import dataclasses
from collections.abc import Iterator
from contextvars import ContextVar

from keras_fn.errors import SpecError

_MIB = 1 << 20


@dataclasses.dataclass(frozen=True)
class Limits:
    """Limits for reading a model file.

    Attributes:
        config_bytes: Maximum size of config.json.
        metadata_bytes: Maximum size of metadata.json.
        json_depth: Maximum nesting of lists and objects in JSON.
        json_nodes: Maximum number of values in a JSON document.
        json_containers: Maximum number of lists and objects in a JSON document, which take about
            200 bytes each.
        json_keys: Maximum number of keys in all objects of a JSON document.
        json_digits: Maximum number of digits of an integer in JSON.
        zip_members: Maximum number of members of an archive.
        inflation: Maximum ratio of decompressed to compressed bytes.
        layers: Maximum number of layers of a model.
        parameters: Maximum number of parameters of a model that is created from a config.
        rank: Maximum rank of a dataset.
        attribute_bytes: Maximum size of an HDF5 attribute.
        unchecked_bytes: Size up to which a dataset can exceed `inflation`.
        hdf5_objects: Maximum number of groups and datasets of an HDF5 file.
        hdf5_depth: Maximum nesting of HDF5 groups.
        safetensors_header_bytes: Maximum size of the header of a safetensors file; the format
            allows no more.
        pickle_opcodes: Maximum number of opcodes of the pickle in a `.pt` file of PyTorch; a tensor
            takes about 30.
    """

    config_bytes: int = 64 * _MIB
    metadata_bytes: int = _MIB
    json_depth: int = 512
    json_nodes: int = 10**7
    json_containers: int = 10**6
    json_keys: int = 2 * 10**6
    json_digits: int = 30
    zip_members: int = 10_000
    inflation: int = 100
    layers: int = 100_000
    parameters: int = 10**10
    rank: int = 32
    attribute_bytes: int = 64 * _MIB
    unchecked_bytes: int = 64 * _MIB
    hdf5_objects: int = 500_000
    hdf5_depth: int = 256
    safetensors_header_bytes: int = 100_000_000
    pickle_opcodes: int = 2 * 10**6

    def __post_init__(self):
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            if type(value) is not int or value < 1:
                raise SpecError(
                    f"The limit {field.name!r}",
                    expected="a positive integer",
                    received=repr(value),
                    fix="raise the limit instead of removing it",
                )


_scoped: ContextVar[Limits | None] = ContextVar("keras_fn_file_limits", default=None)
_default = Limits()


def current_limits() -> Limits:
    """Returns the active limits: of the innermost `limits` context, else the default."""
    return _scoped.get() or _default


def set_default_limits(limits: Limits) -> None:
    """Sets the default limits of the process.

    Args:
        limits: The limits for code outside of `limits` contexts.
    """
    global _default
    _default = limits


@contextlib.contextmanager
def limits(**changes: int) -> Iterator[Limits]:
    """Context manager that changes limits for the code inside it.

    Args:
        **changes: New values of attributes of `Limits`.

    Example:
        >>> with limits(config_bytes=1 << 30) as changed:
        ...     changed.config_bytes
        1073741824
    """
    changed = dataclasses.replace(current_limits(), **changes)
    token = _scoped.set(changed)
    try:
        yield changed
    finally:
        _scoped.reset(token)
