"""How much a model file may ask for. Every budget of the load path is here."""

import contextlib
import dataclasses
from collections.abc import Iterator
from contextvars import ContextVar

_MIB = 1 << 20


@dataclasses.dataclass(frozen=True)
class Limits:
    """Budgets for reading a model file.

    Attributes:
        config_bytes: Largest config.json.
        metadata_bytes: Largest metadata.json.
        json_depth: Deepest nesting of lists and objects in JSON.
        json_nodes: Most values in a JSON document.
        json_containers: Most lists and objects in a JSON document; each takes about 200 bytes.
        json_keys: Most keys of all objects of a JSON document together.
        json_digits: Most digits of an integer in JSON.
        zip_members: Most members of an archive.
        inflation: Most bytes that one compressed byte may become.
        layers: Most layers of a model.
        parameters: Most parameters of a model built from a config alone.
        rank: Most dimensions of a dataset.
        attribute_bytes: Largest HDF5 attribute.
        unchecked_bytes: A dataset up to this size may exceed `inflation`.
        hdf5_objects: Most groups and datasets of an HDF5 file.
        hdf5_depth: Deepest nesting of HDF5 groups.
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

    def __post_init__(self):
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            if type(value) is not int or value < 1:
                raise ValueError(f"limit {field.name!r} must be a positive int, not {value!r}")


_scoped: ContextVar[Limits | None] = ContextVar("keras_fn_file_limits", default=None)
_default = Limits()


def current_limits() -> Limits:
    """Returns the limits in force: of the innermost `limits` block, else the default."""
    return _scoped.get() or _default


def set_default_limits(limits: Limits) -> None:
    """Sets the limits of the whole process, for code outside a `limits` block."""
    global _default
    _default = limits


@contextlib.contextmanager
def limits(**changes: int) -> Iterator[Limits]:
    """Changes some limits for the code inside the block.

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
